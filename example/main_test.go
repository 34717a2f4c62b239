package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		env  []string
		want config
		err  string // what the message contains
	}{
		{"nothing set", nil, config{port: 8080, cache: true, directives: true}, ""},
		{"everything set", []string{"PORT", "9", "DB_PATH", "x.db", "DB_LATENCY_MS", "2.5", "REDIS_URL", "redis://r", "CACHE", "off", "SCHEMA", "s"},
			config{port: 9, database: "x.db", latency: 2500 * time.Microsecond, redis: "redis://r", directives: true}, ""},
		{"cache on", []string{"CACHE", "on"}, config{port: 8080, cache: true, directives: true}, ""},
		{"no directives", []string{"DIRECTIVES", "off"}, config{port: 8080, cache: true}, ""},
		{"directives are neither", []string{"DIRECTIVES", "no"}, config{}, `DIRECTIVES is "no"`},
		{"port is a word", []string{"PORT", "http"}, config{}, `PORT is "http"`},
		{"port is too large", []string{"PORT", "65536"}, config{}, `PORT is "65536"`},
		{"port is negative", []string{"PORT", "-1"}, config{}, `PORT is "-1"`},
		{"latency is negative", []string{"DB_LATENCY_MS", "-1"}, config{}, `DB_LATENCY_MS is "-1"`},
		{"latency has a unit", []string{"DB_LATENCY_MS", "5ms"}, config{}, `DB_LATENCY_MS is "5ms"`},
		{"PostgreSQL", []string{"DATABASE_URL", "postgres://h/x"}, config{port: 8080, cache: true, directives: true, database: "postgres://h/x"}, ""},
		{"PostgreSQL by its long name", []string{"DATABASE_URL", "postgresql://h/x"}, config{port: 8080, cache: true, directives: true, database: "postgresql://h/x"}, ""},
		{"another database", []string{"DATABASE_URL", "mysql://h/x"}, config{}, "DATABASE_URL does not begin with postgres://"},
		{"two databases", []string{"DATABASE_URL", "postgres://h/x", "DB_PATH", "x.db"}, config{}, "DB_PATH and DATABASE_URL are two"},
		{"cache is neither", []string{"CACHE", "yes"}, config{}, `CACHE is "yes"`},
		{"all faults", []string{"PORT", "x", "CACHE", "y"}, config{}, `not a port number; CACHE is "y"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := configFrom(env(row.env...))
			switch {
			case row.err == "" && (err != nil || got != row.want):
				t.Errorf("got %+v, %v", got, err)
			case row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err) || strings.Contains(err.Error(), "\n")):
				t.Errorf("got error %v, want one line with %s", err, row.err)
			}
		})
	}
}

func TestRunRefuses(t *testing.T) { //nolint:tparallel // the rows need the port that is busy until the test ends
	t.Parallel()
	busy, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	_, busyPort, _ := net.SplitHostPort(busy.Addr().String())
	dir := t.TempDir()
	noDatabase := filepath.Join(dir, "text.db")
	if err := os.WriteFile(noDatabase, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		name string
		env  []string
		err  string
	}{
		{"busy port", []string{"PORT", busyPort}, "address already in use"},
		{"bad variable", []string{"PORT", "x"}, "PORT"},
		{"database in no folder", []string{"PORT", "0", "DB_PATH", filepath.Join(dir, "no", "x.db")}, "unable to open"},
		{"database is a folder", []string{"PORT", "0", "DB_PATH", dir}, "unable to open"},
		{"database is a text", []string{"PORT", "0", "DB_PATH", noDatabase}, "not a database"},
		{"URL with a secret that is none", []string{"PORT", "0", "DATABASE_URL", "postgres://u:sec%ret@h/x"}, "parse"},
		{"database that nobody serves", []string{"PORT", "0", "DATABASE_URL", "postgres://u:secret@/x?host=" + dir}, "connect"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			err := run(t.Context(), env(row.env...), io.Discard)
			if err == nil || !strings.Contains(err.Error(), row.err) || strings.Contains(err.Error(), "sec") {
				t.Errorf("got %v, want %q and no secret", err, row.err)
			}
		})
	}
}

// running is a server started by run.
type running struct {
	url  string
	out  *bufio.Reader
	stop context.CancelFunc
	done chan error
}

func start(t *testing.T, pairs ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	server := &running{out: bufio.NewReader(r), stop: cancel, done: make(chan error, 1)}
	go func() {
		err := run(ctx, env(append([]string{"PORT", "0"}, pairs...)...), w)
		_ = w.CloseWithError(io.EOF)
		server.done <- err
	}()
	line, err := server.out.ReadString('\n')
	if err != nil {
		cancel()
		t.Fatalf("server did not start: %v", <-server.done)
	}
	server.url = strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
	return server
}

// wait stops the server and returns what else it printed.
func (s *running) wait(t *testing.T) string {
	t.Helper()
	s.stop()
	rest, _ := io.ReadAll(s.out)
	if err := <-s.done; err != nil {
		t.Errorf("run: %v", err)
	}
	return string(rest)
}

func httpClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{ExpectContinueTimeout: time.Minute}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func call(t *testing.T, c *http.Client, url, tenant, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/graphql", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(tenantHeader, tenant)
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Without a database there is demo data, whose printed requests work, and nothing is left
// behind.
func TestDemo(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	server, client := start(t), httpClient(t)
	lines := make(chan string)
	go func() {
		defer close(lines)
		for {
			line, err := server.out.ReadString('\n')
			if err != nil {
				return
			}
			lines <- line
			if strings.Contains(line, "Ctrl-C") {
				return
			}
		}
	}()
	requests, answers := 0, []string{`"feed":[{"id":"a1111111-`, `"publishPost":{"status":"PUBLISHED","author":{"karma":10}}`}
	for line := range lines {
		if body, ok := strings.CutPrefix(strings.TrimSpace(line), "-d '"); ok {
			got := call(t, client, server.url, demoTenants[0].id, strings.TrimSuffix(body, "'"))
			if !strings.Contains(got, answers[requests]) {
				t.Errorf("%s answers %s", line, got)
			}
			requests++
		}
	}
	if requests != len(answers) {
		t.Errorf("%d requests printed", requests)
	}
	client.CloseIdleConnections()
	server.wait(t)
	if left, _ := filepath.Glob(filepath.Join(tmp, "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Two servers share a file; both stop cleanly and the rows stay.
func TestTwoServersOneFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "shared name?#%.db")
	a, b, client := start(t, "DB_PATH", path), start(t, "DB_PATH", path, "DB_LATENCY_MS", "1"), httpClient(t)
	got := call(t, client, a.url, "x", `{"query":"mutation{createTag(input:{name:\"one\"}){name}}"}`)
	if got != `{"data":{"createTag":{"name":"one"}}}` {
		t.Fatal(got)
	}
	const tags = `{"query":"{tags{name}}"}`
	if got := call(t, client, b.url, "x", tags); got != `{"data":{"tags":[{"name":"one"}]}}` {
		t.Error(got)
	}
	client.CloseIdleConnections()
	if rest := a.wait(t) + b.wait(t); rest != "" {
		t.Errorf("printed %q", rest)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	again := start(t, "DB_PATH", path)
	if got := call(t, client, again.url, "x", tags); got != `{"data":{"tags":[{"name":"one"}]}}` {
		t.Error(got)
	}
	client.CloseIdleConnections()
	again.wait(t)
}

// A request that has begun when the server is asked to stop is answered.
func TestShutdownFinishesRequests(t *testing.T) {
	t.Parallel()
	server, client := start(t, "DB_PATH", filepath.Join(t.TempDir(), "x.db"), "DB_LATENCY_MS", "50"), httpClient(t)
	body, sent := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.url+"/graphql", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(tenantHeader, "x")
	req.Header.Set("Expect", "100-continue") // so the body is sent when the handler asks for it
	answered := make(chan string, 1)
	go func() {
		resp, err := client.Do(req)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		answered <- string(text)
	}()
	if _, err := fmt.Fprint(sent, `{"query":`); err != nil {
		t.Fatal(err)
	}
	server.stop()
	if _, err := fmt.Fprint(sent, `"{tags{name}}"}`); err != nil {
		t.Fatal(err)
	}
	_ = sent.Close()
	if got := <-answered; got != `{"data":{"tags":[]}}` {
		t.Error(got)
	}
	client.CloseIdleConnections()
	server.wait(t)
}
