package catalog

import (
	"context"
	"slices"
)

// calling selects the functions of users that expressions of a table call when a row is
// written: defaults, CHECK constraints, what policies check, and both of the domains that
// its columns have. Operators stand for their functions.
const calling = `SELECT DISTINCT e.relation, f.oid AS function FROM (
	WITH RECURSIVE within (type, domain) AS (
		SELECT t.oid, t.oid FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
		UNION SELECT t.oid, w.domain FROM within w JOIN pg_catalog.pg_type t ON t.typtype = 'd' AND t.typbasetype = w.type)
	SELECT r.adrelid AS relation, d.refclassid, d.refobjid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attrdef r ON r.oid = d.objid
		WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
	UNION ALL SELECT r.conrelid, d.refclassid, d.refobjid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_constraint r ON r.oid = d.objid
		WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND r.contype = 'c' AND r.conrelid <> 0
	UNION ALL SELECT r.polrelid, d.refclassid, d.refobjid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_policy r ON r.oid = d.objid
		WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND r.polwithcheck IS NOT NULL
	UNION ALL SELECT a.attrelid, x.refclassid, x.refobjid FROM within w JOIN pg_catalog.pg_attribute a ON a.atttypid = w.type AND a.attnum > 0
		JOIN (SELECT d.objid AS domain, d.refclassid, d.refobjid FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
			UNION ALL SELECT r.contypid, d.refclassid, d.refobjid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_constraint r ON r.oid = d.objid
			WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND r.contypid <> 0) x ON x.domain = w.domain) e
	LEFT JOIN pg_catalog.pg_operator o ON e.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND o.oid = e.refobjid
	JOIN pg_catalog.pg_proc f ON f.oid >= 16384 AND (e.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND f.oid = e.refobjid OR f.oid = o.oprcode)`

// A source is the text of one function of users, "" where it is no text of the language.
type source struct {
	language, text string
	volatile       bool
}

// isText reports whether a function is no library's.
func (s source) isText() bool { return s.language != "c" && s.language != "internal" }

// spelling are functions of extensions that read a dictionary of the server's, which is a
// file: they are as pure as to_tsvector, though they are not immutable.
var spelling = map[string]bool{"unaccent": true}

// readExpressions says which functions are Quiet or Made, and notes as triggers those that are not
// and that expressions of a table call.
func (p *postgres) readExpressions(ctx context.Context, q Query) error {
	p.behind = map[string][]string{}
	for _, n := range p.relations {
		if n.view {
			p.behind[n.name] = append(p.behind[n.name], n.definition)
		}
		p.behind[n.name] = append(p.behind[n.name], n.table.Conditions...)
	}
	for name, f := range p.functions {
		f.Quiet = !p.writes(name, nil) && (!p.volatile[name] || calm[name]) // which may be what is called
		f.Made = f.Quiet && calm[name] && !slices.ContainsFunc(p.sources[name], source.isText)
		p.functions[name] = f
	}
	return q.each(ctx, 2, `SELECT c.relation::int8, f.proname::text FROM (`+calling+`) c JOIN pg_catalog.pg_proc f ON f.oid = c.function ORDER BY 1, 2`, func(r record) {
		n, name := p.relations[r.number(0)], r.text(1)
		if n == nil || p.functions[name].Quiet {
			return
		}
		t := Trigger{Name: name, Insert: true, Update: true, Path: true, Expression: true}
		if list := p.sources[name]; len(list) == 1 && list[0].text != "" {
			switch list[0].language {
			case "plpgsql":
				t.Body = list[0].text
			case "sql":
				t.Body = "BEGIN " + list[0].text + "\nEND"
			}
		}
		n.table.Triggers = append(n.table.Triggers, t)
	})
}

// writes reports whether a function of users may write. within are the functions that call
// it, and the relations that they name.
func (p *postgres) writes(name string, within []string) bool {
	if slices.Contains(within, name) {
		return false // what it does otherwise is looked at already
	}
	if len(within) > maxCalls {
		return true
	}
	for _, s := range p.sources[name] {
		switch s.language {
		case "internal", "c":
			if s.volatile && !calm[name] {
				return true
			}
		case "sql", "plpgsql":
			if s.text == "" || p.textWrites(s.text, s.language, append(slices.Clip(within), name)) {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// maxCalls bounds how deep functions are followed.
const maxCalls = 32

// textWrites reports whether a text may write: by its words, by a function that it calls,
// or by one behind a view or a policy of a relation that it names.
func (p *postgres) textWrites(text, language string, within []string) bool {
	tokens, ok := scan(PostgreSQL, text)
	if !ok {
		return true
	}
	for _, t := range tokens {
		// INTO makes a table in SQL, and has variables in PL/pgSQL.
		if t.kind == 'w' && (writing[t.text] || t.text == "into" && language == "sql") {
			return true
		}
		if relation := "relation " + t.text; (t.kind == 'w' || t.kind == 'q') && len(p.behind[t.text]) > 0 && !slices.Contains(within, relation) {
			for _, behind := range p.behind[t.text] {
				if len(within) > maxCalls || p.textWrites(behind, "sql", append(slices.Clip(within), relation)) {
					return true
				}
			}
		}
	}
	for _, called := range calls(tokens) {
		if _, own := p.sources[called]; own && p.writes(called, within) || !own && p.volatile[called] && !calm[called] {
			return true
		}
	}
	return false
}

// writing are words that begin what may write, or code that is not in the text.
var writing = map[string]bool{
	"insert": true, "update": true, "delete": true, "merge": true, "truncate": true, "copy": true, "execute": true, "call": true,
	"create": true, "alter": true, "drop": true, "refresh": true, "do": true, "load": true, "import": true, "set": true, "reset": true,
	"lock": true, "grant": true, "revoke": true, "discard": true,
}

// calm are functions that write no data of a table, though they are volatile: those of the
// database itself, and of extensions that make keys and secrets.
var calm = map[string]bool{
	"random": true, "random_normal": true, "gen_random_uuid": true, "uuidv4": true, "uuidv7": true, "clock_timestamp": true, "timeofday": true,
	"nextval": true, "currval": true, "lastval": true, "setval": true, "pg_notify": true, "pg_sleep": true,
	"pg_advisory_lock": true, "pg_advisory_xact_lock": true, "pg_try_advisory_xact_lock": true,
	"uuid_generate_v1": true, "uuid_generate_v1mc": true, "uuid_generate_v4": true, "uuid_generate_v7": true, "uuid_v7": true,
	"gen_random_bytes": true, "gen_salt": true, "gen_ulid": true, "gen_monotonic_ulid": true, "pgp_sym_encrypt": true, "pgp_pub_encrypt": true,
}
