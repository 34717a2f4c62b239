package gqlcache_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// TestVersions: any other version is a change of its view, and so is each time without one.
func TestVersions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type answer struct {
			version string
			err     error
		}
		var now atomic.Pointer[answer]
		var hangs, calls atomic.Int64
		release := make(chan struct{})
		source := func(context.Context) (string, error) {
			calls.Add(1)
			defer calls.Add(-1)
			if hangs.Load() > 0 {
				<-release // it does not look at its context
			}
			a := now.Load()
			if a.version == "panic" {
				panic("no version")
			}
			return a.version, a.err
		}
		now.Store(&answer{"5", nil})
		r := newValues(t, gqlcache.Options{Jitter: -1, Versions: map[string]gqlcache.VersionSource{"Counter": {Of: source}}})
		const counter, user = `{ counter(id: 1) { value } }`, `{ users { name } }`
		want := func(when, status string) {
			t.Helper()
			if _, got := r.do(testgraph.Request{Query: counter}); got != status {
				t.Errorf("%s: %s, want %s", when, got, status)
			}
		}
		say := func(version string, err error) { now.Store(&answer{version, err}) }
		pass := func() { time.Sleep(10 * time.Second) }

		time.Sleep(time.Second)
		want("first", "MISS")
		r.do(testgraph.Request{Query: user})
		pass()
		want("the same version", "HIT")
		say("6", nil)
		want("another, and nobody has asked", "HIT")
		pass()
		want("another", "MISS")
		say("5", nil)
		pass()
		want("a lower one", "MISS")
		say("", nil)
		pass()
		want("an empty one", "MISS")
		say("5", errors.New("down"))
		for range 2 {
			pass()
			want("none", "MISS")
		}
		say("panic", nil)
		pass()
		want("a panic", "MISS")
		say("", nil)
		pass()
		want("the same as before", "HIT")
		if s := r.cache.VersionStats()["Counter"]; s != (gqlcache.VersionStats{Asked: 9, Failed: 3, Changed: 7, Age: time.Second}) || r.cache.Stats().Versions["Counter"] != s {
			t.Errorf("%+v, %+v", s, r.cache.Stats().Versions)
		}
		hangs.Store(1)
		pass() // it is asked
		want("no answer yet", "HIT")
		for range 3 {
			pass()
			want("no answer", "MISS")
		}
		if s := r.cache.VersionStats()["Counter"]; s.Asked != 10 || calls.Load() != 1 || s.Age != 41*time.Second {
			t.Errorf("%d calls, %+v", calls.Load(), s)
		}
		hangs.Store(0)
		close(release)
		pass()
		want("an answer again", "HIT")
		if _, got := r.do(testgraph.Request{Query: user}); got != "HIT" {
			t.Errorf("another view: %s", got)
		}
	})
}

// TestVersionsEnd: after Close nobody asks, and who is asked learns of it.
func TestVersionsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked, running atomic.Int64
		r := newValues(t, gqlcache.Options{Versions: map[string]gqlcache.VersionSource{"v_counter": {
			Of: func(ctx context.Context) (string, error) {
				asked.Add(1)
				running.Add(1)
				defer running.Add(-1)
				<-ctx.Done()
				return "", ctx.Err()
			}, Every: time.Minute,
		}}})
		time.Sleep(90 * time.Second)
		if err := r.cache.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		before := asked.Load()
		if n := running.Load(); n != 0 {
			t.Errorf("%d calls are running", n)
		}
		time.Sleep(time.Hour)
		if got := asked.Load(); got != before || before != 2 {
			t.Errorf("asked %d times, then %d", before, got)
		}
	})
}

// TestVersionOptions: what cannot be asked is an error.
func TestVersionOptions(t *testing.T) {
	t.Parallel()
	of := func(context.Context) (string, error) { return "", nil }
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: cascade.SDL("")}, &ast.Source{Input: `
		type Fact @view(name: "facts") { id: ID! sum: Int }
		type Query { fact(id: ID!): Fact }`})
	for _, row := range []struct {
		name, want string
		versions   map[string]gqlcache.VersionSource
	}{
		{"no function", `Versions["Fact"].Of is not set`, map[string]gqlcache.VersionSource{"Fact": {}}},
		{"a negative time", `Versions["facts"].Every is -1s`, map[string]gqlcache.VersionSource{"facts": {Of: of, Every: -time.Second}}},
		{"no view", "names Facts, which is no view", map[string]gqlcache.VersionSource{"Facts": {Of: of}}},
		{"a type", "", map[string]gqlcache.VersionSource{"Fact": {Of: of}}},
	} {
		c, err := gqlcache.New(gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Schema: schema, Versions: row.versions})
		switch {
		case row.want == "" && err != nil, row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		case err == nil:
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
