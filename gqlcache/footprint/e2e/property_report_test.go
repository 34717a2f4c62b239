package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func newFigures() *figures {
	return &figures{notUnderstood: map[string]int{}, everythings: map[string]int{}, errors: map[string]int{}, images: map[string]int{}, lost: map[string]int{}}
}

func (f *figures) add(g *figures) {
	for _, n := range [][2]*int{
		{&f.rounds, &g.rounds}, {&f.pairs, &g.pairs}, {&f.changed, &g.changed}, {&f.unchanged, &g.unchanged}, {&f.kept, &g.kept}, {&f.missed, &g.missed},
		{&f.refused, &g.refused}, {&f.dirty, &g.dirty}, {&f.old, &g.old}, {&f.straddled, &g.straddled}, {&f.reads, &g.reads}, {&f.readErrors, &g.readErrors},
		{&f.writes, &g.writes}, {&f.writeErrors, &g.writeErrors}, {&f.wrongWrites, &g.wrongWrites}, {&f.rolledBack, &g.rolledBack},
		{&f.publishedByRollback, &g.publishedByRollback}, {&f.deadlocks, &g.deadlocks}, {&f.blocked, &g.blocked}, {&f.concurrent, &g.concurrent},
		{&f.understood, &g.understood}, {&f.unknown, &g.unknown}, {&f.commits, &g.commits}, {&f.everything, &g.everything}, {&f.imaged, &g.imaged},
	} {
		*n[0] += *n[1]
	}
	for _, m := range [][2]map[string]int{{f.notUnderstood, g.notUnderstood}, {f.everythings, g.everythings}, {f.errors, g.errors}, {f.images, g.images}, {f.lost, g.lost}} {
		for k, n := range m[1] {
			m[0][k] += n
		}
	}
}

func (f *figures) String() string {
	return fmt.Sprintf("%d pairs in %d rounds: %d changed, %d missed; of %d unchanged %d kept (%.1f %%); of %d readings %d not understood; of %d commits %d of everything, %d row images",
		f.pairs, f.rounds, f.changed, f.missed, f.unchanged, f.kept, 100*f.share(), f.understood+f.unknown, f.unknown, f.commits, f.everything, f.imaged)
}

func cmpText(a, b string) int { return strings.Compare(a, b) }

// report says what was missed, with as little in the scenario as misses it.
func report(t *testing.T, s *scenario, make maker, m miss) {
	t.Helper()
	small, again := minimize(t, s, make, m)
	var b strings.Builder
	fmt.Fprintf(&b, "missed: seed %d, %v, %sstep %d\nreading: %v (rows %d, tenant %q)\n", s.seed, cell{s.templates, s.mode}, again.what, m.step, s.reads[m.read].sqlStatement, s.reads[m.read].rows, s.reads[m.read].tenant)
	fmt.Fprintf(&b, "before:\n%s\nnow:\n%s\n", again.before, again.now)
	fmt.Fprintf(&b, "footprint: number %d, %d tags; published: %s\n", again.footprint.number, len(again.footprint.tags), again.published)
	for i, step := range small.steps {
		fmt.Fprintf(&b, "step %d\n%v", i, step)
	}
	fmt.Fprintf(&b, "data:\n  %s\n", strings.Join(small.setup, "\n  "))
	t.Error(b.String())
}

// minimize leaves out of a scenario what is not needed for a miss.
func minimize(t *testing.T, s *scenario, make maker, m miss) (*scenario, miss) {
	t.Helper()
	left := 200
	if *propertyStop {
		left = 0
	}
	best := *s
	best.steps = slices.Clone(s.steps[:m.step+1])
	misses := func(c *scenario) *miss {
		if left--; left < 0 {
			return nil
		}
		h := make(t, c)
		defer h.close()
		for _, b := range carryOut(t, c, h, newFigures()) {
			if b.read == m.read {
				return &b
			}
		}
		return nil
	}
	try := func(c scenario) bool {
		if again := misses(&c); again != nil {
			best, m = c, *again
			best.steps = best.steps[:m.step+1]
			return true
		}
		return false
	}
	one := best
	one.only = map[int]bool{m.read: true}
	for _, step := range best.steps {
		if step.early == m.read {
			one.only[step.late] = true
		}
	}
	try(one)
	for i := 0; i < len(best.steps); i++ {
		c := best
		c.steps = slices.Delete(slices.Clone(best.steps), i, i+1)
		if len(c.steps) > 0 && try(c) {
			i--
		}
	}
	for i := 0; i < len(best.steps); i++ {
		for _, change := range best.steps[i].smaller() {
			c := best
			c.steps = slices.Clone(best.steps)
			c.steps[i] = change
			if try(c) {
				i--
				break
			}
		}
	}
	return &best, m
}

// smaller returns the step with one thing less, for each of its things.
func (s scenarioStep) smaller() (list []scenarioStep) {
	if len(s.old) > 0 {
		c := s
		c.old = nil
		list = append(list, c)
	}
	if s.early >= 0 {
		c := s
		c.early, c.late = -1, -1
		list = append(list, c)
	}
	if len(s.fills) > 0 {
		c := s
		c.fills = nil
		c.order = slices.DeleteFunc(slices.Clone(s.order), func(i int) bool { return i < 0 })
		list = append(list, c)
	}
	for i, tx := range s.txs {
		if len(s.txs) > 1 {
			c := s
			c.txs = []*transaction{s.txs[1-i]}
			c.order, c.fills = nil, nil
			for range len(c.txs[0].ops) + 1 {
				c.order = append(c.order, 0)
			}
			list = append(list, c)
		}
		for j := range tx.ops {
			c := s
			fewer := *tx
			fewer.ops = slices.Delete(slices.Clone(tx.ops), j, j+1)
			c.txs = slices.Clone(s.txs)
			c.txs[i] = &fewer
			// Its last turn is the end, whichever it was.
			at := slices.Index(s.order, i)
			c.order = slices.Delete(slices.Clone(s.order), at, at+1)
			list = append(list, c)
		}
	}
	return list
}

// summary says what commits have published.
func (c *clock) summary(from uint64) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for i := int(from); i < len(c.commits); i++ {
		fmt.Fprintf(&b, "%d: %d tags%s; ", i+1, len(slices.Collect(maps.Keys(c.commits[i].masks))), c.commits[i].everything)
	}
	return b.String()
}
