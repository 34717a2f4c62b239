package inspector

import (
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/reason"
)

// A Fate says how an operation ended.
type Fate uint8

const (
	// Failed: it has no answer. Something below has panicked, or has ended the goroutine.
	Failed Fate = iota
	// Bypassed: it was answered as without the cache.
	Bypassed
	// Hit: it was answered by an entry, or by another instance's.
	Hit
	// Computed: its resolvers ran.
	Computed
	// Joined: it was answered by the resolvers of another request.
	Joined
	// Compared: its resolvers ran, to see whether other callers get the same.
	Compared
	// Abandoned: it ended while it waited for another request.
	Abandoned
	// Refused: it is a mutation that did not run.
	Refused
	// Changed: it is a mutation that has changed something, and Unchanged: one that has
	// not.
	Changed
	Unchanged
	// Inspected: the inspector has answered it.
	Inspected
)

// An Outcome is what became of an operation.
type Outcome struct {
	Fate Fate
	// Why is the reason why a query has bypassed the cache, or why its answer was not
	// stored; of package reason.
	Why string
	// Shared says that another instance has computed the answer.
	Shared bool
	// Early says that the answer was computed although an entry could have been served,
	// and Old that such an entry was served in the end.
	Early, Old bool
	// Expired says that the entry had expired.
	Expired bool
}

// Extension returns what there is to say of every operation.
func (o Outcome) Extension() inspect.Extension {
	x := inspect.Extension{Version: inspect.Version}
	code := o.Why
	switch o.Fate {
	case Bypassed:
		x.Status = inspect.Bypass
	case Hit:
		x.Status, code, x.Tier = inspect.Hit, codeHit, tierMemory
		if o.Shared {
			x.Tier = tierShared
		}
		if o.Expired {
			code = codeStale
		}
	case Failed, Computed, Compared:
		x.Status = inspect.Miss
		if code == "" {
			code, x.DidCache = codeMiss, true
		}
	case Joined:
		x.Status, code, x.Collapsed = inspect.Miss, codeJoined, true
	case Abandoned:
		x.Status, code = inspect.Miss, codeAbandoned
	case Refused:
		x.Status, code = inspect.Bypass, reason.Lease
	case Changed:
		x.Status, code = inspect.Invalidated, codeMutation
	case Unchanged:
		x.Status, code = inspect.Unchanged, codeUnchanged
	case Inspected:
		x.Status, code = inspect.Inspected, codeInspected
	}
	if o.Old && o.Fate == Computed {
		x.Status, code, x.Tier = inspect.Hit, codeKept, tierMemory
	}
	x.Hit = x.Status == inspect.Hit
	x.Reason = inspect.Reason{Code: code, Message: MessageOf(code, x.Tier)}
	return x
}
