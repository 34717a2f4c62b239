package e2e

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"modernc.org/sqlite"
)

// bracketed is a join in parentheses: SQLite makes a query of it that has all columns of its
// tables, whatever the statement does with them.
var bracketed = regexp.MustCompile(`(?i)\bJOIN\s*\(\s*[a-z]+\s+([a-z]+\s+)?JOIN\b`)

var sqliteNamed = regexp.MustCompile(`[:@$]([A-Za-z_]\w*)`)

// TestAuthorizer: what SQLite asks its authorizer for is what the analysis says.
func TestAuthorizer(t *testing.T) {
	t.Parallel()
	judged(t, catalog.SQLite, func(tables []string, text string) (v verdict, err error) {
		db, err := sql.Open("sqlite", ":memory:")
		if err != nil {
			return v, err
		}
		defer db.Close()
		conn, err := db.Conn(t.Context())
		if err != nil {
			return v, err
		}
		defer conn.Close()
		for _, text := range tables {
			if _, err := conn.ExecContext(t.Context(), text); err != nil {
				return v, fmt.Errorf("%s: %w", text, err)
			}
		}
		if v.catalog, err = catalog.Read(t.Context(), catalog.SQLite, queryOf(conn)); err != nil {
			return v, err
		}
		asked := func(action sqlite.AuthorizerActionCode, table, column, _, within string) sqlite.AuthorizerReturnCode {
			m := mention{table: strings.ToLower(table)}
			inTrigger := within != "" && v.catalog.Views[strings.ToLower(within)] == nil
			switch action {
			case sqlite.AuthRead:
				if m.read, m.column = true, strings.ToLower(column); inTrigger {
					return sqlite.AuthorizerOK // nothing of it is in the result
				}
				if bracketed.MatchString(text) {
					m.column = ""
				}
			case sqlite.AuthInsert:
				m.wrote, m.write = true, analysis.Inserts
			case sqlite.AuthUpdate:
				m.wrote, m.write, m.column = true, analysis.Updates, strings.ToLower(column)
			case sqlite.AuthDelete:
				m.wrote, m.write = true, analysis.Deletes
			default:
				return sqlite.AuthorizerOK
			}
			if !strings.HasPrefix(m.table, "sqlite_") && !strings.HasPrefix(m.table, "json_") && !strings.HasPrefix(m.table, "pragma_") && !slices.Contains(v.mentions, m) {
				v.mentions = append(v.mentions, m)
			}
			return sqlite.AuthorizerOK
		}
		err = conn.Raw(func(c any) error { return c.(sqlite.AuthorizerRegisterer).RegisterAuthorizer(asked) })
		if err != nil {
			return v, err
		}
		args := make([]any, 0, 32)
		for _, name := range sqliteNamed.FindAllStringSubmatch(text, -1) {
			args = append(args, sql.Named(name[1], nil))
		}
		for range 20 {
			args = append(args, nil)
		}
		rows, err := conn.QueryContext(t.Context(), "EXPLAIN "+text, args...)
		if err != nil {
			return v, err
		}
		defer rows.Close()
		return v, rows.Err()
	}, 80, 95)
}
