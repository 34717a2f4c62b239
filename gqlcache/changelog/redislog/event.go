package redislog

// An EventKind says what happened.
type EventKind string

const (
	// EventLease: a lease was taken after there was none.
	EventLease EventKind = "lease"
	// EventLeaseLost: a lease ran out, or was given up, before it was renewed. It is
	// reported when noticed, which may be later than it happened.
	EventLeaseLost EventKind = "lease-lost"
	// EventEpoch: this instance has learnt of an epoch, the first one included.
	EventEpoch EventKind = "epoch"
	// EventFlush: everything cached here was invalidated, because of a new epoch or of
	// missing records.
	EventFlush EventKind = "flush"
	// EventFailed: the server has not taken a publication.
	EventFailed EventKind = "failed"
	// EventPushed: it has taken those that were kept.
	EventPushed EventKind = "pushed"
	// EventUnconfirmed: a publication returned before every other instance had applied
	// it.
	EventUnconfirmed EventKind = "unconfirmed"
	// EventIntentExpired: this instance has ended an announcement that nobody stood by.
	// The position is the announcement's.
	EventIntentExpired EventKind = "intent-expired"
	// EventReaped: members without a lease were dropped.
	EventReaped EventKind = "reaped"
	// EventTrouble and EventTroubleOver: something was logged as a trouble, or as its
	// end.
	EventTrouble     EventKind = "trouble"
	EventTroubleOver EventKind = "trouble-over"
)

// An Event is something that happened to a Log.
type Event struct {
	Kind EventKind
	// Epoch and Number are the position it is about, if it is about one.
	Epoch, Number uint64
	// Detail is the name of a trouble, or why something happened.
	Detail string
}
