package fleet

import (
	"context"
	"errors"
	"slices"

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

// A Change is what was changed. All says that everything may have been, whatever else is
// in it.
type Change struct {
	Tags []tag.Tag
	// Rows are the words of changes of rows, as Config.Rows reads them.
	Rows []tag.Tag
	// Texts are the words of texts: see AppendText.
	Texts []tag.Tag
	All   bool
}

// Add adds a change. It returns how many tags and words there are then.
func (ch *Change) Add(more Change) int {
	ch.Tags, ch.Rows, ch.Texts = append(ch.Tags, more.Tags...), append(ch.Rows, more.Rows...), append(ch.Texts, more.Texts...)
	ch.All = ch.All || more.All
	return ch.size()
}

func (ch *Change) size() int { return len(ch.Tags) + len(ch.Rows) + len(ch.Texts) }

// IsEmpty reports whether nothing was changed.
func (ch Change) IsEmpty() bool { return !ch.All && ch.size() == 0 }

// Apply applies a change here, and returns the clock's number.
func (f *Fleet) Apply(ch Change) uint64 {
	tags, ok := f.reach(ch)
	if ch.All || !ok {
		return f.cfg.Clock.Flush()
	}
	return f.applyNew(ch.Texts, tags, f.cfg.Clock.Apply(tags))
}

// reach returns the tags that a change has here, now: its own, those of its rows, and those
// of its texts. It returns false when they may reach everything. The tags given are not
// changed.
func (f *Fleet) reach(ch Change) (tags []tag.Tag, ok bool) {
	tags = ch.Tags
	if len(ch.Rows) > 0 {
		if f.cfg.Rows == nil {
			return nil, false
		}
		if tags, ok = f.cfg.Rows(slices.Clip(tags), ch.Rows); !ok {
			return nil, false
		}
	}
	if len(ch.Texts) == 0 {
		return tags, true
	}
	texts, ok := ReadTexts(ch.Texts)
	if !ok || f.cfg.Texts == nil {
		return nil, false
	}
	return f.cfg.Texts(slices.Clip(tags), texts)
}

// Publish applies a change here and has the other instances apply it. Call it after the
// change is committed and before it is acknowledged. It waits for the others as the log's
// level says. The announcement of the change, nil for none, is settled with it. The tags
// are not changed.
func (f *Fleet) Publish(ctx context.Context, a *Announcement, ch Change) Publication {
	if f.cfg.Log == nil {
		return Publication{Number: f.Apply(ch)}
	}
	if f.cfg.Background != nil {
		return f.publishLater(ctx, ch)
	}
	p := Publication{Shared: true}
	var to publisher = f.cfg.Log
	if a != nil {
		to = a.shared
	}
	p.Receipt, p.Err = f.publishTo(ctx, to, ch)
	f.countLogError(p.Err)
	if p.Err != nil {
		if !errors.Is(p.Err, changelog.ErrPending) {
			f.Apply(ch) // the log has perhaps not: it is closed, not started, or broken
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

// publishTo publishes a change as a record. That of no change is empty.
func (f *Fleet) publishTo(ctx context.Context, to publisher, ch Change) (changelog.Receipt, error) {
	var tags []tag.Tag
	if !ch.All && !ch.IsEmpty() {
		tags = f.recorded(ch)
	}
	return safe.Call(func() (changelog.Receipt, error) { return to.Publish(ctx, tags, ch.All) })
}

// countLogError counts and logs an error of a publication, unless it is nil.
func (f *Fleet) countLogError(err error) {
	if err != nil {
		f.Counts.LogErrors.Add(1)
		f.cfg.Once.Warn("publish", "gqlcache: a change did not reach the log: other instances learn of it when it is back", err)
	}
}
