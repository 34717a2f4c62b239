package changelog

import (
	"context"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
)

// A Record is one change.
type Record struct {
	// Number orders the records of an epoch. They are consecutive, but that an
	// announcement, and a settlement that changes nothing, has a number too: see
	// Intender. It is zero for a change of this instance that the log has not numbered
	// yet, because the server did not take it: the sink applies it at once, and sees it
	// again under its number later.
	Number uint64
	// Tags are what changed.
	Tags []tag.Tag
	// All says that everything may have changed; Tags is empty then.
	All bool
	// Origin is the instance that published the record.
	Origin string
}

// A Sink is the side of the instance: its caches. The log calls it from one goroutine at
// a time, in the order of the numbers. A sink does not call the log.
type Sink interface {
	// Apply drops the entries that the record names. None of them may be served any more
	// when Apply returns: from then on the publisher may be told that this instance knows.
	// The record's tags may not be changed, and may be kept.
	Apply(r Record)
	// Flush drops everything that was cached before. It comes with the first
	// position in an epoch, and when records are missing; records up to number will not
	// come any more.
	Flush(epoch, number uint64)
}

// A Level says how long Publish waits for the other instances.
type Level uint8

const (
	// Eventual does not wait. Other instances serve what is stale until the record has
	// reached them, for a few milliseconds when all is well and for at most a lease
	// otherwise.
	Eventual Level = iota + 1
	// Bounded waits for a short while, for instances that usually answer in time. When
	// one has not, the receipt is not confirmed, and that instance may serve what is
	// stale for at most a lease.
	Bounded
	// Strong waits until every other instance has applied the record or its lease has run
	// out.
	Strong
)

// String returns the level's name in lower case.
func (l Level) String() string {
	switch l {
	case Eventual:
		return "eventual"
	case Bounded:
		return "bounded"
	case Strong:
		return "strong"
	}
	return "unknown"
}

// A Receipt says what became of a published change.
type Receipt struct {
	// Epoch and Number are the record's, zero if there is none. Together they are a
	// session token: see Position.
	Epoch, Number uint64
	// Confirmed says that no other instance serves anything from before the change: each
	// has applied it, or has no lease.
	Confirmed bool
	// Waited is how long the others were waited for.
	Waited time.Duration
	// Why says in a few words why the change is not confirmed; it is empty if it is.
	Why string
}

// Position returns the receipt's place in the log.
func (r Receipt) Position() Position { return Position{r.Epoch, r.Number} }

// Stats are a log's figures, since its start where they count.
type Stats struct {
	// Applied is the position of the last record applied here. Fresh says whether a lease
	// is valid.
	Applied Position `json:"applied"`
	Fresh   bool     `json:"fresh"`
	// Members is how many instances held a lease or might have, this one included, when
	// the log was last asked, by a publication.
	Members int `json:"members"`
	// Published counts records that got a number, Unconfirmed those that others had
	// perhaps not applied, Failed the publications that the server did not take. Pending
	// is how many of those still wait.
	Published   uint64 `json:"published"`
	Unconfirmed uint64 `json:"unconfirmed"`
	Failed      uint64 `json:"failed"`
	Pending     int    `json:"pending"`
	// Records counts those applied, of all instances. Flushes, Epochs and LeasesLost
	// count what their names say. Reaped counts when members without a lease were
	// dropped.
	Records    uint64 `json:"records"`
	Flushes    uint64 `json:"flushes"`
	Epochs     uint64 `json:"epochs"`
	LeasesLost uint64 `json:"leasesLost"`
	Reaped     uint64 `json:"reaped"`
	// Intents counts the announcements of this instance, Refused those that failed, and
	// Expired those, of any instance, that this one has ended because nobody stood by
	// them. Open is how many are open now.
	Intents uint64 `json:"intents"`
	Refused uint64 `json:"refused"`
	Expired uint64 `json:"expired"`
	Open    int    `json:"open"`
	// Waited is the time spent in waiting for others, over all publications.
	Waited time.Duration `json:"waitedNs"`
}

// A Log connects one instance to the others. Its methods are safe for concurrent use.
type Log interface {
	// Start joins, in the background, and goes on trying for ever when it cannot: a
	// server that is out of reach is no error, and until it has joined the log is not
	// Fresh. The errors are those of a second Start. The end of ctx is the same as Close,
	// without its wait.
	Start(ctx context.Context, sink Sink) error

	// Publish makes a change known, after its commit and before it is acknowledged to
	// whoever asked for it. It gives the change a number, applies what was missed and the
	// change itself to the sink, and waits for the others as the level says. A mutation
	// that has committed is to be published whatever became of the request, so the end of
	// ctx only ends the wait for others: the receipt is then not confirmed.
	//
	// An error means that the server has not taken the change, or did not say so. The
	// sink has applied it nevertheless; the log keeps it, gives its lease up before
	// Publish returns, and takes none before the server has the change. Until then other
	// instances do not know of it. The tags are not kept after Publish returns, unless it
	// fails.
	Publish(ctx context.Context, tags []tag.Tag, all bool) (Receipt, error)

	// Fresh reports whether a lease is valid now: whether cached entries may be served at
	// all. It neither blocks nor allocates.
	//
	// Ask it before the entry's validity. The other way round, this may happen between
	// the two: the lease runs out; a change is published, and acknowledged because no
	// lease is left; the next renewal applies the change and brings a lease. The entry
	// was then found valid before the change and the lease valid after it, and the read
	// returns what was stale when it began.
	Fresh() bool

	// Applied returns the position up to which the sink has applied every record. Read
	// before a computation begins, it is what the result may be stamped with.
	Applied() Position

	// CatchUp returns once Applied has reached the position, which costs one round trip
	// if it has not. It is for a reader that comes with the token of a change it has seen
	// elsewhere. The error is ErrEpoch, ErrBehind, ErrClosed, that of ctx, or the
	// server's.
	CatchUp(ctx context.Context, p Position) error

	// Stats returns the figures. They are not taken at one instant.
	Stats() Stats

	// Close ends the lease, and the membership, so that no publication waits for this
	// instance. It waits for the background to end, and says if changes were left that
	// the server has not taken. It may be called more than once.
	Close() error
}
