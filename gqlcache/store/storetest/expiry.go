package storetest

import (
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// lasting makes an entry that lives for a time.
func (s *suite) lasting(body string, version uint64, d time.Duration) *store.Entry {
	e := entry(body, version)
	e.Expires = s.clock.now().Add(d)
	return e
}

func testExpiry(t *testing.T, s *suite) {
	short, long, never := s.lasting("short", 1, time.Minute), s.lasting("long", 1, time.Hour), entry("never", 1)
	far := entry("far", 1)
	far.Expires = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	s.put(t, "short", short)
	s.put(t, "long", long)
	s.put(t, "never", never)
	s.put(t, "far", far)
	s.clock.advance(time.Minute - 1)
	s.want(t, "short", short)

	s.clock.advance(1)
	s.wantMiss(t, "short")
	s.want(t, "long", long)
	for k := range s.All(t.Context()) {
		if string(k) == "short" {
			t.Error("All yields an expired entry")
		}
	}
	s.wantHeld(t, 3, 300)

	s.clock.advance(time.Hour)
	s.wantMiss(t, "long")
	s.clock.advance(50 * 365 * 24 * time.Hour)
	s.want(t, "never", never)
	s.want(t, "far", far)
	if st := s.Stats(); st.Expirations != 2 || st.Deletes != 0 || st.Evictions != 0 {
		t.Errorf("want 2 expirations and nothing else: %+v", st)
	}
	s.wantBalance(t, 0)
}

// testExpiredPut stores what has expired already: it is never seen, and ends an older
// entry.
func testExpiredPut(t *testing.T, s *suite) {
	for _, late := range []time.Duration{0, -1, -time.Hour} {
		s.put(t, "k", entry("live", 1))
		s.put(t, "k", s.lasting("late", 2, late))
		s.wantMiss(t, "k")
		s.wantHeld(t, 0, 0)
	}
	s.put(t, "k", entry("younger", 3))
	s.put(t, "k", s.lasting("late", 2, -1))
	s.want(t, "k", entry("younger", 3))
}

// testExpiryOfReplacement checks that an entry has its own time, not that of the one
// before.
func testExpiryOfReplacement(t *testing.T, s *suite) {
	rows := []struct {
		name          string
		before, after time.Duration // 0 is for ever
	}{
		{"longer", time.Minute, time.Hour},
		{"shorter", time.Hour, time.Minute},
		{"a little shorter", time.Minute + time.Millisecond, time.Minute},
		{"for ever", time.Minute, 0},
		{"no longer for ever", 0, time.Minute},
	}
	for _, row := range rows {
		with := func(d time.Duration, version uint64) *store.Entry {
			if d == 0 {
				return entry(row.name, version)
			}
			return s.lasting(row.name, version, d)
		}
		s.put(t, row.name, with(row.before, 1))
		after := with(row.after, 2)
		s.put(t, row.name, after)
		if row.after == 0 {
			s.clock.advance(24 * time.Hour)
			s.want(t, row.name, after)
			continue
		}
		s.clock.advance(row.after - 1)
		s.want(t, row.name, after)
		s.clock.advance(1)
		s.wantMiss(t, row.name)
	}
	// An expired entry holds no version against a later one.
	s.put(t, "k", s.lasting("expired", 9, time.Minute))
	s.clock.advance(time.Minute)
	s.put(t, "k", entry("older", 1))
	s.want(t, "k", entry("older", 1))
}

// testTimeLeftOfCopy copies an entry to another store as a tier above does: it gets the
// time that is left, not a fresh one.
func testTimeLeftOfCopy(t *testing.T, s *suite) {
	s.put(t, "k", s.lasting("body", 1, time.Minute))
	s.clock.advance(45 * time.Second)
	e, err := s.Get(t.Context(), []byte("k"))
	noError(t, err)
	above := &suite{Store: s.another(), clock: s.clock}
	above.wantMiss(t, "k")
	above.put(t, "k", e)
	s.clock.advance(15*time.Second - 1)
	above.want(t, "k", e)
	s.clock.advance(1)
	above.wantMiss(t, "k")
	s.wantMiss(t, "k")
}
