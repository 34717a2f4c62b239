package gqlcache_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// TestConsistencyExtension: every client is told when other instances may not know of its
// change, and no client is told anything else.
func TestConsistencyExtension(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		level  changelog.Level
		happen func(a, b *instance)
		want   string
	}{
		{"bounded, healthy", changelog.Bounded, func(*instance, *instance) {}, ""},
		{"bounded, somebody does not answer", changelog.Bounded, func(_, b *instance) { b.log.withhold() }, `{"consistency":"bounded"}`},
		{"bounded, somebody without a lease", changelog.Bounded, func(_, b *instance) { b.log.withhold(); b.log.lose() }, ""},
		{"eventual", changelog.Eventual, func(*instance, *instance) {}, `{"consistency":"bounded"}`},
		{"the log fails", changelog.Bounded, func(a, _ *instance) { a.log.breakDown(errors.New("down")) }, `{"consistency":"pending"}`},
		{"the log is closed", changelog.Bounded, func(a, _ *instance) { _ = a.log.Close() }, `{"consistency":"pending"}`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, 2, func(m *instance, o *gqlcache.Options) { m.log.level, o.Inspector = row.level, gqlcache.Inspector{} })
			a, b := r.two()
			row.happen(a, b)
			for _, document := range []string{renameAnn, `mutation{renameUndeclared(id:$Ann,name:"x")}`} {
				resp := testgraph.Ask(t, a.h, expand(document), nil)
				if got := string(resp.Extensions["cache"]); got != row.want || len(resp.Errors) != 0 {
					t.Errorf("%s: %s, want %s", document, resp.Body, row.want)
				}
			}
			if resp := testgraph.Ask(t, a.h, expand(readAnn), nil); len(resp.Extensions) != 0 {
				t.Errorf("a query's answer has extensions: %s", resp.Body)
			}
		})
	}
}

// requireLease is for servers that refuse mutations without a lease.
func requireLease(_ *instance, o *gqlcache.Options) {
	o.RequireLease, o.Store, o.Inspector = true, newMapStore(), gqlcache.Inspector{}
}

const refused = "nothing was changed"

// TestRequireLease: a mutation is refused before it runs when no lease comes back in
// time.
func TestRequireLease(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		// happen is called while the mutation waits.
		happen  func(*instances, context.CancelFunc)
		refused bool
		waited  time.Duration
	}{
		{"no lease", func(*instances, context.CancelFunc) {}, true, 3 * time.Second},
		{"the lease comes back", func(r *instances, _ context.CancelFunc) { r.all[0].log.recover() }, false, 10 * time.Millisecond},
		{"the client leaves", func(_ *instances, cancel context.CancelFunc) { cancel() }, true, 0},
		{"the cache is closed", func(r *instances, _ context.CancelFunc) { _ = r.all[0].cache.Close() }, true, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newInstances(t, 1, requireLease)
				a := r.all[0]
				a.log.lose()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				start := time.Now()
				done := make(chan testgraph.Response, 1)
				go func() {
					done <- testgraph.Do(t, ctx, a.h, testgraph.Request{Query: expand(renameAnn)})
				}()
				synctest.Wait()
				row.happen(r, cancel)
				resp := <-done
				if got := strings.Contains(string(resp.Errors), refused); got != row.refused {
					t.Errorf("%s", resp.Body)
				}
				if row.refused && string(resp.Data) != "null" {
					t.Errorf("data of a refused mutation: %s", resp.Body)
				}
				if got := time.Since(start); got != row.waited {
					t.Errorf("waited %v, want %v", got, row.waited)
				}
				if ran := r.rows.Calls("Mutation.renameUser") > 0; ran == row.refused {
					t.Errorf("the resolver ran: %v", ran)
				}
			})
		})
	}
}

// TestRequireLeaseOnStreams: one refusal, then the end.
func TestRequireLeaseOnStreams(t *testing.T) {
	t.Parallel()
	for _, accept := range []string{"text/event-stream", "multipart/mixed", "application/json"} {
		t.Run(accept, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newInstances(t, 1, requireLease)
				a := r.all[0]
				a.log.lose()
				resp := testgraph.Do(t, t.Context(), a.h, testgraph.Request{Query: expand(renameAnn), Header: map[string]string{"Accept": accept}})
				if n := strings.Count(resp.Body, refused); n != 1 || r.rows.Calls("Mutation.renameUser") != 0 {
					t.Errorf("refused %d times: %s", n, resp.Body)
				}
				if r.fakeLog.number != 100 {
					t.Error("a refused mutation was published")
				}
			})
		})
	}
}

// TestTokens: a client that has seen a change acknowledged sees it on every instance.
// What nobody has given is as if it were absent.
func TestTokens(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		// token changes the one that the mutation gave.
		token  func(string) string
		happen func(b *instance)
		want   string
		shows  string
	}{
		{"none", func(string) string { return "" }, nil, "HIT memory", "Ann"},
		{"the mutation's", nil, nil, "MISS invalidated", "New"}, // the request arrived before its change did
		{"reached already", nil, func(b *instance) { b.log.deliver(); b.want("MISS", "New", readAnn) }, "HIT memory", "New"},
		{"an older one", func(string) string { return "7:100" }, nil, "HIT memory", "Ann"},
		{"of an epoch that is over", nil, func(b *instance) { b.log.f.restart(); b.log.recover() }, "MISS", "New"},
		{"the log does not answer", nil, func(b *instance) { b.log.breakDown(errors.New("down")) }, "BYPASS token", "New"},
		{"no lease afterwards", nil, func(b *instance) { b.log.lose() }, "BYPASS lease", "New"},
		{"of the future", func(string) string { return "7:999" }, nil, "HIT memory", "Ann"},
		{"of an epoch to come", func(string) string { return "8:1" }, nil, "BYPASS token", "New"},
		{"text", func(string) string { return "now" }, nil, "HIT memory", "Ann"},
		{"spaces", func(s string) string { return " " + s + " x" }, nil, "HIT memory", "Ann"},
		{"negative", func(string) string { return "7:-1" }, nil, "HIT memory", "Ann"},
		{"too large", func(string) string { return "7:99999999999999999999999" }, nil, "HIT memory", "Ann"},
		{"zero", func(string) string { return "0:0" }, nil, "HIT memory", "Ann"},
		{"long", func(string) string { return strings.Repeat("7", 4000) }, nil, "HIT memory", "Ann"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) { o.Tokens = true })
			a, b := r.two()
			b.want("MISS", "Ann", readAnn)
			b.log.withhold()
			resp, _ := a.ask(renameAnn)
			x := extensionOf(t, resp)
			if x.Consistency != "bounded" || x.Token != "7:101" {
				t.Errorf("%+v", x)
			}
			if row.token != nil {
				x.Token = row.token(x.Token)
			}
			if row.happen != nil {
				row.happen(b)
			}
			b.want(row.want, row.shows, readAnn, gqlcache.TokenHeader, x.Token)
		})
	}
}

// TestTokenInExtensions: it comes with every mutation when it was asked for, and with a
// plain one only itself.
func TestTokenInExtensions(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 1, func(_ *instance, o *gqlcache.Options) { o.Tokens, o.Inspector = true, gqlcache.Inspector{} })
	a := r.all[0]
	resp := testgraph.Ask(t, a.h, expand(renameAnn), nil)
	if got := string(resp.Extensions["cache"]); got != `{"token":"7:101"}` {
		t.Errorf("%s", resp.Body)
	}
	// It is of no use on a server that gave it without a log that took the change.
	a.log.breakDown(errors.New("down"))
	resp = testgraph.Ask(t, a.h, expand(renameBob), nil)
	if got := string(resp.Extensions["cache"]); got != `{"consistency":"pending"}` {
		t.Errorf("%s", resp.Body)
	}
}

// TestHeldChangesAreSharedAtTheCommit: others learn of a change when it is committed, not
// before, and what a held request computes, in a transaction that may be older than
// itself, is not shared.
func TestHeldChangesAreSharedAtTheCommit(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name        string
		happen      func(a, b *instance)
		consistency string
		token       string
	}{
		{"healthy", func(*instance, *instance) {}, "", "7:101"},
		{"somebody does not answer", func(_, b *instance) { b.log.withhold() }, "bounded", "7:101"},
		{"the log fails", func(a, _ *instance) { a.log.breakDown(errors.New("down")) }, "pending", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) { o.Tokens = true })
			a, b := r.two()
			b.want("MISS", "Ann", readAnn)
			gqlgen, commits := a.h, 0
			a.h = a.cache.HoldUntilCommit(http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
				gqlgen.ServeHTTP(w, hr)
				commits++
				if r.fakeLog.number != 100 {
					t.Error("announced before the commit")
				}
				if commits == 1 {
					b.want("HIT memory", "Ann", readAnn)
				}
			}))
			row.happen(a, b)
			w := httptest.NewRecorder()
			a.h.ServeHTTP(w, post(t, renameAnn, "application/json"))
			sent := w.Result().Header
			if got := sent.Get(gqlcache.ConsistencyHeader); got != row.consistency {
				t.Errorf("%s: %q, want %q", gqlcache.ConsistencyHeader, got, row.consistency)
			}
			if got := sent.Get(gqlcache.TokenHeader); got != row.token {
				t.Errorf("%s: %q, want %q", gqlcache.TokenHeader, got, row.token)
			}
			if strings.Contains(w.Body.String(), "extensions") {
				t.Errorf("%s", w.Body)
			}
			if row.consistency == "" {
				b.want("MISS", "New", readAnn)
			}
		})
	}
	t.Run("query", func(t *testing.T) {
		t.Parallel()
		r := newInstances(t, 2)
		a, b := r.two()
		a.h = a.cache.HoldUntilCommit(a.h)
		a.want("MISS", "Ann", readAnn)
		a.want("HIT memory", "Ann", readAnn)
		b.want("MISS", "Ann", readAnn) // nothing was shared
		if n := r.sharedEntries.len(); n != 1 {
			t.Errorf("%d shared entries, want b's", n)
		}
	})
}

// FuzzDecodeMeta: what is decoded encodes to the same bytes, and nothing panics.
func FuzzDecodeMeta(f *testing.F) {
	head := append([]byte{1}, make([]byte, 16)...)
	for _, seed := range [][]byte{nil, {1}, head, append(bytes.Clone(head), make([]byte, 16)...), append(bytes.Clone(head), 1, 2, 3), append([]byte{2}, head[1:]...)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := gqlcache.DecodeMeta(b)
		if err != nil {
			return
		}
		again, err := m.AppendBinary([]byte("x"))
		if err != nil || !bytes.Equal(again[1:], b) || again[0] != 'x' {
			t.Errorf("%x encodes to %x, %v", b, again, err)
		}
	})
}
