package observe

import (
	"context"
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// maxKeys bounds the keys that are asked for.
const maxKeys = 256

// semiJoins asks which values a column has in the rows of one side of a join, for the other
// side: comments.post_id is one of the ids of posts.author_id = ?.
//
// The keys are of another moment than the read. They are never used without the set that
// they come from, rows that are created included: a post that comes later, with its first
// comment, is in that set. Both are read after the moment that the read counts from, so that
// a change of the set between the two is one that came later.
//
// They are the keys of all rows of the set, or at least of those that the caller sees:
//
//   - A policy lets a caller see the posts of her tenant. A connection of ours has no tenant
//     and sees none: without a key the answer would depend on no comment. So PostgreSQL is
//     asked with row_security off: it gives all rows, or an error.
//   - A pooler gives each transaction another connection, and the setting was made on the
//     last one. So the query says itself whether the setting holds for it.
//   - A proxy sends queries to a replica that lacks a post of which the caller's snapshot has
//     the comments already. The query says whether it runs on one.
func (e *Execution) semiJoins(args arguments) {
	s := e.s
	conn := s.companion()
	if conn == nil || e.why != "" || !slices.ContainsFunc(e.a.Refs, func(r *analysis.Ref) bool { return r.Via != nil }) || s.unasked(e) {
		return
	}
	ctx := e.ctx
	if s.o.opts.Dialect != catalog.SQLite {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, besideTime(ctx))
		defer cancel()
	}
	for i, r := range e.a.Refs {
		v := r.Via
		if v == nil || e.rd.refs[i].byKey || !v.Ref.Pinned {
			continue
		}
		j := slices.Index(e.a.Refs, v.Ref)
		if j < 0 || r.Table.Columns[v.Column].Class != v.Ref.Table.Columns[v.From].Class ||
			slices.ContainsFunc(e.rd.refs[i].terms, func(k rowtag.Known) bool { return k.Column == v.Column }) {
			continue
		}
		keys, ok, err := e.keys(ctx, conn, v, args)
		if err != nil {
			// Values that are none of the column's type are some client's: others have better ones.
			if e.ctx.Err() == nil && !strings.HasPrefix(sqlState(err), "22") {
				s.unask(e, unanswered(err))
			}
			return
		}
		if !ok {
			continue
		}
		e.mu.Lock()
		x := &e.rd.refs[i]
		x.terms = append(x.terms, rowtag.Known{Column: v.Column, Values: keys})
		sortKnown(x.terms)
		x.none = x.none || len(keys) == 0
		x.byKey = hasKey(r.Table, x.compares)
		e.mu.Unlock()
	}
}

// unasked reports whether a statement's keys are not asked for.
func (s *Session) unasked(e *Execution) bool {
	if s.o.opts.Dialect == catalog.SQLite {
		return s.o.refused.has(e)
	}
	return s.o.silent.has(e)
}

// besidePause is how long nothing is asked beside for a text whose query has failed: the
// server may have been away, or a lock held.
const besidePause = time.Minute

// unask says that a statement's keys could not be asked for.
func (s *Session) unask(e *Execution, why string) {
	if s.o.opts.Dialect == catalog.SQLite {
		s.refuse(e, why)
		return
	}
	s.o.silent.add(e, time.Since(started)+besidePause)
	s.o.found(e.ctx, Finding{Kind: ImageRefused, Text: e.normalized(), Why: why})
}

// companion is where keys are asked for, nil where they are not.
func (s *Session) companion() Conn {
	switch {
	case !s.o.opts.SemiJoins:
		return nil
	case s.o.opts.Dialect != catalog.SQLite:
		if s.dirty.Load() { // the answer is not stored, and what was written may be locked
			return nil
		}
		return s.o.opts.Beside
	case s.open > 0:
		return nil
	}
	return s.conn
}

// keys asks for the values of a column in the rows of a ref.
func (e *Execution) keys(ctx context.Context, conn Conn, v *analysis.Via, args arguments) (keys []rowtag.Value, ok bool, err error) {
	t := v.Ref.Table
	if t.Ambiguous || t.ForeignData {
		return nil, false, nil
	}
	var own []driver.NamedValue
	var where []string
	for i := range v.Ref.Terms {
		term := &v.Ref.Terms[i]
		list, ok := args.raw(&term.Source)
		if !ok || len(list) == 0 || len(list) > maxKeys || t.Columns[term.Column].Class == catalog.Opaque {
			continue
		}
		var b strings.Builder
		for i, x := range list {
			own = append(own, driver.NamedValue{Ordinal: len(own) + 1, Value: x})
			b.WriteString([]string{" IN (", ", "}[min(i, 1)] + placeholder(e.s.o.opts.Dialect, len(own)))
		}
		where = append(where, quote(t.Columns[term.Column].Name)+b.String()+")")
	}
	if where == nil {
		return nil, false, nil
	}
	text := "SELECT DISTINCT " + quote(t.Columns[v.From].Name) + " FROM " + quote(t.Name) + " WHERE " + strings.Join(where, " AND ") + " LIMIT " + strconv.Itoa(maxKeys+1)
	rows, err := e.s.askKeys(ctx, conn, text, own)
	if err != nil || len(rows) > maxKeys {
		return nil, false, err
	}
	for _, row := range rows {
		x, ok := returned(t.Columns[v.From].Class, row[0])
		if !ok {
			return nil, false, nil
		}
		if x != rowtag.Null { // equal to nothing
			keys = append(keys, x)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys), true, nil
}

// besideTimeout bounds the queries on Beside, which the application's read waits for.
const besideTimeout = time.Second

// besideTime is how long those of a read with a context may take together. Where the
// context ends, most of its time is the application's own: a read that would have been in
// time must not fail because of ours.
func besideTime(ctx context.Context) time.Duration {
	if at, ok := ctx.Deadline(); ok {
		return min(besideTimeout, time.Until(at)/4)
	}
	return besideTimeout
}

// unfiltered says that the query which it is a part of sees all rows of the primary.
const unfiltered = "current_setting('row_security') = 'off' AND NOT pg_is_in_recovery()"

// askKeys asks for the values of one column.
func (s *Session) askKeys(ctx context.Context, conn Conn, text string, args []driver.NamedValue) ([][]driver.Value, error) {
	if s.o.opts.Dialect == catalog.SQLite {
		return ask(ctx, conn, text, args, 1)
	}
	rows, err := ask(ctx, conn, "SELECT k.v, "+unfiltered+" FROM (VALUES (0)) AS one LEFT JOIN ("+text+") AS k (v) ON true", args, 2)
	if err != nil {
		return nil, err
	}
	return allSeen(rows)
}

// allSeen takes what unfiltered says from rows, of which there is one at least.
func allSeen(rows [][]driver.Value) ([][]driver.Value, error) {
	for _, row := range rows {
		if row[1] != true {
			return nil, said("the connection beside may not see all rows")
		}
	}
	if len(rows) == 0 {
		return nil, said("the connection beside does not say whether it sees all rows")
	}
	return rows, nil
}

// raw evaluates a source to values that can be bound.
func (args arguments) raw(s *analysis.Source) (list []any, ok bool) {
	if s.Unless != 0 || s.UnlessName != "" {
		if v, found := args.told(s.Unless, s.UnlessName); !found || isNull(v) {
			return nil, false
		}
	}
	switch s.Kind {
	case analysis.Constant:
		if s.Number {
			n, err := strconv.ParseInt(s.Text, 10, 64)
			return []any{n}, err == nil
		}
		return []any{s.Text}, true
	case analysis.Param:
		if from, to, several := args.spread(s.Param); several {
			for n := from; n < to; n++ {
				v, _ := args.at(n)
				x, ok := bindable(taken(v))
				if !ok {
					return nil, false
				}
				list = append(list, x)
			}
			return list, true
		}
		v, found := args.told(s.Param, s.Name)
		x, ok := bindable(v)
		return []any{x}, ok && found
	case analysis.List:
		for i := range s.List {
			more, ok := args.raw(&s.List[i])
			if !ok {
				return nil, false
			}
			list = append(list, more...)
		}
		return list, true
	case analysis.JSONList, analysis.Array:
		v, found := args.told(s.Param, s.Name)
		if !found {
			return nil, false
		}
		if s.Kind == analysis.JSONList {
			return jsonElements(v)
		}
		if list, ok = elements(v); !ok {
			return nil, false
		}
		list = slices.DeleteFunc(list, func(x any) bool { return x == nil }) // equal to nothing
		for i := range list {
			if list[i], ok = bindable(list[i]); !ok {
				return nil, false
			}
		}
		return list, true
	}
	return nil, false
}

// bindable is a text or a whole number as any driver binds it.
func bindable(v any) (x any, ok bool) {
	switch v.(type) {
	case int64, string:
		return v, true
	}
	n, ok := wholeNumber(v)
	return n, ok
}
