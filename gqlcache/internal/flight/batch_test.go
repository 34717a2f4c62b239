package flight_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/flight"
)

func zero() uint64 { return 0 }

// patient is a call that waits for others.
func patient(key string, compute func()) flight.Call[int] {
	return flight.Call[int]{
		Key: key, Begin: zero, Bound: bound, Valid: func(int) bool { return true },
		Compute: func(uint64, *flight.Flight[int]) flight.Outcome[int] {
			compute()
			return flight.Outcome[int]{Value: 2, End: flight.Shared}
		},
	}
}

// TestTry: one caller leads a key, whether by Try or by Do, and who waits gets its outcome.
func TestTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[int]
		var all sync.WaitGroup
		never := func() { t.Error("somebody else computes") }
		lead, _, role := g.Try("k", zero)
		if lead == nil || role != flight.Led {
			t.Fatal(role)
		}
		none, other, role := g.Try("k", zero)
		if none != nil || other == nil || role != flight.Busy {
			t.Fatal(none, other, role)
		}
		wait := func(ctx context.Context, c flight.Call[int], want flight.Role) {
			all.Go(func() {
				if out, role := other.Wait(ctx, c); role != want || want == flight.Joined && out.Value != 7 {
					t.Errorf("%v, %v; want %v", out, role, want)
				}
			})
		}
		wait(t.Context(), patient("k", never), flight.Joined)
		all.Go(func() {
			if out, role := g.Do(t.Context(), patient("k", never)); role != flight.Joined || out.Value != 7 {
				t.Error(out, role)
			}
		})
		gone, leave := context.WithCancel(t.Context())
		wait(gone, patient("k", never), flight.Ended)
		short := patient("k", never)
		short.Within = 10 * time.Millisecond
		wait(t.Context(), short, flight.Busy)
		all.Go(func() {
			if _, role := g.Do(t.Context(), short); role != flight.Busy {
				t.Error(role)
			}
		})
		synctest.Wait()
		leave()
		time.Sleep(20 * time.Millisecond)
		lead.End(flight.Outcome[int]{Value: 7, End: flight.Shared})
		lead.End(flight.Outcome[int]{Value: 8, End: flight.Shared}) // does not count
		all.Wait()
		wait(t.Context(), patient("k", never), flight.Joined) // it has ended already
		all.Wait()
		if n := g.Len(); n != 0 {
			t.Errorf("%d flights", n)
		}
		none.End(flight.Outcome[int]{})

		// What is no outcome for those who wait.
		older := patient("k", never)
		older.Arrived, older.Valid = 5, func(int) bool { return false }
		for _, row := range []struct {
			name string
			call flight.Call[int]
			out  flight.Outcome[int]
		}{
			{"not valid", older, flight.Outcome[int]{End: flight.Shared}},
			{"unshared", patient("k", never), flight.Outcome[int]{}},
			{"left", patient("k", never), flight.Outcome[int]{End: flight.Left}},
		} {
			lead, _, _ = g.Try("k", zero)
			_, other, _ = g.Try("k", zero)
			wait(t.Context(), row.call, flight.Alone)
			synctest.Wait()
			lead.End(row.out)
			all.Wait()
		}
		// Who leaves hands the lead to a caller of Do.
		lead, _, _ = g.Try("k", zero)
		ran := false
		all.Go(func() {
			if _, role := g.Do(t.Context(), patient("k", func() { ran = true })); role != flight.Led {
				t.Error(role)
			}
		})
		synctest.Wait()
		lead.End(flight.Outcome[int]{End: flight.Left})
		all.Wait()
		if !ran {
			t.Error("nobody leads")
		}
		// One that is stuck.
		lead, _, _ = g.Try("k", zero)
		_, other, _ = g.Try("k", zero)
		start := time.Now()
		wait(t.Context(), patient("k", never), flight.Busy)
		all.Wait()
		if took := time.Since(start); took < bound || took > bound+50*time.Millisecond {
			t.Errorf("waited for %v", took)
		}
		lead.End(flight.Outcome[int]{Lasting: true})
		if _, _, role := g.Try("k", zero); role != flight.Alone {
			t.Errorf("a key without flights: %v", role)
		}
	})
}
