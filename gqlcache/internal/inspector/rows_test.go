package inspector

import (
	"strconv"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// TestSamples: rows are remembered of the entries that were used last, and shown for the
// very entry only.
func TestSamples(t *testing.T) {
	t.Parallel()
	i := New(Config{Failed: func(err error) { t.Error(err) }})
	keep := func(key string, entry any, n int) {
		i.Sample(key, entry, func() ([]cascade.Row, int) { return nil, n })
	}
	count := func(key string, entry any) int {
		x := inspect.Extension{Dependencies: &inspect.Dependencies{}}
		i.recall(&x, []byte(key), entry)
		return x.Dependencies.RowCount
	}
	keep("a", 1, 10)
	keep("b", 1, 20)
	keep("b", 2, 30)
	if count("a", 1) != 10 || count("a", 2) != 0 || count("b", 1) != 0 || count("b", 2) != 30 || count("c", 1) != 0 {
		t.Errorf("a %d, b %d", count("a", 1), count("b", 2))
	}
	for n := range maxSamples - 1 {
		count("a", 1)
		keep(strconv.Itoa(n), 1, 1)
	}
	if count("a", 1) != 10 || count("b", 2) != 0 || len(i.samples.byKey) != maxSamples || i.samples.used.Len() != maxSamples {
		t.Errorf("a %d, b %d, %d by key, %d used", count("a", 1), count("b", 2), len(i.samples.byKey), i.samples.used.Len())
	}
}
