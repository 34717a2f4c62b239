package edge

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// PurgeTimeout is the deadline of the context of a purge: of all the calls for the names
// that wait together.
const PurgeTimeout = 10 * time.Second

// retry is how long after a failed purge the next one is at least.
const retry = time.Second

// maxWaiting bounds the names that wait. Beyond, everything is purged.
const maxWaiting = 10_000

// A Purger has names purged, at once and again after a while. Make it with NewPurger.
type Purger struct {
	cfg     PurgerConfig
	arrived chan struct{} // has room for one: something waits
	purged  chan struct{} // has room for one: something is to be purged again
	first   chan struct{} // closed when the first purges have ended

	mu    sync.Mutex // protects all below
	now   names
	done  chan struct{} // closed after the purge of now
	again []round       // in the order of time
	ended bool
}

// PurgerConfig says how names are purged.
type PurgerConfig struct {
	// Purge removes all answers with one of the names, of which there are at most
	// MaxChange.
	Purge func(ctx context.Context, names []string) error
	// Everything is the name of all answers.
	Everything string
	// InFlight is the time after which names are purged again.
	InFlight time.Duration
	// Pending reports whether changes may still wait for other instances, which may give
	// answers from before them. What is purged as long as it does is purged again.
	Pending func() bool
	// Ended hears of each call of Purge. It may be called concurrently.
	Ended func(error)
}

// names is a set of names that wait.
type names map[string]bool

// add adds names to a set. One with everything has nothing else.
func (n *names) add(everything string, more ...string) {
	if *n == nil {
		*n = names{}
	}
	for _, name := range more {
		(*n)[name] = true
	}
	if len(*n) > maxWaiting || (*n)[everything] {
		*n = names{everything: true}
	}
}

// A round has names that were purged from one time to another.
type round struct {
	names       names
	first, last time.Time
}

// Rounds are joined within this part of the time after which they are purged again.
const joined = 10

// NewPurger returns a Purger that does nothing until Run is called.
func NewPurger(cfg PurgerConfig) *Purger {
	return &Purger{
		cfg: cfg, arrived: make(chan struct{}, 1), purged: make(chan struct{}, 1),
		first: make(chan struct{}), done: make(chan struct{}),
	}
}

// Add has names purged, and returns a channel that is closed after the first purge,
// whatever became of it. It does not block. After Run has ended nothing is purged.
func (p *Purger) Add(more []string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	done := p.done
	if p.ended {
		return done
	}
	p.now.add(p.cfg.Everything, more...)
	signal(p.arrived)
	return done
}

// signal sends where nobody need receive.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run purges until closed is. Then everything is purged once more: nobody is there any
// more who would hear of the changes of instances with another schema. It returns some
// three times PurgeTimeout later at the latest.
func (p *Purger) Run(closed <-chan struct{}) {
	var both sync.WaitGroup
	both.Go(func() { p.runFirst(closed) })
	both.Go(func() { p.runAgain() })
	both.Wait()
}

// runFirst purges what has arrived.
func (p *Purger) runFirst(closed <-chan struct{}) {
	defer close(p.first)
	for open := true; open; {
		select {
		case <-p.arrived:
		case <-closed:
			open = false
		}
		p.mu.Lock()
		p.ended = !open
		some, done := p.now, p.done
		p.now = nil
		if open {
			p.done = make(chan struct{})
		}
		p.mu.Unlock()
		_ = p.purge(slices.Collect(maps.Keys(some))) // what has failed is purged again with the rest
		close(done)
		p.repeat(some, 0)
	}
}

// repeat has names purged again, so much later than usual.
func (p *Purger) repeat(some names, later time.Duration) {
	if len(some) == 0 {
		return
	}
	p.mu.Lock()
	now, n := time.Now().Add(later), 0
	for i := range p.again {
		n += len(p.again[i].names)
	}
	switch end := len(p.again) - 1; {
	case n > maxWaiting:
		p.again = []round{{names{p.cfg.Everything: true}, now, now}}
	case end >= 0 && now.Sub(p.again[end].first) < p.cfg.InFlight/joined:
		p.again[end].names.add(p.cfg.Everything, slices.Collect(maps.Keys(some))...)
		p.again[end].last = now
	default:
		p.again = append(p.again, round{some, now, now})
	}
	p.mu.Unlock()
	signal(p.purged)
}

// runAgain purges what was purged once.
func (p *Purger) runAgain() {
	for {
		some, wait := p.due()
		if p.isOver() {
			_ = p.purge([]string{p.cfg.Everything})
			return
		}
		if len(some) > 0 {
			pending := p.cfg.Pending() // asked before: what is delivered meanwhile is purged once more
			failed := names{}
			failed.add(p.cfg.Everything, p.purge(some)...)
			if pending {
				failed.add(p.cfg.Everything, some...)
			}
			p.repeat(failed, max(0, retry-p.cfg.InFlight))
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-p.purged:
		case <-p.first:
		}
		timer.Stop()
	}
}

// isOver reports whether the first purges have ended.
func (p *Purger) isOver() bool {
	select {
	case <-p.first:
		return true
	default:
		return false
	}
}

// due takes the names of the first round if no answer is on its way that is older than
// its purge. Otherwise it returns how long to wait.
func (p *Purger) due() (some []string, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.again) == 0 {
		return nil, math.MaxInt64
	}
	if wait = time.Until(p.again[0].last.Add(p.cfg.InFlight)); wait > 0 {
		return nil, wait
	}
	some = slices.Collect(maps.Keys(p.again[0].names))
	p.again = p.again[1:]
	return some, 0
}

var errGoexit = errors.New("the function Purge has ended the goroutine")

// purge purges names, and returns those for which that has failed.
func (p *Purger) purge(all []string) (failed []string) {
	ctx, cancel := context.WithTimeout(context.Background(), PurgeTimeout)
	defer cancel()
	for len(all) > 0 {
		some := all[:min(len(all), MaxChange)]
		all = all[len(some):]
		if ctx.Err() != nil || p.call(ctx, some) != nil {
			failed = append(failed, some...)
		}
	}
	return failed
}

// call calls Purge on a goroutine of its own, which it may end, and waits for it no
// longer than it may take.
func (p *Purger) call(ctx context.Context, some []string) error {
	end := make(chan error, 1)
	go func() {
		err := errGoexit
		defer func() { end <- err }()
		err = safe.Do(func() error { return p.cfg.Purge(ctx, some) })
	}()
	var err error
	select {
	case err = <-end:
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.cfg.Ended(err)
	return err
}
