package redislog

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// The kinds of trouble. Each is logged when it begins and when it is over.
const (
	troubleServer  = "Redis does not renew the lease"
	troublePublish = "Redis has not taken changes, cached entries are not served until it has"
	troubleRead    = "the log cannot be read, records arrive with renewals only"
	troubleHear    = "acknowledgements cannot be heard, they are polled"
	troubleAck     = "acknowledgements cannot be sent, others wait for this instance"
	troubleName    = "INFO is not allowed, a failover that loses records is noticed late or not at all"
	troubleUnknown = "a record is of no known kind, everything cached was flushed"
	troubleFeed    = "the feed of changes cannot be read, it is tried again"
	troubleIntent  = "changes cannot be announced, mutations are refused"
	troubleTend    = "announced changes cannot be looked after, they may count as made before they are"
	troubleWAIT    = "replicas do not confirm in time"
	troubleAlone   = "the primary takes changes without its replicas, so a failover that leaves it running makes stale reads: set min-replicas-to-write"
)

// A reporter logs troubles and hands out events. It is safe for concurrent use.
type reporter struct {
	log     *slog.Logger
	onEvent func(Event)
	deaf    atomic.Bool // onEvent has panicked

	mu   sync.Mutex // protects all below
	open map[string]bool
}

func newReporter(o Options) *reporter {
	return &reporter{
		log:     safe.Logger(o.Logger).With("component", "redislog", "namespace", o.Namespace, "instance", o.Instance),
		onEvent: o.OnEvent,
		open:    map[string]bool{},
	}
}

// begin reports a trouble, unless it is open.
func (r *reporter) begin(trouble string, err error) {
	r.mu.Lock()
	known := r.open[trouble]
	r.open[trouble] = true
	r.mu.Unlock()
	if known {
		return
	}
	attrs := []any{}
	if err != nil {
		attrs = append(attrs, "error", err.Error())
	}
	r.log.Warn("trouble: "+trouble, attrs...)
	r.send(Event{Kind: EventTrouble, Detail: trouble})
}

// end reports the end of a trouble, if it is open.
func (r *reporter) end(trouble string) {
	r.mu.Lock()
	known := r.open[trouble]
	delete(r.open, trouble)
	r.mu.Unlock()
	if known {
		r.log.Info("over: " + trouble)
		r.send(Event{Kind: EventTroubleOver, Detail: trouble})
	}
}

// holds begins or ends a trouble, by whether there is one.
func (r *reporter) holds(trouble string, there bool) {
	if there {
		r.begin(trouble, nil)
	} else {
		r.end(trouble)
	}
}

// is begins or ends a trouble, by whether there is an error.
func (r *reporter) is(trouble string, err error) {
	if err != nil {
		r.begin(trouble, err)
	} else {
		r.end(trouble)
	}
}

func (r *reporter) event(kind EventKind, p changelog.Position, detail string) {
	r.send(Event{Kind: kind, Epoch: p.Epoch, Number: p.Number, Detail: detail})
}

// send calls OnEvent. Most events happen on a goroutine of the log, where a panic would
// end the process.
func (r *reporter) send(e Event) {
	defer func() {
		if p := recover(); p != nil && !r.deaf.Swap(true) {
			r.log.Error("OnEvent panicked", "panic", p, "further", "not logged")
		}
	}()
	r.onEvent(e)
}
