package e2e

import (
	"fmt"
	"slices"
	"strings"
)

// writable draws a table to write.
func (g *sqlGenerator) writable() *modelTable {
	for {
		if t := g.table(); t.key != nil && (t.name != "journal" || g.one(4)) {
			return t
		}
	}
}

func (t *modelTable) written() []modelColumn {
	return slices.DeleteFunc(slices.Clone(t.columns), func(c modelColumn) bool { return c.fixed })
}

// assigned writes what a column is set to.
func (g *sqlGenerator) assigned(c modelColumn, scope []place) string {
	if c.null && g.one(5) {
		return "NULL"
	}
	p := place{c.name, c}
	switch n := g.r.IntN(12); {
	case n == 0:
		v := g.arg(nil)
		if g.one(2) {
			v = g.arg(g.natural(c, g.of(c.pool)))
		}
		if g.pg && c.kind != kindText && c.kind != kindNumber {
			break
		}
		return "coalesce(" + v + ", " + scopeRef(scope, p) + ")"
	case n == 1 && c.kind == kindNumber && c.pool == "n":
		return scopeRef(scope, p) + g.pick(" + 1", " - 1")
	case n == 2:
		var fit []place
		for _, s := range scope {
			if s.kind == c.kind && s.pool == c.pool {
				fit = append(fit, s)
			}
		}
		if len(fit) > 0 {
			return fit[g.r.IntN(len(fit))].ref
		}
	case n == 3 && (c.kind == kindText || c.kind == kindNumber):
		item, s := g.item(0, nil, nil)
		for _, from := range s.places {
			if from.kind == c.kind && from.pool == c.pool && !from.null {
				return "coalesce((SELECT min(" + from.ref + ") FROM " + item + " WHERE " + g.condition(0, s.places) + "), " + g.literal(c, g.of(c.pool)) + ")"
			}
		}
	case n == 4 && (c.kind == kindText || c.kind == kindNumber):
		return "CASE WHEN " + g.condition(0, scope) + " THEN " + g.literal(c, g.of(c.pool)) + " ELSE " + scopeRef(scope, p) + " END"
	}
	if g.pg && c.kind == kindEnum {
		return sqlQuoted(g.of(c.pool))
	}
	return g.value(c)
}

// scopeRef returns how the scope calls the column of the table that is written, which is
// first in it.
func scopeRef(scope []place, p place) string {
	for _, s := range scope {
		if s.name == p.name {
			return s.ref
		}
	}
	return p.ref
}

// chosen writes the condition of an UPDATE or DELETE: mostly of few rows.
func (g *sqlGenerator) chosen(t *modelTable, target, scope []place) string {
	var ids []place
	for _, p := range target {
		if p.name == "id" || slices.Contains(t.key, p.name) {
			ids = append(ids, p)
		}
	}
	switch p := ids[g.r.IntN(len(ids))]; g.r.IntN(8) {
	case 0, 1, 2, 3:
		return p.ref + " = " + g.value(p.modelColumn)
	case 4:
		return p.ref + " IN (" + g.value(p.modelColumn) + ", " + g.value(p.modelColumn) + ")"
	case 5:
		return p.ref + " = " + g.value(p.modelColumn) + " AND " + g.condition(1, scope)
	case 6:
		return g.condition(1, scope) + " AND " + g.condition(0, scope)
	default:
		return g.condition(2, scope)
	}
}

func (g *sqlGenerator) returning(t *modelTable, target []place) string {
	if !g.pg {
		target = g.places("", t.columns)
	}
	if !g.one(4) {
		return ""
	}
	if g.one(3) {
		return " RETURNING *"
	}
	var list []string
	for range 1 + g.r.IntN(3) {
		list = append(list, target[g.r.IntN(len(target))].ref)
	}
	if g.one(4) {
		list = append(list, "1 + 1")
	}
	return " RETURNING " + strings.Join(list, ", ")
}

// write draws a statement that writes.
func (g *sqlGenerator) write() sqlStatement {
	g.start()
	with := ""
	if g.one(12) {
		with = g.with()
		defer func() { g.ctes = nil }()
	}
	var text string
	t := g.writable()
	switch n := g.r.IntN(20); {
	case g.pg && n == 0 && with == "":
		text = g.withDML()
	case g.pg && n == 1 && with == "":
		text = g.pick("REFRESH MATERIALIZED VIEW totals", "REFRESH MATERIALIZED VIEW totals", "TRUNCATE journal", "TRUNCATE TABLE counters, events", "TRUNCATE tags CASCADE")
	case g.pg && n == 3:
		text = g.merge(t)
	case g.pg && n == 2 && g.one(4): // a view that is written through
		text = g.pick("UPDATE feed SET title = "+g.literal(modelColumn{}, g.of("title"))+" WHERE id = "+g.arg(g.of("post")), "DELETE FROM feed WHERE id = "+g.arg(g.of("post")))
	case n < 9:
		text = g.update(t)
	case n < 13:
		text = g.remove(t)
	default:
		text = g.insert(t)
	}
	return g.finish(with+text, false)
}

func (g *sqlGenerator) target(t *modelTable) (string, []place) {
	if g.one(3) {
		alias := g.alias()
		return t.name + " AS " + alias, g.places(alias, t.columns)
	}
	if g.one(2) {
		return t.name, g.places("", t.columns)
	}
	return t.name, g.places(t.name, t.columns)
}

func (g *sqlGenerator) update(t *modelTable) string {
	name, target := g.target(t)
	scope, from, join := target, "", ""
	if g.one(7) {
		name, target = t.name, g.places(t.name, t.columns)
		item, s := g.item(0, nil, nil)
		if a, b, ok := g.pair(target, s.places); ok {
			from, join = " FROM "+item, a.ref+" = "+b.ref
			scope = append(slices.Clone(target), s.places...)
		} else {
			scope = target
		}
	}
	or := ""
	if !g.pg && g.one(8) {
		or = g.pick("OR REPLACE ", "OR IGNORE ", "OR ABORT ")
	}
	cols := t.written()
	g.r.Shuffle(len(cols), func(i, j int) { cols[i], cols[j] = cols[j], cols[i] })
	// The keys that others refer to are changed less often, and to what is rarely there.
	if cols[0].name == "id" && !g.one(3) {
		cols = append(cols[1:], cols[0])
	}
	var sets []string
	if g.one(10) && len(cols) > 1 {
		sets = append(sets, "("+cols[0].name+", "+cols[1].name+") = ("+g.assigned(cols[0], scope)+", "+g.assigned(cols[1], scope)+")")
	} else {
		for _, c := range cols[:min(1+g.r.IntN(3), len(cols))] {
			if slices.ContainsFunc(sets, func(s string) bool { return c.name == "id" }) {
				continue
			}
			if !c.null && g.one(30) && c.name != "id" {
				sets = append(sets, c.name+" = "+g.literal(c, g.of(c.pool)))
				continue
			}
			sets = append(sets, c.name+" = "+g.assigned(c, scope))
		}
	}
	where := ""
	switch {
	case join != "":
		where = " WHERE " + join + " AND " + g.chosen(t, target, scope)
	case !g.one(25):
		where = " WHERE " + g.chosen(t, target, scope)
	}
	return "UPDATE " + or + name + " SET " + strings.Join(sets, ", ") + from + where + g.returning(t, target)
}

// merge writes a MERGE, whose source has its rows at most once for each of the table.
func (g *sqlGenerator) merge(t *modelTable) string {
	target := g.places("m", t.columns)
	item, s := g.item(0, nil, nil)
	a, b, ok := g.pair(target, s.places)
	if !ok {
		return g.remove(t)
	}
	scope := append(slices.Clone(target), s.places...)
	text := "MERGE INTO " + t.name + " AS m USING " + item + " ON " + a.ref + " = " + b.ref + " AND " + g.condition(0, scope)
	for range 1 + g.r.IntN(2) {
		text += " WHEN MATCHED"
		if g.one(2) {
			text += " AND " + g.condition(0, scope)
		}
		cols := t.written()
		c := cols[g.r.IntN(len(cols))]
		text += " THEN " + g.pick("DELETE", "DO NOTHING", "UPDATE SET "+c.name+" = "+g.assigned(c, scope), "UPDATE SET "+c.name+" = "+g.assigned(c, scope))
	}
	if g.one(2) {
		var names, row []string
		for _, c := range t.written() {
			v := g.value(c)
			for _, p := range s.places {
				if p.kind == c.kind && p.pool == c.pool && !p.null && g.one(2) {
					v = p.ref
				}
			}
			names, row = append(names, c.name), append(row, v)
		}
		text += " WHEN NOT MATCHED AND " + g.condition(0, s.places) + " THEN INSERT (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(row, ", ") + ")"
	}
	return text
}

func (g *sqlGenerator) remove(t *modelTable) string {
	name, target := g.target(t)
	if g.pg && g.one(5) {
		name, target = t.name, g.places(t.name, t.columns)
		item, s := g.item(0, nil, nil)
		if a, b, ok := g.pair(target, s.places); ok {
			return "DELETE FROM " + name + " USING " + item + " WHERE " + a.ref + " = " + b.ref + " AND " + g.chosen(t, target, append(slices.Clone(target), s.places...)) + g.returning(t, target)
		}
	}
	where := " WHERE " + g.chosen(t, target, target)
	if g.one(40) && t.weight < 3 {
		where = ""
	}
	return "DELETE FROM " + name + where + g.returning(t, target)
}

func (g *sqlGenerator) insert(t *modelTable) string {
	cols := t.written()
	var drop []string // columns that are left out: they are NULL, or have a default
	for _, c := range cols {
		if (c.null || c.pool == "n" && t.name != "events") && g.one(3) {
			drop = append(drop, c.name)
		}
	}
	cols = slices.DeleteFunc(cols, func(c modelColumn) bool { return slices.Contains(drop, c.name) })
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.name
	}
	verb := "INSERT INTO "
	if !g.pg && g.one(5) {
		verb = g.pick("INSERT OR REPLACE INTO ", "REPLACE INTO ", "INSERT OR IGNORE INTO ")
	}
	text := verb + t.name + " (" + strings.Join(names, ", ") + ") "
	if g.one(6) {
		item, s := g.item(0, nil, nil)
		var list []string
		for _, c := range cols {
			v := ""
			for _, p := range s.places {
				if p.kind == c.kind && p.pool == c.pool && c.name != "id" && c.name != "ref" && c.name != "email" {
					v = p.ref
				}
			}
			if v == "" {
				v = g.literal(c, g.of(c.pool))
			}
			if g.pg && c.kind == kindEnum {
				v = sqlQuoted(g.of(c.pool)) + "::mood"
			} else if g.pg && c.kind == kindUUID {
				v += "::uuid"
			}
			list = append(list, v)
		}
		text += "SELECT " + strings.Join(list, ", ") + " FROM " + item + " WHERE " + g.condition(0, s.places)
		if g.one(2) {
			text += " ORDER BY " + g.exact(s.places[0]) + " LIMIT 1"
		}
	} else {
		var all []string
		for range 1 + max(0, g.r.IntN(5)-2) {
			var row []string
			for _, c := range cols {
				v := g.value(c)
				if c.null {
					v = g.orNull(v)
				}
				row = append(row, v)
			}
			all = append(all, "("+strings.Join(row, ", ")+")")
		}
		text += "VALUES " + strings.Join(all, ", ")
	}
	if verb == "INSERT INTO " && g.one(2) {
		text += g.conflict(t, cols)
	}
	return text + g.returning(t, g.places("", t.columns))
}

func (g *sqlGenerator) conflict(t *modelTable, cols []modelColumn) string {
	key := strings.Join(t.key, ", ")
	if c := t.columns[1]; c.name == "id" {
		key = "id"
	}
	if g.one(3) {
		return " ON CONFLICT DO NOTHING"
	}
	if g.one(4) {
		return " ON CONFLICT (" + key + ") DO NOTHING"
	}
	var sets []string
	for _, c := range cols {
		if c.name == "id" || c.name == "ref" || c.name == "email" || slices.Contains(t.key, c.name) || g.one(2) {
			continue
		}
		sets = append(sets, c.name+" = "+g.pick("excluded."+c.name, g.literal(c, g.of(c.pool)), t.name+"."+c.name))
	}
	if len(sets) == 0 {
		return " ON CONFLICT (" + key + ") DO NOTHING"
	}
	text := " ON CONFLICT (" + key + ") DO UPDATE SET " + strings.Join(sets, ", ")
	if g.one(4) {
		text += " WHERE " + g.condition(0, g.places(t.name, t.columns))
	}
	return text
}

// withDML writes a statement whose common table expressions write.
func (g *sqlGenerator) withDML() string {
	t := g.writable()
	p := g.places("", t.columns)
	inner := g.pick(
		"DELETE FROM "+t.name+" WHERE "+g.chosen(t, p, p)+" RETURNING *",
		"UPDATE "+t.name+" SET "+t.written()[len(t.written())-1].name+" = "+g.literal(t.written()[len(t.written())-1], g.of(t.written()[len(t.written())-1].pool))+" WHERE "+g.chosen(t, p, p)+" RETURNING *")
	return g.pick(
		"WITH gone AS ("+inner+") SELECT count(*) FROM gone",
		"WITH gone AS ("+inner+") INSERT INTO journal (tenant, what) SELECT "+g.pick("'A'", "'B'")+", 'left' FROM gone",
		fmt.Sprintf("WITH gone AS (%s) UPDATE users SET karma = karma + (SELECT count(*) FROM gone) WHERE id = %s", inner, g.arg(g.of("user"))))
}
