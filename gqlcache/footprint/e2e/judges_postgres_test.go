package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// dependencies are the columns that the body of the function judge has, by tables: 0 is a
// table alone. Views have a row each for what their own query has.
const dependencies = `WITH RECURSIVE below AS (
	SELECT refobjid AS rel, refobjsubid AS col FROM pg_depend
	WHERE classid = 'pg_proc'::regclass AND objid = (SELECT oid FROM pg_proc WHERE proname = 'judge') AND refclassid = 'pg_class'::regclass
	UNION SELECT d.refobjid, 0 FROM below JOIN pg_rewrite w ON w.ev_class = below.rel JOIN pg_class v ON v.oid = w.ev_class AND v.relkind = 'v'
	JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> w.ev_class)
SELECT DISTINCT c.relname::text, coalesce(a.attname::text, '') FROM below JOIN pg_class c ON c.oid = below.rel AND c.relkind <> 'S'
LEFT JOIN pg_attribute a ON a.attrelid = below.rel AND a.attnum = below.col AND a.attnum > 0 ORDER BY 1, 2`

// TestDependencies: what PostgreSQL notes that a function depends on, whose body is a
// statement, is what the analysis says of the statement, and so is what its plan writes.
func TestDependencies(t *testing.T) {
	t.Parallel()
	conn := connect(t, "pgx", postgres(t))
	run(t, conn, `CREATE EXTENSION IF NOT EXISTS citext`, `CREATE SCHEMA schema1`, `CREATE SCHEMA schema2`, `SET search_path = public, schema1, schema2`)
	b := &bench{T: t, conn: conn}
	judged(t, catalog.PostgreSQL, b.judge, 65, 90)
}

// A bench is a connection on which statements are judged, in a transaction with the tables.
type bench struct {
	*testing.T
	conn    *sql.Conn
	tables  string           // that are there, "" for none
	catalog *catalog.Catalog // of these, nil until it was read
	judged  int
}

func (b *bench) judge(tables []string, text string) (v verdict, err error) {
	if key := strings.Join(tables, ";"); key != b.tables || key == "" {
		run(b.T, b.conn, `ROLLBACK`, `BEGIN`)
		b.tables, b.catalog = "", nil
		for _, text := range tables {
			if _, err := b.conn.ExecContext(b.Context(), text); err != nil {
				return v, fmt.Errorf("%s: %w", text, err)
			}
		}
		run(b.T, b.conn, `SAVEPOINT made`)
		b.tables = key
	}
	defer run(b.T, b.conn, `ROLLBACK TO SAVEPOINT made`)
	var types []string
	err = b.conn.Raw(func(c any) (err error) {
		types, err = parameters(b.Context(), c.(*stdlib.Conn).Conn(), text)
		return err
	})
	if err != nil {
		return v, err
	}
	b.judged++
	if v.mentions, err = planned(b.Context(), b.conn, fmt.Sprint("judged_", b.judged), text, len(types)); err != nil {
		return v, err
	}
	if _, err := b.conn.ExecContext(b.Context(), `CREATE FUNCTION judge(`+strings.Join(types, ", ")+`) RETURNS void LANGUAGE sql BEGIN ATOMIC `+text+"\n; END"); err != nil {
		return v, err
	}
	for _, row := range rowsOf(b.T, b.conn, dependencies) {
		v.mentions = append(v.mentions, mention{table: row[0].(string), column: row[1].(string)})
	}
	if b.catalog == nil {
		run(b.T, b.conn, `ROLLBACK TO SAVEPOINT made`) // without the function
		if b.catalog, err = catalog.Read(b.Context(), catalog.PostgreSQL, queryOf(b.conn)); err != nil {
			return v, err
		}
	}
	v.catalog = b.catalog
	return v, nil
}

// parameters returns the types of a statement's parameters.
func parameters(ctx context.Context, conn *pgx.Conn, text string) (types []string, err error) {
	s, err := conn.Prepare(ctx, "", text)
	if err != nil {
		return nil, err
	}
	for _, oid := range s.ParamOIDs {
		var name string
		if err := conn.QueryRow(ctx, `SELECT format_type($1, NULL)`, oid).Scan(&name); err != nil {
			return nil, err
		}
		types = append(types, name)
	}
	return types, nil
}

// planned returns what the plan of a statement writes.
func planned(ctx context.Context, conn *sql.Conn, name, text string, parameters int) ([]mention, error) {
	if _, err := conn.ExecContext(ctx, `PREPARE `+name+` AS `+text); err != nil {
		return nil, err
	}
	execute := `EXPLAIN (FORMAT JSON) EXECUTE ` + name
	if parameters > 0 {
		execute += `(NULL` + strings.Repeat(`, NULL`, parameters-1) + `)`
	}
	var plan string
	if err := conn.QueryRowContext(ctx, execute).Scan(&plan); err != nil {
		return nil, err
	}
	var tree any
	err := json.Unmarshal([]byte(plan), &tree)
	return written(tree), err
}

var kindsOf = map[string]analysis.WriteKind{"Insert": analysis.Inserts, "Update": analysis.Updates, "Delete": analysis.Deletes}

// written finds the nodes of a plan that write.
func written(node any) (list []mention) {
	switch node := node.(type) {
	case []any:
		for _, x := range node {
			list = append(list, written(x)...)
		}
	case map[string]any:
		if node["Node Type"] == "ModifyTable" {
			if kind, ok := kindsOf[fmt.Sprint(node["Operation"])]; ok {
				list = append(list, mention{table: fmt.Sprint(node["Relation Name"]), wrote: true, write: kind})
			}
		}
		for _, x := range node {
			list = append(list, written(x)...)
		}
	}
	return list
}
