package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/internal/redistest"
	"github.com/redis/go-redis/v9"
)

func TestChanges(t *testing.T) {
	t.Parallel()
	all := redisInstances(t, 2, redistest.Start(t), func(o *gqlcache.Options) { o.Tokens = true })
	a, b := all[0], all[1]
	changes := b.cache.Changes(t.Context(), changelog.Position{})
	resp, _ := a.ask(renameAnn)
	if err := a.cache.Invalidate(t.Context(), gqlcache.Everything()); err != nil {
		t.Fatal(err)
	}
	renamed, err := changelog.ParsePosition(extensionOf(t, resp).Token)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for c, err := range changes {
		if n++; err != nil {
			t.Fatal(err)
		}
		if n == 1 && (c.Position() != renamed || len(c.Tags) == 0 || c.All) {
			t.Errorf("%+v is not the mutation at %v", c, renamed)
		}
		if n == 2 {
			if !c.All {
				t.Errorf("%+v is not everything", c)
			}
			break
		}
	}
	last, err := b.cache.LastChanges(t.Context(), 9)
	if err != nil || len(last) != 2 || !last[0].All || last[1].Position() != renamed || last[1].Origin == "" {
		t.Errorf("the last changes are %+v, %v", last, err)
	}
	for c, err := range b.cache.Changes(t.Context(), renamed) {
		if err != nil || !c.All || c.Number != renamed.Number+1 {
			t.Errorf("%+v, %v after the mutation", c, err)
		}
		break
	}
}

func TestChangesWithout(t *testing.T) {
	t.Parallel()
	only := func(t *testing.T, c *gqlcache.Cache, want error) {
		t.Helper()
		n := 0
		if _, err := c.LastChanges(t.Context(), 1); !errors.Is(err, want) {
			t.Errorf("the last changes: %v, want %v", err, want)
		}
		for _, err := range c.Changes(t.Context(), changelog.Position{}) {
			if n++; !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		if n != 1 {
			t.Errorf("%d items, want an error", n)
		}
	}
	only(t, newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame}), gqlcache.ErrNoLog)
	r := newInstances(t, 1) // whose log has no feed
	only(t, r.all[0].cache, gqlcache.ErrNoLog)
	if err := r.all[0].cache.Close(); err != nil {
		t.Fatal(err)
	}
	only(t, r.all[0].cache, gqlcache.ErrClosed)
}

// A follower that keeps something of its own up to date: first it asks for the changes,
// then it loads, then it follows.
func ExampleCache_Changes() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true, DialerRetries: 1, MaxRetries: -1})
	defer client.Close()
	log, err := redislog.New(client, redislog.Options{Namespace: "blog"})
	if err != nil {
		fmt.Println(err)
		return
	}
	cache, err := gqlcache.New(gqlcache.Options{Instances: gqlcache.Instances{Log: log}})
	if err != nil {
		fmt.Println(err)
		return
	}
	follow := func(ctx context.Context, load func() error, changed func(changelog.Change) error) error {
		for {
			changes := cache.Changes(ctx, changelog.Position{})
			if err := load(); err != nil {
				return err
			}
			for c, err := range changes {
				if errors.Is(err, changelog.ErrGap) || errors.Is(err, changelog.ErrEpoch) {
					break // anything may have changed: load again
				}
				if err != nil {
					return err
				}
				if err := changed(c); err != nil {
					return err
				}
			}
		}
	}
	closeCache(cache) // instead of a server here
	err = follow(context.Background(), func() error { return nil }, func(c changelog.Change) error {
		fmt.Println(c.Position(), c.All, slices.Clone(c.Tags))
		return nil
	})
	fmt.Println(err)
	// Output: gqlcache: closed
}
