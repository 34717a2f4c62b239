package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
)

// oracleRatio is a mix of reads and writes, and the precision that everything must reach
// in it.
type oracleRatio struct {
	name   string
	writes int // in a thousand requests
	goal   float64
}

var oracleRatios = []oracleRatio{
	{"99:1", 10, 0.97},
	{"95:5", 50, 0.95},
	{"80:20", 200, 0.90},
}

// No answer is ever stale, at any level; and the full schema keeps most of what may be
// kept, and much of it what the statements tell. With CASCADEQL_LONG the ratios with fewer
// writes are replayed, too: they find less.
func TestOracle(t *testing.T) {
	t.Parallel()
	for _, level := range oracleLevels {
		for i, ratio := range oracleRatios {
			full := level.name == "everything"
			if ratio.name != "80:20" && (os.Getenv("CASCADEQL_LONG") == "" || !full && level.watched == nil) {
				continue // what drops everything is not stale with fewer writes either
			}
			if raceEnabled && !level.quick() {
				continue // one client alone races with nobody
			}
			floor := 0.0
			switch {
			case full:
				floor = ratio.goal - 0.05
			case level.watched != nil:
				floor = level.floors[i]
			}
			t.Run(level.name+" "+ratio.name, func(t *testing.T) {
				t.Parallel()
				log := newOracle(t, newWorkload(11, oracleSmall, ratio.writes), level).replay(oracleReplay)
				// a small replay is a noisy figure: the benchmark tells the true one
				p := log.precision()
				t.Logf("%s at %s: precision %.3f", level.name, ratio.name, p)
				if p < floor && !raceEnabled { // of a few reads it says nothing
					t.Errorf("precision %.3f, below %.3f\n%s", p, floor, log.lostTable(20))
				}
				if log.possible == 0 || log.stale > 0 {
					t.Errorf("%d stale answers, %d possible hits", log.stale, log.possible)
				}
			})
		}
	}
}

// BenchmarkOracle replays the workload and reports how much of what could have been kept
// was kept, how many answers were stale, what an entry takes besides its body, and how
// long a mutation is in the cache. With -v it prints which hits were lost, and why. With
// -short the figures mean nothing.
func BenchmarkOracle(b *testing.B) {
	reads := 10_000
	if testing.Short() {
		reads = 500
	}
	if n, err := strconv.Atoi(os.Getenv("ORACLE_READS")); err == nil {
		reads = n
	}
	for _, level := range oracleLevels {
		for _, ratio := range oracleRatios {
			if testing.Short() && (ratio.name != "80:20" || !level.quick()) {
				continue // it only has to run
			}
			for seed := range uint64(2) {
				if testing.Short() && seed > 0 {
					continue
				}
				b.Run(fmt.Sprintf("%s/%s/seed=%d", strings.ReplaceAll(level.name, " ", "_"), ratio.name, seed+1), func(b *testing.B) {
					var log *oracleLog
					for b.Loop() {
						log = newOracle(b, newWorkload(seed+1, oracleFull, ratio.writes), level).replay(reads)
					}
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(log.precision(), "precision")
					b.ReportMetric(float64(log.stale), "stale")
					b.ReportMetric(float64(log.overhead)/float64(log.entries), "B/entry")
					b.ReportMetric(float64(log.tags)/float64(log.entries), "tags/entry")
					b.ReportMetric(float64(log.invalidating.Microseconds())/float64(log.mutations), "µs/mutation")
					if testing.Verbose() && (level.name == "everything" || level.watched != nil) {
						fmt.Printf("\nlost hits at %s\n%s%s", ratio.name, log.kindTable(), log.lostTable(25))
					}
				})
				if level.name != "everything" {
					break
				}
			}
		}
	}
}

// kindTable shows the precision of each kind of query.
func (l *oracleLog) kindTable() string {
	var out strings.Builder
	for _, k := range oracleReads {
		fmt.Fprintf(&out, "  %s %d/%d", k.name, l.freshBy[k.name], l.possibleBy[k.name])
	}
	return out.String() + "\n"
}

// lostTable shows the most frequent causes of lost hits: the first mutation that dropped
// the answer, and what it changed.
func (l *oracleLog) lostTable(most int) string {
	causes := slices.SortedFunc(maps.Keys(l.lost), func(a, b lostHit) int {
		return cmp.Or(l.lost[b]-l.lost[a], strings.Compare(a.query+a.mutation+a.changed, b.query+b.mutation+b.changed))
	})
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "lost\tof possible\tquery\tmutation\twhat it changed")
	for i, c := range causes {
		if i == most {
			break
		}
		_, _ = fmt.Fprintf(table, "%d\t%.2f%%\t%s\t%s\t%s\n", l.lost[c], 100*float64(l.lost[c])/float64(l.possible), c.query, c.mutation, c.changed)
	}
	_ = table.Flush()
	return out.String()
}
