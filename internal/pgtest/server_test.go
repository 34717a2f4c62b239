package pgtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// childVariable makes this test binary one that starts a server, says where, and ends.
const childVariable = "PGTEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		goleak.VerifyTestMain(m)
		return
	}
	s, err := shared()
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString(s.dir)
	os.Exit(0) // no cleanup
}

func psql(t *testing.T, at, statement string) (string, error) {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(s.bin, "psql"), "-XAtq", "-c", statement, at).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// Each database is empty, whatever the test that had it before has left in it.
func TestDatabases(t *testing.T) { //nolint:tparallel // the rest is about what comes after the first part
	t.Parallel()
	var first string
	t.Run("two", func(t *testing.T) {
		first = Database(t)
		at, _ := strings.CutPrefix(first, "postgres://postgres@/")
		name, _, _ := strings.Cut(at, "?")
		for _, text := range []string{
			"CREATE TABLE x (a int)", "CREATE SCHEMA other", "CREATE TABLE other.x (a int)", "CREATE ROLE somebody",
			"ALTER DATABASE " + name + " OWNER TO somebody", "ALTER DATABASE " + name + " SET search_path = other",
		} {
			if out, err := psql(t, first, text); err != nil {
				t.Fatal(out)
			}
		}
		if out, err := psql(t, Database(t), "SELECT to_regclass('x') IS NULL"); err != nil || out != "t" {
			t.Errorf("the second database has the first one's table: %s", out)
		}
	})
	for query, want := range map[string]string{
		"SELECT count(*) FROM pg_class WHERE relname = 'x'":                                        "0",
		"SELECT string_agg(nspname, ' ') FROM pg_namespace WHERE nspname !~ '^(pg_|information_)'": "public",
		"SELECT datdba::regrole FROM pg_database WHERE datname = current_database()":               "postgres",
		"SHOW search_path": `"$user", public`,
		"SELECT 'A' < 'b' AND 'a' < 'B' COLLATE \"default\"": "t",
	} {
		if out, err := psql(t, first, query); err != nil || out != want {
			t.Errorf("%s: %s, %v; want %s", query, out, err, want)
		}
	}
}

// A binary that ends without a cleanup leaves no server and no data behind. The directory
// stays, empty, where the server's user may not take it out of its own: as below a TMPDIR
// that is root's alone.
func TestEndsWithTheBinary(t *testing.T) {
	t.Parallel()
	Database(t) // skips, or fails, where there is no PostgreSQL
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childVariable+"=1")
	dir, err := child.Output()
	if err != nil || !strings.Contains(string(dir), "pgtest-") {
		t.Fatalf("%q, %v", dir, err)
	}
	limit := time.After(startTime)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if left, err := os.ReadDir(string(dir)); errors.Is(err, os.ErrNotExist) || err == nil && len(left) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("the server's data is still there")
		}
	}
}

func TestIncomplete(t *testing.T) {
	t.Parallel()
	if complete(t.TempDir()) {
		t.Error("an empty directory has PostgreSQL's programs")
	}
	if a, b := version("/usr/lib/postgresql/9/bin"), version("/usr/lib/postgresql/15/bin"); a >= b {
		t.Errorf("version %d is not before %d", a, b)
	}
}
