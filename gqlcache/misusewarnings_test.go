package gqlcache_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// says fails the test unless the log has a line with each of the words, once.
func says(t *testing.T, log *logged, words ...string) {
	t.Helper()
	got := strings.Join(log.lines(), "\n")
	for _, w := range words {
		if strings.Count(got, w) != 1 {
			t.Errorf("the log says %q, and not %q once", got, w)
		}
	}
}

// saysNothing fails the test when the log has a line.
func saysNothing(t *testing.T, log *logged) {
	t.Helper()
	if lines := log.lines(); len(lines) != 0 {
		t.Errorf("the log says %q", lines)
	}
}

// TestNoServerHasTheCache: who forgets srv.Use is told, by the transport as by the handler.
func TestNoServerHasTheCache(t *testing.T) {
	t.Parallel()
	serve := func(c *gqlcache.Cache, h http.Handler) {
		for range 2 {
			testgraph.Send(h, postRequest(readUsers))
		}
	}
	c, log := loud(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	serve(c, c.Handler(testgraph.NewServer(testgraph.NewStore())))
	says(t, log, "srv.Use(cache)", "added to no server")

	c, log = loud(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	serve(c, testgraph.ServeBy(c.Transport, testgraph.Executable(testgraph.NewStore())))
	says(t, log, "srv.Use(cache)", "added to no server")

	c, log = loud(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	serve(c, c.Handler(testgraph.NewServer(testgraph.NewStore(), c)))
	saysNothing(t, log)
}

// TestServersThatShare: a cache does not tell servers apart, and says so when their
// resolvers are not the same.
func TestServersThatShare(t *testing.T) {
	t.Parallel()
	c, log := loud(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	es := testgraph.Executable(testgraph.NewStore(), "cacheControl")
	testgraph.Serve(es, c)
	testgraph.Serve(es, c) // for other transports, say
	saysNothing(t, log)
	testgraph.NewServer(testgraph.NewStore(), c)
	testgraph.NewServer(testgraph.NewStore(), c)
	says(t, log, "which share answers")
}

// DirectiveRoot has the name of gqlgen's generated type.
type DirectiveRoot struct {
	Reads, Writes, CacheControl, HasRole func()
}

// executableSchema has the name of gqlgen's generated type, whose code runs directives.
type executableSchema struct {
	directives DirectiveRoot
	graphql.ExecutableSchema
}

// TestGeneratedDirectives: who forgets skip_runtime is told which lines to write, before a
// field fails.
func TestGeneratedDirectives(t *testing.T) {
	t.Parallel()
	es := testgraph.Executable(testgraph.NewStore(), "cacheControl")
	c, log := loud(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	testgraph.Serve(&executableSchema{DirectiveRoot{Writes: func() {}}, es}, c) // this one does something
	says(t, log, "run gqlgen again: reads: {skip_runtime: true}, cacheControl: {skip_runtime: true}\"", "gqlgen.yml")
}

// responding is an extension that intercepts responses.
type responding struct{ counting }

func (*responding) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	return next(ctx)
}

// TestExtensionBehindTheCache: what such an extension does to answers is stored, which is
// said; one before the cache is as it should be.
func TestExtensionBehindTheCache(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		behind bool
	}{{"before", false}, {"behind", true}} {
		c, log := loud(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
		s := testgraph.NewStore()
		srv := testgraph.ServeBy(c.Transport, testgraph.Executable(s, "cacheControl"))
		srv.AddTransport(c.Transport(transport.POST{}))
		if row.behind {
			srv.Use(c)
			srv.Use(&counting{}) // its handlers see no answer
			srv.Use(&responding{})
		} else {
			srv.Use(&responding{})
			srv.Use(c)
		}
		for range 4 {
			testgraph.Send(srv, postRequest(readUsers))
		}
		if got := strings.Join(log.lines(), "\n"); strings.Contains(got, "added after the cache do to an answer is stored") != row.behind ||
			strings.Contains(got, "responding") != row.behind {
			t.Errorf("%s: the log says %q", row.name, got)
		}
	}
}

// TestMutationWithinATransaction: a middleware's transaction without HoldUntilCommit is
// seen at the first mutation, also where Handler is around it or within.
func TestMutationWithinATransaction(t *testing.T) {
	t.Parallel()
	transaction := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), txKey{}, &fakeTx{})))
		})
	}
	for name, wrap := range map[string]func(c *gqlcache.Cache, h http.Handler) http.Handler{
		"alone":          func(_ *gqlcache.Cache, h http.Handler) http.Handler { return transaction(h) },
		"Handler within": func(c *gqlcache.Cache, h http.Handler) http.Handler { return transaction(c.Handler(h)) },
		"Handler around": func(c *gqlcache.Cache, h http.Handler) http.Handler { return c.Handler(transaction(h)) },
	} {
		c, log := loud(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
		h := wrap(c, testgraph.NewServer(testgraph.NewStore(), c))
		testgraph.Send(h, postRequest(readUsers))
		saysNothing(t, log) // a read has nothing to commit
		for range 2 {
			testgraph.Send(h, postRequest(expand(renameAnn)))
		}
		if got := strings.Join(log.lines(), "\n"); strings.Count(got, "fakeTx") != 1 || !strings.Contains(got, "HoldUntilCommit around the middleware") {
			t.Errorf("%s: the log says %q", name, got)
		}
	}
	c, log := loud(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	testgraph.Send(c.HoldUntilCommit(transaction(testgraph.NewServer(testgraph.NewStore(), c))), postRequest(expand(renameAnn)))
	saysNothing(t, log)
}

// TestSmallOptions: a duration without a unit is one of nanoseconds, and a number of bytes
// is none of megabytes.
func TestSmallOptions(t *testing.T) {
	t.Parallel()
	_, log := loud(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame, TTL: 300, Limits: gqlcache.Limits{MaxBytes: 64}})
	says(t, log, "TTL is 300ns, write 300 * time.Second", "MaxBytes is 64 bytes, write 64 << 20")
	_, log = loud(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame, TTL: time.Second, Limits: gqlcache.Limits{MaxBytes: 1 << 20}})
	saysNothing(t, log)
}
