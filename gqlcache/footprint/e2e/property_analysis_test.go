package e2e

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// modelCatalog reads the catalog of a database with the model's tables.
func modelCatalog(t *testing.T, d catalog.Dialect) *catalog.Catalog {
	t.Helper()
	driver, dsn := "sqlite", filepath.Join(t.TempDir(), "model.db")
	if d == catalog.PostgreSQL {
		driver, dsn = "pgx", postgres(t)
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if d == catalog.PostgreSQL {
		execAll(t, db, []string{"CREATE EXTENSION citext"})
	}
	execAll(t, db, modelDefinitions(d))
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	c, err := catalog.Read(context.Background(), d, queryOf(conn))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAppendedStatements asserts that nothing is known of a text that has a second
// statement behind one that is known, and that the connection is in doubt where one of them
// begins or ends a transaction.
func TestAppendedStatements(t *testing.T) {
	for _, d := range []catalog.Dialect{catalog.SQLite, catalog.PostgreSQL} {
		c := modelCatalog(t, d)
		g := newSQLGenerator(rand.New(rand.NewPCG(3, uint64(d))), d)
		var texts []string
		for range 500 {
			texts = append(texts, g.read().text, g.write().text)
		}
		for _, list := range [][]string{readTemplates, writeTemplates} {
			for _, template := range list {
				text := g.fill(template).text
				texts = append(texts, text)
				if s := analysis.Analyze(c, text); s.Unknown != "" {
					t.Errorf("not understood, %s: %s", s.Unknown, text)
				}
			}
		}
		for _, text := range append(texts, "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "RELEASE a", "SHOW x", "SELECT 1", "LISTEN x", "SET x = 1") {
			for _, more := range []string{"; UPDATE users SET name = 'x'", ";UPDATE users SET name = 'x';", "\n;/**/COMMIT", "; BEGIN"} {
				s := analysis.Analyze(c, text+more)
				word, _, _ := strings.Cut(text, " ")
				doubt := !strings.Contains(more, "UPDATE") || slices.Contains([]string{"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET"}, word)
				if s.Unknown == "" || s.ReadsOnly || doubt && !s.Transaction {
					t.Errorf("unknown %q, reads only %v, transaction %v: %s", s.Unknown, s.ReadsOnly, s.Transaction, text+more)
				}
			}
		}
	}
}
