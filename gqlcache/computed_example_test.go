package gqlcache_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// exampleDB stands for the program's own database.
type exampleDB struct{ queries int }

// A Score is a row of a board.
type Score struct {
	Name   string
	Points int
}

func (db *exampleDB) Board(_ context.Context, season string, limit int) ([]Score, error) {
	db.queries++
	return []Score{{"ann in " + season, limit}}, nil
}

func (db *exampleDB) Rates(context.Context) (map[string]float64, error) {
	db.queries++
	return map[string]float64{"EUR": 1.1}, nil
}

func valuesCache() *gqlcache.Cache {
	cache, err := gqlcache.New(gqlcache.Options{
		Callers: gqlcache.AllSeeTheSame,
		Schema:  testgraph.Executable(testgraph.NewStore(), "cacheControl").Schema(),
	})
	if err != nil {
		log.Fatal(err)
	}
	return cache
}

// boardResolver is a resolver of a server with the cache.
type boardResolver struct {
	cache *gqlcache.Cache
	db    *exampleDB
}

func (r *boardResolver) Leaderboard(ctx context.Context, season string, limit int) ([]Score, error) {
	key := gqlcache.KeyOf("leaderboard").Arg("season", season).Arg("limit", limit)
	return gqlcache.Compute(ctx, r.cache, key, func(ctx context.Context) ([]Score, error) {
		return r.db.Board(ctx, season, limit)
	}, gqlcache.Reads(gqlcache.View("v_user"), gqlcache.Tag("scoring")))
}

// A resolver computes a value once for all operations that show it, of callers with the
// same predicate. The answers depend on what the value depends on.
func ExampleCompute() {
	cache, db := valuesCache(), &exampleDB{}
	defer cache.Close()
	r := &boardResolver{cache, db}

	// In a server the context is the resolver's.
	ctx := requestContext(cache)
	for range 3 {
		board, err := r.Leaderboard(ctx, "2026", 10)
		fmt.Println(board, err, db.queries)
	}
	// A change of what the value reads drops it.
	if err := cache.Invalidate(ctx, gqlcache.Tag("scoring")); err != nil {
		log.Fatal(err)
	}
	board, err := r.Leaderboard(ctx, "2026", 10)
	fmt.Println(board, err, db.queries)
	// Output:
	// [{ann in 2026 10}] <nil> 1
	// [{ann in 2026 10}] <nil> 1
	// [{ann in 2026 10}] <nil> 1
	// [{ann in 2026 10}] <nil> 2
}

// requestContext returns the context of a request to a handler that the cache's is around.
func requestContext(cache *gqlcache.Cache) (ctx context.Context) {
	cache.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ctx = r.Context() })).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil))
	return ctx
}

// A handler of another API has the values of the same functions.
func ExampleCompute_handler() {
	cache, db := valuesCache(), &exampleDB{}
	defer cache.Close()
	boards := &boardResolver{cache, db}

	mux := http.NewServeMux()
	mux.Handle("GET /leaderboard/{season}", cache.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		board, err := boards.Leaderboard(r.Context(), r.PathValue("season"), 10)
		if err != nil {
			http.Error(w, "no board", http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(board)
	})))

	for range 2 {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/leaderboard/2026", nil))
		fmt.Print(w.Body)
	}
	fmt.Println(db.queries, "query")
	// Output:
	// [{"Name":"ann in 2026","Points":10}]
	// [{"Name":"ann in 2026","Points":10}]
	// 1 query
}

// A job puts a value that requests get. Its token is older than all that it has read.
func ExamplePut() {
	cache, db, ctx := valuesCache(), &exampleDB{}, context.Background()
	defer cache.Close()
	rates := gqlcache.KeyOf("rates")

	token := cache.Begin(ctx) // before anything is read
	today, err := db.Rates(ctx)
	if err != nil {
		log.Fatal(err)
	}
	err = gqlcache.Put(ctx, cache, rates, today, token, gqlcache.ForAll(), gqlcache.Reads(gqlcache.Tag("rates")))
	if errors.Is(err, gqlcache.ErrOutdated) {
		log.Print("the rates have changed meanwhile: read them again")
	}

	got, err := gqlcache.Get[map[string]float64](ctx, cache, rates, gqlcache.ForAll())
	fmt.Println(got, err)
	existed, err := gqlcache.Delete(ctx, cache, rates, gqlcache.ForAll())
	fmt.Println(existed, err)
	_, err = gqlcache.Get[map[string]float64](ctx, cache, rates, gqlcache.ForAll())
	fmt.Println(errors.Is(err, gqlcache.ErrMiss))
	// Output:
	// map[EUR:1.1] <nil>
	// true <nil>
	// true
}

// A function says what it reads where it knows that.
func ExampleRead() {
	cache, ctx := valuesCache(), context.Background()
	defer cache.Close()
	followers := map[string][]string{"ann": {"bob", "eve"}}

	count := func(ctx context.Context) (int, error) {
		n := 0
		for _, id := range followers["ann"] {
			if err := gqlcache.Read(ctx, gqlcache.Entity("User", id)); err != nil {
				return 0, err
			}
			n += len(id)
		}
		return n, nil
	}
	n, err := gqlcache.Compute(ctx, cache, gqlcache.KeyOf("followers").Arg("of", "ann"), count, gqlcache.ForAll())
	fmt.Println(n, err)
	// Output: 6 <nil>
}

// The resolver of a field with @reads(atRuntime: true) says what it reads while it runs: here
// userCount: Int! @reads(atRuntime: true).
func ExampleRead_atRuntime() {
	cache, err := gqlcache.New(gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()
	store := testgraph.NewStore()
	// In a program this is in the resolver.
	store.On("Query.userCount", func(ctx context.Context) error { return gqlcache.Read(ctx, gqlcache.Tag("counted")) })
	server := testgraph.Serve(atRuntime(store, "Query.userCount"), cache)

	ask := func() {
		before := cache.Stats().Hits
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/graphql", strings.NewReader(`{"query": "{ userCount }"}`))
		r.Header.Set("Content-Type", "application/json")
		server.ServeHTTP(httptest.NewRecorder(), r)
		fmt.Println("hit:", cache.Stats().Hits > before)
	}
	ask()
	ask()
	for _, change := range []gqlcache.Change{gqlcache.View("Comment"), gqlcache.Tag("counted")} {
		if err := cache.Invalidate(context.Background(), change); err != nil {
			log.Fatal(err)
		}
		ask()
	}
	// Output:
	// hit: false
	// hit: true
	// hit: true
	// hit: false
}

// The values of all names fall that match a pattern.
func ExampleComputedMatching() {
	cache, ctx := valuesCache(), context.Background()
	defer cache.Close()
	compute := func(name string) {
		_, err := gqlcache.Compute(ctx, cache, gqlcache.KeyOf(name), func(context.Context) (int, error) {
			fmt.Println("computes", name)
			return 1, nil
		}, gqlcache.ForAll(), gqlcache.Reads())
		if err != nil {
			log.Fatal(err)
		}
	}
	for range 2 {
		for _, name := range []string{"sales/byDay", "sales/byTown", "stock"} {
			compute(name)
		}
		if err := cache.Invalidate(ctx, gqlcache.ComputedMatching("sales/*")); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// computes sales/byDay
	// computes sales/byTown
	// computes stock
	// computes sales/byDay
	// computes sales/byTown
}

// A key is shown as it was built.
func ExampleKeyOf() {
	fmt.Fprintln(os.Stdout, gqlcache.KeyOf("leaderboard").Tenant("acme").Arg("limit", 10).Arg("tags", []string{"a", "b"}))
	// Output: leaderboard(tenant: "acme", limit: 10, tags: ["a", "b"])
}
