package verify

import (
	"slices"
	"sync"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
)

const (
	// maxExplanations bounds the explanations that are counted.
	maxExplanations = 2000
	// maxRefutingMutations and maxRefutingObjects bound the work for one right answer.
	maxRefutingMutations = 16
	maxRefutingObjects   = 64
	// maxPenalty is the penalty of an explanation that is always refuted.
	maxPenalty = 12
)

// explanations count how often each explanation of a wrong answer was possible, and how
// often a right answer has refuted it.
//
// Say that adding a comment concerns its author, and so does publishing a post, and that
// the author's karma is old after both. The declarations do not say which of the two has
// changed it. But comments were added before, and the author's karma was right
// afterwards: that speaks against the comment.
type explanations struct {
	mu     sync.Mutex
	counts map[explanation]*tally
}

// An explanation is that a declaration is missing. by is the view or column by which the
// mutation concerns the rows at the place: a comment concerns two users, who wrote it and
// whose post it is on. It is empty for all of them.
type explanation struct{ missing, by string }

// A tally is how often an explanation was possible, and how often it was refuted.
type tally struct{ possible, refuted int }

// of returns the tally of an explanation, and nil when there are too many. REQUIRES: mu.
func (x *explanations) of(e explanation) *tally {
	t := x.counts[e]
	if t == nil && len(x.counts) < maxExplanations {
		if x.counts == nil {
			x.counts = map[explanation]*tally{}
		}
		t = &tally{}
		x.counts[e] = t
	}
	return t
}

// penalty counts an explanation as possible, and returns how many points of its score it
// loses: the mean of the penalty of the whole explanation and of the least penalty among
// the ways in which the mutation concerns the place. A repeated explanation is counted
// only if it never was.
func (x *explanations) penalty(missing string, concerns []string, repeated bool) int {
	if len(concerns) == 0 {
		return 0
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	least := maxPenalty
	for _, by := range concerns {
		least = min(least, x.of(explanation{missing, by}).penalty(repeated))
	}
	return (least + x.of(explanation{missing: missing}).penalty(repeated)) / 2
}

// penalty counts an explanation as possible, and returns its penalty.
func (t *tally) penalty(repeated bool) int {
	if t == nil {
		return 0
	}
	if !repeated || t.possible == 0 {
		t.possible++
	}
	return maxPenalty * t.refuted / (t.possible + t.refuted)
}

// refute counts the explanations that a right answer refutes: mutations concerned rows
// that it shows, did not reach it, and have not changed it.
func (x *explanations) refute(plan *cascade.Plan, op *cascade.Operation, answer *extractor.Result, since []pastMutation) {
	var refuted []explanation
	for _, m := range since[:min(len(since), maxRefutingMutations)] {
		changed := plan.Cascade(m.events)
		for _, w := range m.writers {
			reached := reachedBy(w, m.writers, changed)
			for i := range answer.Objects[:min(len(answer.Objects), maxRefutingObjects)] {
				refuted = refutedAt(refuted, op, answer, i, w, reached)
			}
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range refuted {
		if t := x.of(e); t != nil {
			t.refuted++
		}
	}
}

// refutedAt adds the explanations that there would be for a mutation's field if a field
// of one object were wrong.
func refutedAt(refuted []explanation, op *cascade.Operation, answer *extractor.Result, object int, w cascade.Writer, reached []cascade.Event) []explanation {
	obj := &answer.Objects[object]
	if obj.Selection == nil {
		return refuted
	}
	p := &place{}
	var path []string
	for at := obj; at.Field != nil; at = &answer.Objects[at.Parent] {
		path = append(path, at.Field.Name)
		if at.Key != nil {
			p.keys = append(p.keys, string(at.Key))
		}
	}
	slices.Reverse(path)
	slices.Reverse(p.keys)
	concerns := p.concernedBy(reached)
	if len(concerns) == 0 {
		return refuted
	}
	for _, f := range obj.Selection.Fields {
		p.reads, _ = op.Sights(append(path, f.Name))
		missing, _ := p.missing(w, reached)
		for _, by := range append(concerns, "") {
			if e := (explanation{missing, by}); missing != "" && !slices.Contains(refuted, e) {
				refuted = append(refuted, e)
			}
		}
	}
	return refuted
}
