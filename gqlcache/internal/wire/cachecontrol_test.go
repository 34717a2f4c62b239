package wire_test

import (
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// TestCacheControlFor: the default keeps every cache outside from answering on its own.
func TestCacheControlFor(t *testing.T) {
	t.Parallel()
	const edge = "public, max-age=0, s-maxage=30"
	for _, row := range []struct {
		name      string
		k         wire.Keeping
		want, age string
	}{
		{"of all callers", wire.Keeping{Public: true}, "no-cache", ""},
		{"of some", wire.Keeping{}, "private, no-cache", ""},
		{"with errors", wire.Keeping{Public: true, HasErrors: true}, "no-store", ""},
		{"with a cookie", wire.Keeping{Public: true, SetCookie: true}, "no-store", ""},
		{"held", wire.Keeping{Public: true, Held: true}, "no-store", ""},
		{"not to be stored", wire.Keeping{Public: true, DoNotStore: true}, "no-store", ""},
		{"only watched", wire.Keeping{Public: true, Shadow: true}, "no-store", ""},
		{"not to be stored, of some", wire.Keeping{DoNotStore: true}, "no-store", ""},
		{"kept at the edge", wire.Keeping{Public: true, EdgeAge: 30 * time.Second}, edge, ""},
		{"kept at the edge, with an age", wire.Keeping{Public: true, EdgeAge: 30999 * time.Millisecond, Age: 2001 * time.Millisecond}, edge, "3"},
		{"older than the edge may keep it", wire.Keeping{Public: true, EdgeAge: 30 * time.Second, Age: time.Minute}, edge, "60"},
		{"less than a second", wire.Keeping{Public: true, EdgeAge: 999 * time.Millisecond, Age: time.Second}, "no-cache", ""},
		{"a negative age", wire.Keeping{Public: true, EdgeAge: -time.Hour}, "no-cache", ""},
		{"the edge does not keep what some see", wire.Keeping{EdgeAge: 30 * time.Second}, "private, no-cache", ""},
		{"nor what is not to be stored", wire.Keeping{Public: true, DoNotStore: true, EdgeAge: 30 * time.Second}, "no-store", ""},
		{"nor errors", wire.Keeping{Public: true, HasErrors: true, EdgeAge: 30 * time.Second, Age: time.Second}, "no-store", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, age := wire.CacheControlFor(row.k)
			if got != row.want || age != row.age {
				t.Errorf("%q, age %q, want %q, age %q", got, age, row.want, row.age)
			}
		})
	}
}
