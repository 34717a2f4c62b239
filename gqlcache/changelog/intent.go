package changelog

import (
	"context"
	"errors"

	"github.com/cascadeql/cascadeql/cascade/tag"
)

// ErrUnannounced says that an intention could not be made known to all instances. What it
// was for must not be done.
var ErrUnannounced = errors.New("changelog: the change could not be announced")

// An Intender is a Log that also announces changes before they are made. It is an
// optional part of a Log.
//
// A change takes some time from its commit until every instance has applied it, and
// whoever makes it may die in between. From an announcement until it is settled, no
// instance serves or keeps what it names. So nobody is shown the old state after somebody
// has seen the new one, and a change whose maker died is not hidden by what was cached
// before.
//
// An announcement is open until one of these:
//
//   - Its Intention is published: every instance applies the change, then lets go.
//   - Nobody has stood by it for a while, because its maker died, stands still or is cut
//     off. It is in doubt then whether the change was made: every instance applies all
//     that was announced as a change, then lets go. A change that is committed later than
//     that is an ordinary one: others may show what was before it until it is published.
//
// All of that holds between instances whose Sink is an IntentSink. Others only hear of
// changes.
type Intender interface {
	Log

	// Intend announces that the tags, or everything, may change, and returns once every
	// other instance holds back what that names, or has no lease: it waits like Publish
	// at the level Strong, whatever the log's level is. Call it before the change can be
	// seen by anyone, and publish the Intention in any case. Without tags nothing is
	// announced.
	//
	// An error means that the change must not be made: ErrUnannounced, ErrNotStarted or
	// ErrClosed is in it. The end of ctx is such an error. What was announced in part is
	// settled, or in doubt, later. The tags are not kept.
	Intend(ctx context.Context, tags []tag.Tag, all bool) (Intention, error)
}

// An Intention is an announced change. The log stands by it until it is published. It is
// safe for concurrent use.
type Intention interface {
	// Publish is Log.Publish for the change that was made, which may be another than was
	// announced, and settles the announcement together with it. Without tags nothing was
	// changed, and it only settles. After an error the announcement stays open until the
	// log has pushed the change. Further calls are those of Log.Publish.
	Publish(ctx context.Context, tags []tag.Tag, all bool) (Receipt, error)
}

// An IntentSink is a Sink that knows announcements. It is an optional part of a Sink. Its
// calls are in one row with those of Apply and Flush.
type IntentSink interface {
	Sink
	// Announce says that what the record names may change. From its return until Settle
	// with the same id nothing that was computed from it may be served, but to whoever
	// asked for the computation. An open id may come again: then nothing is to be done.
	Announce(id Position, r Record)
	// Settle ends an announcement. What was changed was given to Apply, or Flush, before.
	// The id may be unknown.
	Settle(id Position)
}
