package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/internal/redistest"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// startCluster starts instances in this process, over one database and one Redis.
func startCluster(t *testing.T, n int, database kind) []*rig {
	t.Helper()
	server, cfg := redistest.Start(t), database.config(t)
	var rigs []*rig
	for range n {
		r := &rig{ctx: t.Context(), dir: t.TempDir()}
		var err error
		watched := newObserver(cfg)
		if r.store, err = blog.OpenWith(t.Context(), blogOptions(cfg.database, watched)); err != nil {
			t.Fatal(err)
		}
		shared, err := newCluster("redis://"+server.Addr(), r.store.Name())
		if err != nil {
			t.Fatal(err)
		}
		if r.cache, err = newCache(cfg, shared, watched); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.close(); _ = shared.client.Close() })
		r.handler = newServerOver(schemaOver(r.store, cfg), r.store, r.cache)
		shared.join(t.Context(), io.Discard)
		if !shared.log.Fresh() {
			t.Fatal("no lease")
		}
		rigs = append(rigs, r)
	}
	return rigs
}

// TestNoStaleReadsInACluster is TestNoStaleReads with each request to any of several
// instances.
func TestNoStaleReadsInACluster(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		instances int
		database  kind
	}{{2, sqlite}, {3, sqlite}, {2, postgres}, {3, bareSQLite}, {2, barePostgreSQL}} {
		if !slices.Contains(kinds, row.database) {
			continue
		}
		t.Run(fmt.Sprintf("%d, %v", row.instances, row.database), func(t *testing.T) {
			t.Parallel()
			rigs := startCluster(t, row.instances, row.database)
			r := newRaceOn(t, rigs[0], "tenant one", "tenant two")
			r.peers, r.readers = rigs[1:], 16
			r.settle()
			latency := func(d time.Duration) {
				for _, one := range rigs {
					one.store.SetLatency(d)
				}
			}
			r.reads = min(*staleReads, defaultClusterReads)
			rounds.Until(t, "no hits, shared hits and dead entries", func(int) bool {
				latency(testLatency / 2)
				start := time.Now()
				writes := r.run(rand.Uint64())
				took := time.Since(start)
				latency(0)
				r.settle()
				var st gqlcache.Stats
				for _, one := range rigs {
					s := one.cache.Stats()
					st.Hits, st.SharedHits, st.SharedDead = st.Hits+s.Hits, st.SharedHits+s.SharedHits, st.SharedDead+s.SharedDead
					st.Dead, st.Unconfirmed, st.LogErrors = st.Dead+s.Dead, st.Unconfirmed+s.Unconfirmed, st.LogErrors+s.LogErrors
				}
				t.Logf("%d reads, %d writes in %v: %d stale; %d hits, %d of them shared, %d dead, %d shared dead, %d unconfirmed, %d log errors",
					r.reads, writes, took.Round(time.Millisecond), r.stale.Load(), st.Hits, st.SharedHits, st.Dead, st.SharedDead, st.Unconfirmed, st.LogErrors)
				for _, f := range r.faults {
					t.Error(f)
				}
				// Until three callers have asked, the key check keeps answers from other
				// instances, and here are two tenants.
				shares := !row.database.bare
				return writes >= r.reads/100 && st.Hits > 0 && st.Dead > 0 && (!shares || st.SharedHits > 0 && st.SharedDead > 0)
			})
		})
	}
}

// A process is a server in a process of its own.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	client *http.Client
	logged *bytes.Buffer
}

func startProcess(t *testing.T, path string, env ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.CommandContext(context.WithoutCancel(t.Context()), path), client: httpClient(t), logged: &bytes.Buffer{}}
	p.cmd.Env = append(append(os.Environ(), "PORT=0"), env...)
	p.cmd.Stderr = p.logged
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.end)
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("the server said %q, %v", line, err)
	}
	p.url = url
	return p
}

func (p *process) signal(s os.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Error(err)
	}
}

func (p *process) end() {
	p.client.CloseIdleConnections()
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("the server ended with %v\n%s", err, p.logged)
	}
	if p.t.Failed() {
		p.t.Logf("%s", p.logged)
	}
}

type answered struct {
	Data       json.RawMessage
	Errors     []struct{ Message string }
	Extensions struct {
		Cache struct {
			Status, Consistency string
			Reason              struct{ Code string }
		}
	}
}

func (p *process) request(query string) *http.Request {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+"/graphql", strings.NewReader(requestBody(query)))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(tenantHeader, "tenant")
	req.Header.Set(gqlcache.DebugHeader, "true")
	return req
}

func (p *process) send(query string) answered {
	p.t.Helper()
	resp, err := p.client.Do(p.request(query))
	return p.read(resp, err)
}

func (p *process) read(resp *http.Response, err error) (a answered) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		p.t.Error(err)
	}
	return a
}

// queue sends a query to a server that is stopped, whose system takes it, and returns a
// function that waits for the answer.
func (p *process) queue(query string) func() answered {
	p.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(p.t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	req := p.request(query)
	if err := req.Write(conn); err != nil {
		p.t.Fatal(err)
	}
	return func() answered {
		resp, err := http.ReadResponse(bufio.NewReader(conn), req)
		return p.read(resp, err)
	}
}

const (
	aTag     = "11111111-1111-4111-8111-111111111111"
	readTags = "{ tags { name } }"
)

func renameTag(name string) string {
	return fmt.Sprintf(`mutation { renameTag(id: %q, name: %q) { name } }`, aTag, name)
}

// write renames the tag, and fails when the server refuses.
func (p *process) write(name string) {
	p.t.Helper()
	if a := p.send(renameTag(name)); len(a.Errors) > 0 || a.Extensions.Cache.Consistency != "" {
		p.t.Errorf("rename to %s: %+v", name, a)
	}
}

// sees fails unless the server shows the tag's name.
func (p *process) sees(name string) answered {
	p.t.Helper()
	a := p.send(readTags)
	if !strings.Contains(string(a.Data), fmt.Sprintf("%q", name)) {
		p.t.Errorf("stale: %s (%s %s), want %s", a.Data, a.Extensions.Cache.Status, a.Extensions.Cache.Reason.Code, name)
	}
	return a
}

// until repeats something until it is so.
func (p *process) until(what string, so func() bool) {
	p.t.Helper()
	redistest.Eventually(p.t, what, so)
}

func startPair(t *testing.T, database kind) (a, b *process, server *redistest.Server) {
	t.Helper()
	server = redistest.Start(t)
	env := append(database.environment(t), "REDIS_URL=redis://"+server.Addr(), exampleMain+"=1")
	a, b = startProcess(t, os.Args[0], env...), startProcess(t, os.Args[0], env...)
	got := a.send(fmt.Sprintf(`mutation { createTag(input: {id: %q, name: "zero"}) { name } }`, aTag))
	if len(got.Errors) > 0 {
		t.Fatalf("%+v", got)
	}
	a.sees("zero")
	shares := !database.bare // see TestNoStaleReadsInACluster
	if got := b.sees("zero"); shares && got.Extensions.Cache.Status != "HIT" {
		t.Errorf("b answers %s, want what a has stored", got.Extensions.Cache.Status)
	}
	return a, b, server
}

// TestProcesses stops an instance for longer than its lease, then kills Redis and starts
// it empty: no read is stale, no query fails, and mutations work whenever they can be
// told to all.
func TestProcesses(t *testing.T) { onEach(t, testProcesses) }

func testProcesses(t *testing.T, database kind) {
	t.Helper()
	a, b, server := startPair(t, database)

	// A stopped process cannot answer. The mutation waits for its lease to end, and the
	// read that it finds when it wakes up has begun after that.
	b.signal(syscall.SIGSTOP)
	start := time.Now()
	a.write("one")
	t.Logf("a mutation with a stopped instance took %v", time.Since(start).Round(time.Millisecond))
	var reads []func() answered
	for range 8 {
		reads = append(reads, b.queue(readTags))
	}
	b.signal(syscall.SIGCONT)
	for _, read := range reads {
		if got := read(); !strings.Contains(string(got.Data), `"one"`) {
			t.Errorf("stale on waking: %+v", got)
		}
	}
	b.until("b caches again", func() bool { return b.sees("one").Extensions.Cache.Status == "HIT" })
	a.write("two")
	b.sees("two")

	server.Kill()
	for _, p := range []*process{a, b} {
		p.until("it bypasses the cache", func() bool { return p.sees("two").Extensions.Cache.Reason.Code == "lease" })
	}
	start = time.Now()
	got := a.send(renameTag("lost"))
	if len(got.Errors) != 1 || got.Errors[0].Message != gqlcache.ErrNoLease.Error() || string(got.Data) != "null" {
		t.Errorf("a mutation without Redis: %+v", got)
	}
	t.Logf("a mutation was refused after %v", time.Since(start).Round(time.Millisecond))
	a.sees("two")
	b.sees("two")

	server.Restart()
	a.until("mutations work again", func() bool { a.sees("two"); return len(a.send(renameTag("three")).Errors) == 0 })
	b.sees("three")
	for i := range 20 {
		w, r := a, b
		if i%2 == 1 {
			w, r = b, a
		}
		name := fmt.Sprintf("more %d", i)
		w.until(name, func() bool { return len(w.send(renameTag(name)).Errors) == 0 })
		r.sees(name)
		w.sees(name)
	}
	a.until("a caches again", func() bool { return a.sees("more 19").Extensions.Cache.Status == "HIT" })
	b.until("b caches again", func() bool { return b.sees("more 19").Extensions.Cache.Status == "HIT" })
}

// TestClusterRefuses: what is wrong with REDIS_URL is said without its password, and a
// Redis that is out of reach keeps no server from starting.
func TestClusterRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://u:secret@h", "redis://u:secret@h/text", "redis://u:sec%ret@h"} {
		err := run(t.Context(), env("PORT", "0", "DB_PATH", filepath.Join(t.TempDir(), "x.db"), "REDIS_URL", url), io.Discard)
		if err == nil || !strings.Contains(err.Error(), "REDIS_URL") || strings.Contains(err.Error(), "sec") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
