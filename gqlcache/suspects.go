package gqlcache

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// maxSuspects is how many suspects are named for one mismatch.
const maxSuspects = 5

// A scene is the place at which an answer is wrong.
type scene struct {
	path   jsonPath
	sights []cascade.Sight // innermost first
	// keys are those of the rows that the place is in, or shows.
	keys []string
}

// newScene looks at the first difference of an answer. Names inside of a scalar are data: the path ends
// before them.
func newScene(op *cascade.Operation, path jsonPath, fresh *extractor.Result) *scene {
	sights, depth := op.Sights(path.names())
	sc := &scene{path: path[:depth], sights: sights}
	sc.keys = keysAt(sc.path, fresh)
	return sc
}

// field is the one whose value differs.
func (sc *scene) field() string {
	if len(sc.sights) == 0 {
		return ""
	}
	return sc.sights[0].Field
}

// keysAt returns the keys of the objects on the way to a place in an answer, as far as they are there.
func keysAt(path jsonPath, res *extractor.Result) []string {
	var keys []string
	parent := int32(0)
	for _, s := range path {
		nth := 0
		if len(s.indexes) > 0 {
			nth = s.indexes[0] // of nested lists, the first row is as good as any
		}
		at := int32(-1)
		for i := range res.Objects {
			if o := &res.Objects[i]; o.Parent == parent && o.Field != nil && o.Field.Name == s.name {
				if nth--; nth < 0 {
					at = int32(i)
					break
				}
			}
		}
		if at < 0 {
			break // a leaf, or something that is gone
		}
		if k := res.Objects[at].Key; k != nil {
			keys = append(keys, string(k))
		}
		parent = at
	}
	return keys
}

// suspects returns what may be wrong with mutations that did not reach an answer which they may have
// changed, the most plausible first.
func (sc *scene) suspects(plan *cascade.Plan, since []pastDeed, ev *evidence, again bool) []inspect.Suspect {
	type scored struct {
		inspect.Suspect
		score int
	}
	var all []scored
	accused := map[string]bool{} // once by each mismatch
	for _, d := range since {
		changed := plan.Cascade(d.events)
		for _, w := range d.writers {
			reached := reachedBy(w, d.writers, changed)
			missing, score := sc.missing(w, reached)
			score -= ev.accuse(missing, sc.about(reached), again || accused[missing])
			accused[missing] = true
			if missing == "" || slices.ContainsFunc(all, func(s scored) bool { return s.Missing == missing && s.score >= score }) {
				continue
			}
			all = slices.DeleteFunc(all, func(s scored) bool { return s.Missing == missing })
			all = append(all, scored{inspect.Suspect{Mutation: d.name, Field: w.Field, At: d.at.UnixMilli(), Missing: missing}, score})
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	list := make([]inspect.Suspect, 0, min(len(all), maxSuspects))
	for _, s := range all[:min(len(all), maxSuspects)] {
		list = append(list, s.Suspect)
	}
	return list
}

// How plausible it is that a mutation is the one. That it was about the rows shown says most, and that it
// was so before without changing such a value says as much against it: see evidence.
const (
	aboutRows   = 8 // it names a row, or holds a value, that is the key of a row shown at the place
	namesColumn = 5 // it names the row that the field shows, but not the column
	noEdge      = 4 // nothing leads from what it writes to what the field reads
	otherEdge   = 3 // an edge leads there, and these columns do not pass it
	otherRows   = 2 // it reaches the view by other rows or values
	further     = 1 // less for what is not read by the field itself, but by one around it
)

// about tells how changes concern a row that the place is in, or shows; nil when they do not.
func (sc *scene) about(reached []cascade.Event) (how []string) {
	for i := range reached {
		for _, k := range sc.keys {
			for _, name := range reached[i].Mentions(k) {
				if !slices.Contains(how, name) {
					how = append(how, name)
				}
			}
		}
	}
	return how
}

// missing says what the declarations of one mutation field lack, were it this one that has changed the
// value.
func (sc *scene) missing(w cascade.Writer, reached []cascade.Event) (text string, score int) {
	sights := sc.sights
	if len(sights) == 0 {
		return "", 0
	}
	if len(reached) == 0 {
		return "@writes of " + w.Field + " named no row at all", otherRows
	}
	about := len(sc.about(reached)) > 0
	if about {
		score = aboutRows
	}
	if e := sc.named(reached); e != nil {
		if !e.Names(sights[0].Column) {
			return "@writes of " + w.Field + " reaches this row of " + e.View.Name + ", but not its column " + sights[0].Column, score + namesColumn
		}
		// the row came, or went: what shows it is the field around it
		if at := slices.IndexFunc(sights, func(s cascade.Sight) bool { return s.Column == "" }); at > 0 {
			sights = sights[at:]
		}
	}
	for i, s := range sights {
		gap := slices.DeleteFunc(slices.Clone(s.Views), func(v *cascade.View) bool {
			return slices.ContainsFunc(reached, func(e cascade.Event) bool { return e.View == v })
		})
		if len(gap) > 0 {
			if i > 0 {
				score -= further
			}
			why, points := edgeBetween(w, gap)
			return "@writes of " + w.Field + " does not reach " + names(gap) + ", which " + s.Field + " reads" + why, score + points
		}
		if about {
			break // it is about these rows, and reaches the view: it is the rows that it names
		}
	}
	return "@writes of " + w.Field + " reaches " + names(sights[0].Views) + ", but not the rows that " + sights[0].Field +
		" shows: its row, where or set names others", score + otherRows
}

// reachedBy returns the changes that one of the fields of a mutation may have made. What no field declares,
// a resolver has reported: it may be of any.
func reachedBy(w cascade.Writer, writers []cascade.Writer, changed []cascade.Event) []cascade.Event {
	if len(writers) == 1 {
		return changed
	}
	return slices.DeleteFunc(slices.Clone(changed), func(e cascade.Event) bool {
		return !mayWrite(w, e.View) && slices.ContainsFunc(writers, func(o cascade.Writer) bool { return mayWrite(o, e.View) })
	})
}

func mayWrite(w cascade.Writer, v *cascade.View) bool {
	return slices.ContainsFunc(w.Views, func(from *cascade.View) bool { return from == v || v.DerivedFrom(from) })
}

// named finds the change that names the very row whose column differs, preferably one of that column.
func (sc *scene) named(reached []cascade.Event) (found *cascade.Event) {
	s := sc.sights[0]
	if s.Column == "" || len(sc.keys) == 0 {
		return nil
	}
	for i := range reached {
		e := &reached[i]
		if !slices.Contains(s.Views, e.View) || !slices.Contains(e.Rows, sc.keys[len(sc.keys)-1]) {
			continue
		}
		if found = e; e.Names(s.Column) {
			break
		}
	}
	return found
}

// edgeBetween says how the view graph leads from what a mutation writes to views that it did not reach.
func edgeBetween(w cascade.Writer, gap []*cascade.View) (why string, score int) {
	for _, v := range gap {
		for _, from := range w.Views {
			if v.DerivedFrom(from) {
				return ": @dependsOn leads there from " + from.Name + ", but not by the columns written", otherEdge
			}
		}
	}
	for _, v := range gap {
		if v.Derived() {
			return ": @dependsOn does not lead there from " + names(w.Views), noEdge
		}
	}
	return "", noEdge
}

func names(views []*cascade.View) string {
	list := make([]string, len(views))
	for i, v := range views {
		list[i] = v.Name
	}
	return strings.Join(list, ", ")
}
