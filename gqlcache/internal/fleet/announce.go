package fleet

import (
	"context"
	"errors"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// An Announcement says that something is about to change. While it is open, no answer
// that depends on what it names is served or stored. Nil is none.
type Announcement struct {
	local  *clock.Intent       // without a log
	shared changelog.Intention // over the log
}

// Announce announces what a change may reach: over the log to all instances, or to this
// one without a log. Call it before the change can be seen by anyone, and Settle when it
// is applied, or was not made. It returns false when the log has not taken the
// announcement. The change must not be made then.
func (f *Fleet) Announce(ctx context.Context, tags []tag.Tag, all bool) (*Announcement, bool) {
	switch {
	case f.cfg.Log != nil:
		in, ok := f.announceTo(ctx, tags, all)
		return &Announcement{shared: in}, ok
	case all:
		return &Announcement{local: f.cfg.Clock.AnnounceAll()}, true
	default:
		return &Announcement{local: f.cfg.Clock.Announce(tags)}, true
	}
}

var errNoIntention = errors.New("the log returned neither an Intention nor an error")

// announceTo announces over the log.
func (f *Fleet) announceTo(ctx context.Context, tags []tag.Tag, all bool) (changelog.Intention, bool) {
	if all {
		tags = nil
	} else {
		tags = f.recorded(Change{Tags: tags})
	}
	in, err := safe.Call(func() (changelog.Intention, error) {
		return f.cfg.Log.(changelog.Intender).Intend(ctx, tags, all)
	})
	if err == nil && in == nil {
		err = errNoIntention
	}
	if err != nil {
		f.cfg.Once.Warn("intend", "gqlcache: a mutation was refused, because it could not be announced", err)
	}
	return in, err == nil
}

// Settle ends an announcement. Call it after the changes are applied. It does nothing
// when a publication has settled the announcement, or for nil.
func (f *Fleet) Settle(ctx context.Context, a *Announcement) {
	switch {
	case a == nil:
	case a.shared == nil:
		a.local.Settle()
	default:
		// If a change was published, this does nothing; else nothing was changed.
		_, err := f.publishTo(ctx, a.shared, Change{})
		f.countLogError(err)
	}
}
