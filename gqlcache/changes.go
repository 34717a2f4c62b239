package gqlcache

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// ErrNoLog says that there is no Options.Log, or that the one there is has no feed.
var ErrNoLog = errors.New("gqlcache: no log with a feed: set Options.Log, to one that redislog.New has made, say")

// Changes returns the changes of all instances as they are logged, those after a position
// first: see changelog.Feed, also for how a loop ends. The position of an acknowledged
// mutation is its token, see Options.Tokens and changelog.ParsePosition. With ErrNoLog
// and ErrClosed, of a cache that is closed, the loop ends at once.
//
// The tags of a change are those that instances exchange: the first ones say which schema
// the others belong to, and name views: see docs/log-format.md, and Tags.
func (c *Cache) Changes(ctx context.Context, since changelog.Position) iter.Seq2[changelog.Change, error] {
	if c.unmade() {
		return failedFeed(errUnmade)
	}
	feed, ok := c.opts.Log.(changelog.Feed)
	switch {
	case c.isClosed():
		return failedFeed(ErrClosed)
	case !ok:
		return failedFeed(ErrNoLog)
	}
	return feed.Changes(orBackground(ctx), since)
}

// LastChanges returns the last n changes of all instances, the youngest first, or fewer
// when the log has no more: for people who look at what was dropped a moment ago, and by whom. It
// asks the log's server, and is not for the way of a request. Whoever has to miss none uses
// Changes. The errors are ErrNoLog, ErrClosed, and those of changelog.Tail.
func (c *Cache) LastChanges(ctx context.Context, n int) ([]changelog.Change, error) {
	if c.unmade() {
		return nil, errUnmade
	}
	tail, ok := c.opts.Log.(changelog.Tail)
	switch {
	case c.isClosed():
		return nil, ErrClosed
	case !ok:
		return nil, ErrNoLog
	}
	return safe.Call(func() ([]changelog.Change, error) { return tail.LastChanges(orBackground(ctx), n) })
}

func failedFeed(err error) iter.Seq2[changelog.Change, error] {
	return func(yield func(changelog.Change, error) bool) { yield(changelog.Change{}, err) }
}

// Tags returns what Invalidate publishes for some changes, for a program that publishes
// them itself: the tags of a record, the first of which name the schema with its
// directives, and views. They are the same in all instances that serve that schema, and
// after each restart. It returns Invalidate's errors, but ErrClosed; Everything has no
// tags, and is an error.
func (c *Cache) Tags(changes ...Change) ([]cascade.Tag, error) {
	if c.unmade() {
		return nil, errUnmade
	}
	for _, ch := range changes {
		if ch.kind == changeEverything {
			return nil, fmt.Errorf("%w: everything has no tags", ErrUnknownName)
		}
	}
	var to change
	if err := c.name(&to, changes...); err != nil {
		return nil, err
	}
	if to.everything != "" {
		return nil, fmt.Errorf("%w: a tenant with this name has no tags of his own", ErrUnknownName)
	}
	st := c.schema.Load()
	var tags []cascade.Tag
	if len(to.events) > 0 {
		tags = st.Plan.Publish(nil, to.events, cascade.Partition{})
	}
	if len(to.operations) > 0 {
		tags = append(append(tags, to.operations...), cascade.Unnamed)
	}
	return st.records.Record(fleet.Change{Tags: cascade.Merge(tags), Texts: to.texts}), nil
}
