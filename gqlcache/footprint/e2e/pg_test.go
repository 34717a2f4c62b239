package e2e

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// The server of these tests: one for the test binary, with a database for each test.
var server struct {
	once sync.Once
	dsn  string // without a database
	stop func()
	err  error
}

var databases atomic.Int64

func TestMain(m *testing.M) {
	code := m.Run()
	if server.stop != nil {
		server.stop()
	}
	os.Exit(code)
}

// postgres returns the DSN of a new database, for pgx as for lib/pq. PostgreSQL is started
// for the first one; where it is not installed the test fails.
func postgres(t *testing.T) string {
	t.Helper()
	server.once.Do(func() { server.dsn, server.stop, server.err = startPostgres(context.Background()) })
	if server.err != nil {
		t.Fatalf("PostgreSQL does not start (initdb and postgres are looked for in PATH, $PGBIN and /usr/lib/postgresql/*/bin): %v", server.err)
	}
	admin, err := sql.Open("pgx", server.dsn+" dbname=postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close() }()
	name := fmt.Sprintf("test%d", databases.Add(1))
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return server.dsn + " dbname=" + name
}

// startPostgres starts a server in a directory of its own.
func startPostgres(ctx context.Context) (dsn string, stop func(), err error) {
	bin, err := postgresBin()
	if err != nil {
		return "", nil, err
	}
	// The path of a socket must be short, so it is not below t.TempDir.
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		return "", nil, err
	}
	fail := func(err error) (string, func(), error) {
		_ = os.RemoveAll(dir)
		return "", nil, err
	}
	as := &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 {
		uid, gid, err := otherUser()
		if err != nil {
			return fail(err)
		}
		if err := os.Chown(dir, uid, gid); err != nil {
			return fail(err)
		}
		as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)} //nolint:gosec // ids of users are not negative
	}
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	initdb.SysProcAttr, initdb.Dir = as, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return fail(fmt.Errorf("initdb: %w\n%s", err, out))
	}
	port, err := freePort(ctx)
	if err != nil {
		return fail(err)
	}
	lines, written, err := os.Pipe()
	if err != nil {
		return fail(err)
	}
	// The shell ends the server when this process has ended, however it has.
	const script = `dir=$1; shift; exec 3>&2 2>/dev/null; "$@" 2>&3 3>&- & pid=$!; exec 3>&-; read line; kill -QUIT $pid; wait $pid; rm -rf "$dir"`
	run := exec.CommandContext(ctx, "/bin/sh", "-c", script, "sh", dir,
		filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1",
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=100", "-c", "max_prepared_transactions=10")
	run.SysProcAttr, run.Dir, run.Stderr = as, dir, written
	end, err := run.StdinPipe()
	if err != nil {
		return fail(err)
	}
	if err := run.Start(); err != nil {
		return fail(fmt.Errorf("postgres: %w", err))
	}
	_ = written.Close()
	ready := make(chan string, 2)
	go func() {
		defer func() { _ = lines.Close() }()
		scanner := bufio.NewScanner(lines)
		var text strings.Builder
		for scanner.Scan() {
			if text.Len() < 1<<16 {
				text.WriteString(scanner.Text() + "\n")
			}
			if strings.Contains(scanner.Text(), accepting) {
				ready <- accepting
				break
			}
		}
		for scanner.Scan() { // the log is of no use any more, but must be read
		}
		ready <- text.String()
	}()
	stop = func() {
		_ = end.Close()
		_ = run.Wait()
		_ = os.RemoveAll(dir)
	}
	if text := <-ready; text != accepting {
		stop()
		return "", nil, errors.New("postgres: " + text)
	}
	return fmt.Sprintf("host=127.0.0.1 port=%d user=postgres sslmode=disable", port), stop, nil
}

// accepting is what the server logs when it is ready.
const accepting = "ready to accept connections"

// postgresBin returns the directory of PostgreSQL's programs.
func postgresBin() (string, error) {
	if dir := os.Getenv("PGBIN"); dir != "" {
		return dir, nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	list, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(list) == 0 {
		return "", errors.New("no initdb")
	}
	return filepath.Dir(list[len(list)-1]), nil
}

// otherUser returns a user that PostgreSQL runs as: it refuses to be root.
func otherUser() (uid, gid int, err error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err := errors.Join(err1, err2); err == nil {
			return uid, gid, nil
		}
	}
	return 0, 0, errors.New("no user to run as: neither postgres nor nobody")
}

func freePort(ctx context.Context) (int, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
