package observe

import (
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"

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
// comment, is in that set.
func (e *Execution) semiJoins(args arguments) {
	s := e.s
	if !s.o.opts.SemiJoins || s.o.opts.Dialect != catalog.SQLite || s.conn == nil || s.open > 0 || e.why != "" || s.o.refused.has(e.text) {
		return
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
		keys, ok := e.keys(v, args)
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

// keys asks for the values of a column in the rows of a ref.
func (e *Execution) keys(v *analysis.Via, args arguments) (keys []rowtag.Value, ok bool) {
	t := v.Ref.Table
	if t.Ambiguous {
		return nil, false
	}
	var own []driver.NamedValue
	var where []string
	for i := range v.Ref.Terms {
		term := &v.Ref.Terms[i]
		list, ok := args.raw(&term.Source)
		if !ok || len(list) == 0 || len(list) > maxKeys || t.Columns[term.Column].Class == catalog.Opaque {
			continue
		}
		where = append(where, quote(t.Columns[term.Column].Name)+" IN (?"+strings.Repeat(", ?", len(list)-1)+")")
		for _, x := range list {
			own = append(own, driver.NamedValue{Ordinal: len(own) + 1, Value: x})
		}
	}
	if where == nil {
		return nil, false
	}
	text := "SELECT DISTINCT " + quote(t.Columns[v.From].Name) + " FROM " + quote(t.Name) + " WHERE " + strings.Join(where, " AND ") + " LIMIT " + strconv.Itoa(maxKeys+1)
	rows, err := e.s.ask(e.ctx, text, own, 1)
	if err != nil {
		if e.ctx.Err() == nil {
			e.s.refuse(e.ctx, e.text, err.Error())
		}
		return nil, false
	}
	if len(rows) > maxKeys {
		return nil, false
	}
	for _, row := range rows {
		x, ok := returned(t.Columns[v.From].Class, row[0])
		if !ok {
			return nil, false
		}
		if x != rowtag.Null { // equal to nothing
			keys = append(keys, x)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys), true
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
				switch v.(type) {
				case int64, string:
					list = append(list, v)
				default:
					return nil, false
				}
			}
			return list, true
		}
		v, found := args.told(s.Param, s.Name)
		switch v.(type) {
		case int64, string:
			return []any{v}, found
		}
		return nil, false
	case analysis.List:
		for i := range s.List {
			more, ok := args.raw(&s.List[i])
			if !ok {
				return nil, false
			}
			list = append(list, more...)
		}
		return list, true
	case analysis.JSONList:
		v, found := args.told(s.Param, s.Name)
		if !found {
			return nil, false
		}
		return jsonElements(v)
	}
	return nil, false
}
