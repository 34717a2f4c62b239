package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// ask posts an operation, and prints the answer and what the cache has done so far.
// locations of errors are there with some versions of gqlgen only.
var locations = regexp.MustCompile(`,"locations":\[[^\]]*\]`)

func ask(h http.Handler, c *gqlcache.Cache, document string) {
	body := `{"query":"` + strings.ReplaceAll(expand(document), `"`, `\"`) + `"}`
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/query", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	s := c.Stats()
	fmt.Println(locations.ReplaceAllString(w.Body.String(), ""), s.Hits, "hits,", s.Misses, "misses")
}

func closeCache(c *gqlcache.Cache) {
	if err := c.Close(); err != nil {
		fmt.Println(err)
	}
}

func exampleCache() *gqlcache.Cache {
	cache, err := gqlcache.New(gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	if err != nil {
		fmt.Println(err)
	}
	return cache
}

// logger is an extension that prints what the cache did for each operation.
type logger struct{}

func (logger) ExtensionName() string                   { return "Logger" }
func (logger) Validate(graphql.ExecutableSchema) error { return nil }

func (logger) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	resp := next(ctx)
	if x, ok := gqlcache.Explain(ctx); ok {
		fmt.Println(x.Status, x.Reason.Code)
	}
	return resp
}

func ExampleExplain() {
	cache := exampleCache()
	defer closeCache(cache)
	srv := testgraph.NewServer(testgraph.NewStore())
	srv.Use(logger{}) // before the cache, so around it
	srv.Use(cache)

	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		srv.ServeHTTP(w, r.WithContext(gqlcache.WithExplain(r.Context())))
	})
	ask(h, cache, `{users{name}}`)
	ask(h, cache, `{users{name}}`)
	ask(h, cache, `{__typename}`)
	// Output:
	// MISS miss
	// {"data":{"users":[{"name":"Ann"},{"name":"Bob"}]}} 0 hits, 1 misses
	// HIT hit
	// {"data":{"users":[{"name":"Ann"},{"name":"Bob"}]}} 1 hits, 1 misses
	// BYPASS typename
	// {"data":{"__typename":"Query"}} 1 hits, 1 misses
}

func ExampleNew() {
	cache, err := gqlcache.New(gqlcache.Options{
		// Requests share answers when they are answered under the same condition.
		Predicate: func(ctx context.Context) (gqlcache.Predicate, error) {
			return gqlcache.Predicate{Text: "tenant_id = '5f'"}, nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer closeCache(cache)
	srv := testgraph.NewServer(testgraph.NewStore())
	srv.Use(cache) // after all other extensions

	ask(srv, cache, `{users{name}}`)
	ask(srv, cache, `{users{name}}`)
	ask(srv, cache, `mutation{renameUser(id:$Ann,name:"Anna")}`)
	ask(srv, cache, `{users{name}}`)
	// Output:
	// {"data":{"users":[{"name":"Ann"},{"name":"Bob"}]}} 0 hits, 1 misses
	// {"data":{"users":[{"name":"Ann"},{"name":"Bob"}]}} 1 hits, 1 misses
	// {"data":{"renameUser":true}} 1 hits, 1 misses
	// {"data":{"users":[{"name":"Anna"},{"name":"Bob"}]}} 1 hits, 2 misses
}

// A change made by another program is told to the cache once it is committed.
func ExampleCache_Invalidate() {
	cache := exampleCache()
	defer closeCache(cache)
	srv := testgraph.NewServer(testgraph.NewStore(), cache)
	ctx := context.Background()

	ask(srv, cache, `{user(id:$Ann){name}}`)
	err := cache.Invalidate(ctx, gqlcache.Entity("User", testgraph.Bob), gqlcache.View("v_setting"))
	fmt.Println(err)
	ask(srv, cache, `{user(id:$Ann){name}}`)
	fmt.Println(cache.Invalidate(ctx, gqlcache.Entity("User", testgraph.Ann)))
	ask(srv, cache, `{user(id:$Ann){name}}`)
	fmt.Println(cache.Invalidate(ctx, gqlcache.View("v_uzer")))
	// Output:
	// {"data":{"user":{"name":"Ann"}}} 0 hits, 1 misses
	// <nil>
	// {"data":{"user":{"name":"Ann"}}} 1 hits, 1 misses
	// <nil>
	// {"data":{"user":{"name":"Ann"}}} 1 hits, 2 misses
	// gqlcache: unknown name: "v_uzer" is no view and no type with a key
}

// A refused mutation drops nothing when its resolver says so.
func ExampleNothingWritten() {
	cache := exampleCache()
	defer closeCache(cache)
	store := testgraph.NewStore()
	srv := testgraph.NewServer(store, cache)
	// In a server of your own this is the beginning of the resolver.
	store.On("Mutation.renameUser", func(ctx context.Context) error {
		return errors.Join(gqlcache.NothingWritten(ctx), errors.New("forbidden"))
	})

	ask(srv, cache, `{user(id:$Ann){name}}`)
	ask(srv, cache, `mutation{renameUser(id:$Ann,name:"Anna")}`)
	ask(srv, cache, `{user(id:$Ann){name}}`)
	// Output:
	// {"data":{"user":{"name":"Ann"}}} 0 hits, 1 misses
	// {"errors":[{"message":"forbidden","path":["renameUser"]}],"data":null} 0 hits, 1 misses
	// {"data":{"user":{"name":"Ann"}}} 1 hits, 1 misses
}

// A resolver that knows what a row was before lets answers stay that the row was not part
// of.
func ExampleReport() {
	cache := exampleCache()
	defer closeCache(cache)
	store := testgraph.NewStore()
	srv := testgraph.NewServer(store, cache)
	store.On("Mutation.updatePost", func(ctx context.Context) error {
		return gqlcache.Report(ctx, gqlcache.Moved("Post", testgraph.Hello, "author.id", testgraph.Ann, testgraph.Bob))
	})

	ask(srv, cache, `mutation{createUser(id:$Zed,input:{name:"Zed"}){name}}`)
	ask(srv, cache, `{user(id:$Ann){postCount}}`)
	ask(srv, cache, `{user(id:$Zed){postCount}}`)
	ask(srv, cache, `mutation{updatePost(id:$Hello,input:{authorId:$Bob}){name}}`)
	ask(srv, cache, `{user(id:$Ann){postCount}}`)
	ask(srv, cache, `{user(id:$Zed){postCount}}`) // it was not Zed's, and is not now
	// Output:
	// {"data":{"createUser":{"name":"Zed"}}} 0 hits, 0 misses
	// {"data":{"user":{"postCount":1}}} 0 hits, 1 misses
	// {"data":{"user":{"postCount":0}}} 0 hits, 2 misses
	// {"data":{"updatePost":{"name":"Hello"}}} 0 hits, 2 misses
	// {"data":{"user":{"postCount":0}}} 0 hits, 3 misses
	// {"data":{"user":{"postCount":0}}} 1 hits, 3 misses
}

// A resolver changes a row that its mutation's directives do not name.
func ExampleTouch() {
	cache := exampleCache()
	defer closeCache(cache)
	store := testgraph.NewStore()
	srv := testgraph.NewServer(store, cache)
	store.On("Mutation.log", func(ctx context.Context) error {
		return gqlcache.Touch(ctx, "User", testgraph.Ann)
	})

	ask(srv, cache, `{user(id:$Ann){name}}`)
	ask(srv, cache, `mutation{log}`)
	ask(srv, cache, `{user(id:$Ann){name}}`)
	// Output:
	// {"data":{"user":{"name":"Ann"}}} 0 hits, 1 misses
	// {"data":{"log":true}} 0 hits, 1 misses
	// {"data":{"user":{"name":"Ann"}}} 0 hits, 2 misses
}

// A middleware that commits after gqlgen has answered is wrapped: the client gets a
// mutation's answer after the commit, and nothing that was read before it is served
// afterwards.
func ExampleCache_HoldUntilCommit() {
	cache := exampleCache()
	defer closeCache(cache)
	srv := testgraph.NewServer(testgraph.NewStore(), cache)
	transactionPerRequest := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Println("BEGIN")
			next.ServeHTTP(w, r)
			fmt.Println("COMMIT")
		})
	}
	h := cache.HoldUntilCommit(transactionPerRequest(srv))

	ask(h, cache, `mutation{renameUser(id:$Ann,name:"Anna")}`)
	// Output:
	// BEGIN
	// COMMIT
	// {"data":{"renameUser":true}} 0 hits, 0 misses
}

func ExampleCache_Stats() {
	cache := exampleCache()
	defer closeCache(cache)
	srv := testgraph.NewServer(testgraph.NewStore(), cache)
	for range 3 {
		ask(srv, cache, `{userCount}`)
	}
	ask(srv, cache, `{__typename}`)

	s := cache.Stats()
	fmt.Printf("%.0f %% of lookups hit, %d entries, bypassed: %v\n", 100*s.HitRate(), s.Entries, s.Bypassed)
	// Output:
	// {"data":{"userCount":2}} 0 hits, 1 misses
	// {"data":{"userCount":2}} 1 hits, 1 misses
	// {"data":{"userCount":2}} 2 hits, 1 misses
	// {"data":{"__typename":"Query"}} 2 hits, 1 misses
	// 67 % of lookups hit, 1 entries, bypassed: map[typename:1]
}

// A request says how its queries use the cache.
func ExampleWithPolicy() {
	cache := exampleCache()
	defer closeCache(cache)
	srv := testgraph.NewServer(testgraph.NewStore())
	srv.Use(cache)
	under := func(p gqlcache.Policy) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			srv.ServeHTTP(w, r.WithContext(gqlcache.WithPolicy(r.Context(), p)))
		})
	}
	ask(under(gqlcache.CacheOnly), cache, `{userNames}`)
	ask(under(gqlcache.CacheFirst), cache, `{userNames}`)
	ask(under(gqlcache.CacheOnly), cache, `{userNames}`)
	ask(under(gqlcache.Refresh), cache, `{userNames}`)
	fmt.Println(cache.Stats().Bypassed[gqlcache.ReasonRefresh], "refreshed")
	// Output:
	// {"errors":[{"message":"no answer is stored, and the request wants none to be computed","extensions":{"code":"NOT_CACHED"}}],"data":null} 0 hits, 0 misses
	// {"data":{"userNames":["Ann","Bob"]}} 0 hits, 1 misses
	// {"data":{"userNames":["Ann","Bob"]}} 1 hits, 1 misses
	// {"data":{"userNames":["Ann","Bob"]}} 1 hits, 1 misses
	// 1 refreshed
}

// Another program has changed what all operations of a page show.
func ExampleOperationsMatching() {
	cache := exampleCache()
	defer closeCache(cache)
	srv := testgraph.NewServer(testgraph.NewStore())
	srv.Use(cache)
	ask(srv, cache, `query feedTop{userNames}`)
	ask(srv, cache, `query Names{userNames}`)
	if err := cache.Invalidate(context.Background(), gqlcache.OperationsMatching("feed*")); err != nil {
		fmt.Println(err)
	}
	ask(srv, cache, `query feedTop{userNames}`)
	ask(srv, cache, `query Names{userNames}`)
	// Output:
	// {"data":{"userNames":["Ann","Bob"]}} 0 hits, 1 misses
	// {"data":{"userNames":["Ann","Bob"]}} 0 hits, 2 misses
	// {"data":{"userNames":["Ann","Bob"]}} 0 hits, 3 misses
	// {"data":{"userNames":["Ann","Bob"]}} 1 hits, 3 misses
}
