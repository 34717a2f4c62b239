package gqlcache_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// readiness is the probe of the documentation.
func readiness(c *gqlcache.Cache) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !c.Health(r.Context()).Serving {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
}

// wantHealth compares a cache's health with one written as "serving cached consistent",
// and what Why says.
func wantHealth(t *testing.T, when string, c *gqlcache.Cache, want string, why ...string) {
	t.Helper()
	h := c.Health(t.Context())
	var got []string
	for _, is := range []struct {
		name string
		is   bool
	}{{"serving", h.Serving}, {"cached", h.Cached}, {"consistent", h.Consistent}} {
		if is.is {
			got = append(got, is.name)
		}
	}
	if g := strings.Join(got, " "); g != want || len(h.Why) != len(why) {
		t.Errorf("%s: %q because of %q, want %q because of %q", when, g, h.Why, want, why)
		return
	}
	for i, w := range why {
		if !strings.Contains(h.Why[i], w) {
			t.Errorf("%s: because of %q, want %q", when, h.Why, why)
		}
	}
	w := httptest.NewRecorder()
	readiness(c).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
	if ready := w.Code == http.StatusOK; ready != h.Serving {
		t.Errorf("%s: the probe answers %d", when, w.Code)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	wantHealth(t, "nil", nil, "", "not made by New")
	wantHealth(t, "zero", &gqlcache.Cache{}, "", "not made by New")
	c, err := gqlcache.New(quiet(gqlcache.Options{Callers: gqlcache.AllSeeTheSame}))
	if err != nil {
		t.Fatal(err)
	}
	wantHealth(t, "new", c, "serving consistent", "no schema yet")
	testgraph.NewServer(testgraph.NewStore(), c)
	wantHealth(t, "in a server", c, "serving cached consistent")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	wantHealth(t, "closed", c, "", "closed")
}

func TestHealthOfShadow(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{Shadow: true})
	wantHealth(t, "shadow", r.cache, "serving consistent", "Options.Shadow")
}

// TestHealthOfInstances: neither the lease nor the log decides whether an instance may
// get requests.
func TestHealthOfInstances(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 1, func(_ *instance, o *gqlcache.Options) { o.RequireLease = true })
	m := r.all[0]
	wantHealth(t, "fresh", m.cache, "serving cached consistent")
	m.log.lose()
	wantHealth(t, "without a lease", m.cache, "serving", "no lease")
	m.log.recover()
	m.log.breakDown(errors.New("down"))
	if err := m.cache.Invalidate(t.Context(), gqlcache.Everything()); !errors.Is(err, changelog.ErrPending) {
		t.Fatal(err)
	}
	wantHealth(t, "with a change that waits", m.cache, "serving", "no lease", "not taken 1 change")
	m.log.recover()
	wantHealth(t, "back", m.cache, "serving cached consistent")
}

// hopelessLog is a log that panics.
type hopelessLog struct{ changelog.Log }

func (hopelessLog) Fresh() bool            { panic("broken") }
func (hopelessLog) Stats() changelog.Stats { panic("broken") }

func TestHealthOfABrokenLog(t *testing.T) {
	t.Parallel()
	log := newFakeLog().join(changelog.Bounded)
	c := newCache(t, gqlcache.Options{Instances: gqlcache.Instances{Log: hopelessLog{log}}})
	testgraph.NewServer(testgraph.NewStore(), c)
	wantHealth(t, "broken", c, "serving", "no lease")
}

// TestHealthWithoutRedis: the answer comes at once while Redis does not answer, and while
// it is gone.
func TestHealthWithoutRedis(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	n := newNodes(t, 1, nodeSpec{client: s.Client(), rows: testgraph.NewStore(), level: changelog.Strong, ttl: patientLease})[0]
	eventually(t, "all is well", func() bool { return n.cache.Health(t.Context()).Cached })
	stop := func(what string, stop, start func()) {
		t.Helper()
		stop()
		eventually(t, what, func() bool {
			begin := time.Now()
			h := n.cache.Health(t.Context())
			if took := time.Since(begin); took > 5*time.Second { // the client gives up after 10
				t.Errorf("%s: Health took %v", what, took)
			}
			if !h.Serving {
				t.Errorf("%s: %+v", what, h)
			}
			return !h.Cached && !h.Consistent
		})
		wantHealth(t, what, n.cache, "serving", "no lease")
		start()
		eventually(t, what+" and back", func() bool { h := n.cache.Health(t.Context()); return h.Serving && h.Cached && h.Consistent })
	}
	stop("Redis stands still", s.Pause, s.Resume)
	stop("Redis is gone", s.Kill, s.Restart)
}

func ExampleCache_Health() {
	cache := exampleCache()
	srv := testgraph.NewServer(testgraph.NewStore())
	srv.Use(cache)
	ready := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := cache.Health(r.Context())
		if !h.Serving {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(h)
	})
	probe := func() {
		w := httptest.NewRecorder()
		ready.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/readyz", nil))
		fmt.Print(w.Code, " ", w.Body)
	}
	probe()
	closeCache(cache)
	probe()
	// Output:
	// 200 {"serving":true,"cached":true,"consistent":true}
	// 503 {"serving":false,"cached":false,"consistent":false,"why":["the cache is closed"]}
}
