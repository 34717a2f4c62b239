package redislog

import (
	"log/slog"
	"sync"
)

// The kinds of trouble. Each is logged when it begins and when it is over.
const (
	troubleServer  = "the server does not renew the lease"
	troublePublish = "the server has not taken changes, cached entries are not served until it has"
	troubleRead    = "the log cannot be read, records arrive with renewals only"
	troubleHear    = "acknowledgements cannot be heard, they are polled"
	troubleAck     = "acknowledgements cannot be sent, others wait for this instance"
	troubleName    = "INFO is not allowed, a failover that loses records is noticed late or not at all"
	troubleUnknown = "a record is of no known kind, everything cached was flushed"
	troubleFeed    = "the feed of changes cannot be read, it is tried again"
	troubleIntent  = "changes cannot be announced, mutations are refused"
	troubleTend    = "announced changes cannot be looked after, they may count as made before they are"
	troubleWAIT    = "replicas do not confirm in time"
)

// troubles remembers what has been logged.
type troubles struct {
	log   *slog.Logger
	event func(Event)

	mu   sync.Mutex
	open map[string]bool
}

func (t *troubles) begin(what string, err error) {
	t.mu.Lock()
	known := t.open[what]
	if t.open == nil {
		t.open = map[string]bool{}
	}
	t.open[what] = true
	t.mu.Unlock()
	if known {
		return
	}
	attrs := []any{}
	if err != nil {
		attrs = append(attrs, "error", err.Error())
	}
	t.log.Warn("trouble: "+what, attrs...)
	t.event(Event{Kind: EventTrouble, Detail: what})
}

func (t *troubles) end(what string) {
	t.mu.Lock()
	known := t.open[what]
	delete(t.open, what)
	t.mu.Unlock()
	if known {
		t.log.Info("over: " + what)
		t.event(Event{Kind: EventTroubleOver, Detail: what})
	}
}

// is begins or ends a trouble, by whether there is an error.
func (t *troubles) is(what string, err error) {
	if err != nil {
		t.begin(what, err)
	} else {
		t.end(what)
	}
}
