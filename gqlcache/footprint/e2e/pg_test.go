package e2e

import (
	"net/url"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/internal/pgtest"
)

// postgres returns the DSN of a new database, for pgx as for lib/pq. PostgreSQL is started
// for the first one; where it is not installed the test fails. The database is not given
// back: a test may leave in it what no next one shall find.
func postgres(t testing.TB) string {
	t.Helper()
	at, _, err := pgtest.Create()
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	return "host=" + q.Get("host") + " port=" + q.Get("port") + " user=" + u.User.Username() +
		" dbname=" + strings.TrimPrefix(u.Path, "/") + " sslmode=disable"
}
