package e2e

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// TestGeneratedStatementsParse asserts that all that the generator writes is understood,
// and not any more when a second statement follows.
func TestGeneratedStatementsParse(t *testing.T) {
	for d, parser := range map[catalog.Dialect]sqlparse.Dialect{catalog.SQLite: sqlparse.SQLite, catalog.PostgreSQL: sqlparse.PostgreSQL} {
		g := newSQLGenerator(rand.New(rand.NewPCG(1, uint64(d))), d)
		var texts []string
		for range 2000 {
			texts = append(texts, g.read().text, g.write().text)
		}
		for _, list := range [][]string{readTemplates, writeTemplates} {
			for _, template := range list {
				texts = append(texts, g.fill(template).text)
			}
		}
		failed := 0
		for _, text := range texts {
			s, err := sqlparse.ParseDialect(text, parser)
			switch {
			case err != nil:
				if failed++; failed < 20 {
					t.Errorf("%v\n%s", err, text)
				}
			case s.Kind == sqlparse.Select && (strings.HasPrefix(text, "UPDATE") || strings.HasPrefix(text, "DELETE") || strings.HasPrefix(text, "INSERT")):
				t.Errorf("a SELECT: %s", text)
			}
			for _, more := range []string{"; UPDATE users SET name = 'x'", ";UPDATE users SET name = 'x'", "\n; DELETE FROM users", "; SELECT 1", ";; SELECT 1", "; COMMIT"} {
				if _, err := sqlparse.ParseDialect(text+more, parser); err == nil {
					t.Errorf("understood: %s", text+more)
				}
			}
		}
		t.Logf("%d texts, %d not understood", len(texts), failed)
	}
}
