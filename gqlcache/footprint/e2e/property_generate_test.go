package e2e

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// An sqlStatement is a text with its arguments.
type sqlStatement struct {
	text string
	args []any
	// ordered says that the rows have one order for any data.
	ordered bool
	// policy says that the text asks for rows that a policy may hide.
	policy bool
}

func (s sqlStatement) String() string { return fmt.Sprintf("%s %q", s.text, s.args) }

// An sqlGenerator draws SQL texts that are well-formed in its dialect, and whose results are
// functions of the data alone: a LIMIT has a total order before it, and a text whose
// collation takes different texts as equal is never grouped.
type sqlGenerator struct {
	pools
	pg     bool
	tables []*modelTable
	ctes   []*modelTable // that may be read in this statement
	args   []any
	names  int
	policy bool
}

func newSQLGenerator(r *rand.Rand, d catalog.Dialect) *sqlGenerator {
	return &sqlGenerator{pools: pools{r: r}, pg: d == catalog.PostgreSQL, tables: modelTables(d)}
}

// A place is a column where it may be used.
type place struct {
	ref string
	modelColumn
}

// A source is one of a FROM list.
type source struct {
	places []place
	key    []place
}

func (g *sqlGenerator) one(n int) bool { return g.r.IntN(n) == 0 }

// arg takes v as an argument. Its place in the text is filled in at the end.
func (g *sqlGenerator) arg(v any) string {
	g.args = append(g.args, v)
	return fmt.Sprintf("\x00%d\x00", len(g.args)-1)
}

func (g *sqlGenerator) start() { g.args, g.ctes, g.names, g.policy = nil, nil, 0, false }

func (g *sqlGenerator) alias() string {
	g.names++
	return "t" + strconv.Itoa(g.names)
}

// finish writes the places of arguments in one of the dialect's spellings.
func (g *sqlGenerator) finish(text string, ordered bool) sqlStatement {
	parts := strings.Split(text, "\x00")
	style := g.r.IntN(3)
	if g.pg {
		style = 3
	}
	s := sqlStatement{ordered: ordered, policy: g.policy}
	var b strings.Builder
	numbers := map[int]int{}
	for i, part := range parts {
		if i%2 == 0 {
			b.WriteString(part)
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil {
			panic(err)
		}
		at, again := numbers[n]
		if style == 0 || !again {
			v := g.args[n]
			at = len(s.args) + 1
			numbers[n] = at
			if style == 2 {
				v = sql.Named(fmt.Sprint("a", at), v)
			}
			s.args = append(s.args, v)
		}
		switch style {
		case 0:
			b.WriteByte('?')
		case 1:
			fmt.Fprint(&b, "?", at)
		case 2:
			b.WriteString([]string{":", "@", "$"}[n%3] + fmt.Sprint("a", at))
		case 3:
			fmt.Fprint(&b, "$", at)
		}
	}
	s.text = b.String()
	if g.one(15) { // a comment
		s.text = strings.Replace(s.text, " WHERE ", g.pick(" /* it's = ? */ WHERE ", " -- WHERE 'x\n WHERE ", "\n\tWHERE\n", "/**/WHERE "), 1)
	}
	return s
}

// literal writes a value of a column in the text.
func (g *sqlGenerator) literal(c modelColumn, v string) string {
	switch c.kind {
	case kindNumber, kindAmount, kindBoolean:
		return v
	case kindOctets:
		if g.pg {
			return `'\x` + v + "'::bytea"
		}
		return "x'" + v + "'"
	}
	return sqlQuoted(v)
}

// natural returns a value as a program would give it as an argument.
func (g *sqlGenerator) natural(c modelColumn, v string) any {
	switch c.kind {
	case kindNumber:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			panic(err)
		}
		return n
	case kindBoolean:
		return v == "true"
	case kindOctets:
		b, err := hex.DecodeString(v)
		if err != nil {
			panic(err)
		}
		return b
	case kindAmount:
		if g.pg {
			return v
		}
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			panic(err)
		}
		return f
	}
	return v
}

// value writes what a column is compared to, or set to.
func (g *sqlGenerator) value(c modelColumn) string {
	v := g.of(c.pool)
	if g.one(80) {
		return g.pick("NULL", g.arg(nil))
	}
	switch n := g.r.IntN(20); {
	case n < 11:
		return g.arg(g.natural(c, v))
	case n < 17:
		return g.literal(c, v)
	default:
		return g.odd(c, v)
	}
}

// odd writes a value in another spelling or of another type, that the database converts.
func (g *sqlGenerator) odd(c modelColumn, v string) string {
	if g.pg {
		switch c.kind {
		case kindNumber:
			return g.pick(g.arg(v), sqlQuoted(v), v+".0", v+"::bigint", "("+v+"+0)", "CAST("+sqlQuoted(v)+" AS integer)", "'0"+v+"'", g.arg(v)+"::integer")
		case kindUUID:
			upper := strings.ToUpper(v)
			return g.pick(g.arg(upper), sqlQuoted(upper), sqlQuoted("{"+v+"}"), g.arg(strings.ReplaceAll(v, "-", ""))+"::uuid", g.arg(v)+"::text::uuid")
		case kindBoolean:
			return g.pick(sqlQuoted(v[:1]), g.arg(v[:1]), sqlQuoted(strings.ToUpper(v)), "("+v+" IS TRUE)")
		case kindOctets, kindAmount:
			return g.arg(g.natural(c, v))
		case kindEnum:
			return g.pick(g.arg(v)+"::mood", sqlQuoted(v)+"::mood")
		case kindFolded:
			if c.pool == "code" {
				return g.pick(g.arg(strings.ToUpper(v)), sqlQuoted(strings.ToLower(v))+"::citext")
			}
			return g.pick(g.arg(strings.ToUpper(v)), sqlQuoted(strings.ToLower(v)))
		case kindPadded:
			return g.pick(g.arg(v+"  "), sqlQuoted(v+" "))
		}
		return g.pick("E"+sqlQuoted(v), "$x$"+v+"$x$", g.arg(v)+"::text", "("+sqlQuoted(v[:1])+" || "+sqlQuoted(v[1:])+")", "CAST("+g.arg(v)+" AS varchar(90))", "U&"+sqlQuoted(v))
	}
	switch c.kind {
	case kindNumber:
		f, _ := strconv.ParseFloat(v, 64)
		return g.pick(g.arg(v), sqlQuoted(v), v+".0", g.arg(f), g.arg(" "+v+" "), "'0"+v+"'", g.arg([]byte(v)), "+"+v, "CAST("+g.arg(v)+" AS INTEGER)", g.arg(v+".0"), "("+v+")")
	case kindBoolean:
		return g.pick("1", "0", g.arg(int64(1)), g.arg("0"), g.arg(true))
	case kindOctets:
		b, _ := hex.DecodeString(v)
		return g.pick(g.arg(b), g.arg(string(b)))
	case kindAmount:
		return g.pick(g.arg(v), sqlQuoted(v), g.arg(int64(1)))
	case kindFolded, kindPadded:
		return g.pick(g.arg(strings.ToUpper(v)), sqlQuoted(strings.ToLower(v)), g.arg(v+" "))
	}
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		return g.pick(g.arg(n), strconv.FormatInt(n, 10), g.arg(float64(n)))
	}
	return g.pick(`"`+v+`"`, g.arg([]byte(v)), "("+sqlQuoted(v[:1])+" || "+sqlQuoted(v[1:])+")", "CAST("+g.arg(v)+" AS TEXT)", g.arg(strings.ToUpper(v)), "("+sqlQuoted(v)+")")
}

// table draws a table to be read, by weight.
func (g *sqlGenerator) table() *modelTable {
	if len(g.ctes) > 0 && !g.one(3) {
		return g.ctes[g.r.IntN(len(g.ctes))]
	}
	sum := 0
	for _, t := range g.tables {
		sum += t.weight
	}
	n := g.r.IntN(sum)
	for _, t := range g.tables {
		if n -= t.weight; n < 0 {
			g.policy = g.policy || t.policy
			return t
		}
	}
	panic("no table")
}

// named writes a name in one of the ways that mean the same.
func (g *sqlGenerator) named(name string) string {
	switch g.r.IntN(40) {
	case 0:
		return strings.ToUpper(name)
	case 1:
		return `"` + name + `"`
	case 2:
		if !g.pg {
			return g.pick("`"+name+"`", "["+name+"]", `"`+strings.ToUpper(name)+`"`)
		}
	}
	return name
}

func (g *sqlGenerator) places(alias string, columns []modelColumn) []place {
	var list []place
	for _, c := range columns {
		ref := g.named(c.name)
		if alias != "" {
			ref = alias + "." + ref
		}
		list = append(list, place{ref, c})
	}
	return list
}

// item writes one of a FROM list. Lateral are the places that a LATERAL query may use.
func (g *sqlGenerator) item(depth int, outer, lateral []place) (string, source) {
	alias := g.alias()
	if depth > 0 && g.one(8) {
		q := g.query(depth-1, outer, nil, true)
		text := "(" + g.bounded(q, true) + ") " + g.pick("", "AS ") + alias
		if g.pg && lateral != nil && g.one(2) {
			q = g.query(depth-1, append(slices.Clone(lateral), outer...), nil, true)
			text = "LATERAL (" + g.bounded(q, true) + ") AS " + alias
		}
		p := g.places(alias, q.outs)
		return text, source{p, p}
	}
	t := g.table()
	p := g.places(alias, t.columns)
	s := source{places: p, key: p}
	if t.key != nil {
		s.key = nil
		for _, k := range t.key {
			s.key = append(s.key, place{alias + "." + k, t.column(k)})
		}
	}
	name := g.named(t.name)
	if !t.view && g.one(20) {
		name = map[bool]string{true: "public.", false: "main."}[g.pg] + name
	}
	if !g.pg && !t.view && t.name != "post_tags" && g.one(10) {
		s.places = append(s.places, place{alias + ".rowid", modelColumn{name: "rowid", pool: "seq", kind: kindNumber}})
	}
	return name + " " + g.pick("", "AS ") + alias, s
}

// pair draws two places that may be compared.
func (g *sqlGenerator) pair(left, right []place) (a, b place, ok bool) {
	var all [][2]place
	for _, l := range left {
		for _, r := range right {
			if l.pool == r.pool && l.kind == r.kind && l.pool != "" {
				weight := 1
				if l.pool == "user" || l.pool == "post" || l.pool == "item" || l.pool == "tag" {
					weight = 6
				}
				for range weight {
					all = append(all, [2]place{l, r})
				}
			}
		}
	}
	if len(all) == 0 {
		return a, b, false
	}
	p := all[g.r.IntN(len(all))]
	return p[0], p[1], true
}

// from writes a FROM list.
func (g *sqlGenerator) from(depth int, outer []place) (string, []source) {
	if len(outer) == 0 && g.one(4) { // one table, its columns without a qualifier
		if t := g.table(); t.key != nil {
			p := g.places("", t.columns)
			s := source{places: p}
			for _, k := range t.key {
				s.key = append(s.key, place{k, t.column(k)})
			}
			return t.name, []source{s}
		}
	}
	text, first := g.item(depth, outer, nil)
	list := []source{first}
	comma := false // binds less than JOIN
	for range []int{0, 0, 0, 1, 1, 1, 2}[g.r.IntN(7)] {
		var before []place
		for _, s := range list {
			before = append(before, s.places...)
		}
		if comma && g.pg {
			break // what is before a comma is not there for a JOIN behind it
		}
		one, s := g.item(depth, outer, before)
		a, b, ok := g.pair(before, s.places)
		lateral := strings.HasPrefix(one, "LATERAL")
		if !ok {
			if len(list) > 1 {
				break
			}
			text += g.cross(&comma) + one
			list = append(list, s)
			continue
		}
		on := g.pick(a.ref+" = "+b.ref, b.ref+" = "+a.ref)
		join := g.pick(" JOIN ", " JOIN ", " INNER JOIN ", " LEFT JOIN ", " LEFT JOIN ", " LEFT OUTER JOIN ", " RIGHT JOIN ", " FULL JOIN ")
		if (lateral || comma) && (strings.Contains(join, "RIGHT") || strings.Contains(join, "FULL")) {
			join = " LEFT JOIN "
		}
		switch {
		case a.name == b.name && a.name != "rowid" && strings.Count(text, a.name) < 2 && len(list) == 1 && g.one(4) && !strings.Contains(join, "FULL"):
			text += join + one + " USING (" + a.name + ")"
		case len(list) == 1 && g.one(9) && !lateral:
			text += g.cross(&comma) + one
		default:
			if !strings.Contains(join, "FULL") && g.one(3) {
				on += " AND " + g.condition(0, append(slices.Clone(before), s.places...))
			}
			text += join + one + " ON " + on
		}
		list = append(list, s)
	}
	return text, list
}

func (g *sqlGenerator) cross(comma *bool) string {
	*comma = g.one(2)
	if *comma {
		return ", "
	}
	return " CROSS JOIN "
}

// condition writes a condition over places.
func (g *sqlGenerator) condition(depth int, scope []place) string {
	if depth > 0 && !g.one(3) {
		switch g.r.IntN(7) {
		case 0, 1, 2:
			return g.condition(depth-1, scope) + " AND " + g.condition(depth-1, scope)
		case 3, 4:
			return "(" + g.condition(depth-1, scope) + " OR " + g.condition(depth-1, scope) + ")"
		case 5:
			return "NOT (" + g.condition(depth-1, scope) + ")"
		case 6:
			return g.nested(depth-1, scope)
		}
	}
	c := scope[g.r.IntN(len(scope))]
	switch g.r.IntN(26) {
	default:
		return c.ref + " = " + g.value(c.modelColumn)
	case 0:
		return g.value(c.modelColumn) + " = " + c.ref
	case 1:
		return c.ref + g.pick(" <> ", " != ") + g.value(c.modelColumn)
	case 2:
		if c.kind == kindBoolean {
			return c.ref + g.pick(" IS TRUE", " IS NOT TRUE", " IS FALSE")
		}
		return c.ref + g.pick(" < ", " > ", " <= ", " >= ") + g.value(c.modelColumn)
	case 3, 4:
		list := []string{g.value(c.modelColumn)}
		for range g.r.IntN(3) {
			list = append(list, g.value(c.modelColumn))
		}
		return c.ref + g.pick(" IN (", " IN (", " NOT IN (") + strings.Join(list, ", ") + ")"
	case 5:
		return c.ref + g.pick(" IS NULL", " IS NOT NULL")
	case 6:
		if c.kind == kindBoolean {
			return "(" + c.ref + ") IS NOT NULL"
		}
		return c.ref + g.pick(" BETWEEN ", " NOT BETWEEN ") + g.literal(c.modelColumn, g.of(c.pool)) + " AND " + g.value(c.modelColumn)
	case 7:
		if c.kind != kindText {
			return c.ref + " = " + g.value(c.modelColumn)
		}
		v := g.of(c.pool)
		v = v[:1+g.r.IntN(len(v))]
		if g.one(5) {
			if g.pg {
				return c.ref + g.pick(" ILIKE ", " ~ ", " !~ ", " SIMILAR TO ") + g.pick(g.arg("%"+v+"%"), sqlQuoted(v+"%"))
			}
			return c.ref + g.pick(" GLOB ", " NOT GLOB ") + g.pick(g.arg("*"+v+"*"), sqlQuoted(v+"*"))
		}
		return g.pick(c.ref+" LIKE "+g.arg("%"+v+"%"), c.ref+" LIKE "+sqlQuoted("%"+v+"%"), c.ref+" NOT LIKE "+g.arg(v+"%"), c.ref+" LIKE '%' || "+g.arg(v)+" || '%'",
			c.ref+" LIKE "+sqlQuoted("_"+v+"%"), c.ref+" LIKE "+sqlQuoted("%!"+v)+" ESCAPE '!'", "lower("+c.ref+") LIKE lower("+sqlQuoted("%"+v+"%")+")")
	case 8: // a condition that a parameter turns off
		if c.kind == kindText || c.kind == kindNumber {
			p := g.arg(nil)
			if g.one(2) {
				p = g.arg(g.natural(c.modelColumn, g.of(c.pool)))
			}
			null := p
			if g.pg {
				null += map[modelKind]string{kindText: "::text", kindNumber: "::bigint"}[c.kind]
			}
			if g.one(3) {
				return "(" + c.ref + " = " + p + " OR " + null + " IS NULL)"
			}
			return "(" + null + " IS NULL OR " + c.ref + " = " + p + ")"
		}
		return c.ref + " = " + g.value(c.modelColumn)
	case 9: // row values
		d := scope[g.r.IntN(len(scope))]
		pair := "(" + c.ref + ", " + d.ref + ")"
		row := "(" + g.value(c.modelColumn) + ", " + g.value(d.modelColumn) + ")"
		if g.one(2) || !g.pg {
			return pair + g.pick(" = ", " <> ") + row
		}
		return pair + " IN (" + row + ", (" + g.value(c.modelColumn) + ", " + g.value(d.modelColumn) + "))"
	case 10:
		if a, b, ok := g.pair(scope, scope); ok && a.ref != b.ref {
			return a.ref + g.pick(" = ", " = ", " <> ") + b.ref
		}
		return "1 = 1"
	case 11:
		if g.pg {
			return c.ref + g.pick(" IS DISTINCT FROM ", " IS NOT DISTINCT FROM ") + g.value(c.modelColumn)
		}
		return c.ref + g.pick(" IS ", " IS NOT ", " IS DISTINCT FROM ", " IS NOT DISTINCT FROM ") + g.value(c.modelColumn)
	case 12: // a column behind an expression
		switch c.kind {
		case kindText:
			return g.pick("lower("+c.ref+") = lower("+g.value(c.modelColumn)+")", c.ref+" || '' = "+g.value(c.modelColumn), "coalesce("+c.ref+", 'x') = "+g.value(c.modelColumn),
				"substr("+c.ref+", 1, 1) = "+sqlQuoted(g.of(c.pool)[:1]), "length("+c.ref+") > "+g.literal(modelColumn{kind: kindNumber}, g.of("n")),
				"CASE WHEN "+c.ref+" = "+g.value(c.modelColumn)+" THEN 1 ELSE 0 END = 1", "nullif("+c.ref+", "+g.literal(c.modelColumn, g.of(c.pool))+") IS NULL")
		case kindNumber:
			return g.pick(c.ref+" + 0 = "+g.of(c.pool), "abs("+c.ref+") = "+g.value(c.modelColumn), c.ref+" % 2 = 0", "- "+c.ref+" < 0", "coalesce("+c.ref+", 0) = "+g.value(c.modelColumn),
				"CAST("+c.ref+" AS TEXT) = "+sqlQuoted(g.of(c.pool)))
		case kindBoolean:
			return g.pick("NOT "+c.ref, c.ref)
		}
		return c.ref + " IS NOT NULL"
	case 13:
		if c.kind == kindText {
			if g.pg {
				return c.ref + ` COLLATE "C" = ` + g.value(c.modelColumn)
			}
			return c.ref + g.pick(" COLLATE NOCASE = ", " COLLATE BINARY = ") + g.value(c.modelColumn)
		}
		return "(" + c.ref + " = " + g.value(c.modelColumn) + ")"
	case 14:
		return g.list(c)
	case 16: // a whole row
		if alias, _, ok := strings.Cut(c.ref, "."); ok && g.pg && strings.HasPrefix(alias, "t") {
			return g.pick(alias+" IS NOT NULL", "NOT ("+alias+" IS NULL)", alias+" IS DISTINCT FROM NULL")
		}
		return c.ref + " IS NOT NULL"
	case 15:
		return "(" + c.ref + " = " + g.value(c.modelColumn) + ")" + g.pick(" IS TRUE", " IS NOT FALSE", " = true", " IS NOT TRUE")
	}
}

// list compares a column with a list that is one argument.
func (g *sqlGenerator) list(c place) string {
	if c.kind != kindText && c.kind != kindNumber {
		return c.ref + " = " + g.value(c.modelColumn)
	}
	var elements []string
	for range g.r.IntN(4) {
		v := g.of(c.pool)
		if _, err := strconv.Atoi(v); err != nil || (c.kind == kindText) != g.one(5) && !g.pg {
			v = strconv.Quote(v)
		}
		elements = append(elements, v)
	}
	if g.pg {
		p := g.arg("{" + strings.Join(elements, ",") + "}")
		typed := map[modelKind]string{kindText: "::text[]", kindNumber: "::bigint[]"}[c.kind]
		return g.pick(c.ref+" = ANY("+p+typed+")", c.ref+" IN (SELECT unnest("+p+typed+"))", c.ref+" <> ALL("+p+typed+")")
	}
	p := g.arg("[" + strings.Join(elements, ",") + "]")
	return c.ref + g.pick(" IN ", " NOT IN ") + "(SELECT value FROM json_each(" + p + "))"
}

// nested writes a condition with a query in it.
func (g *sqlGenerator) nested(depth int, scope []place) string {
	item, s := g.item(depth, scope, nil)
	where := func(more ...string) string {
		if a, b, ok := g.pair(s.places, scope); ok && !g.one(5) {
			more = append(more, g.pick(a.ref+" = "+b.ref, b.ref+" = "+a.ref))
		}
		if len(more) == 0 || g.one(2) {
			all := s.places
			if g.one(3) {
				all = append(slices.Clone(all), scope...)
			}
			more = append(more, g.condition(depth, all))
		}
		return item + " WHERE " + strings.Join(more, " AND ")
	}
	switch g.r.IntN(4) {
	default:
		return g.pick("EXISTS", "NOT EXISTS") + " (SELECT " + g.pick("1", "*", s.places[0].ref) + " FROM " + where() + ")"
	case 1, 2:
		a, b, ok := g.pair(scope, s.places)
		if !ok {
			return "EXISTS (SELECT 1 FROM " + where() + ")"
		}
		text := "SELECT " + b.ref + " FROM " + item
		if g.one(2) {
			text += " WHERE " + g.condition(depth, s.places)
		}
		if b.kind != kindFolded && b.kind != kindPadded && g.one(4) {
			text += " ORDER BY " + b.ref + g.pick("", " DESC") + " LIMIT " + g.pick("1", "2", g.arg(int64(2)))
		}
		return a.ref + g.pick(" IN (", " IN (", " NOT IN (") + text + ")"
	case 3:
		if g.one(2) {
			return g.pick("1", "2") + g.pick(" < ", " >= ", " = ") + "(SELECT count(*) FROM " + where() + ")"
		}
		a, b, ok := g.pair(scope, s.places)
		if !ok || b.kind != kindText && b.kind != kindNumber {
			return "EXISTS (SELECT 1 FROM " + where() + ")"
		}
		f := g.pick("max", "min")
		return a.ref + g.pick(" = ", " <> ") + "(SELECT " + f + "(" + b.ref + ") FROM " + where() + ")"
	}
}

// A query is a SELECT without its order.
type query struct {
	text  string
	outs  []modelColumn
	total []string // with them an order is total
	by    []place  // expressions that it may be ordered by beside; nil: ordinals only
}

// exact returns an expression that orders texts by their bytes.
func (g *sqlGenerator) exact(p place) string {
	switch {
	case g.pg && p.kind == kindFolded:
		return p.ref + `::text COLLATE "C"`
	case !g.pg && (p.kind == kindFolded || p.kind == kindPadded):
		return p.ref + " COLLATE BINARY"
	}
	return p.ref
}

func (g *sqlGenerator) ordinals(n int) []string {
	var list []string
	for i := range n {
		list = append(list, strconv.Itoa(i+1))
	}
	return list
}

// order writes an ORDER BY that is total.
func (g *sqlGenerator) order(q query) string {
	var list []string
	for range g.r.IntN(3) {
		if q.by == nil {
			list = append(list, strconv.Itoa(1+g.r.IntN(len(q.outs))))
		} else {
			p := q.by[g.r.IntN(len(q.by))]
			list = append(list, g.exact(p))
		}
	}
	list = append(list, q.total...)
	for i := range list {
		list[i] += g.pick("", "", "", " ASC", " DESC", " DESC", " NULLS FIRST", " DESC NULLS LAST")
	}
	return " ORDER BY " + strings.Join(list, ", ")
}

func (g *sqlGenerator) limit() string {
	n := int64(g.r.IntN(5))
	if g.one(12) {
		return g.pick(" LIMIT "+map[bool]string{true: "ALL", false: "-1"}[g.pg], " LIMIT "+g.arg(int64(1000)))
	}
	text := " LIMIT " + g.pick(strconv.FormatInt(n, 10), g.arg(n))
	if g.one(3) {
		text += " OFFSET " + g.pick("1", g.arg(int64(g.r.IntN(3))))
	}
	if g.pg && g.one(8) {
		return fmt.Sprintf(" OFFSET 1 FETCH FIRST %d ROWS ONLY", n)
	}
	return text
}

// bounded writes a query within another one, sometimes with a limit.
func (g *sqlGenerator) bounded(q query, maybe bool) string {
	if maybe && g.one(4) {
		return q.text + g.order(q) + g.limit()
	}
	return q.text
}

// query writes a SELECT. Wanted are the kinds of its columns, nil for any; named gives
// each output a name.
func (g *sqlGenerator) query(depth int, outer []place, wanted []modelColumn, named bool) query {
	from, sources := g.from(depth, outer)
	var scope, keys []place
	for _, s := range sources {
		scope = append(scope, s.places...)
		keys = append(keys, s.key...)
	}
	where := ""
	if !g.one(6) {
		in := scope
		if len(outer) > 0 && g.one(2) {
			in = append(slices.Clone(scope), outer...)
		}
		where = " WHERE " + g.condition(2, in)
		if a, b, ok := g.pair(scope, outer); ok && !g.one(4) {
			where += " AND " + a.ref + " = " + b.ref
		}
	}
	tail := " FROM " + from + where
	switch {
	case wanted != nil:
		return g.arm(tail, scope, wanted, named)
	case len(g.groupable(scope)) == 0:
	case g.one(5):
		return g.grouped(tail, scope, named)
	case g.one(9):
		return g.distinct(tail, scope, named)
	}
	var q query
	var list []string
	var aliases []place
	out := func(text string, c modelColumn) {
		alias := scope[g.r.IntN(len(scope))]
		switch {
		case named:
			c.name = "c" + strconv.Itoa(len(list)+1)
			text += " AS " + c.name
		case len(wanted) == 0 && strings.Contains(alias.ref, ".") && g.one(6) && !slices.ContainsFunc(aliases, func(p place) bool { return p.name == alias.name }):
			// The name of another column: ORDER BY means this one, others mean the column.
			text += " AS " + alias.name
			c.name = alias.name
			aliases = append(aliases, place{alias.name, c})
		}
		list = append(list, text)
		q.outs = append(q.outs, c)
	}
	switch {
	case !named && g.one(6):
		list = []string{"*"}
		for _, s := range sources {
			q.outs = append(q.outs, make([]modelColumn, len(s.places))...)
		}
		if strings.Contains(from, "USING (") {
			q.outs = q.outs[:1] // which ones it has matters to nobody: it is plain
		}
	default:
		if g.one(2) {
			for _, k := range keys[:1+g.r.IntN(len(keys))] {
				out(k.ref, k.modelColumn)
			}
		}
		for range 1 + g.r.IntN(4) {
			g.output(depth, scope, keys, out)
		}
	}
	q.text = "SELECT " + strings.Join(list, ", ") + tail
	for _, k := range keys {
		q.total = append(q.total, g.exact(k))
	}
	q.by = scope
	if len(q.outs) == len(list) && !strings.Contains(q.text, "*") {
		q.by = append(slices.Clone(scope), aliases...)
	}
	return q
}

// output writes one expression of a SELECT list.
func (g *sqlGenerator) output(depth int, scope, keys []place, out func(string, modelColumn)) {
	p := scope[g.r.IntN(len(scope))]
	truth := modelColumn{kind: kindBoolean, pool: "flag", null: true}
	if !g.pg {
		truth = modelColumn{kind: kindNumber, pool: "n"}
	}
	count := modelColumn{kind: kindNumber, pool: "n"}
	switch g.r.IntN(14) {
	default:
		out(p.ref, p.modelColumn)
	case 0:
		switch p.kind {
		case kindText:
			out(g.pick("lower("+p.ref+")", "upper("+p.ref+")", p.ref+" || 'x'", "coalesce("+p.ref+", 'none')", "replace("+p.ref+", 'a', 'b')"), modelColumn{kind: kindText, pool: p.pool})
		case kindNumber:
			out(g.pick(p.ref+" + 1", p.ref+" * 2", "coalesce("+p.ref+", 0)", "abs("+p.ref+")"), modelColumn{kind: kindNumber, pool: p.pool})
		default:
			out(p.ref, p.modelColumn)
		}
	case 1:
		other := "'b'"
		if p.kind == kindText {
			other = p.ref
		}
		out("CASE WHEN "+g.condition(0, scope)+" THEN 'a' ELSE "+other+" END", modelColumn{kind: kindText, pool: "title"})
	case 2:
		out("("+g.condition(0, scope)+")", truth)
	case 3:
		if depth == 0 {
			out(p.ref, p.modelColumn)
			return
		}
		item, s := g.item(0, scope, nil)
		where := ""
		if a, b, ok := g.pair(s.places, scope); ok {
			where = " WHERE " + a.ref + " = " + b.ref
			if g.one(2) {
				where += " AND " + g.condition(0, s.places)
			}
		}
		if inner := s.places[g.r.IntN(len(s.places))]; g.one(2) && (inner.kind == kindText || inner.kind == kindNumber) {
			out("(SELECT "+inner.ref+" FROM "+item+where+" ORDER BY "+g.exact(s.places[0])+", "+inner.ref+g.pick("", " DESC")+" LIMIT 1)", modelColumn{kind: inner.kind, pool: inner.pool, null: true})
			return
		}
		out("(SELECT count(*) FROM "+item+where+")", count)
	case 4:
		if depth == 0 {
			out(p.ref, p.modelColumn)
			return
		}
		out("("+g.nested(0, scope)+")", truth)
	case 5: // a window
		var by []string
		for _, k := range keys {
			by = append(by, g.exact(k))
		}
		over := "ORDER BY " + strings.Join(by, ", ")
		if p.kind == kindText || p.kind == kindNumber {
			over = g.pick(over, "PARTITION BY "+p.ref+" "+over, "ORDER BY "+p.ref+g.pick("", " DESC")+", "+strings.Join(by, ", "))
		}
		f := g.pick("row_number()", "count(*)", "rank()", "dense_rank()")
		if p.kind == kindNumber && g.one(2) {
			f = g.pick("sum("+p.ref+")", "max("+p.ref+")", "lag("+p.ref+")", "first_value("+p.ref+")")
			if strings.HasPrefix(f, "sum") && g.pg {
				f = "sum(" + p.ref + "::integer)"
			}
		}
		out(f+" OVER ("+over+")", modelColumn{kind: kindNumber, pool: "n", null: true})
	}
}

// arm writes a SELECT whose columns have the kinds of wanted.
func (g *sqlGenerator) arm(tail string, scope []place, wanted []modelColumn, named bool) query {
	var list []string
	q := query{}
	for i, w := range wanted {
		var fit []place
		for _, p := range scope {
			if p.kind == w.kind {
				fit = append(fit, p)
			}
		}
		text := g.literal(w, g.of(w.pool))
		if len(fit) > 0 {
			text = fit[g.r.IntN(len(fit))].ref
		}
		if named {
			w.name = "c" + strconv.Itoa(i+1)
			text += " AS " + w.name
		}
		list = append(list, text)
		q.outs = append(q.outs, w)
	}
	q.text = "SELECT " + g.pick("", "", "DISTINCT ") + strings.Join(list, ", ") + tail
	q.total = g.ordinals(len(wanted))
	return q
}

func (g *sqlGenerator) groupable(scope []place) []place {
	var list []place
	for _, p := range scope {
		if p.kind != kindFolded && p.kind != kindPadded {
			list = append(list, p)
		}
	}
	return list
}

func (g *sqlGenerator) distinct(tail string, scope []place, named bool) query {
	can := g.groupable(scope)
	q := query{}
	var list []string
	for i := range 1 + g.r.IntN(3) {
		p := can[g.r.IntN(len(can))]
		c := p.modelColumn
		text := p.ref
		if named {
			c.name = "c" + strconv.Itoa(i+1)
			text += " AS " + c.name
		}
		list = append(list, text)
		q.outs = append(q.outs, c)
	}
	q.text = "SELECT DISTINCT " + strings.Join(list, ", ") + tail
	q.total = g.ordinals(len(list))
	return q
}

func (g *sqlGenerator) grouped(tail string, scope []place, named bool) query {
	can := g.groupable(scope)
	var q query
	var list, by []string
	out := func(text string, c modelColumn) {
		if named {
			c.name = "c" + strconv.Itoa(len(list)+1)
			text += " AS " + c.name
		}
		list = append(list, text)
		q.outs = append(q.outs, c)
	}
	for range g.r.IntN(3) {
		p := can[g.r.IntN(len(can))]
		if !slices.Contains(by, p.ref) {
			by = append(by, p.ref)
			out(p.ref, p.modelColumn)
		}
	}
	count := modelColumn{kind: kindNumber, pool: "n"}
	for range 1 + g.r.IntN(2) {
		p := can[g.r.IntN(len(can))]
		filter := ""
		if g.one(5) {
			filter = " FILTER (WHERE " + g.condition(0, scope) + ")"
		}
		switch p.kind {
		case kindNumber:
			sum := "sum(" + p.ref + ")"
			if g.pg {
				sum = "sum((" + p.ref + ")::integer)"
			}
			out(g.pick("count(*)", sum, "max("+p.ref+")", "min("+p.ref+")", "count(DISTINCT "+p.ref+")")+filter, modelColumn{kind: kindNumber, pool: "n", null: true})
		case kindText:
			f := g.pick("max(", "min(")
			if g.one(3) {
				f = map[bool]string{true: "string_agg(", false: "group_concat("}[g.pg]
				out(f+p.ref+", ',' ORDER BY "+p.ref+")"+filter, modelColumn{kind: kindText, pool: p.pool, null: true})
				continue
			}
			out(f+p.ref+")"+filter, modelColumn{kind: kindText, pool: p.pool, null: true})
		default:
			out(g.pick("count(*)", "count("+p.ref+")")+filter, count)
		}
	}
	q.text = "SELECT " + strings.Join(list, ", ") + tail
	if all := strings.Join(by, ", "); len(by) > 0 {
		if g.pg && g.one(4) { // groups of groups, in which a column is NULL
			first := by[0]
			all = g.pick("ROLLUP ("+all+")", "CUBE ("+all+")", "GROUPING SETS (("+all+"), ())", "GROUPING SETS (("+all+"), "+first+", ROLLUP ("+first+"))", first+", CUBE ("+all+")")
			for i := range by {
				q.outs[i].null = true
			}
		}
		q.text += " GROUP BY " + all
	}
	if len(by) > 0 && g.one(3) {
		p := can[g.r.IntN(len(can))]
		q.text += " HAVING " + g.pick("count(*) > 1", "count(*) = 1", "count(DISTINCT "+p.ref+") >= 1", "count("+p.ref+") < 3")
	}
	q.total = g.ordinals(len(list))
	return q
}

// set writes a set operation.
func (g *sqlGenerator) set(depth int, named bool) query {
	var wanted []modelColumn
	for range 1 + g.r.IntN(2) {
		wanted = append(wanted, []modelColumn{{kind: kindText, pool: "title"}, {kind: kindText, pool: "user"}, {kind: kindNumber, pool: "n"}}[g.r.IntN(3)])
	}
	q := g.query(depth, nil, wanted, named)
	for range 1 + g.r.IntN(2) {
		q.text += g.pick(" UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT ") + g.query(depth, nil, wanted, false).text
	}
	return q
}

// with writes common table expressions, which the rest of the statement may read.
func (g *sqlGenerator) with() string {
	var list []string
	recursive := ""
	for range 1 + g.r.IntN(2) {
		name := "w" + strconv.Itoa(len(list)+1)
		t := &modelTable{name: name, view: true, weight: 1}
		if g.one(4) {
			recursive = "RECURSIVE "
			t.columns = []modelColumn{{name: "id", pool: "post", kind: kindText}, {name: "parent_id", pool: "post", kind: kindText, null: true}, {name: "depth", pool: "n", kind: kindNumber}}
			p := g.places("p", g.tables[1].columns)
			list = append(list, name+" (id, parent_id, depth) AS (SELECT p.id, p.parent_id, 0 FROM posts p WHERE "+g.condition(0, p)+
				" UNION ALL SELECT p.id, p.parent_id, up.depth + 1 FROM posts p JOIN "+name+" up ON "+g.pick("p.id = up.parent_id", "p.parent_id = up.id")+" WHERE up.depth < 3)")
		} else {
			q := g.query(1, nil, nil, true)
			if g.one(5) {
				q = g.set(0, true)
			}
			t.columns = q.outs
			kind := ""
			if g.one(5) {
				kind = g.pick("MATERIALIZED ", "NOT MATERIALIZED ")
			}
			list = append(list, name+" AS "+kind+"("+g.bounded(q, true)+")")
		}
		g.ctes = append(g.ctes, t)
	}
	return "WITH " + recursive + strings.Join(list, ", ") + " "
}

// read draws a statement that reads.
func (g *sqlGenerator) read() sqlStatement {
	g.start()
	text := ""
	if g.one(6) {
		text = g.with()
	}
	var q query
	if g.one(10) {
		q = g.set(1, false)
	} else {
		q = g.query(2, nil, nil, false)
	}
	text += q.text
	ordered := g.one(2)
	if ordered {
		text += g.order(q)
		if g.one(2) {
			text += g.limit()
		}
	}
	return g.finish(text, ordered)
}
