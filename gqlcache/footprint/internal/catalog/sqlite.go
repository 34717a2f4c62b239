package catalog

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
)

// quote writes an identifier of SQLite.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal writes a string of SQLite.
func literal(s string) string { return `'` + strings.ReplaceAll(s, `'`, `''`) + `'` }

// databases returns the names of the databases of a connection, without temp, sorted.
func databases(ctx context.Context, q Query) (out []string, err error) {
	err = q.each(ctx, 3, `PRAGMA database_list`, func(r record) {
		if name := r.text(1); lower(name) != "temp" {
			out = append(out, name)
		}
	})
	slices.Sort(out)
	return out, err
}

// A Temporary says what a connection of SQLite has of its own.
type Temporary struct {
	// Triggers says that it has triggers which no other connection has.
	Triggers bool
	// Hides says that it has tables or views whose names are those of the databases' own.
	Hides bool
}

// ReadTemporary asks a connection of SQLite for its own definitions. The catalog has none of
// them, as it is that of all connections.
func ReadTemporary(ctx context.Context, q Query) (t Temporary, err error) {
	some := false
	err = q.each(ctx, 1, `SELECT type FROM temp.sqlite_schema`, func(r record) {
		t.Triggers = t.Triggers || r.text(0) == "trigger"
		some = some || r.text(0) == "table" || r.text(0) == "view"
	})
	if err != nil || !some {
		return t, err
	}
	list, err := databases(ctx, q)
	if err != nil {
		return t, err
	}
	all := make([]string, 0, len(list))
	for _, db := range list {
		all = append(all, `SELECT m.name FROM `+quote(db)+`.sqlite_schema m WHERE m.type IN ('table', 'view')`)
	}
	err = q.each(ctx, 1, `SELECT 1 FROM temp.sqlite_schema t WHERE t.type IN ('table', 'view')
		AND lower(t.name) IN (SELECT lower(name) FROM (`+strings.Join(all, ` UNION ALL `)+`)) LIMIT 1`, func(record) { t.Hides = true })
	return t, err
}

// versionSQLite hashes the schema cookies of all databases.
func versionSQLite(ctx context.Context, q Query) (Version, error) {
	d := digest{sha256.New()}
	list, err := databases(ctx, q)
	for _, name := range list {
		if err == nil {
			err = q.each(ctx, 1, `PRAGMA `+quote(name)+`.schema_version`, func(r record) { d.text(name, r.text(0)) })
		}
	}
	return d.sum(), err
}

func connectionSQLite(ctx context.Context, q Query) (c Connection, err error) {
	c.Triggers = true
	for _, p := range []struct {
		name string
		to   *bool
	}{{"foreign_keys", &c.ForeignKeys}, {"read_uncommitted", &c.ReadUncommitted}, {"query_only", &c.ReadOnly}} {
		if err = q.each(ctx, 1, `PRAGMA `+p.name, func(r record) { *p.to = r.yes(0) }); err != nil {
			return Connection{}, err
		}
	}
	return c, nil
}

// ordinary selects the tables of sqlite_schema that are neither virtual nor its own.
const ordinary = ` m.type = 'table' AND substr(m.name, 1, 7) <> 'sqlite_' AND upper(substr(m.sql, 1, 14)) <> 'CREATE VIRTUAL' `

func readSQLite(ctx context.Context, q Query) (*Catalog, error) {
	list, err := databases(ctx, q)
	if err != nil {
		return nil, err
	}
	shadows := map[[2]string]bool{}
	err = q.each(ctx, 3, `SELECT schema, name, type FROM pragma_table_list`, func(r record) {
		if t := r.text(2); t == "shadow" || t == "virtual" {
			shadows[[2]string{r.text(0), lower(r.text(1))}] = true
		}
	})
	if err != nil {
		return nil, err
	}
	schemas := map[string]bool{}
	var relations, acts []*relation
	var extra []string
	for _, db := range list {
		schemas[lower(db)] = true
		one, err := readDatabase(ctx, q, db, &extra)
		if err != nil {
			return nil, err
		}
		for name, r := range one {
			if shadows[[2]string{db, name}] {
				r.table.Virtual = true
				if len(r.table.Triggers) > 0 { // SQLite allows them, and virtual tables fire them
					acts = append(acts, r)
				}
			}
			relations = append(relations, r)
		}
	}
	for _, shadow := range acts {
		for _, r := range relations {
			if r.table.Contained && r.schema == shadow.schema && strings.HasPrefix(shadow.name, r.name+"_") {
				r.table.Contained = false
			}
		}
	}
	c := merge(SQLite, relations, map[string]Function{}, schemas, nil)
	c.Fingerprint = c.fingerprint(extra)
	return c, nil
}

// readDatabase returns the relations of one database by their names in lower case.
func readDatabase(ctx context.Context, q Query, db string, extra *[]string) (map[string]*relation, error) {
	from := quote(db) + `.sqlite_schema m`
	out := map[string]*relation{}
	texts := map[string]string{} // of tables
	var virtual []string
	type fired struct {
		on string
		t  Trigger
	}
	var triggers []fired
	err := q.each(ctx, 4, `SELECT m.type, m.name, m.tbl_name, coalesce(m.sql, '') FROM `+from+` WHERE substr(m.name, 1, 7) <> 'sqlite_'`, func(r record) {
		kind, name, sql := r.text(0), lower(r.text(1)), r.text(3)
		*extra = append(*extra, joined(db, kind, name, sql))
		n := &relation{schema: lower(db), name: name}
		n.root = n
		switch kind {
		case "table":
			if strings.HasPrefix(strings.ToUpper(sql), "CREATE VIRTUAL") {
				n.table.Virtual = true
				n.table.Contained, n.table.Content = contained(sql)
				virtual = append(virtual, name)
			}
			n.table.Replaces = replaces(sql)
			texts[name], out[name] = sql, n
		case "view":
			n.view = true
			virtual = append(virtual, name)
			// A view that is not understood is known by its name alone.
			n.definition, _ = viewed(sql)
			n.spelling, out[name] = n.definition, n
		case "trigger":
			triggers = append(triggers, fired{lower(r.text(2)), triggered(name, sql)})
		}
	})
	if err != nil {
		return nil, err
	}
	for _, f := range triggers {
		if on := out[f.on]; on != nil {
			on.table.Triggers = append(on.table.Triggers, f.t)
		}
	}
	types := map[string][]string{} // declared, by table
	err = q.each(ctx, 7, `SELECT m.name, x.name, x.type, x."notnull", x.dflt_value IS NOT NULL, x.pk, x.hidden
		FROM `+from+` JOIN pragma_table_xinfo(m.name, `+literal(db)+`) x WHERE`+ordinary+`ORDER BY m.name, x.cid`, func(r record) {
		name := lower(r.text(0))
		t := out[name]
		if t == nil {
			return // made since
		}
		t.table.Columns = append(t.table.Columns, Column{
			Name: lower(r.text(1)), NotNull: r.yes(3), Default: r.yes(4), Generated: r.number(6) > 1,
		})
		types[name] = append(types[name], r.text(2))
		if n := int(r.number(5)); n > 0 {
			for len(t.primary) < n {
				t.primary = append(t.primary, "")
			}
			t.primary[n-1] = lower(r.text(1))
		}
	})
	if err != nil {
		return nil, err
	}
	indexed := map[string]bool{} // tables whose primary key is an index
	type index struct {
		table, name string
		columns     []string
		bytes       bool
	}
	var indexes []index
	err = q.each(ctx, 5, `SELECT m.name, l.name, l.origin, coalesce(x.name, ''), coalesce(x.coll, '')
		FROM `+from+` JOIN pragma_index_list(m.name, `+literal(db)+`) l JOIN pragma_index_xinfo(l.name, `+literal(db)+`) x
		WHERE`+ordinary+`AND l."unique" = 1 AND l.partial = 0 AND x.key = 1 ORDER BY m.name, l.name, x.seqno`, func(r record) {
		table, name := lower(r.text(0)), r.text(1)
		if r.text(2) == "pk" {
			indexed[table] = true
		}
		if n := len(indexes); n == 0 || indexes[n-1].name != name || indexes[n-1].table != table {
			indexes = append(indexes, index{table: table, name: name, bytes: true})
		}
		last := &indexes[len(indexes)-1]
		last.columns = append(last.columns, lower(r.text(3))) // "" for an expression
		last.bytes = last.bytes && r.text(3) != "" && lower(r.text(4)) == "binary"
	})
	if err != nil {
		return nil, err
	}
	for name, t := range out {
		if t.view || t.table.Virtual {
			continue
		}
		binary := t.classify(texts[name], types[name])
		if len(t.primary) == 1 && !indexed[name] {
			// The rowid by another name: an index would be there for any other key.
			for i := range t.table.Columns {
				if c := &t.table.Columns[i]; c.Name == t.primary[0] && lower(types[name][i]) == "integer" {
					c.NotNull, c.Default, c.Class = true, true, Int
					t.keys = append(t.keys, t.primary)
				}
			}
		}
		for _, x := range indexes {
			if x.table == name && x.bytes && !slices.ContainsFunc(x.columns, func(c string) bool { return !binary[c] }) {
				t.keys = append(t.keys, x.columns)
			}
		}
	}
	type key struct {
		table string
		id    int64
	}
	foreign := map[key]*reference{}
	owners := map[key]*relation{}
	var order []key
	err = q.each(ctx, 7, `SELECT m.name, f.id, f."table", f."from", coalesce(f."to", ''), f.on_delete, f.on_update
		FROM `+from+` JOIN pragma_foreign_key_list(m.name, `+literal(db)+`) f WHERE`+ordinary+`ORDER BY m.name, f.id, f.seq`, func(r record) {
		k := key{lower(r.text(0)), r.number(1)}
		to := out[lower(r.text(2))]
		if out[k.table] == nil || to == nil {
			return // SQLite refuses each write that would act on it
		}
		ref := foreign[k]
		if ref == nil {
			ref = &reference{to: to, onDelete: actionOf(r.text(5)), onUpdate: actionOf(r.text(6)), enforced: true}
			foreign[k], owners[k] = ref, out[k.table]
			order = append(order, k)
		}
		ref.columns = append(ref.columns, lower(r.text(3)))
		if r.text(4) != "" {
			ref.refColumns = append(ref.refColumns, lower(r.text(4)))
		}
	})
	if err != nil {
		return nil, err
	}
	for _, k := range order {
		ref := foreign[k]
		if len(ref.refColumns) == 0 {
			ref.refColumns = ref.to.primary
		}
		owners[k].references = append(owners[k].references, *ref)
	}
	for _, name := range virtual {
		// A virtual table without its module, and a view of what is gone, are errors: then
		// the columns are not known.
		r := out[name]
		err := q.each(ctx, 2, `SELECT name, hidden FROM pragma_table_xinfo(?, ?)`, func(c record) {
			if c.number(1) != 1 {
				r.table.Columns = append(r.table.Columns, Column{Name: lower(c.text(0))})
			}
		}, name, db)
		if err != nil {
			r.table.Columns = nil
			if ctx.Err() != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// classify sets the classes of a table's columns, and returns those that compare bytes.
func (r *relation) classify(sql string, types []string) (binary map[string]bool) {
	binary = map[string]bool{}
	names, collations, ok := collated(sql)
	ok = ok && slices.EqualFunc(names, r.table.Columns, func(name string, c Column) bool { return name == c.Name })
	for i := range r.table.Columns {
		c := &r.table.Columns[i]
		other := !ok || collations[c.Name] != "" && collations[c.Name] != "binary"
		binary[c.Name] = !other
		if c.Class = affinity(types[i]); other && c.Class != Int {
			c.Class = Opaque
		}
	}
	return binary
}

// affinity returns the class of a declared type, by SQLite's rules for affinities in their
// order. Values of columns with the affinities REAL and NUMERIC, and of those without type
// or of type ANY, are equal in other ways than their bytes.
func affinity(declared string) Class {
	t := strings.ToUpper(declared)
	has := func(s string) bool { return strings.Contains(t, s) }
	switch {
	case has("INT"):
		return Int
	case has("CHAR"), has("CLOB"), has("TEXT"):
		return Text
	case has("BLOB"):
		return Bytes
	}
	return Opaque
}

func actionOf(s string) Action {
	switch strings.ToUpper(s) {
	case "CASCADE", "C":
		return Cascade
	case "SET NULL", "N":
		return SetNull
	case "SET DEFAULT", "D":
		return SetDefault
	}
	return NoAction
}
