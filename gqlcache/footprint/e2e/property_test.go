package e2e

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

var (
	propertyPairs = flag.Int("property.pairs", 0, "how many pairs of an answer and a commit TestProperty compares; 0: as many as there is time for")
	propertyStop  = flag.Bool("property.stop", false, "TestProperty ends with the first answer that is missed, and does not look for a smaller scenario")
	propertyLost  = flag.Bool("property.lost", false, "TestProperty says which statements took which answers away that did not change")
	propertyReads = flag.String("property.reads", "", "the reads of TestProperty that are no random SQL are those templates that contain this text")
	propertyModes = flag.String("property.modes", "", "the modes of TestProperty are those whose names contain this text")
	propertyFrom  = flag.Uint64("property.from", 1, "the first scenario that TestProperty carries out")
	propertySeed  = flag.Uint64("property.seed", 0, "the only scenario that TestProperty carries out; 0: all from -property.from on")
)

// pairsWanted returns how many pairs are compared. PostgreSQL takes three times as long.
func pairsWanted(d catalog.Dialect) int {
	all := 16_000
	switch {
	case *propertyPairs > 0:
		all = *propertyPairs
	case testing.Short():
		all = 5_000
	case os.Getenv("CASCADEQL_LONG") != "":
		all = 100_000
	}
	if d == catalog.PostgreSQL {
		return all / 4
	}
	return all - all/4
}

// TestProperty asserts that an answer which differs after a commit depends on something
// that the commit has published: whatever was read and written, in whatever transactions.
// It asserts as well that most answers that do not differ are kept, since everything could
// depend on anything otherwise.
func TestProperty(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		propertyOf(t, catalog.SQLite, sqliteMaker(t), []mode{{}, {images: true}, {semi: true}, {images: true, semi: true}, {hook: true}, {hook: true, images: true, semi: true}})
	})
	t.Run("postgres", func(t *testing.T) {
		propertyOf(t, catalog.PostgreSQL, postgresMaker(t), []mode{{}, {images: true}, {semi: true}})
	})
}

// A cell is what is counted apart.
type cell struct {
	templates bool
	mode      mode
}

func (c cell) String() string {
	if c.templates {
		return "templates, " + c.mode.String()
	}
	return "random SQL, " + c.mode.String()
}

func propertyOf(t *testing.T, d catalog.Dialect, make maker, modes []mode) {
	t.Helper()
	modes = slices.DeleteFunc(modes, func(m mode) bool { return !strings.Contains(m.String(), *propertyModes) })
	if len(modes) == 0 {
		t.Skip("no such mode")
	}
	cells := map[cell]*figures{}
	pairs, wanted := 0, pairsWanted(d)
	for seed := max(1, *propertySeed, *propertyFrom); pairs < wanted; seed++ {
		c := cell{seed%2 == 0, modes[seed/2%uint64(len(modes))]}
		f := cells[c]
		if f == nil {
			f = newFigures()
			cells[c] = f
		}
		s := drawScenario(seed, d, c.mode, c.templates)
		before := f.pairs
		h := make(t, s)
		bad := carryOut(t, s, h, f)
		h.close()
		pairs += f.pairs - before
		if len(bad) > 0 {
			f.missed += len(bad)
			report(t, s, make, bad[0])
		}
		if *propertySeed != 0 || t.Failed() && (pairs > 2_000 || *propertyStop) {
			break
		}
	}
	all := newFigures()
	for _, c := range slices.SortedFunc(maps.Keys(cells), func(a, b cell) int { return cmpText(a.String(), b.String()) }) {
		f := cells[c]
		t.Logf("%v: %v", c, f)
		all.add(f)
		if floor := floors[d][c]; f.pairs >= 2500 && f.share() < floor {
			t.Errorf("%v: %.2f of the answers that did not change are kept, %.2f expected", c, f.share(), floor)
		}
		if (c.mode.images || c.mode.hook) && f.pairs >= 2500 && f.imaged == 0 {
			t.Errorf("%v: no row image was taken", c)
		}
	}
	t.Logf("all: %v", all)
	t.Logf("%d readings, %d refused by the database; %d writes, %d failed, %d for being no statement; %d deadlocks and serialization failures; %d steps of two transactions, %d waits for locks",
		all.reads, all.readErrors, all.writes, all.writeErrors, all.wrongWrites, all.deadlocks, all.concurrent, all.blocked)
	t.Logf("%d answers read in older transactions, %d by computations around a step, %d beside uncommitted changes of which %d are refused; %d transactions rolled back of which %d published something",
		all.old, all.straddled, all.dirty, all.refused, all.rolledBack, all.publishedByRollback)
	logCounts(t, "not understood", all.notUnderstood, 30)
	logCounts(t, "everything published", all.everythings, 30)
	logCounts(t, "no row images", all.images, 10)
	if *propertyLost {
		logCounts(t, "lost", all.lost, 60)
	}
	logCounts(t, "the database says", all.errors, 20)
	if all.readErrors*20 > all.reads || all.wrongWrites*20 > all.writes {
		t.Error("more than 5 % of what the generator writes is no statement")
	}
	if pairs >= 1000 && all.changed*100 < all.pairs {
		t.Error("less than 1 % of the answers change: nothing is tested")
	}
}

// floors are the shares of answers that did not change that must be kept, some points
// below what was measured over 100,000 pairs.
var floors = map[catalog.Dialect]map[cell]float64{
	catalog.SQLite: {
		{true, mode{}}: .70, {true, mode{semi: true}}: .70, {true, mode{images: true}}: .72, {true, mode{images: true, semi: true}}: .72,
		{true, mode{hook: true}}: .75, {true, mode{hook: true, images: true, semi: true}}: .75,
		{false, mode{hook: true}}: .70, {false, mode{hook: true, images: true, semi: true}}: .70,
		{false, mode{}}: .60, {false, mode{semi: true}}: .60, {false, mode{images: true}}: .62, {false, mode{images: true, semi: true}}: .62,
	},
	catalog.PostgreSQL: {
		{true, mode{}}: .73, {true, mode{images: true}}: .73, {true, mode{semi: true}}: .73,
		{false, mode{}}: .65, {false, mode{images: true}}: .65, {false, mode{semi: true}}: .65,
	},
}

func logCounts(t *testing.T, what string, counts map[string]int, most int) {
	t.Helper()
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return counts[b] - counts[a] })
	for i, k := range keys {
		if i == most {
			t.Logf("  %s: %d more", what, len(keys)-most)
			return
		}
		t.Logf("  %s, %d times: %s", what, counts[k], k)
	}
}
