package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// A journal is a logger's output.
type journal struct{ redistest.Output }

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// lines returns the lines with a word.
func (j *journal) lines(word string) []string {
	var found []string
	for line := range strings.Lines(j.String()) {
		if strings.Contains(line, word) {
			found = append(found, line)
		}
	}
	return found
}

// outage are options whose breaker is quick to open, and to try again.
func outage(client redis.UniversalClient, j *journal) redisstore.Options {
	return redisstore.Options{
		Client: client, Write: redisstore.Through, Logger: j.logger(), DecodeMeta: decodeNumber,
		ReadTimeout: 25 * time.Millisecond, WriteTimeout: 25 * time.Millisecond, BreakAfter: 5, CoolDown: 20 * time.Millisecond,
	}
}

// TestSlow has a Redis that takes longer than ReadTimeout, or never answers, and clients
// that obey contexts or do not.
func TestSlow(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name    string
		obeys   bool
		delay   time.Duration
		swallow bool
	}{
		{"slow", true, 300 * time.Millisecond, false},
		{"slow, deaf client", false, 300 * time.Millisecond, false},
		{"silent", true, 0, true},
		{"silent, deaf client", false, 0, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := redistest.NewProxy(t, redistest.Start(t).Addr())
			client := redis.NewClient(&redis.Options{
				Addr: p.Addr(), ContextTimeoutEnabled: row.obeys, MaxRetries: -1, DialerRetries: 1, ReadTimeout: 10 * time.Second,
			})
			t.Cleanup(func() { _ = client.Close() })
			j := &journal{}
			calm := newStore(t, redisstore.Options{Client: client, Write: redisstore.Through, DecodeMeta: decodeNumber})
			mustPut(t, calm, "k", sample("body"))
			wantHit(t, calm, "k", sample("body"))
			s := newStore(t, outage(client, j))
			if row.swallow {
				p.SwallowReplies()
			} else {
				p.Delay(row.delay)
			}
			timedOut := 0
			for s.Counters().Opened == 0 {
				start := time.Now()
				_, err := s.Get(t.Context(), []byte("k"))
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("Get took %v", took)
				}
				if !errors.Is(err, redisstore.ErrTimeout) {
					t.Fatalf("Get = %v, want a timeout", err)
				}
				timedOut++
			}
			if timedOut != 5 {
				t.Errorf("opened after %d timeouts, want 5", timedOut)
			}
			// All calls but one each cool-down fail at once, whatever they are.
			before := s.Counters()
			start := time.Now()
			for range 1000 {
				if _, err := s.Get(t.Context(), []byte("k")); err == nil {
					t.Fatal("a hit")
				}
			}
			took, after := time.Since(start), s.Counters()
			if asked := 1000 - (after.Skipped - before.Skipped); float64(asked) > 2+float64(took)/float64(20*time.Millisecond) {
				t.Errorf("Redis was asked %d times in %v while it is left alone", asked, took)
			}
			p.Heal()
			redistest.Eventually(t, "Redis to be asked again", func() bool {
				e, err := s.Get(t.Context(), []byte("k"))
				return err == nil && string(e.Body) == "body"
			})
			if c := s.Counters(); c.Breaker != redisstore.Closed || c.Timeouts < 5 || c.ReadErrors < c.Timeouts {
				t.Errorf("figures %+v", c)
			}
			for word, want := range map[string]int{"left alone": 1, "answers again": 1, "op=get": 1} {
				if got := j.lines(word); uint64(len(got)) != uint64(want) {
					t.Errorf("%d lines with %q, want %d: %q", len(got), word, want, got)
				}
			}
		})
	}
}

// TestWritesAreRefusedWhileOpen has a server that is gone.
func TestWritesAreRefusedWhileOpen(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]redisstore.Policy{"behind": redisstore.Behind, "through": redisstore.Through} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := redistest.Client(t, redistest.FreeAddr(t))
			opts := outage(client, &journal{})
			opts.Write, opts.CoolDown = write, time.Hour
			s := newStore(t, opts)
			redistest.Eventually(t, "the breaker to open", func() bool {
				_, _ = s.Get(t.Context(), []byte("k"))
				return s.Counters().Breaker == redisstore.Open
			})
			for name, err := range map[string]error{
				"Put":         s.Put(t.Context(), []byte("k"), sample("body")),
				"Delete":      s.Delete(t.Context(), []byte("k")),
				"DeleteEntry": s.DeleteEntry(t.Context(), []byte("k"), sample("body")),
			} {
				if !errors.Is(err, redisstore.ErrUnavailable) {
					t.Errorf("%s = %v, want ErrUnavailable", name, err)
				}
			}
			if err := s.Clear(t.Context()); err == nil {
				t.Error("Clear has done nothing and says nothing")
			}
			if st := s.Stats(); st.Puts != 0 {
				t.Errorf("%d puts", st.Puts)
			}
		})
	}
}

func TestKilledAndRestarted(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	opts := outage(srv.Client(), &journal{})
	opts.ReadTimeout, opts.WriteTimeout = patient, patient
	s := newStore(t, opts)
	mustPut(t, s, "k", sample("body"))
	wantHit(t, s, "k", sample("body"))
	srv.Kill()
	for range 20 {
		if e, err := s.Get(t.Context(), []byte("k")); err == nil {
			t.Fatalf("Get = %+v of a server that is gone", e)
		}
	}
	if c := s.Counters(); c.Opened != 1 {
		t.Errorf("figures %+v, want the breaker to have opened once", c)
	}
	srv.Restart()
	redistest.Eventually(t, "a miss of the empty server", func() bool {
		_, err := s.Get(t.Context(), []byte("k"))
		return errors.Is(err, store.ErrMiss)
	})
	mustPut(t, s, "k", sample("again"))
	wantHit(t, s, "k", sample("again"))
}

// TestFull has a Redis that evicts nothing: it refuses entries, and is good for reads all
// the same.
func TestFull(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]redisstore.Policy{"behind": redisstore.Behind, "through": redisstore.Through} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := redistest.Start(t, "--maxmemory-policy", "noeviction")
			client := srv.Client()
			j := &journal{}
			s := newStore(t, redisstore.Options{Client: client, Write: write, Logger: j.logger(), DecodeMeta: decodeNumber, BreakAfter: 2})
			mustPut(t, s, "k", sample("body"))
			if err := s.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := client.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
				t.Fatal(err)
			}
			for i := range 10 {
				err := s.Put(t.Context(), fmt.Append(nil, "other ", i), sample("secret body"))
				if write == redisstore.Through && (err == nil || !strings.Contains(err.Error(), "full")) {
					t.Errorf("Put = %v, want that Redis is full", err)
				}
			}
			_ = s.Flush(t.Context())
			wantHit(t, s, "k", sample("body"))
			wantMiss(t, s, "other 1")
			if c := s.Counters(); c.WriteErrors != 10 || c.Opened != 0 {
				t.Errorf("figures %+v, want 10 write errors and a closed breaker", c)
			}
			if lines := j.lines("maxmemory"); len(lines) != 1 {
				t.Errorf("lines %q, want one", lines)
			}
			if err := s.Delete(t.Context(), []byte("k")); err != nil {
				t.Errorf("Delete = %v", err)
			}
			_ = s.Flush(t.Context())
			wantMiss(t, s, "k")
		})
	}
}

// TestTrouble has every kind of wrong server: a clear line once, errors that tell
// nothing, and requests that go on.
func TestTrouble(t *testing.T) {
	t.Parallel()
	const password, user = "pa55word", "somebody"
	secured := func(t *testing.T, args ...string) string { t.Helper(); return redistest.Start(t, args...).Addr() }
	rows := []struct {
		name string
		opts func(*testing.T) *redis.Options
		want string
	}{
		{"wrong password", func(t *testing.T) *redis.Options {
			return &redis.Options{Addr: secured(t, "--requirepass", "another"), Password: password}
		}, "refuses the user name or the password"},
		{"password missing", func(t *testing.T) *redis.Options {
			return &redis.Options{Addr: secured(t, "--requirepass", "another")}
		}, "wants a password"},
		{"ACL without a command", func(t *testing.T) *redis.Options {
			addr := secured(t, "--user", user, "on", ">"+password, "~*", "+@all", "-pttl", "-getrange", "-set", "-eval")
			return &redis.Options{Addr: addr, Username: user, Password: password}
		}, "may not run a command"},
		{"ACL without the keys", func(t *testing.T) *redis.Options {
			addr := secured(t, "--user", user, "on", ">"+password, "~mine:*", "+@all")
			return &redis.Options{Addr: addr, Username: user, Password: password}
		}, "may not run a command"},
		{"command renamed", func(t *testing.T) *redis.Options {
			return &redis.Options{Addr: secured(t, "--rename-command", "SET", "", "--rename-command", "PTTL", "")}
		}, "does not know a command"},
		{"no Redis", func(t *testing.T) *redis.Options {
			srv := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(srv.Close)
			return &redis.Options{Addr: srv.Listener.Addr().String(), Password: password}
		}, "protocol"},
		{"nobody", func(t *testing.T) *redis.Options {
			return &redis.Options{Addr: redistest.FreeAddr(t), Password: password}
		}, "nothing listens"},
		{"no such host", func(t *testing.T) *redis.Options {
			return &redis.Options{Addr: "no-such-host.invalid:6379", Password: password}
		}, "cannot be resolved"},
		{"cluster", func(t *testing.T) *redis.Options {
			return &redis.Options{Addr: secured(t, "--cluster-enabled", "yes")}
		}, "slot"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := row.opts(t)
			o.MaxRetries, o.DialerRetries = -1, 1
			client := redis.NewClient(o)
			t.Cleanup(func() { _ = client.Close() })
			j := &journal{}
			s := newStore(t, redisstore.Options{
				Client: client, Write: redisstore.Through, Logger: j.logger(), BreakAfter: 1000, DecodeMeta: decodeNumber,
			})
			for range 3 {
				_, getErr := s.Get(t.Context(), []byte("hidden key"))
				putErr := s.Put(t.Context(), []byte("hidden key"), sample("hidden body"))
				for op, err := range map[string]error{"get": getErr, "put": putErr} {
					var f *redisstore.Fault
					if !errors.As(err, &f) || f.Op != op || !strings.Contains(err.Error(), row.want) {
						t.Fatalf("%s = %v, want %q", op, err, row.want)
					}
				}
			}
			for _, op := range []string{"op=get", "op=put"} {
				if lines := j.lines(op); len(lines) != 1 || !strings.Contains(lines[0], row.want) {
					t.Errorf("lines %q, want one with %q", lines, row.want)
				}
			}
			for _, secret := range []string{password, "hidden", user, "another"} {
				if lines := j.lines(secret); len(lines) > 0 {
					t.Errorf("%q is in %q", secret, lines)
				}
			}
			if c := s.Counters(); c.ReadErrors != 3 || c.WriteErrors != 3 {
				t.Errorf("figures %+v", c)
			}
		})
	}
}

// TestTooFewReplicas: a server that refuses writes for want of replicas is read from.
func TestTooFewReplicas(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--min-replicas-to-write", "1")
	s := newStore(t, redisstore.Options{Client: server.Client(), Write: redisstore.Through, DecodeMeta: decodeNumber})
	if err := s.Put(t.Context(), []byte("key"), sample("body")); err == nil || !strings.Contains(err.Error(), "too few of its replicas") {
		t.Errorf("put: %v", err)
	}
	if _, err := s.Get(t.Context(), []byte("key")); !errors.Is(err, store.ErrMiss) {
		t.Errorf("get: %v", err)
	}
}

// TestCallerLeaves has callers who give up: it says nothing of Redis.
func TestCallerLeaves(t *testing.T) {
	t.Parallel()
	p := redistest.NewProxy(t, redistest.Start(t).Addr())
	client := redistest.Client(t, p.Addr())
	s := newStore(t, redisstore.Options{Client: client, Write: redisstore.Through, BreakAfter: 1})
	mustPut(t, s, "k", &store.Entry{})
	p.SwallowReplies()
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if _, err := s.Get(ctx, []byte("k")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Get = %v, want the end of the context", err)
		}
		if err := s.Put(ctx, []byte("k"), &store.Entry{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Put = %v, want the end of the context", err)
		}
		cancel()
	}
	if c := s.Counters(); c.Opened+c.ReadErrors+c.WriteErrors != 0 {
		t.Errorf("figures %+v", c)
	}
}

// TestMaxCalls has callers whom nobody answers: the calls that go on are bounded.
func TestMaxCalls(t *testing.T) {
	t.Parallel()
	p := redistest.NewProxy(t, redistest.Start(t).Addr())
	p.SwallowReplies()
	client := redis.NewClient(&redis.Options{Addr: p.Addr(), MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	begun := &counting{}
	client.AddHook(begun)
	s := newStore(t, redisstore.Options{Client: client, ReadTimeout: 5 * time.Millisecond, BreakAfter: 1000, MaxCalls: 3, CloseTimeout: time.Millisecond})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := s.Get(t.Context(), []byte("k")); !errors.Is(err, redisstore.ErrTimeout) {
				t.Errorf("Get = %v, want a timeout", err)
			}
		})
	}
	wg.Wait()
	if n := begun.max(); n != 3 {
		t.Errorf("%d calls at one time, want 3", n)
	}
	if err := s.Close(); !errors.Is(err, redisstore.ErrNotFlushed) || !strings.Contains(err.Error(), "calls still run") {
		t.Errorf("Close = %v, want that calls still run", err)
	}
}

// pooled is a context of a framework that gives its memory to the next request.
type pooled struct {
	context.Context

	mu    sync.Mutex
	ended bool
	late  int
}

func (p *pooled) Value(key any) any {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		p.late++
	}
	if key == (spanKey{}) {
		return "of this request"
	}
	return p.Context.Value(key)
}

type spanKey struct{}

// tracing is a hook that looks for a span when a pipeline begins, and, once it is let go
// on, when it has ended.
type tracing struct {
	goOn          chan struct{}
	before, after chan any
}

func (h *tracing) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (h *tracing) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (h *tracing) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, _ []redis.Cmder) error {
		h.before <- ctx.Value(spanKey{})
		<-h.goOn
		h.after <- ctx.Value(spanKey{})
		return ctx.Err()
	}
}

// TestContextOfACaller has a call that goes on after its caller has stopped waiting: hooks
// see the caller's values before, and ask its context for nothing after.
func TestContextOfACaller(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	h := &tracing{goOn: make(chan struct{}), before: make(chan any, 1), after: make(chan any, 1)}
	client.AddHook(h)
	s := newStore(t, redisstore.Options{Client: client, ReadTimeout: time.Hour})
	leaving, leave := context.WithCancel(t.Context())
	ctx := &pooled{Context: leaving}
	left := make(chan error)
	go func() {
		_, err := s.Get(ctx, []byte("k"))
		ctx.mu.Lock() // the framework takes the request's memory back
		ctx.ended = true
		ctx.mu.Unlock()
		left <- err
	}()
	if got := <-h.before; got != "of this request" {
		t.Errorf("a hook finds %v while the caller waits", got)
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("Get = %v", err)
	}
	close(h.goOn)
	if got := <-h.after; got != nil {
		t.Errorf("a hook finds %v after the caller has left", got)
	}
	ctx.mu.Lock()
	defer ctx.mu.Unlock()
	if ctx.late > 0 {
		t.Errorf("the caller's context was asked %d times after it has left", ctx.late)
	}
}

// counting is a hook that counts the pipelines that run at one time.
type counting struct {
	mu        sync.Mutex
	now, most int
}

func (c *counting) max() int { c.mu.Lock(); defer c.mu.Unlock(); return c.most }

func (c *counting) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += n
	c.most = max(c.most, c.now)
}

func (c *counting) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (c *counting) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (c *counting) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.add(1)
		defer c.add(-1)
		return next(ctx, cmds)
	}
}

// TestCrowdOverOutages has many callers while the server is killed and restarted: nobody
// ever gets the entry of another key, and afterwards all is as before.
func TestCrowdOverOutages(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	opts := outage(srv.Client(), &journal{})
	opts.Write, opts.ReadTimeout = redisstore.Behind, 100*time.Millisecond
	s := newStore(t, opts)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(w)))
			for {
				select {
				case <-stop:
					return
				default:
				}
				key := fmt.Sprint("key ", r.IntN(50))
				switch r.IntN(10) {
				case 0, 1, 2:
					_ = s.Put(t.Context(), []byte(key), sample(key))
				case 3:
					_ = s.Delete(t.Context(), []byte(key))
				default:
					if e, err := s.Get(t.Context(), []byte(key)); err == nil && string(e.Body) != key {
						t.Errorf("%q holds the entry of %q", key, e.Body)
					}
				}
			}
		})
	}
	for range 3 {
		hits := s.Stats().Hits
		redistest.Eventually(t, "hits", func() bool { return s.Stats().Hits > hits+100 })
		srv.Kill()
		opened := s.Counters().Opened
		redistest.Eventually(t, "the breaker to open", func() bool { c := s.Counters(); return c.Opened > opened || c.Breaker != redisstore.Closed })
		srv.Restart()
	}
	hits := s.Stats().Hits
	redistest.Eventually(t, "hits after the last outage", func() bool { return s.Stats().Hits > hits+100 })
	close(stop)
	wg.Wait()
	if c := s.Counters(); c.Corrupt != 0 {
		t.Errorf("figures %+v", c)
	}
}
