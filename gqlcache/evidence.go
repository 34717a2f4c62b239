package gqlcache

import (
	"slices"
	"sync"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
)

const (
	// maxTheories bounds the suspicions that evidence is collected about.
	maxTheories = 2000
	// maxClearedBy and maxClearedObjects bound what is looked at for one right answer.
	maxClearedBy      = 16
	maxClearedObjects = 64
	// cleared is what a suspicion loses that is always wrong.
	cleared = 12
)

// evidence weighs what may be missing. Adding a comment is about its author, and so is publishing a
// post; after both, the author's karma is old, and nothing that is declared tells which of them did it.
// But comments were added before, and the author's karma shown afterwards was right: that clears them.
type evidence struct {
	mu       sync.Mutex
	theories map[theory]*weight
}

// A theory is that something is missing, and by what the mutation is about the rows shown: a comment is
// about two users, who wrote it and whose post it is on.
type theory struct{ missing, by string }

// weight is how often it may have been so, and how often it was not.
type weight struct{ accused, cleared int }

// of returns the weight of a theory; nil when there are too many. REQUIRES: mu.
func (ev *evidence) of(t theory) *weight {
	w := ev.theories[t]
	if w == nil && len(ev.theories) < maxTheories {
		if ev.theories == nil {
			ev.theories = map[theory]*weight{}
		}
		w = &weight{}
		ev.theories[t] = w
	}
	return w
}

// accuse notes a suspicion, and returns how much less plausible it is by what is known of it: whatever the
// mutation was about, and by the least of what speaks against one of the ways in which it is. again says
// that the same entry was found wrong before: that is no news.
func (ev *evidence) accuse(missing string, about []string, again bool) int {
	if len(about) == 0 {
		return 0
	}
	ev.mu.Lock()
	defer ev.mu.Unlock()
	least := cleared
	for _, by := range about {
		least = min(least, ev.of(theory{missing, by}).accuse(again))
	}
	return (least + ev.of(theory{missing: missing}).accuse(again)) / 2
}

// accuse returns what the theory's weight takes off.
func (w *weight) accuse(again bool) int {
	if w == nil {
		return 0
	}
	if !again || w.accused == 0 {
		w.accused++
	}
	return cleared * w.cleared / (w.accused + w.cleared)
}

// clear notes that an answer is right although mutations were about rows that it shows, and did not reach
// it: what would have been suspected of them, had it been wrong, is not so.
func (ev *evidence) clear(plan *cascade.Plan, op *cascade.Operation, res *extractor.Result, since []pastDeed) {
	var refuted []theory
	for _, d := range since[:min(len(since), maxClearedBy)] {
		changed := plan.Cascade(d.events)
		for _, w := range d.writers {
			reached := reachedBy(w, d.writers, changed)
			for i := range res.Objects[:min(len(res.Objects), maxClearedObjects)] {
				refuted = refute(refuted, op, res, i, w, reached)
			}
		}
	}
	ev.mu.Lock()
	defer ev.mu.Unlock()
	for _, t := range refuted {
		if w := ev.of(t); w != nil {
			w.cleared++
		}
	}
}

// refute adds what would be suspected of a mutation's field if a field of one object were wrong.
func refute(refuted []theory, op *cascade.Operation, res *extractor.Result, object int, w cascade.Writer, reached []cascade.Event) []theory {
	obj := &res.Objects[object]
	if obj.Selection == nil {
		return refuted
	}
	sc := &scene{}
	var path []string
	for at := obj; at.Field != nil; at = &res.Objects[at.Parent] {
		path = append(path, at.Field.Name)
		if at.Key != nil {
			sc.keys = append(sc.keys, string(at.Key))
		}
	}
	slices.Reverse(path)
	slices.Reverse(sc.keys)
	about := sc.about(reached)
	if len(about) == 0 {
		return refuted
	}
	for _, f := range obj.Selection.Fields {
		sc.sights, _ = op.Sights(append(path, f.Name))
		missing, _ := sc.missing(w, reached)
		for _, by := range append(about, "") {
			if t := (theory{missing, by}); missing != "" && !slices.Contains(refuted, t) {
				refuted = append(refuted, t)
			}
		}
	}
	return refuted
}
