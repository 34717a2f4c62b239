package changelog

import (
	"context"
	"iter"
)

// A Change is a record with its place: what a follower needs to go on after it.
type Change struct {
	Epoch uint64
	Record
}

// Position returns the change's place in the log. A feed that begins there goes on after
// the change.
func (c Change) Position() Position { return Position{c.Epoch, c.Number} }

// A Feed hands out the changes of a log, in their order. It is an optional part of a Log.
type Feed interface {
	// Changes returns the changes after a position, and goes on with new ones as they are
	// logged. The zero position is the log's Applied at the call of Changes: whoever
	// first calls it, then loads what he derives from the data, then ranges over the
	// changes, misses none. The first few may be older than the call. Before the log has
	// joined, it is the end of the log when the loop begins or the log has joined,
	// whichever is later.
	//
	// A loop that the caller does not leave ends with an error, which comes once, with a
	// zero Change: ErrGap when records after the position are gone, ErrEpoch when it
	// belongs to another epoch, also when one begins meanwhile, ErrBehind when the log
	// has not reached it, ErrNotStarted, ErrClosed when the log is closed, or that of
	// ctx. Announcements, see Intender, are no changes and are left out; one that is in
	// doubt comes as the change that it may have been. After ErrGap and ErrEpoch anything
	// may have changed: begin again with the zero position. Instances learn of a new
	// epoch within a moment, and until then it is ErrEpoch again.
	//
	// A server that is out of reach is no error: the loop blocks, and goes on when it is
	// back. A record that cannot be understood comes as one with All. Each loop over the
	// sequence begins at the same position. A Change belongs to the caller. The loop's
	// body may take its time: that delays nobody else.
	Changes(ctx context.Context, since Position) iter.Seq2[Change, error]
}

// A Tail tells what was logged last. It is an optional part of a Log.
type Tail interface {
	// LastChanges returns the last n changes of the log's epoch, the youngest first, or
	// fewer when the log has no more of them: it keeps a bounded number. They are for
	// people who look, and for tools; whoever has to miss none uses a Feed. Announcements
	// are left out, and a record that cannot be understood comes as one with All, as in a
	// Feed. It blocks for some trips to the server. N of 0 or less gives none. The error
	// is ErrNotStarted, ErrClosed, that of ctx, or the server's. The changes belong to the
	// caller.
	LastChanges(ctx context.Context, n int) ([]Change, error)
}
