package fleet

import (
	"context"
	"errors"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// A Publication says how a change was published.
type Publication struct {
	// Number is the clock's when the change was applied here.
	Number uint64
	// Shared says that the change went to the log. Receipt and Err say how.
	Shared  bool
	Receipt changelog.Receipt
	Err     error
}

// Apply applies a change here, and returns the clock's number.
func (f *Fleet) Apply(tags []tag.Tag, all bool) uint64 {
	if all {
		return f.cfg.Clock.Flush()
	}
	return f.cfg.Clock.Apply(tags)
}

// Publish applies a change here and has the other instances apply it. Call it after the
// change is committed and before it is acknowledged. It waits for the others as the log's
// level says. The announcement of the change, nil for none, is settled with it. The tags
// are not changed.
func (f *Fleet) Publish(ctx context.Context, a *Announcement, tags []tag.Tag, all bool) Publication {
	if f.cfg.Log == nil {
		return Publication{Number: f.Apply(tags, all)}
	}
	if f.cfg.Background != nil {
		return f.publishLater(ctx, tags, all)
	}
	p := Publication{Shared: true}
	var to publisher = f.cfg.Log
	if a != nil {
		to = a.shared
	}
	p.Receipt, p.Err = f.publishTo(ctx, to, tags, all)
	f.countLogError(p.Err)
	if p.Err != nil {
		if !errors.Is(p.Err, changelog.ErrPending) {
			f.Apply(tags, all) // the log has perhaps not: it is closed, not started, or broken
		}
	} else {
		f.Counts.Waits.Observe(p.Receipt.Waited)
		if !p.Receipt.Confirmed {
			f.Counts.Unconfirmed.Add(1)
		}
	}
	p.Number = f.cfg.Clock.Seq()
	return p
}

// A publisher is a log, or an intention of one.
type publisher interface {
	Publish(ctx context.Context, tags []tag.Tag, all bool) (changelog.Receipt, error)
}

// publishTo publishes a change as a record. Without tags the record is empty.
func (f *Fleet) publishTo(ctx context.Context, to publisher, tags []tag.Tag, all bool) (changelog.Receipt, error) {
	if all {
		tags = nil
	} else if len(tags) > 0 {
		tags = f.recorded(tags)
	}
	return safe.Call(func() (changelog.Receipt, error) { return to.Publish(ctx, tags, all) })
}

// countLogError counts and logs an error of a publication, unless it is nil.
func (f *Fleet) countLogError(err error) {
	if err != nil {
		f.Counts.LogErrors.Add(1)
		f.cfg.Once.Warn("publish", "gqlcache: a change did not reach the log: other instances learn of it when it is back", err)
	}
}
