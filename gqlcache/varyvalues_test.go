package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// computes has the resolver of Query.userNames compute a value by a header field, and
// returns where the values are noted that it has got.
func (s *hintedServer) computes(header string) *[]string {
	said := new([]string)
	s.store.On("Query.userNames", func(ctx context.Context) error {
		value := graphql.GetOperationContext(ctx).Headers.Get(header)
		got, err := gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("hello"), func(context.Context) (string, error) { return value, nil }, gqlcache.Reads())
		*said = append(*said, got)
		return err
	})
	return said
}

// TestVaryOfUncachedValues: an operation that bypasses the cache keeps its values apart, too.
func TestVaryOfUncachedValues(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"no age":        `{userNames}`,
		"introspection": `{userNames __schema{queryType{name}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newHinted(t, "userNames", map[string]any{"vary": []string{"Accept-Language"}, "maxAge": 0}, gqlcache.Options{})
			said := s.computes("Accept-Language")
			for _, language := range []string{"de", "en", "de"} {
				s.get(document, "Accept-Language", language)
			}
			if want := []string{"de", "en", "de"}; !slices.Equal(*said, want) {
				t.Errorf("%q, want %q", *said, want)
			}
		})
	}
}

// newVaried returns a server whose fields depend on several header fields.
func newVaried(t *testing.T, o gqlcache.Options) *hintedServer {
	t.Helper()
	store := testgraph.NewStore()
	es := testgraph.Executable(store, "no directive")
	for field, header := range map[string]string{"userNames": "X-M", "userCount": "X-A", "users": "X-Z"} {
		testgraph.AddHint(es, field, map[string]any{"vary": []string{header}})
	}
	o.Predicate = viewerPredicate
	cache := newCache(t, o)
	return &hintedServer{t: t, store: store, cache: cache, h: testgraph.ServeBy(cache.Transport, es, cache)}
}

// TestVaryOfSeveralHeaders: operations that depend on different header fields share no
// value, unless both have the same one, whatever the others are.
func TestVaryOfSeveralHeaders(t *testing.T) {
	t.Parallel()
	s := newVaried(t, gqlcache.Options{})
	said := s.computes("X-M")
	s.get("{userNames userCount}", "X-A", "1", "X-M", "2")
	s.get("{userNames users{name}}", "X-M", "1", "X-Z", "2")
	if want := []string{"2", "1"}; !slices.Equal(*said, want) {
		t.Errorf("%q, want %q", *said, want)
	}
}

// TestVaryInsideOfForAll: a value for all that is made of one which depends on a header
// field is not kept.
func TestVaryInsideOfForAll(t *testing.T) {
	t.Parallel()
	s := newHinted(t, "userNames", map[string]any{"vary": []string{"Accept-Language"}, "scope": "PUBLIC"}, gqlcache.Options{})
	var said []string
	s.store.On("Query.userNames", func(ctx context.Context) error {
		language := graphql.GetOperationContext(ctx).Headers.Get("Accept-Language")
		got, err := gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("all"), func(ctx context.Context) (string, error) {
			return gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("one"), func(context.Context) (string, error) { return language, nil }, gqlcache.Reads())
		}, gqlcache.Reads(), gqlcache.ForAll())
		said = append(said, got)
		return err
	})
	s.get("query A{userNames}", "Accept-Language", "de")
	s.get("query B{userNames}", "Accept-Language", "en")
	if want := []string{"de", "en"}; !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
}

// TestRemovingVariedValues: where it is not known which value is meant, none is removed in
// silence.
func TestRemovingVariedValues(t *testing.T) {
	t.Parallel()
	s := newHinted(t, "userNames", map[string]any{"vary": []string{"Accept-Language"}}, gqlcache.Options{})
	var errs []error
	s.store.On("Query.userNames", func(ctx context.Context) error {
		_, err := gqlcache.Delete(ctx, s.cache, gqlcache.KeyOf("hello"))
		errs = append(errs, err, gqlcache.Put(ctx, s.cache, gqlcache.KeyOf("hello"), "x", s.cache.Begin(ctx), gqlcache.Reads()))
		return nil
	})
	s.store.On("Query.userCount", func(ctx context.Context) error {
		testgraph.Do(t, ctx, s.h, testgraph.Request{Query: askNames})
		return nil
	})
	s.get("{userCount}")
	if len(errs) != 2 || !errors.Is(errs[0], gqlcache.ErrCallers) || !errors.Is(errs[1], gqlcache.ErrCallers) || !strings.Contains(fmt.Sprint(errs), "header fields") {
		t.Errorf("%v", errs)
	}
}

// TestRemovingVariedValuesBesideTheCache: a query that bypasses the cache removes what others
// have computed.
func TestRemovingVariedValuesBesideTheCache(t *testing.T) {
	t.Parallel()
	on := true
	s := newVaried(t, gqlcache.Options{Enabled: func(context.Context) bool { return on }})
	s.computes("Accept-Language")
	s.get("query A{userNames}", "Accept-Language", "de", "X-M", "1")
	on = false
	s.store.On("Query.userNames", func(ctx context.Context) error {
		_, err := gqlcache.Delete(ctx, s.cache, gqlcache.KeyOf("hello"))
		return err
	})
	s.get("query A{userNames}", "X-M", "1")
	on = true
	said := s.computes("Accept-Language")
	s.get("query B{userNames}", "Accept-Language", "en", "X-M", "1")
	if want := []string{"en"}; !slices.Equal(*said, want) {
		t.Errorf("%q, want %q", *said, want)
	}
}

// TestVaryOfStreamedValues: a subscription keeps its values apart by all header fields that
// the schema names.
func TestVaryOfStreamedValues(t *testing.T) {
	t.Parallel()
	s := newHinted(t, "userNames", map[string]any{"vary": []string{"Accept-Language"}}, gqlcache.Options{})
	var said []string
	srv := testgraph.Serve(hinted(s.store, "userNames", map[string]any{"vary": []string{"Accept-Language"}}), s.cache)
	srv.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		language := graphql.GetOperationContext(ctx).Headers.Get("Accept-Language")
		got, err := gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("hello"), func(context.Context) (string, error) { return language, nil }, gqlcache.Reads())
		if said = append(said, got); err != nil {
			t.Error(err)
		}
		return next(ctx)
	})
	for _, language := range []string{"de", "en"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`{"query":"subscription{ticks(n:1)}"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "text/event-stream")
		r.Header.Set("Accept-Language", language)
		srv.ServeHTTP(httptest.NewRecorder(), r)
	}
	if said = slices.Compact(said); !slices.Equal(said, []string{"de", "en"}) {
		t.Errorf("%q", said)
	}
}
