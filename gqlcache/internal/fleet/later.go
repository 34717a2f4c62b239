package fleet

import (
	"context"
	"sync"

	"github.com/cascadeql/cascadeql/cascade/tag"
)

// later has the changes that the log learns of in the background, joined.
type later struct {
	mu      sync.Mutex // protects all below
	running bool
	change  Change
}

// maxLaterTags bounds the tags that wait. Beyond, everything counts as changed.
const maxLaterTags = 10_000

// add REQUIRES mu held.
func (l *later) add(ch Change) {
	c := &l.change
	if c.Add(ch) > maxLaterTags || c.All {
		*c = Change{All: true}
	}
}

// publishLater applies a change here, and publishes it in the background, after those
// before it.
func (f *Fleet) publishLater(ctx context.Context, ch Change) Publication {
	p := Publication{Number: f.Apply(ch)}
	l := &f.later
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(ch)
	if !l.running {
		l.running = f.cfg.Background(f.publishWaiting)
		if !l.running { // the cache is being closed
			_, err := f.publishTo(context.WithoutCancel(ctx), f.cfg.Log, l.change)
			f.countLogError(err)
			l.change = Change{}
		}
	}
	return p
}

// publishWaiting publishes what waits, until nothing does.
func (f *Fleet) publishWaiting() {
	l := &f.later
	for {
		l.mu.Lock()
		ch := l.change
		l.change = Change{}
		if ch.IsEmpty() {
			l.running = false
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		ch.Tags = tag.Merge(ch.Tags)
		_, err := f.publishTo(context.Background(), f.cfg.Log, ch)
		f.countLogError(err)
	}
}
