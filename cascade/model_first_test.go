package cascade_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/cascadeql/cascadeql/cascade"
)

// longTexts are found by the terms below, some by servers of one kind only.
var (
	longTexts   = []any{"green apple", "GREEN pear", "kelvin 300", "İstanbul", "straße", "kış", "pear", "f47ac10b-58cc-4372-a567-0e02b2c3d479"}
	searchTerms = []any{"green", "GRE", "apple", "een pe", "\u212aELVIN", "istanbul", "TANBUL", "STRASSE", "KIŞ", "gr", "", "gr%le", " pear ", "f47ac10b", "x", "blue"}
)

func (m *model) term() any { return searchTerms[m.pick(len(searchTerms), "term")] }

// search makes a random way in which a server finds a term in a text.
func (m *model) search() func(text, term any) bool {
	caseless := [...]func(string) string{
		strings.ToLower,
		strings.ToUpper,
		func(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "ß", "ss")) },
		func(s string) string { return s },
		func(s string) string {
			return strings.Map(func(r rune) rune {
				for f := unicode.SimpleFold(r); f > r; f = unicode.SimpleFold(f) {
					r = f
				}
				return r
			}, s)
		},
	}[m.pick(5, "letters")]
	trims, likes := m.chance(30, "trims"), m.chance(30, "likes")
	return func(text, term any) bool {
		if text == nil {
			return false
		}
		s, find := caseless(fmt.Sprint(text)), caseless(fmt.Sprint(term))
		if trims {
			find = strings.TrimSpace(find)
		}
		if !likes {
			return strings.Contains(s, find)
		}
		for _, piece := range strings.Split(find, "%") {
			_, after, found := strings.Cut(s, piece)
			if !found {
				return false
			}
			s = after
		}
		return true
	}
}

// A window is how a list shows the first rows of a set.
type window struct {
	appends, offset, zeroIsNone bool
	using                       []string
	compare                     func(a, b *rec) int
}

func (m *model) window(t *table) window {
	w := window{offset: m.chance(50, "offset"), zeroIsNone: m.chance(50, "zero")}
	switch m.pick(4, "window") {
	case 0, 1:
		w.appends = m.chance(80, "appends")
		w.compare = func(a, b *rec) int { return cmp.Compare(a.seq, b.seq) }
	case 2:
		w.compare = func(a, b *rec) int { return cmp.Compare(b.seq, a.seq) }
	default:
		w.using = []string{"n"}
		w.compare = func(a, b *rec) int { return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.id, b.id)) }
	}
	return w
}

func (m *model) windowArgs(w window) []modelArg {
	args := []modelArg{{"limit", "Int", func() any { return []any{1, 1, 1, 2, 2, 3, 0, -1, nil}[m.pick(9, "limit")] }}}
	if w.offset {
		args = append(args, modelArg{"offset", "Int", func() any { return []any{0, 1, 1, 2, -1, nil}[m.pick(6, "offset")] }})
	}
	return args
}

// directive adds the window to a @reads of exactly the rows that the list is taken from.
func (w window) directive(reads string) string {
	if !strings.Contains(reads, "using:") {
		return reads
	}
	text := `, limit: "args.limit"`
	if w.offset {
		text += `, offset: "args.offset"`
	}
	if w.appends {
		text += `, appends: true`
	}
	return strings.TrimSuffix(reads, ")") + text + ")"
}

func number(v any) (int, bool) {
	if v == nil {
		return 0, false
	}
	n, err := strconv.Atoi(fmt.Sprint(v))
	return n, err == nil
}

func (w window) first(rows []*rec, args map[string]any) []*rec {
	slices.SortStableFunc(rows, w.compare)
	if n, ok := number(args["offset"]); ok && w.offset {
		rows = rows[min(max(n, 0), len(rows)):]
	}
	if n, ok := number(args["limit"]); ok && n >= 0 && (n > 0 || !w.zeroIsNone) {
		rows = rows[:min(n, len(rows))]
	}
	return rows
}

// firstRows adds a list of the first rows of a set to a type. within, if not nil, bounds
// them to the parent.
func (m *model) firstRows(on *modelType, t *table, name string, within func(parent any, r *rec) bool, f filter, terms ...string) {
	w := m.window(t)
	if kind := m.pick(3, "rows of the list"); kind == 0 || len(terms)+len(f.terms) > 4 {
		f = filter{match: func(map[string]any, *rec) bool { return true }} // long lists have more to leave out
	} else if kind == 1 { // rows come and go
		value := modelArg{"c0", "String!", func() any { return texts[m.pick(2, "text")] }}
		f = filter{[]string{"c0"}, []modelArg{value}, func(args map[string]any, r *rec) bool { return r.text["c0"] == args["c0"] }}
	}
	terms = append(terms, f.terms...)
	on.add(&modelField{
		name: name, typ: "[" + t.name + "!]!", args: slices.Concat(f.args, m.windowArgs(w)),
		directives: w.directive(m.readsExactly(t.name, terms, w.using)),
		resolve: func(args map[string]any, p any) any {
			return w.first(m.visible(t, func(r *rec) bool { return (within == nil || within(p, r)) && f.match(args, r) }), args)
		},
	})
}

// readsExactly is reads without the modes that declare more rows than there are: a window
// is of these.
func (m *model) readsExactly(view string, terms, using []string) string {
	switch {
	case m.level == declareViews, m.level == declareSome && m.chance(10, "reads left out"):
		return ""
	case m.level == declareSome && m.chance(10, "whole view"):
		return fmt.Sprintf(` @reads(view: %q)`, view)
	}
	return fmt.Sprintf(` @reads(view: %q%s, using: %s)`, view, whereText(terms), quoteList(using))
}

// found adds a search over all tables with one limit for all, or one for each.
func (m *model) found() {
	w := m.window(m.tables[0])
	w.offset = false
	matches, shared, byAge := m.search(), m.chance(60, "shared"), m.chance(50, "by age")
	if byAge {
		w.using, w.compare = nil, func(a, b *rec) int { return cmp.Compare(a.seq, b.seq) }
	} else if w.using == nil && w.appends {
		w.compare = func(a, b *rec) int { return cmp.Compare(a.seq, b.seq) }
	}
	var directives string
	for _, t := range m.tables {
		d := m.readsExactly(t.name, []string{"c0 contains args.term"}, w.using)
		if d == "" {
			directives = ""
			break
		}
		directives += w.directive(d)
	}
	m.types["Query"].add(&modelField{
		name: "found", typ: "[Hit!]!", args: append(m.windowArgs(w), modelArg{"term", "String!", m.term}), directives: directives,
		resolve: func(args map[string]any, _ any) any {
			var rows []*rec
			for _, t := range m.tables {
				part := m.visible(t, func(r *rec) bool { return matches(r.text["c0"], args["term"]) })
				slices.SortStableFunc(part, w.compare)
				if !shared {
					part = w.first(part, args)
				}
				rows = append(rows, part...)
			}
			if byAge && shared {
				return w.first(rows, args)
			}
			if shared {
				whole := w
				whole.compare = func(a, b *rec) int { return 0 }
				rows = whole.first(rows, args)
			}
			if rows == nil {
				rows = []*rec{}
			}
			return rows
		},
	})
}

// rowsReport says which rows of a table the running field changed; values what a column
// of them all was and is.
func (m *model) rowsReport(t *table, rows []*rec) {
	if !m.chance(50, "rows report") {
		return
	}
	var ids []cascade.Value
	for _, r := range rows {
		ids = append(ids, cascade.ValueOf(r.id))
	}
	r, ok := m.plan.NewRowsReport(t.name, ids)
	m.reportAll(r, ok)
}

func (m *model) movedAll(t *table, column string, before, after any) {
	if m.chance(50, "moved all") {
		r, ok := m.plan.NewMovedAllReport(t.name, column, cascade.ValueOf(before), cascade.ValueOf(after))
		m.reportAll(r, ok)
	}
}

func (m *model) reportAll(r cascade.Report, ok bool) {
	if !ok {
		return
	}
	r.Root = m.root
	if m.chance(30, "root unknown") {
		r.Root = ""
	}
	m.reports = append(m.reports, r)
}

// createMany creates rows from a list of inputs, some with a default.
func (m *model) createMany(t *table) {
	arg, _, read := m.inputType(t, "Import"+t.name, m.chance(60, "default"))
	one := arg.value
	set := []string{}
	for _, c := range t.columns {
		set = append(set, c+" = args.inputs."+c)
	}
	m.types["Mutation"].add(&modelField{
		name: "import" + t.name, typ: "Int", args: []modelArg{{"inputs", "[" + arg.typ + "!]!", m.list(one)}},
		directives: m.writes(t.name, "CREATE", m.some("set", set)),
		resolve: func(args map[string]any, _ any) any {
			var made []*rec
			for _, in := range listOf(args["inputs"]) {
				text, refs, n := read(in.(map[string]any))
				if r := m.insert(t, text, refs, n); r != nil {
					made = append(made, r)
				}
			}
			m.rowsReport(t, made)
			return len(made)
		},
	})
}
