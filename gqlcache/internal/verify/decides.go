package verify

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
)

// @view(decides:) promises that code decides by no other columns of a table than those that
// it names. Then a change of a column that the operation does not select either leaves its
// answers as they are. Where the promise is wrong, an answer stays that a commit has made
// old, which no statement can tell. So the commits since the entry was right are asked which
// columns they have changed that the promise has hidden: these may be what is missing.

const (
	// maxWrites bounds the commits that are remembered, maxColumns the columns of one.
	maxWrites  = 512
	maxColumns = 64
	// maxDecides bounds the columns that are looked at for one answer.
	maxDecides = 32
	// scoreDecides is more than any declaration of a mutation has: statements guard those.
	scoreDecides = 20
	// scoreOtherType is less for a type that is not on the way to the place.
	scoreOtherType = 10
)

// writes are the columns that the last commits have changed.
type writes struct {
	mu   sync.Mutex
	list []write // a ring; next is its oldest element once it is full
	next int
}

// A write is a commit's, of one table.
type write struct {
	// number is the smallest that the clock may give to its publication.
	number uint64
	at     time.Time
	// by has made it, nil for nobody's mutation.
	by      *Mutation
	table   string
	columns []string
}

// Wrote says that a commit has changed columns of a table, before it is published: of a
// mutation, or of nobody's for nil. The slice must not change afterwards. It may be called
// on nil.
func (v *Verifier) Wrote(by *Mutation, table string, columns []string) {
	if v == nil {
		return
	}
	w := write{number: v.cfg.Seq() + 1, at: v.cfg.Now(), by: by, table: table, columns: columns[:min(len(columns), maxColumns)]}
	l := &v.writes
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) < maxWrites {
		l.list = append(l.list, w)
		return
	}
	l.list[l.next] = w
	l.next = (l.next + 1) % maxWrites
}

// after returns the writes that were published after a number, the youngest first, and until
// another one.
func (l *writes) after(number, until uint64) (list []write) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.list {
		if w := l.list[(l.next+i)%len(l.list)]; w.number > number && w.number <= until {
			list = append(list, w)
		}
	}
	slices.Reverse(list)
	return list
}

// An undecided is a column that a promise has hidden, and that was changed.
type undecided struct {
	write
	column string
	types  []string
}

// undecidedBy returns the columns that the writes have changed and the promises of an
// operation have hidden, each with its youngest write.
func undecidedBy(promises []cascade.Projection, since []write) (list []undecided) {
	for i := range promises {
		p := &promises[i]
		for _, w := range since {
			if w.table != p.Table {
				continue
			}
			for _, column := range w.columns {
				named := func(name string) bool { return cascade.ColumnOf(column, name) }
				known := func(u undecided) bool { return u.table == w.table && u.column == column }
				if len(list) == maxDecides || slices.ContainsFunc(p.Fields, named) || slices.ContainsFunc(p.Decides, named) || slices.ContainsFunc(list, known) {
					continue
				}
				list = append(list, undecided{w, column, p.Types})
			}
		}
	}
	return list
}

// missing says what @view(decides:) lacks, and what to do.
func (u *undecided) missing() string {
	return "@view(decides:) of " + strings.Join(u.types, ", ") + " does not name " + u.column + ", a column of " + u.table +
		" that was changed since and that the operation does not select: if code hides, sorts, counts or computes by it, add " +
		u.column + " to decides"
}

// decides returns the suspects among the promises of @view(decides:).
func (p *place) decides(op *cascade.Operation, promises []cascade.Projection, since []write, known *explanations, repeated bool) (list []scored) {
	types := op.TypesAt(p.path.names())
	for _, u := range undecidedBy(promises, since) {
		missing := u.missing()
		score := scoreDecides - known.penalty(missing, []string{u.table}, repeated)
		if !slices.ContainsFunc(u.types, func(t string) bool { return slices.Contains(types, t) }) {
			score -= scoreOtherType
		}
		s := scored{score: score}
		s.Missing, s.At = missing, u.at.UnixMilli()
		if u.by != nil {
			s.Mutation = u.by.name
			if len(u.by.writers) == 1 {
				s.Field = u.by.writers[0].Field
			}
		}
		list = append(list, s)
	}
	return list
}

// refuteDecides counts the promises that a right answer speaks for: it shows rows of their
// types, as far as the objects of the answer are known, and columns that they hide have
// changed.
func (x *explanations) refuteDecides(promises []cascade.Projection, answer *extractor.Result, since []write) {
	list := undecidedBy(promises, since)
	list = slices.DeleteFunc(list, func(u undecided) bool {
		return len(answer.Objects) > 0 && !slices.ContainsFunc(answer.Objects, func(o extractor.Object) bool {
			return o.Selection != nil && slices.Contains(u.types, o.Selection.Object.Name)
		})
	})
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range list {
		missing := list[i].missing()
		for _, by := range []string{list[i].table, ""} {
			if t := x.of(explanation{missing, by}); t != nil {
				t.refuted++
			}
		}
	}
}
