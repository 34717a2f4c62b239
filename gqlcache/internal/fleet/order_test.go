package fleet_test

import (
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// TestPlaceBeforeNumber: what is applied while the place is read is in the number.
func TestPlaceBeforeNumber(t *testing.T) {
	t.Parallel()
	i := start(t, nil)
	before := i.clock.Seq()
	i.log.applied = func() { i.log.sink.Apply(record(101, ann)) }
	if at, number := i.Place(); at.Number != 100 || number != before+1 {
		t.Errorf("place %v, number %d, want 100 and %d", at, number, before+1)
	}
	alone := start(t, func(c *fleet.Config) { c.Log = nil })
	if at, number := alone.Place(); at != (changelog.Position{}) || number != alone.clock.Seq() {
		t.Errorf("one process: place %v, number %d", at, number)
	}
}

// TestNumberAfterLease: what a lease brings is in the number from which on others may be
// joined.
func TestNumberAfterLease(t *testing.T) {
	t.Parallel()
	i := start(t, nil)
	before := i.clock.Seq()
	i.log.fresh = func() bool { i.log.sink.Apply(record(101, ann)); return true }
	if since, ok := i.Arrive(); !ok || since != before+1 {
		t.Errorf("since %d, %t, want %d", since, ok, before+1)
	}
	i.log.fresh = func() bool { return false }
	if _, ok := i.Arrive(); ok {
		t.Error("no lease is needed")
	}
	i.log.fresh = func() bool { panic("broken") }
	if _, ok := i.Arrive(); ok {
		t.Error("a broken log has a lease")
	}
}

// TestLeaseBeforeValidity: a shared answer that the lease's coming has reached is not
// taken over.
func TestLeaseBeforeValidity(t *testing.T) {
	t.Parallel()
	i := start(t, nil)
	i.share(100)
	asked := 0
	i.log.fresh = func() bool {
		if asked++; asked == 1 {
			i.log.sink.Apply(record(101, ann))
		}
		return true
	}
	if i.TakeOver(t.Context(), "key", fleet.Wanted{}) != nil || asked != 1 {
		t.Errorf("taken over, %d looks at the lease", asked)
	}
}

// share stores an answer that depends on ann, as another instance would.
func (i *instance) share(number uint64) {
	i.t.Helper()
	e := &store.Entry{Body: []byte("body"), Expires: time.Unix(1000, 0)}
	i.Share(i.t.Context(), "key", e, changelog.Position{Epoch: 7, Number: number}, []tag.Tag{ann})
}

// TestHistoryBeforeClock: between the two steps of a record, an entry that it names is
// refused.
func TestHistoryBeforeClock(t *testing.T) {
	t.Parallel()
	i := start(t, nil)
	i.share(100)
	number, stopped := i.clock.Seq(), false
	s := i.log.sink.(fleet.Sink)
	s.Noted = func() {
		stopped = true
		if i.clock.Seq() != number {
			t.Error("the clock knows already")
		}
		if i.TakeOver(t.Context(), "key", fleet.Wanted{}) != nil {
			t.Error("taken over")
		}
	}
	s.Apply(record(101, ann))
	if !stopped || i.clock.Seq() != number+1 {
		t.Errorf("stopped: %t, number %d", stopped, i.clock.Seq())
	}
}

// TestTokenBeforeTheStore: a record that comes after an entry was proven is met by the
// clock.
func TestTokenBeforeTheStore(t *testing.T) {
	t.Parallel()
	i := start(t, nil)
	i.share(100)
	i.shared.accepted = func() { i.log.sink.Apply(record(101, ann)) }
	if i.TakeOver(t.Context(), "key", fleet.Wanted{}) != nil {
		t.Error("taken over")
	}
	if n := i.Counts.SharedDead.Load(); n != 1 {
		t.Errorf("%d dead", n)
	}
}
