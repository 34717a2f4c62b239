package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// own selects the schemas that are not the database's: others may not begin with pg_.
const own = ` n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' `

// qualified makes PostgreSQL write names with their schemas, whatever the search_path of
// the connection is. The setting ends with the statement, as no transaction is open.
const qualified = `WITH path AS MATERIALIZED (SELECT pg_catalog.set_config('search_path', 'pg_catalog', true) AS set) `

// of selects the rows of a system catalog that belong to a relation of own.
func of(catalog, column string) string {
	return `pg_catalog.` + catalog + ` r JOIN pg_catalog.pg_class c ON c.oid = r.` + column + ` JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE` + own
}

// covering selects temporary relations that hide others.
const covering = `SELECT DISTINCT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname ~ '^pg_temp_' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND EXISTS (
		SELECT 1 FROM pg_catalog.pg_class o JOIN pg_catalog.pg_namespace n ON n.oid = o.relnamespace
		WHERE o.relname = c.relname AND o.relkind IN ('r', 'p', 'v', 'm', 'f') AND` + own + `)`

// versionPostgres hashes the rows of the system catalogs that Read reads. The server adds
// up hashes of rows, which needs neither an order nor a result of size. What VACUUM and
// ANALYZE change is left out, and what belongs to temporary relations, which come and go.
func versionPostgres(ctx context.Context, q Query) (Version, error) {
	var parts []string
	for _, p := range [][2]string{
		{"relations", `SELECT concat_ws('|', c.oid, c.relname, c.relnamespace, c.relkind, c.relrowsecurity, c.relispartition, c.relpersistence)
			FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE` + own},
		{"columns", `SELECT concat_ws('|', a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull, a.attgenerated, a.attidentity, a.atthasdef, a.attisdropped)
			FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			WHERE a.attnum > 0 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND` + own},
		{"schemas", `SELECT concat_ws('|', n.oid, n.nspname, n.nspowner, n.nspacl) FROM pg_catalog.pg_namespace n WHERE` + own},
		{"members", `SELECT r::text FROM pg_catalog.pg_auth_members r`},
		{"types", `SELECT concat_ws('|', t.oid, t.typname, t.typtype, t.typbasetype, t.typcollation, t.typdefault)
			FROM pg_catalog.pg_type t WHERE t.typtype IN ('d', 'e')`},
		{"temporary", covering},
		{"indexes", `SELECT concat_ws('|', r.indexrelid, r.indrelid, r.indisunique, r.indimmediate, r.indisvalid, r.indisready, r.indislive, r.indnkeyatts, r.indkey, r.indclass, r.indpred, r.indexprs) FROM ` + of("pg_index", "indrelid")},
		{"constraints", `SELECT r::text FROM ` + of("pg_constraint", "conrelid") + `AND r.contype IN ('f', 'n')`},
		{"enums", `SELECT r::text FROM pg_catalog.pg_enum r`},
		{"inheritance", `SELECT r::text FROM ` + of("pg_inherits", "inhrelid")},
		{"triggers", `SELECT r::text FROM ` + of("pg_trigger", "tgrelid")},
		{"expressions", `SELECT concat_ws('|', s.relation, s.function) FROM (` + calling + `) s`},
		{"policies", `SELECT r::text FROM ` + of("pg_policy", "polrelid")},
		{"defaults", `SELECT r::text FROM ` + of("pg_attrdef", "adrelid")},
		{"rewrites", `SELECT r::text FROM ` + of("pg_rewrite", "ev_class")},
		{"functions", `SELECT r::text FROM pg_catalog.pg_proc r WHERE r.oid >= 16384`},
		{"operators", `SELECT concat_ws('|', r.oid, r.oprname, r.oprcode::oid) FROM pg_catalog.pg_operator r WHERE r.oid >= 16384`},
		{"casts", `SELECT r::text FROM pg_catalog.pg_cast r WHERE r.oid >= 16384`},
		{"aggregates", `SELECT r::text FROM pg_catalog.pg_aggregate r WHERE r.aggfnoid >= 16384`},
		{"collations", `SELECT concat_ws('|', r.oid, r.collisdeterministic) FROM pg_catalog.pg_collation r WHERE r.oid >= 16384`},
	} {
		parts = append(parts, `SELECT '`+p[0]+`', count(*)::text, coalesce(sum(pg_catalog.hashtextextended(s.t, 0)), 0)::text FROM (`+p[1]+`) s(t)`)
	}
	d := digest{sha256.New()}
	err := q.each(ctx, 3, strings.Join(parts, " UNION ALL ")+" ORDER BY 1", func(r record) { d.text(r.text(0), r.text(1), r.text(2)) })
	return d.sum(), err
}

func connectionPostgres(ctx context.Context, q Query) (c Connection, err error) {
	c.ForeignKeys, c.Triggers = true, true
	err = q.each(ctx, 6, `SELECT pg_catalog.pg_is_in_recovery()::text, pg_catalog.current_setting('transaction_read_only'),
		pg_catalog.current_setting('session_replication_role'), s.setting, s.reset_val,
		CASE WHEN current_user = session_user THEN current_user::text END
		FROM pg_catalog.pg_settings s WHERE s.name = 'search_path'`, func(r record) {
		c.Replica, c.ReadOnly, c.SearchPath, c.DefaultPath, c.Role = r.yes(0), r.yes(1), r.text(3), r.text(4), r.text(5)
		if r.text(2) == "replica" {
			c.ForeignKeys, c.Triggers = false, false
		}
	})
	return c, err
}

// A postgres is a reading under way. Maps are by the object numbers of the database.
type postgres struct {
	relations map[int64]*relation
	columns   map[int64]map[int64]string // names by number
	types     map[int64]domain
	functions map[string]Function
	called    map[string]string // Catalog.Behind
	impure    map[string]bool   // of the database's own functions
	schemas   map[string]bool
	usable    map[string]bool
	reader    string
	hidden    map[string]bool
	extra     []string
	parents   map[int64][]int64
	partition map[int64]bool
	sources   map[string][]source // of the functions of users
	volatile  map[string]bool     // the database's own functions
	behind    map[string][]string // queries of views and conditions of policies, by relation
}

// A domain is one over another type, or an enum.
type domain struct {
	enum       bool
	base       int64
	hasDefault bool
}

func readPostgres(ctx context.Context, q Query) (*Catalog, error) {
	p := &postgres{
		relations: map[int64]*relation{}, columns: map[int64]map[int64]string{}, types: map[int64]domain{},
		called: map[string]string{}, impure: map[string]bool{}, schemas: map[string]bool{}, usable: map[string]bool{}, hidden: map[string]bool{},
		parents: map[int64][]int64{}, partition: map[int64]bool{}, sources: map[string][]source{}, volatile: map[string]bool{},
	}
	for _, read := range []func(context.Context, Query) error{
		p.readTypes, p.readRelations, p.readColumns, p.readTrees, p.readKeys, p.readReferences,
		p.readFunctions, p.readTriggers, p.readPolicies, p.readExpressions, p.readBehind,
	} {
		if err := read(ctx, q); err != nil {
			return nil, err
		}
	}
	list := make([]*relation, 0, len(p.relations))
	for _, r := range p.relations {
		list = append(list, r)
	}
	c := merge(PostgreSQL, list, p.functions, p.schemas, p.hidden)
	c.Places = placesOf(list, p.reader, p.usable)
	c.Behind = p.called
	c.Fingerprint = c.fingerprint(p.extra)
	return c, nil
}

func (p *postgres) readTypes(ctx context.Context, q Query) error {
	err := q.each(ctx, 4, `SELECT t.oid::int8, t.typtype::text, t.typbasetype::int8, (t.typdefault IS NOT NULL)::text
		FROM pg_catalog.pg_type t WHERE t.typtype IN ('d', 'e')`, func(r record) {
		p.types[r.number(0)] = domain{enum: r.text(1) == "e", base: r.number(2), hasDefault: r.yes(3)}
	})
	if err != nil {
		return err
	}
	return q.each(ctx, 4, `SELECT n.nspname::text, t.typname::text, e.enumlabel::text, row_number() OVER (PARTITION BY t.oid ORDER BY e.enumsortorder)::int8
		FROM pg_catalog.pg_enum e JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace`, func(r record) {
		p.extra = append(p.extra, joined("enum", r.text(0), r.text(1), r.text(2), r.text(3)))
	})
}

func (p *postgres) readRelations(ctx context.Context, q Query) error {
	err := q.each(ctx, 3, `SELECT n.nspname::text, current_user::text, pg_catalog.has_schema_privilege(n.oid, 'USAGE')::text
		FROM pg_catalog.pg_namespace n WHERE`+own, func(r record) {
		p.schemas[r.text(0)], p.reader, p.usable[r.text(0)] = true, r.text(1), r.yes(2)
	})
	if err != nil {
		return err
	}
	err = q.each(ctx, 9, qualified+`SELECT c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text,
		c.relispartition::text, c.relrowsecurity::text,
		CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END,
		(EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid AND w.rulename <> '_RETURN'))::text,
		(EXISTS (SELECT 1 FROM pg_catalog.pg_class o WHERE o.relname = c.relname AND o.relnamespace = 'pg_catalog'::pg_catalog.regnamespace))::text
		FROM path CROSS JOIN pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE path.set IS NOT NULL AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND`+own, func(r record) {
		n := &relation{schema: r.text(1), name: r.text(2)}
		n.root = n
		switch r.text(3) {
		case "v":
			n.view, n.definition, n.spelling = true, r.text(6), spelled(r.text(6), n.schema)
		case "m":
			n.table.Materialized, n.table.Definition = true, r.text(6)
		case "f":
			n.table.ForeignData = true
		}
		n.table.Policies, n.table.Rules = r.yes(5), r.yes(7)
		p.partition[r.number(0)] = r.yes(4)
		if r.yes(8) {
			p.hidden[n.name] = true // by a relation of the database itself
		}
		p.relations[r.number(0)] = n
		p.extra = append(p.extra, joined("relation", n.schema, n.name, r.text(3), r.text(6)))
	})
	if err != nil {
		return err
	}
	return q.each(ctx, 1, covering, func(r record) { p.hidden[r.text(0)] = true })
}

// readColumns reads the columns. NOT NULL may be NOT VALID since PostgreSQL 18, where it
// has a constraint. Relations with equal columns come as one row, and share what is made of
// it: a thousand tenants with fifty tables each have half a million columns.
func (p *postgres) readColumns(ctx context.Context, q Query) error {
	var wrong error
	err := q.each(ctx, 2, qualified+`SELECT pg_catalog.string_agg(s.relation::text, ' '), s.columns FROM (
		SELECT a.attrelid AS relation, pg_catalog.json_agg(pg_catalog.json_build_array(a.attnum::text, a.attname::text, a.atttypid::int8::text,
		(a.attcollation = 0 OR coalesce(l.collisdeterministic, false))::text,
		(a.attnotnull AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'n'
			AND NOT k.convalidated AND a.attnum = ANY (k.conkey)))::text,
		(a.attgenerated <> '')::text, (a.atthasdef OR a.attidentity <> '')::text,
		pg_catalog.format_type(a.atttypid, a.atttypmod),
		CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) ELSE '' END) ORDER BY a.attnum)::text AS columns
		FROM path CROSS JOIN pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
		LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		WHERE path.set IS NOT NULL AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND`+own+`
		GROUP BY a.attrelid) s GROUP BY s.columns`, func(r record) {
		var rows [][9]string
		if err := json.Unmarshal([]byte(r.text(1)), &rows); err != nil {
			wrong = err
			return
		}
		columns := make([]Column, 0, len(rows))
		names := make(map[int64]string, len(rows))
		var said strings.Builder // without numbers of objects
		for i := range rows {
			c := &rows[i]
			values := record{c[0], c[1], c[2], c[3], c[4], c[5], c[6]}
			class, domainDefault := p.class(values.number(2), values.yes(3))
			columns = append(columns, Column{
				Name: c[1], Class: class, NotNull: values.yes(4), Generated: values.yes(5), Default: values.yes(6) || domainDefault,
			})
			names[values.number(0)] = c[1]
			said.WriteString(joined(c[0], c[1], c[7], c[8]))
		}
		sum := sha256.Sum256([]byte(said.String()))
		for _, oid := range fields(r.text(0)) {
			n := p.relations[oid]
			if n == nil {
				continue
			}
			n.table.Columns, p.columns[oid] = columns, names
			p.extra = append(p.extra, joined("columns", n.schema, n.name, string(sum[:])))
		}
	})
	if err == nil {
		err = wrong
	}
	return err
}

// class returns the class of a type by its object number. Domains have that of what they
// are over.
func (p *postgres) class(oid int64, deterministic bool) (c Class, hasDefault bool) {
	for range 32 {
		d, ok := p.types[oid]
		if !ok {
			break
		}
		hasDefault = hasDefault || d.hasDefault
		if d.enum {
			return Text, hasDefault
		}
		oid = d.base
	}
	switch oid {
	case 20, 21, 23: // int8, int2, int4
		return Int, hasDefault
	case 25, 1043: // text, varchar
		if deterministic {
			return Text, hasDefault
		}
	case 2950:
		return UUID, hasDefault
	case 16:
		return Bool, hasDefault
	case 17:
		return Bytes, hasDefault
	}
	return Opaque, hasDefault
}

// readTrees finds the root of each partition and of each table that inherits.
func (p *postgres) readTrees(ctx context.Context, q Query) error {
	err := q.each(ctx, 2, `SELECT i.inhrelid::int8, i.inhparent::int8 FROM pg_catalog.pg_inherits i
		JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relkind IN ('r', 'p', 'f') ORDER BY 1, 2`, func(r record) {
		if p.relations[r.number(0)] != nil {
			p.parents[r.number(0)] = append(p.parents[r.number(0)], r.number(1))
		}
	})
	if err != nil {
		return err
	}
	// A table with two parents makes one tree of theirs, where no table has all rows. The
	// list of its roots says that they are mixed.
	for oid, r := range p.relations {
		if len(p.parents[oid]) == 0 {
			continue
		}
		roots := p.roots(oid, 0)
		if len(roots) != 1 || roots[0] == nil {
			for _, root := range roots {
				if root != nil {
					root.mixed = true
				}
			}
			r.mixed = true
			continue
		}
		if r.root = roots[0]; !p.partition[oid] {
			r.root.inherits = true
		}
	}
	return nil
}

// roots returns the tables that rows of a table belong to in the end, nil among them for
// what is not known.
func (p *postgres) roots(oid int64, depth int) (out []*relation) {
	if depth > 64 || p.relations[oid] == nil {
		return []*relation{nil}
	}
	if len(p.parents[oid]) == 0 {
		return []*relation{p.relations[oid]}
	}
	for _, parent := range p.parents[oid] {
		for _, r := range p.roots(parent, depth+1) {
			if !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	return out
}

// readKeys reads the unique indexes that hold at any time and for all rows.
func (p *postgres) readKeys(ctx context.Context, q Query) error {
	return q.each(ctx, 4, `SELECT x.indrelid::int8, x.indnkeyatts::int8, x.indkey::text,
		(NOT EXISTS (SELECT 1 FROM pg_catalog.pg_opclass o WHERE o.oid = ANY (x.indclass::pg_catalog.oid[]) AND NOT o.opcdefault))::text
		FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE x.indisunique AND x.indisvalid AND x.indisready AND x.indislive AND x.indimmediate AND x.indpred IS NULL AND x.indexprs IS NULL
		AND NOT x.indisexclusion AND`+own, func(r record) {
		n := p.relations[r.number(0)]
		numbers := fields(r.text(2))
		count := int(r.number(1)) // others are only INCLUDEd
		if n == nil || count == 0 || count > len(numbers) {
			return
		}
		key, ok := p.names(r.number(0), numbers[:count])
		// An operator class that is not the type's may have another equality. Those of
		// texts that are not (text_pattern_ops) compare bytes, as the type does.
		other := !r.yes(3) && slices.ContainsFunc(n.table.Columns, func(c Column) bool {
			return c.Class != Text && slices.Contains(key, c.Name)
		})
		if ok && !other {
			n.keys = append(n.keys, key)
		}
	})
}

// names returns the columns of a relation by their numbers.
func (p *postgres) names(oid int64, numbers []int64) (out []string, ok bool) {
	for _, n := range numbers {
		name, ok := p.columns[oid][n]
		if !ok {
			return nil, false
		}
		out = append(out, name)
	}
	return out, len(out) > 0
}

func fields(s string) (out []int64) {
	for _, f := range strings.Fields(s) {
		n, _ := strconv.ParseInt(f, 10, 64)
		out = append(out, n)
	}
	return out
}

// readReferences reads the foreign keys. Those that a partition has from its root, and
// those to partitions of what is referred to, are left out. DISABLE TRIGGER ALL switches
// one off.
func (p *postgres) readReferences(ctx context.Context, q Query) error {
	return q.each(ctx, 8, `SELECT f.conrelid::int8, f.confrelid::int8, pg_catalog.array_to_string(f.conkey, ' '), pg_catalog.array_to_string(f.confkey, ' '),
		f.confdeltype::text, f.confupdtype::text, f.convalidated::text,
		(EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgconstraint = f.oid AND t.tgenabled NOT IN ('O', 'A')))::text
		FROM pg_catalog.pg_constraint f WHERE f.contype = 'f' AND f.conparentid = 0`, func(r record) {
		from, to := p.relations[r.number(0)], p.relations[r.number(1)]
		if from == nil || to == nil {
			return // temporary tables, which refer to each other only
		}
		ref := reference{
			to: to, onDelete: actionOf(r.text(4)), onUpdate: actionOf(r.text(5)), enforced: r.yes(6) && !r.yes(7),
		}
		// A column that has gone meanwhile leaves no names, so that nothing is known of it.
		ref.columns, _ = p.names(r.number(0), fields(r.text(2)))
		ref.refColumns, _ = p.names(r.number(1), fields(r.text(3)))
		from.references = append(from.references, ref)
	})
}

// readFunctions reads the functions that users have made, wherever they are.
func (p *postgres) readFunctions(ctx context.Context, q Query) error {
	err := q.each(ctx, 2, `SELECT f.proname::text, bool_or(f.provolatile = 'v')::text FROM pg_catalog.pg_proc f
		WHERE f.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND f.provolatile <> 'i' GROUP BY 1`, func(r record) {
		p.impure[r.text(0)], p.volatile[r.text(0)] = true, r.yes(1)
	})
	if err != nil {
		return err
	}
	bodies := map[string][]body{}
	err = q.each(ctx, 9, qualified+`SELECT n.nspname::text, f.proname::text, f.provolatile::text, f.prokind::text, l.lanname::text, f.prosrc,
		CASE WHEN l.lanname = 'sql' AND f.prokind = 'f' AND f.prosrc = '' THEN pg_catalog.pg_get_functiondef(f.oid) END,
		concat_ws(' ', pg_catalog.oidvectortypes(f.proargtypes), a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn),
		(f.prokind = 'a' AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_proc s JOIN pg_catalog.pg_language sl ON sl.oid = s.prolang
			WHERE s.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
			AND (s.provolatile <> 'i' OR sl.lanname NOT IN ('internal', 'c'))))::text
		FROM path CROSS JOIN pg_catalog.pg_proc f JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace JOIN pg_catalog.pg_language l ON l.oid = f.prolang
		LEFT JOIN pg_catalog.pg_aggregate a ON a.aggfnoid = f.oid
		WHERE path.set IS NOT NULL AND n.nspname <> 'information_schema' AND f.oid >= 16384`, func(r record) {
		name, text := r.text(1), r.text(5)
		p.extra = append(p.extra, joined("function", r.text(0), name, r.text(2), r.text(3), r.text(4), text, r.text(6), r.text(7)))
		var b body
		// An aggregate is pure if the functions that it is made of are the database's or an
		// extension's, like max(citext): the bodies of others are not looked for.
		if r.text(2) == "i" && r.yes(8) {
			b = body{pure: true}
		}
		if r.text(2) == "i" && (r.text(3) == "f" || r.text(3) == "w") {
			if standard := standardBody(r.text(6)); standard != "" {
				b = bodyOf("sql", standard)
			} else if r.text(6) == "" {
				b = bodyOf(r.text(4), text)
			}
		}
		if spelling[name] && r.text(4) == "c" && r.text(2) != "v" {
			b = body{pure: true}
		}
		bodies[name] = append(bodies[name], b)
		if text == "" {
			text = standardBody(r.text(6))
		}
		one := source{language: r.text(4), text: text, volatile: r.text(2) == "v"}
		if r.text(3) == "a" && !b.pure {
			one.language = "" // what it is made of is not looked at
		}
		p.sources[name] = append(p.sources[name], one)
	})
	p.functions = purity(bodies, p.impure)
	return err
}

// readBehind reads which functions stand behind operators and casts. Those in C are an
// extension's, and read settings at most.
func (p *postgres) readBehind(ctx context.Context, q Query) error {
	return q.each(ctx, 2, `SELECT s.sign, f.proname::text FROM (
			SELECT o.oprname::text AS sign, o.oprcode::oid AS function FROM pg_catalog.pg_operator o
			UNION ALL SELECT CASE k.castcontext WHEN 'e' THEN '`+Written+`' ELSE '`+Unwritten+`' END, k.castfunc FROM pg_catalog.pg_cast k) s
		JOIN pg_catalog.pg_proc f ON f.oid = s.function JOIN pg_catalog.pg_language l ON l.oid = f.prolang
		WHERE f.oid >= 16384 AND l.lanname NOT IN ('internal', 'c') ORDER BY 1, 2`, func(r record) {
		sign, name := r.text(0), r.text(1)
		if before, again := p.called[sign]; !p.functions[name].Pure && (!again || p.functions[before].Quiet) {
			p.called[sign] = name
		}
	})
}

// standardBody is the body of a definition that has one in standard SQL, "" for others. What
// is before it names types, whose parentheses look like calls.
func standardBody(definition string) string {
	for _, begin := range []string{"\nBEGIN ATOMIC", "\nRETURN "} {
		if _, after, ok := strings.Cut(definition, begin); ok {
			return after
		}
	}
	return ""
}

// readTriggers reads the triggers that users have made and not disabled.
func (p *postgres) readTriggers(ctx context.Context, q Query) error {
	return q.each(ctx, 9, qualified+`SELECT t.tgrelid::int8, t.tgname::text, t.tgtype::int8, l.lanname::text, f.prosrc, f.proname::text,
		pg_catalog.encode(t.tgargs, 'escape'), pg_catalog.pg_get_triggerdef(t.oid),
		(t.tgdeferrable OR f.prosecdef OR EXISTS (SELECT 1 FROM pg_catalog.unnest(f.proconfig) s
			WHERE pg_catalog.split_part(s, '=', 1) IN ('search_path', 'role', 'session_authorization')))::text
		FROM path CROSS JOIN pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc f ON f.oid = t.tgfoid JOIN pg_catalog.pg_language l ON l.oid = f.prolang
		WHERE path.set IS NOT NULL AND NOT t.tgisinternal AND t.tgenabled <> 'D'`, func(r record) {
		n := p.relations[r.number(0)]
		if n == nil {
			return
		}
		kind := r.number(2)
		t := Trigger{
			Name: r.text(1), Insert: kind&4 != 0, Delete: kind&8 != 0, Update: kind&16 != 0,
			Truncate: kind&32 != 0, Instead: kind&64 != 0, Path: r.yes(8),
		}
		switch argument, _, _ := strings.Cut(r.text(6), `\000`); {
		case !p.harmless(r.text(7)):
		case r.text(3) == "plpgsql":
			t.Body = r.text(4)
		// These change one column of the row, which their first argument names.
		case argument != "" && (r.text(3) == "internal" && strings.HasPrefix(r.text(4), "tsvector_update_trigger") || r.text(3) == "c" && r.text(5) == "moddatetime"):
			t.Body = `BEGIN NEW.` + quote(argument) + ` := NULL; RETURN NEW; END`
		case r.text(3) == "internal" && r.text(4) == "suppress_redundant_updates_trigger":
			t.Body = `BEGIN RETURN NEW; END`
		}
		n.table.Triggers = append(n.table.Triggers, t)
	})
}

// harmless reports whether the condition of a trigger calls nothing but pure functions and
// the database's own.
func (p *postgres) harmless(definition string) bool {
	tokens, ok := scan(PostgreSQL, definition)
	when := slices.IndexFunc(tokens, func(t token) bool { return t.kind == 'w' && t.text == "when" })
	if !ok || when < 0 {
		return ok
	}
	for i := when + 1; i < len(tokens); i++ {
		if tokens[i].kind == 'w' && tokens[i].text == "execute" {
			tokens = tokens[:i]
			break
		}
	}
	return callsPure(calls(tokens[when+1:]), p.functions, nil)
}

// readPolicies reads the conditions under which rows are seen and written.
func (p *postgres) readPolicies(ctx context.Context, q Query) error {
	return q.each(ctx, 2, qualified+`SELECT o.polrelid::int8, pg_catalog.pg_get_expr(o.polqual, o.polrelid)
		FROM path CROSS JOIN pg_catalog.pg_policy o WHERE path.set IS NOT NULL AND o.polqual IS NOT NULL`, func(r record) {
		if n := p.relations[r.number(0)]; n != nil {
			n.table.Conditions = append(n.table.Conditions, r.text(1))
		}
	})
}
