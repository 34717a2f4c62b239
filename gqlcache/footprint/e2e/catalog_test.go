package e2e

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// queryOf makes a connection of database/sql a catalog.Query.
func queryOf(conn *sql.Conn) catalog.Query {
	return func(ctx context.Context, text string, args []driver.NamedValue, row func([]driver.Value) error) error {
		list := make([]any, len(args))
		for i, a := range args {
			list[i] = a.Value
		}
		rows, err := conn.QueryContext(ctx, text, list...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		values, to := make([]driver.Value, len(columns)), make([]any, len(columns))
		for rows.Next() {
			for i := range values {
				to[i] = (*any)(&values[i])
			}
			if err := rows.Scan(to...); err != nil {
				return err
			}
			if err := row(values); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}

// connect returns one connection to a database.
func connect(t testing.TB, driverName, dsn string) *sql.Conn {
	t.Helper()
	db, err := sql.Open(driverName, dsn)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		_ = db.Close()
	})
	return conn
}

// run runs statements, one at a time.
func run(t testing.TB, conn *sql.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func readCatalog(t *testing.T, d catalog.Dialect, conn *sql.Conn) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Read(t.Context(), d, queryOf(conn))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func version(t *testing.T, d catalog.Dialect, conn *sql.Conn) catalog.Version {
	t.Helper()
	v, err := catalog.ReadVersion(t.Context(), d, queryOf(conn))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var classNames = map[catalog.Class]string{
	catalog.Opaque: "opaque", catalog.Int: "int", catalog.Text: "text", catalog.UUID: "uuid", catalog.Bool: "bool", catalog.Bytes: "bytes",
}

// describe writes what a catalog says of a name, a line for each fact.
func describe(c *catalog.Catalog, name string) string {
	t, v, ok := c.Lookup("", name)
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	switch {
	case c.Unresolvable[name]:
		if ok || c.Tables[name] != nil || c.Views[name] != nil {
			return "unresolvable, and found"
		}
		return "unresolvable"
	case !ok:
		return "unknown"
	case v != nil:
		add("view %s(%s) %s", v.Name, strings.Join(v.Columns, " "), strings.Join(strings.Fields(v.Definition), " "))
		if v.Ambiguous {
			add("ambiguous")
		}
		return strings.Join(out, "\n")
	}
	columns := func(list []int) string {
		var names []string
		for _, i := range list {
			names = append(names, t.Columns[i].Name)
		}
		return strings.Join(names, " ")
	}
	var cols []string
	for _, col := range t.Columns {
		s := col.Name + ":" + classNames[col.Class]
		if col.NotNull {
			s += "!"
		}
		if col.Generated {
			s += "*"
		}
		if col.Default {
			s += "="
		}
		cols = append(cols, s)
	}
	add("table %s(%s)", t.Name, strings.Join(cols, " "))
	for _, k := range t.Keys {
		add("key %s", columns(k))
	}
	for _, f := range t.Foreign {
		var to []string
		for _, i := range f.RefColumns {
			to = append(to, f.Table.Columns[i].Name)
		}
		s := fmt.Sprintf("foreign %s: %s(%s) delete %d update %d", columns(f.Columns), f.Table.Name, strings.Join(to, " "), f.OnDelete, f.OnUpdate)
		if f.Enforced {
			s += " enforced"
		}
		add("%s", s)
	}
	for _, r := range t.Referring {
		add("referring %s", r.Table.Name)
	}
	for _, g := range t.Triggers {
		s := "trigger " + g.Name
		for _, f := range []struct {
			on   bool
			name string
		}{{g.Insert, "insert"}, {g.Update, "update"}, {g.Delete, "delete"}, {g.Truncate, "truncate"}, {g.Instead, "instead"}} {
			if f.on {
				s += " " + f.name
			}
		}
		add("%s: %s", s, strings.Join(strings.Fields(g.Body), " "))
	}
	for _, s := range t.Conditions {
		add("condition %s", s)
	}
	for _, f := range []struct {
		on   bool
		name string
	}{
		{t.Rules, "rules"}, {t.Policies, "policies"}, {t.Virtual, "virtual"}, {t.Contained, "contained"}, {t.Content != "", "reads " + t.Content}, {t.Materialized, "materialized"},
		{t.Ambiguous, "ambiguous"}, {t.ForeignData, "foreign data"},
	} {
		if f.on {
			add("%s", f.name)
		}
	}
	if t.Definition != "" {
		add("as %s", strings.Join(strings.Fields(t.Definition), " "))
	}
	return strings.Join(out, "\n")
}

// A catalogCase is some definitions, and what the catalog says of names.
type catalogCase struct {
	name string
	ddl  []string
	want map[string]string
}

func (tt catalogCase) check(t *testing.T, c *catalog.Catalog) {
	t.Helper()
	for name, want := range tt.want {
		want = strings.Join(slices.DeleteFunc(strings.Split(strings.ReplaceAll(want, "\t", ""), "\n"), func(s string) bool { return s == "" }), "\n")
		if got := describe(c, name); got != want {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", name, got, want)
		}
	}
}
