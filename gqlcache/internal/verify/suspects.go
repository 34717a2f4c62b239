package verify

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// maxSuspects bounds the suspects that are named for one mismatch.
const maxSuspects = 5

// A place is where an answer differs from another.
type place struct {
	path Path
	// reads say what decides the value there, the innermost field first.
	reads []cascade.Sight
	// keys are those of the rows on the way to the place.
	keys []string
}

// placeAt returns the place at a path of an operation's answer. The path ends before
// names that are inside of a scalar: those are data.
func placeAt(op *cascade.Operation, path Path, answer *extractor.Result) *place {
	reads, depth := op.Sights(path.names())
	p := &place{path: path[:depth], reads: reads}
	p.keys = keysAt(p.path, answer)
	return p
}

// field returns the name of the field whose value differs.
func (p *place) field() string {
	if len(p.reads) == 0 {
		return ""
	}
	return p.reads[0].Field
}

// keysAt returns the keys of the objects on the way to a place, as far as the answer has
// them.
func keysAt(path Path, res *extractor.Result) []string {
	var keys []string
	parent := int32(0)
	for _, s := range path {
		nth := 0
		if len(s.Indexes) > 0 {
			nth = s.Indexes[0] // of nested lists, the first row is as good as any
		}
		at := int32(-1)
		for i := range res.Objects {
			if o := &res.Objects[i]; o.Parent == parent && o.Field != nil && o.Field.Name == s.Name {
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

// A scored is a suspect, and how plausible it is.
type scored struct {
	inspect.Suspect
	score int
}

// suspects returns the mutations that may have changed the value at the place without
// reaching the answer, with what their declarations may lack, the most plausible first:
// among those of decides.
// repeated says that the same entry was found wrong before.
func (p *place) suspects(plan *cascade.Plan, since []pastMutation, decides []scored, known *explanations, repeated bool) []inspect.Suspect {
	all := decides
	counted := map[string]bool{} // each explanation counts once by mismatch
	for _, m := range since {
		changed := plan.Cascade(m.events)
		for _, w := range m.writers {
			reached := reachedBy(w, m.writers, changed)
			missing, score := p.missing(w, reached)
			score -= known.penalty(missing, p.concernedBy(reached), repeated || counted[missing])
			counted[missing] = true
			if missing == "" || slices.ContainsFunc(all, func(s scored) bool { return s.Missing == missing && s.score >= score }) {
				continue
			}
			all = slices.DeleteFunc(all, func(s scored) bool { return s.Missing == missing })
			all = append(all, scored{inspect.Suspect{Mutation: m.name, Field: w.Field, At: m.at.UnixMilli(), Missing: missing}, score})
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	list := make([]inspect.Suspect, 0, min(len(all), maxSuspects))
	for _, s := range all[:min(len(all), maxSuspects)] {
		list = append(list, s.Suspect)
	}
	return list
}

// The scores say how plausible it is that a mutation has changed the value. It counts
// most that the mutation concerns the rows on the way to the place. Explanations that
// right answers have refuted lose as much again: see explanations.
const (
	scoreConcerned = 8 // it names a row, or holds a value, that is the key of a row on the way to the place
	scoreColumn    = 5 // it names the row that the field shows, and not the column
	scoreNoEdge    = 4 // no edge leads from what it writes to what the field reads
	scoreEdge      = 3 // an edge leads there, and these columns do not pass it
	scoreRows      = 2 // it reaches the view by other rows or values
	scoreAround    = 1 // less for what is not read by the field itself, but by one around it
)

// concernedBy returns how changes concern the rows on the way to the place: the names of
// the views and columns.
func (p *place) concernedBy(reached []cascade.Event) (how []string) {
	for i := range reached {
		for _, k := range p.keys {
			for _, name := range reached[i].Mentions(k) {
				if !slices.Contains(how, name) {
					how = append(how, name)
				}
			}
		}
	}
	return how
}

// missing returns what the declarations of one mutation field lack if that field has
// changed the value, and how plausible that is. The text is empty when nothing is known
// of the place.
func (p *place) missing(w cascade.Writer, reached []cascade.Event) (text string, score int) {
	reads := p.reads
	if len(reads) == 0 {
		return "", 0
	}
	if reads[0].AtRuntime {
		if len(p.concernedBy(reached)) > 0 {
			score = scoreConcerned
		}
		return "the resolver of " + reads[0].Field + ", which has @reads(atRuntime: true), has not said that it reads what " + w.Field + " writes", score + scoreNoEdge
	}
	if len(reached) == 0 {
		return "@writes of " + w.Field + " named no row at all", scoreRows
	}
	concerned := len(p.concernedBy(reached)) > 0
	if concerned {
		score = scoreConcerned
	}
	if e := p.changeOfRow(reached); e != nil {
		if !e.Names(reads[0].Column) {
			return "@writes of " + w.Field + " reaches this row of " + e.View.Name + ", but not its column " + reads[0].Column, score + scoreColumn
		}
		// The row came or went: the field around it decides which rows there are.
		if at := slices.IndexFunc(reads, func(s cascade.Sight) bool { return s.Column == "" }); at > 0 {
			reads = reads[at:]
		}
	}
	for i, s := range reads {
		unreached := slices.DeleteFunc(slices.Clone(s.Views), func(v *cascade.View) bool {
			return slices.ContainsFunc(reached, func(e cascade.Event) bool { return e.View == v })
		})
		if len(unreached) > 0 {
			if i > 0 {
				score -= scoreAround
			}
			why, points := edgeBetween(w, unreached)
			return "@writes of " + w.Field + " does not reach " + names(unreached) + ", which " + s.Field + " reads" + why, score + points
		}
		if concerned {
			break // it concerns these rows and reaches the view, so the rows that it names are the others
		}
	}
	return "@writes of " + w.Field + " reaches " + names(reads[0].Views) + ", but not the rows that " + reads[0].Field +
		" shows: its row, where or set names others", score + scoreRows
}

// reachedBy returns the changes that one of the fields of a mutation may have made. A
// change that no field declares was reported by a resolver, which may be that of any
// field.
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

// changeOfRow returns the change that names the very row whose column differs, preferably
// one of that column, and nil without any.
func (p *place) changeOfRow(reached []cascade.Event) (found *cascade.Event) {
	s := p.reads[0]
	if s.Column == "" || len(p.keys) == 0 {
		return nil
	}
	for i := range reached {
		e := &reached[i]
		if !slices.Contains(s.Views, e.View) || !slices.Contains(e.Rows, p.keys[len(p.keys)-1]) {
			continue
		}
		if found = e; e.Names(s.Column) {
			break
		}
	}
	return found
}

// edgeBetween says how the view graph leads from what a mutation writes to views that it
// did not reach.
func edgeBetween(w cascade.Writer, unreached []*cascade.View) (why string, score int) {
	for _, v := range unreached {
		for _, from := range w.Views {
			if v.DerivedFrom(from) {
				return ": @dependsOn leads there from " + from.Name + ", but not by the columns written", scoreEdge
			}
		}
	}
	for _, v := range unreached {
		if v.Derived() {
			return ": @dependsOn does not lead there from " + names(w.Views), scoreNoEdge
		}
	}
	return "", scoreNoEdge
}

func names(views []*cascade.View) string {
	list := make([]string, len(views))
	for i, v := range views {
		list[i] = v.Name
	}
	return strings.Join(list, ", ")
}
