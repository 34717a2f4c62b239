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
	tags    []tag.Tag
	all     bool
}

// maxLaterTags bounds the tags that wait. Beyond, everything counts as changed.
const maxLaterTags = 10_000

// publishLater applies a change here, and publishes it in the background, after those
// before it.
func (f *Fleet) publishLater(ctx context.Context, tags []tag.Tag, all bool) Publication {
	p := Publication{Number: f.Apply(tags, all)}
	l := &f.later
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tags, l.all = append(l.tags, tags...), l.all || all || len(l.tags)+len(tags) > maxLaterTags
	if l.all {
		l.tags = nil
	}
	if !l.running {
		l.running = f.cfg.Background(f.publishWaiting)
		if !l.running { // the cache is being closed
			_, err := f.publishTo(context.WithoutCancel(ctx), f.cfg.Log, l.tags, l.all)
			f.countLogError(err)
			l.tags, l.all = nil, false
		}
	}
	return p
}

// publishWaiting publishes what waits, until nothing does.
func (f *Fleet) publishWaiting() {
	l := &f.later
	for {
		l.mu.Lock()
		tags, all := tag.Merge(l.tags), l.all
		l.tags, l.all = nil, false
		if len(tags) == 0 && !all {
			l.running = false
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		_, err := f.publishTo(context.Background(), f.cfg.Log, tags, all)
		f.countLogError(err)
	}
}
