//go:build !race

package observe

import (
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/internal/allocs"
)

// TestAllocations: a lookup of what is known of a text allocates nothing, whatever its
// lists.
func TestAllocations(t *testing.T) {
	r := newRig(t, Options{Dialect: catalog.SQLite})
	for _, n := range []int{1, 2, 3, 500} {
		text := "SELECT id, title FROM posts WHERE author_id IN (?" + strings.Repeat(",?", n-1) + ") ORDER BY id"
		var f folds
		if n := allocs.PerRun(100, func() { r.analysis(text, &f) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}
