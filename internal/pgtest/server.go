package pgtest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// superuser is who the URLs log in as.
	superuser = "postgres"
	// port names the socket. Nobody listens on it.
	port = "5432"
	// startTime is how long the server may take to start on a machine that is busy.
	startTime = 2 * time.Minute
)

// A server is a PostgreSQL server that runs.
type server struct {
	bin string // the directory of the programs
	dir string // of the data and of the socket
	// alive is the end of the pipe that tells the server that this process is. The
	// collector closes what nobody holds.
	alive io.Closer

	mu      sync.Mutex
	free    []string // names of empty databases that nobody uses
	created int
}

// shared is the server of the test binary. The first database starts it.
var shared = sync.OnceValues(start)

// Need starts the server. Where there is no PostgreSQL the test is skipped: .ci/run
// installs one, and fails for every test that is skipped.
func Need(t testing.TB) {
	t.Helper()
	_, err := shared()
	if errors.Is(err, errMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Database returns the URL of an empty database of the test's own, which goes with the
// test. It needs the server, as Need does.
func Database(t testing.TB) string {
	t.Helper()
	Need(t)
	at, drop, err := Create()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Error(err)
		}
	})
	return at
}

// Create returns the URL of an empty database, and a function that ends its connections
// and gives it back.
func Create() (at string, drop func() error, err error) {
	s, err := shared()
	if err != nil {
		return "", nil, err
	}
	name, err := s.database()
	if err != nil {
		return "", nil, err
	}
	return s.url(name), func() error { return s.empty(name) }, nil
}

// database returns an empty database that nobody uses.
func (s *server) database() (string, error) {
	s.mu.Lock()
	if last := len(s.free) - 1; last >= 0 {
		name := s.free[last]
		s.free = s.free[:last]
		s.mu.Unlock()
		return name, nil
	}
	s.created++
	name := "test" + strconv.Itoa(s.created)
	s.mu.Unlock()
	return name, s.tell("postgres", "CREATE DATABASE "+name+" STRATEGY file_copy")
}

// empty ends the connections of a database, takes away all that is in its schemas, and
// keeps the database for the next test: to create one costs ten times as much.
func (s *server) empty(name string) error {
	err := s.tell(name,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
		`DO $$ DECLARE s name; BEGIN
			FOR s IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
				EXECUTE format('DROP SCHEMA %I CASCADE', s);
			END LOOP;
		END $$`,
		`CREATE SCHEMA public AUTHORIZATION pg_database_owner`, `GRANT USAGE ON SCHEMA public TO PUBLIC`,
		`ALTER DATABASE `+name+` OWNER TO `+superuser, `ALTER DATABASE `+name+` RESET ALL`)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, name)
	return nil
}

// url returns the URL of a database.
func (s *server) url(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.User(superuser), Path: "/" + database,
		RawQuery: url.Values{"host": {s.dir}, "port": {port}}.Encode(),
	}
	return u.String()
}

// tell sends statements one after the other, until one fails.
func (s *server) tell(database string, statements ...string) error {
	args := []string{"--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--host", s.dir, "--port", port, "--username", superuser,
		"--dbname", database}
	for _, statement := range statements {
		args = append(args, "--command", statement)
	}
	cmd := exec.CommandContext(context.Background(), filepath.Join(s.bin, "psql"), args...)
	cmd.Env = append(os.Environ(), "PGOPTIONS=--client-min-messages=warning")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("psql: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// keeper is the shell between the binary and the server. Its standard input ends with the
// binary. What waits is the server's parent, so that nothing of it is left when wait
// returns. An immediate shutdown is enough: the data is not needed any more.
const keeper = `
"$1" -D "$2/data" -k "$2" -p "$3" \
  -c listen_addresses= -c max_connections=1000 -c max_locks_per_transaction=64 -c max_prepared_transactions=10 \
  -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
  -c autovacuum=off -c log_min_messages=fatal </dev/null &
server=$!
read -r _
kill -QUIT "$server" 2>/dev/null
wait "$server"
cd / && rm -rf "$2"
`

// start makes a cluster of databases and starts a server on it.
func start() (*server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	who, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgtest-") // the path of a socket is short
	if err != nil {
		return nil, err
	}
	s := &server{bin: bin, dir: dir}
	if err := s.launch(who); err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("PostgreSQL in %s: %w", bin, err)
	}
	return s, nil
}

func (s *server) launch(who *syscall.Credential) error {
	as := &syscall.SysProcAttr{Credential: who, Setpgid: true} // Ctrl-C ends the binary alone
	if who != nil {
		if err := os.Chown(s.dir, int(who.Uid), int(who.Gid)); err != nil {
			return err
		}
	}
	// As in most databases, texts are not in the order of their bytes.
	initdb := exec.CommandContext(context.Background(), filepath.Join(s.bin, "initdb"), "--pgdata", filepath.Join(s.dir, "data"),
		"--username", superuser, "--auth", "trust", "--encoding", "UTF8",
		"--locale", "C", "--locale-provider", "icu", "--icu-locale", "en", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = s.dir, as
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.CommandContext(context.Background(), "/bin/sh", "-c", keeper, "pgtest", filepath.Join(s.bin, "postgres"), s.dir, port)
	cmd.Dir, cmd.SysProcAttr, cmd.Stdout, cmd.Stderr = s.dir, as, log, log
	// The pipe is not closed: it ends with this process.
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := s.answers(); err != nil {
		said, _ := os.ReadFile(log.Name())
		_ = pipe.Close()
		_ = cmd.Wait()
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(said))
	}
	s.alive = pipe
	return nil
}

// answers waits until the server does.
func (s *server) answers() error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(startTime); ; <-tick.C {
		err := s.connect()
		if err == nil {
			err = s.tell("postgres", "SELECT 1")
		}
		if err == nil || time.Now().After(limit) {
			return err
		}
	}
}

// connect tries the socket, which costs less than a psql.
func (s *server) connect() error {
	c, err := new(net.Dialer).DialContext(context.Background(), "unix", filepath.Join(s.dir, ".s.PGSQL."+port))
	if err == nil {
		err = c.Close()
	}
	return err
}

var errMissing = errors.New("these tests need PostgreSQL 15 or later: install the package postgresql (Debian, Ubuntu, Alpine, Homebrew) or postgresql-server (Fedora), or set PGBIN to the directory of initdb")

// programs returns the directory of PostgreSQL's programs: the one that PGBIN names, the
// newest of Debian's, the one that pg_config names, or one in the PATH.
func programs() (string, error) {
	candidates := []string{os.Getenv("PGBIN")}
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well formed
	slices.SortFunc(debian, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	candidates = append(candidates, debian...)
	if out, err := exec.CommandContext(context.Background(), "pg_config", "--bindir").Output(); err == nil {
		candidates = append(candidates, string(bytes.TrimSpace(out)))
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		candidates = append(candidates, filepath.Dir(path))
	}
	for _, dir := range candidates {
		if dir != "" && complete(dir) {
			return dir, nil
		}
	}
	return "", errMissing
}

// version returns the version in Debian's path, 0 for another path.
func version(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return n
}

// complete reports whether the programs of a server and of a client are in a directory.
func complete(dir string) bool {
	for _, name := range []string{"initdb", "postgres", "psql"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// unprivileged returns who the server runs as: nil is this process's own user.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody")
}
