package analysis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// Bounds of one statement. Beyond them it is unknown.
const (
	maxMentions = 256
	maxQueries  = 1024
	maxDepth    = 64
	maxSources  = 8
	maxEdges    = 1 << 14
)

// An analyzer analyzes one statement.
type analyzer struct {
	c        *catalog.Catalog
	out      *Statement
	mentions []*mention
	edges    []edge
	seen     map[edge]bool
	locks    bool     // rows are locked, and may be newer than the snapshot
	later    []func() // what needs the terms
	firsts   []*firsts
	peeking  bool // columns are looked up again, and not used once more

	depth, queries int
	views          []*catalog.View  // that are being expanded
	owned          []bool           // whether they are of the schema of Statement.Several
	guarded        []*catalog.Table // whose policies are being analyzed
	followed       []effect         // through triggers and foreign keys
	astray         int              // of those being followed, how many have another search_path or role

	// collects gets the columns that are used, condition says that an expression decides
	// by more than the equality of a column.
	collects  *[]node
	condition bool
	// option is the parameter whose NULL makes the condition hold that is looked at.
	option *sqlparse.Param
}

// An edge says that the column to has, in each row that contributes, a value that the
// column from has in some row that contributes.
type edge struct{ from, to node }

// A failure is why a statement is unknown.
type failure struct{ why string }

func fail(format string, args ...any) {
	panic(failure{fmt.Sprintf(format, args...)}) // asserts nothing: Analyze recovers it
}

// Analyze says what a text reads and writes. It returns an Unknown statement for what it
// does not understand, and never panics.
func Analyze(c *catalog.Catalog, text string) *Statement {
	parsed, err := sqlparse.ParseDialect(text, dialectOf(c.Dialect))
	if err != nil {
		if s := script(text, dialectOf(c.Dialect)); s != nil {
			return s
		}
		return &Statement{Unknown: short(err.Error()), Transaction: true, Columns: -1}
	}
	z := &analyzer{c: c, out: &Statement{Kind: parsed.Kind, Params: parsed.Params, Columns: -1}, seen: map[edge]bool{}}
	z.severals(parsed)
	if why := z.attempt(func() { z.statement(parsed, text) }); why != "" {
		z.unknown(parsed, why)
	}
	if z.out.Kind != sqlparse.Select || z.out.Unknown != "" {
		for i := range z.out.SetConfigs { // there may be no row to call it for
			z.out.SetConfigs[i].Sure = false
		}
	}
	slices.Sort(z.out.Settings)
	return z.out
}

// attempt runs f and returns why it failed, "" when it did not.
func (z *analyzer) attempt(f func()) (why string) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case failure:
			why = short(e.why)
		default:
			why = short(fmt.Sprintf("the analysis failed: %v", e))
		}
	}()
	f()
	return ""
}

func short(s string) string {
	if len(s) > 200 {
		s = s[:200]
	}
	return s
}

func dialectOf(d catalog.Dialect) sqlparse.Dialect {
	switch d {
	case catalog.SQLite:
		return sqlparse.SQLite
	case catalog.PostgreSQL:
		return sqlparse.PostgreSQL
	}
	return sqlparse.Any
}

// unknown makes the result one of which nothing is known but its functions and
// parameters, and whether it only reads.
func (z *analyzer) unknown(s *sqlparse.Statement, why string) {
	z.out.Unknown, z.out.Refs, z.out.Writes, z.out.Columns = why, nil, nil, -1
	z.views, z.owned, z.guarded = nil, nil, nil
	reads := s.Kind == sqlparse.Select || s.Kind == sqlparse.Asks
	if why := z.attempt(func() { z.scan(s, &reads) }); why != "" {
		reads = false
	}
	z.out.ReadsOnly = reads
}

// scan notes the functions, settings and parameters of a statement without following
// them, and whether it can write.
func (z *analyzer) scan(root any, reads *bool) {
	for _, name := range z.everywhere() {
		z.mayCall(name, reads)
	}
	visit(root, func(x any) {
		switch x := x.(type) {
		case *sqlparse.Param:
			z.param(x)
		case *sqlparse.Call:
			switch class, _ := z.class(x.Name); class {
			case unlisted:
				z.volatile(x.Name)
				*reads = *reads && z.quiet(x.Name)
			case asks:
				z.volatile(x.Name)
			default:
				z.call(x)
			}
		case *sqlparse.Statement: // in WITH
			if x != root {
				*reads = false
			}
		case *sqlparse.Op:
			if z.matches(x) != "" {
				*reads = false
			}
			z.mayCall(z.calls(x), reads)
		case *sqlparse.Binary:
			z.mayCall(z.calls(x), reads)
		case *sqlparse.Cast:
			z.mayCall(z.calls(x), reads)
		case *sqlparse.Query:
			if x.Skips {
				z.volatile("SKIP LOCKED")
			}
		case *sqlparse.From:
			z.sampled([]sqlparse.From{*x})
			if x.Table != nil && !z.harmless(*x.Table) {
				*reads = false
			}
		}
	})
}

// mayCall notes a function of users behind an operator or a cast, if there is one.
func (z *analyzer) mayCall(name string, reads *bool) {
	if name != "" {
		z.volatile(name)
		*reads = *reads && z.quiet(name)
	}
}

// harmless reports whether reading a relation writes nothing: a table's, a view's whose
// functions are known, and those of the database itself.
func (z *analyzer) harmless(n sqlparse.Name) bool {
	t, v, ok := z.c.Lookup(n.Schema, n.Name)
	switch {
	case !ok:
		return systemRelation(z.c.Dialect, n) && (n.Schema != "" || !z.c.Unresolvable[n.Name])
	case t != nil:
		return !t.Policies || z.policiesHarmless(t)
	case v.Ambiguous && !z.c.One || slices.Contains(z.views, v) || len(z.views) > maxDepth:
		return false
	}
	q, err := definition(z.c.Dialect, v.Definition)
	if err != nil {
		return false
	}
	z.views = append(z.views, v)
	defer func() { z.views = z.views[:len(z.views)-1] }()
	reads := true
	z.scan(q, &reads)
	return reads
}

func (z *analyzer) policiesHarmless(t *catalog.Table) bool {
	if slices.Contains(z.guarded, t) {
		return true
	}
	z.guarded = append(z.guarded, t)
	defer func() { z.guarded = z.guarded[:len(z.guarded)-1] }()
	reads := len(t.Conditions) > 0
	for _, text := range t.Conditions {
		q, err := definition(z.c.Dialect, "SELECT 1 FROM "+policyTable+" WHERE ("+text+")")
		if text == "" || err != nil {
			return false
		}
		z.scan(q.Where, &reads)
	}
	return reads
}

// policyTable stands for the table in a query that is made of a policy's condition.
const policyTable = "guarded"

// systemRelation reports whether a relation that is not in the catalog is one of the
// database itself: users cannot define it, or it would be there. One of PostgreSQL without a
// schema is found in pg_catalog before all but temporary relations.
func systemRelation(d catalog.Dialect, n sqlparse.Name) bool {
	if d == catalog.PostgreSQL {
		return n.Schema == "pg_catalog" || n.Schema == "information_schema" || n.Schema == "" && strings.HasPrefix(n.Name, "pg_")
	}
	if strings.HasPrefix(n.Name, "pragma_") {
		return n.Schema == "" && (builtins[d][n.Name] == volatile || builtins[d][n.Name] == asks)
	}
	switch n.Name {
	case "sqlite_schema", "sqlite_master", "sqlite_temp_schema", "sqlite_temp_master", "sqlite_sequence":
		return true
	}
	return false
}

// statement analyzes a statement that was parsed.
func (z *analyzer) statement(s *sqlparse.Statement, text string) {
	out := z.out
	switch s.Kind {
	case sqlparse.Select, sqlparse.Insert, sqlparse.Update, sqlparse.Delete, sqlparse.Merge:
		if names := z.everywhere(); names != nil {
			fail("function %s, behind comparisons or implicit casts, is not known", names[0])
		}
	}
	switch s.Kind {
	case sqlparse.Select:
		r := z.query(s.Query, nil)
		z.show(s.Query, &r)
		z.configs(s.Query)
		if !r.open && !r.scattered {
			out.Columns = len(r.columns)
		}
	case sqlparse.Insert, sqlparse.Update, sqlparse.Delete, sqlparse.Merge:
		z.dml(s, nil, true)
		z.where(s, text)
	case sqlparse.Begin, sqlparse.Commit, sqlparse.Rollback, sqlparse.PrepareTransaction,
		sqlparse.CommitPrepared, sqlparse.RollbackPrepared:
		out.Columns, out.Savepoint, out.Level, out.ReadOnly = 0, s.SavepointName, s.Level, s.ReadOnly
		return
	case sqlparse.Savepoint, sqlparse.RollbackTo, sqlparse.Release:
		out.Columns, out.Savepoint = 0, s.SavepointName
		return
	case sqlparse.Setting:
		out.Set = s
		z.scan(s, new(bool))
		return
	case sqlparse.NoData:
		// What it answers, if anything, is about the database and not of its data.
		z.volatile("a statement without data")
		return
	case sqlparse.Refresh, sqlparse.Truncate:
		out.Columns = 0
		for _, n := range s.Tables {
			t, _, ok := z.c.Lookup(n.Schema, n.Name)
			if !ok || t == nil {
				fail("table %s is not known", nameOf(n))
			}
			z.any(t, In{})
		}
		if s.Cascade {
			for i := 0; i < len(z.out.Writes); i++ {
				w := z.out.Writes[i]
				for _, r := range w.Table.Referring {
					z.any(r.Table, beside(w.Table, r.Table, r.Key, w.In))
				}
			}
		}
	case sqlparse.Rewrites:
		fail("it changes what no table has")
	case sqlparse.Asks:
		fail("it asks about all of the database")
	case sqlparse.DDL:
		out.Reloads = true
		fail("DDL")
	default:
		fail("a statement that is not known")
	}
	z.finish()
}

// param notes a parameter as a position.
func (z *analyzer) param(p *sqlparse.Param) {
	z.position(Position{Param: p.N, Name: p.Name})
}

func (z *analyzer) position(p Position) {
	if !slices.Contains(z.out.Positions, p) {
		z.out.Positions = append(z.out.Positions, p)
	}
}

// setting notes a setting that is read.
func (z *analyzer) setting(name string) {
	if !slices.Contains(z.out.Settings, name) {
		z.out.Settings = append(z.out.Settings, name)
	}
	z.position(Position{Setting: name})
}

// volatile notes the first reason why the result is no function of data.
func (z *analyzer) volatile(why string) {
	if z.out.Volatile == "" {
		z.out.Volatile = short(why)
	}
}
