package compat_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/compat/internal/shop"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/vikstrous/dataloadgen"
)

// users is a database that notes what it is asked for.
type users struct {
	mu    sync.Mutex
	store *shop.Store
	asked [][]int
}

func (db *users) Users(_ context.Context, ids []int) (map[int]*shop.User, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	slices.Sort(ids)
	db.asked = append(db.asked, ids)
	found := map[int]*shop.User{}
	for _, id := range ids {
		if u := db.store.User(id); u != nil {
			found[id] = u
		}
	}
	return found, nil
}

func keyOfUser(id int) gqlcache.Key { return gqlcache.KeyOf("user").Arg("id", id) }

// newUserLoader is the recipe of docs/compute.md.
func newUserLoader(cache *gqlcache.Cache, db *users) *dataloadgen.Loader[int, *shop.User] {
	loader := dataloadgen.NewMappedLoader(func(ctx context.Context, ids []int) (map[int]*shop.User, error) {
		return gqlcache.ComputeAll(ctx, cache, ids, keyOfUser, db.Users, gqlcache.ReadsOf(func(id int) []gqlcache.Change {
			return []gqlcache.Change{gqlcache.Entity("User", id)}
		}))
	}, dataloadgen.WithWait(time.Millisecond))
	return loader
}

// TestLoaderOfValues: a batch loader asks the database for what no earlier request has
// loaded.
func TestLoaderOfValues(t *testing.T) {
	t.Parallel()
	db := &users{store: shop.NewStore()}
	cache := newCache(t, gqlcache.Options{Schema: shop.Executable(&shop.Resolver{Store: db.store}).Schema()})
	var known []int
	for id := range 100 {
		if db.store.User(id) != nil {
			known = append(known, id)
		}
	}
	if len(known) < 2 {
		t.Fatalf("the store has the users %v", known)
	}
	const nobody = 4711
	// request is one with a loader of its own, whose resolvers run side by side.
	request := func(ids ...int) (asked [][]int) {
		t.Helper()
		db.asked = nil
		cache.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			loader := newUserLoader(cache, db)
			var resolvers sync.WaitGroup
			for _, id := range ids {
				resolvers.Go(func() {
					u, err := loader.Load(r.Context(), id)
					if id == nobody && !errors.Is(err, dataloadgen.ErrNotFound) || id != nobody && (err != nil || u.ID != id) {
						t.Errorf("%d: %v, %v", id, u, err)
					}
				})
			}
			resolvers.Wait()
		})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		return db.asked
	}
	// A machine that is busy for longer than the loader waits makes more calls of one.
	want := func(got [][]int, want ...int) {
		t.Helper()
		all := slices.Concat(got...)
		if slices.Sort(all); !slices.Equal(all, want) {
			t.Errorf("the database was asked for %v, want %v", got, want)
		}
	}
	a, b := known[0], known[1]
	want(request(a, nobody), a, nobody)
	want(request(b, a, nobody), b)
	want(request(a, b, nobody))
	if err := cache.Invalidate(t.Context(), gqlcache.Entity("User", a)); err != nil {
		t.Fatal(err)
	}
	want(request(a, b, nobody), a)
}
