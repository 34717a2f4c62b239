package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/ast"
)

func TestOptionsRefused(t *testing.T) {
	t.Parallel()
	var encodings []gqlcache.Encoding
	for i := range 9 {
		encodings = append(encodings, gqlcache.Encoding{Name: fmt.Sprint("x", i), Encode: gqlcache.Gzip().Encode})
	}
	for _, row := range []struct {
		name string
		o    gqlcache.Options
		want []string
	}{
		{"Callers", gqlcache.Options{Callers: 9}, []string{"Callers is 9"}},
		{"Callers and a predicate", gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Predicate: viewerPredicate}, []string{"leave one of them out"}},
		{"TTL", gqlcache.Options{TTL: -time.Second}, []string{"TTL is -1s"}},
		{"Jitter", gqlcache.Options{Jitter: 1}, []string{"Jitter is 1"}},
		{"StaleIfError", gqlcache.Options{StaleIfError: -1}, []string{"StaleIfError and StaleWhileRevalidate are -1ns and 0s"}},
		{"StaleWhileRevalidate", gqlcache.Options{StaleWhileRevalidate: -1}, []string{"StaleWhileRevalidate are 0s and -1ns"}},
		{"EarlyRefresh", gqlcache.Options{EarlyRefresh: -1}, []string{"EarlyRefresh is -1"}},
		{"EarlyRefresh without an end", gqlcache.Options{EarlyRefresh: math.Inf(1)}, []string{"EarlyRefresh is +Inf"}},
		{"EarlyRefresh, no number", gqlcache.Options{EarlyRefresh: math.NaN()}, []string{"EarlyRefresh is NaN"}},
		{"MaxBytes", gqlcache.Options{Limits: gqlcache.Limits{MaxBytes: -1}}, []string{"MaxBytes"}},
		{"MaxEntries", gqlcache.Options{Limits: gqlcache.Limits{MaxEntries: -1}}, []string{"MaxEntries"}},
		{"MaxEntryBytes", gqlcache.Options{Limits: gqlcache.Limits{MaxEntryBytes: -1}}, []string{"MaxEntryBytes"}},
		{"entry larger than all", gqlcache.Options{Limits: gqlcache.Limits{MaxBytes: 10, MaxEntryBytes: 11}}, []string{"MaxEntryBytes 11 is more than MaxBytes 10"}},
		{"actions for nobody", gqlcache.Options{Inspector: gqlcache.Inspector{Actions: func(context.Context) bool { return true }}}, []string{"Inspector.Actions"}},
		{"PathTimeout", gqlcache.Options{PathTimeout: -1}, []string{"PathTimeout is -1ns"}},
		{"FillLease", gqlcache.Options{Instances: gqlcache.Instances{FillLease: -1}}, []string{"FillLease is -1ns"}},
		{"PromoteEvery", gqlcache.Options{Instances: gqlcache.Instances{PromoteEvery: -1}}, []string{"PromoteEvery is -1"}},
		{"PromoteEvery without a shared store", gqlcache.Options{Instances: gqlcache.Instances{PromoteEvery: 2}}, []string{"PromoteEvery is 2", "needs a Shared"}},
		{"FillLease without leases", gqlcache.Options{Instances: gqlcache.Instances{FillLease: time.Second, Log: newFakeLog().join(changelog.Bounded), Shared: newMapStore()}}, []string{"FillLease is 1s", "store.Leaser"}},
		{"Verify.Rate above 1", gqlcache.Options{Verify: gqlcache.VerifyOptions{Rate: 1.5}}, []string{"Verify.Rate is 1.5; it must be from 0 to 1"}},
		{"Verify.Rate below 0", gqlcache.Options{Verify: gqlcache.VerifyOptions{Rate: -0.1}}, []string{"Verify.Rate is -0.1"}},
		{"Verify.Rate that is no number", gqlcache.Options{Verify: gqlcache.VerifyOptions{Rate: math.NaN()}}, []string{"Verify.Rate is NaN"}},
		{"Verify.Timeout", gqlcache.Options{Verify: gqlcache.VerifyOptions{Rate: 1, Timeout: -1}}, []string{"Verify.Timeout and Verify.Grace are -1ns and 1s"}},
		{"Verify.Grace", gqlcache.Options{Verify: gqlcache.VerifyOptions{Rate: 1, Grace: -1}}, []string{"Verify.Timeout and Verify.Grace are 10s and -1ns"}},
		{"Verify.Rate without a context", gqlcache.Options{Verify: gqlcache.VerifyOptions{Rate: 0.5}}, []string{"neither Verify.Context nor Verify.WithoutValues is set", "set Context to a function"}},
		{"Verify with two contexts", gqlcache.Options{Verify: gqlcache.VerifyOptions{Rate: 1, WithoutValues: true, Context: func(ctx context.Context) (context.Context, error) { return ctx, nil }}}, []string{"Verify.Context and Verify.WithoutValues are both set"}},
		{"Verify.Concurrency", gqlcache.Options{Verify: gqlcache.VerifyOptions{Rate: 1, Concurrency: -1}}, []string{"Verify.Concurrency is -1"}},
		{"more for each entry than the store can weigh", gqlcache.Options{Limits: gqlcache.Limits{MaxBytes: 1 << 40, MaxEntries: 1}}, []string{"MaxEntries"}},
		{"a list of headers", gqlcache.Options{HTTP: gqlcache.HTTP{VaryHeaders: []string{"Accept-Language, Cookie"}}}, []string{`HTTP.VaryHeaders has "Accept-Language, Cookie"`, "one header"}},
		{"a line break in a header", gqlcache.Options{HTTP: gqlcache.HTTP{VaryHeaders: []string{"A\r\nSet-Cookie: b"}}}, []string{`HTTP.VaryHeaders has "A\r\n`}},
		{"an encoding without a name", gqlcache.Options{HTTP: gqlcache.HTTP{Encodings: []gqlcache.Encoding{{}}}}, []string{`HTTP.Encodings[0].Name is ""`}},
		{"an encoding in capitals", gqlcache.Options{HTTP: gqlcache.HTTP{Encodings: []gqlcache.Encoding{{Name: "BR"}}}}, []string{`HTTP.Encodings[0].Name is "BR"`}},
		{"any encoding", gqlcache.Options{HTTP: gqlcache.HTTP{Encodings: []gqlcache.Encoding{{Name: "*"}}}}, []string{`HTTP.Encodings[0].Name is "*"`}},
		{"an encoding without a function", gqlcache.Options{HTTP: gqlcache.HTTP{Encodings: []gqlcache.Encoding{{Name: "br"}}}}, []string{"HTTP.Encodings[0], br, has no Encode"}},
		{"an encoding twice", gqlcache.Options{HTTP: gqlcache.HTTP{Encodings: []gqlcache.Encoding{gqlcache.Gzip(), gqlcache.Gzip()}}}, []string{"HTTP.Encodings has gzip twice"}},
		{"too many encodings", gqlcache.Options{HTTP: gqlcache.HTTP{Encodings: encodings}}, []string{"HTTP.Encodings has 9 encodings; use at most 8"}},
		{"CompressAfter", gqlcache.Options{HTTP: gqlcache.HTTP{CompressAfter: -1}}, []string{"HTTP.CompressAfter is -1"}},
		{"all at once", gqlcache.Options{Callers: 9, TTL: -1, Jitter: 2, Limits: gqlcache.Limits{MaxBytes: -1}, PathTimeout: -1}, []string{"Callers is 9", "TTL is", "Jitter is 2", "MaxBytes", "PathTimeout"}},
		{"options and schema at once", gqlcache.Options{TTL: -1, Schema: testgraph.Executable(testgraph.NewStore()).Schema()}, []string{"TTL is", "PRIVATE"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c, err := gqlcache.New(quiet(row.o))
			if c != nil || !errors.Is(err, gqlcache.ErrOptions) {
				t.Fatalf("New = %v, %v; want ErrOptions", c, err)
			}
			for _, text := range row.want {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q is not in %q", text, err)
				}
			}
		})
	}
}

// TestOptionsAccepted: bounds may be small without naming each other.
func TestOptionsAccepted(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]gqlcache.Options{
		"zero":                      {},
		"MaxBytes below 1 MiB":      {Limits: gqlcache.Limits{MaxBytes: 1000}},
		"MaxEntryBytes as MaxBytes": {Limits: gqlcache.Limits{MaxBytes: 1000, MaxEntryBytes: 1000}},
		"no jitter":                 {Jitter: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newCache(t, o)
		})
	}
}

// TestUsePanics: what only the schema shows comes out of gqlgen's Use when New was not
// told the schema.
func TestUsePanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if p := fmt.Sprint(recover()); !strings.Contains(p, "PRIVATE") {
			t.Errorf("Use: %s, want a panic about PRIVATE", p)
		}
	}()
	testgraph.Serve(testgraph.Executable(testgraph.NewStore()), newCache(t, gqlcache.Options{}))
}

// TestDirectiveFaults: New reports them all when it has the schema.
func TestDirectiveFaults(t *testing.T) {
	t.Parallel()
	es := editDirectives(testgraph.Executable(testgraph.NewStore(), "cacheControl"), func(on string, d *ast.Directive) *ast.Directive {
		if on != "Query.userCount" && on != "Query.settings" {
			return d
		}
		c := *d
		c.Arguments = ast.ArgumentList{{Name: "view", Value: &ast.Value{Raw: "v_of_" + on, Kind: ast.StringValue}, Position: d.Position}}
		return &c
	})
	_, err := gqlcache.New(quiet(gqlcache.Options{Schema: es.Schema(), TTL: -1}))
	if !errors.Is(err, cascade.ErrDirectives) || !errors.Is(err, gqlcache.ErrOptions) {
		t.Fatalf("New = %v, want ErrDirectives and ErrOptions", err)
	}
	for _, text := range []string{"v_of_Query.userCount", "v_of_Query.settings", "TTL"} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q is not in %q", text, err)
		}
	}
}

// TestOneSchema: of two schemas that meet at the same moment, one is served and the other
// refused.
func TestOneSchema(t *testing.T) {
	t.Parallel()
	s := testgraph.NewStore()
	schemas := []*ast.Schema{testgraph.Executable(s, "cacheControl").Schema(), testgraph.Executable(s, "cacheControl", "reads").Schema()}
	for range 5 {
		c := newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
		var refused [2]atomic.Int64
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range 8 {
			es := testgraph.NewExecutableSchema(testgraph.Config{Schema: schemas[i%2]})
			wg.Go(func() {
				<-start
				if err := c.Validate(es); err != nil {
					refused[i%2].Add(1)
					if !errors.Is(err, gqlcache.ErrOptions) {
						t.Error(err)
					}
				}
			})
		}
		close(start)
		wg.Wait()
		if a, b := refused[0].Load(), refused[1].Load(); a+b != 4 || a*b != 0 {
			t.Errorf("refused %d times and %d times, want 4 and 0", a, b)
		}
	}
}

// TestDirectivePrefix: directives count under their prefixed names only.
func TestDirectivePrefix(t *testing.T) {
	t.Parallel()
	renamed := func(s *testgraph.Store) *ast.Schema {
		es := editDirectives(testgraph.Executable(s, "cacheControl"), func(_ string, d *ast.Directive) *ast.Directive {
			c := *d
			if d.Name != "deprecated" {
				c.Name = "acme_" + d.Name
			}
			return &c
		})
		schema := es.Schema()
		schema.Directives = maps.Clone(schema.Directives)
		for _, name := range []string{"view", "dependsOn", "reads", "writes"} {
			d := *schema.Directives[name]
			d.Name = "acme_" + name
			schema.Directives[d.Name] = &d
			delete(schema.Directives, name)
		}
		return schema
	}
	for prefix, want := range map[string]string{"": "MISS", "acme_": "HIT"} {
		t.Run("prefix "+prefix, func(t *testing.T) {
			t.Parallel()
			s := testgraph.NewStore()
			schema := renamed(s)
			c := newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame, DirectivePrefix: prefix, Schema: schema})
			if err := c.Invalidate(t.Context(), gqlcache.View("v_user")); (err == nil) != (want == "HIT") {
				t.Errorf("Invalidate of a declared view = %v", err)
			}
		})
	}
	if _, err := gqlcache.New(quiet(gqlcache.Options{DirectivePrefix: "no good", Schema: renamed(testgraph.NewStore())})); !errors.Is(err, cascade.ErrDirectives) {
		t.Errorf("New with a bad prefix = %v, want ErrDirectives", err)
	}
}

// TestJitter: ages lie between (1-Jitter)·TTL and TTL, and differ.
func TestJitter(t *testing.T) {
	t.Parallel()
	start := time.Unix(1000, 0)
	for _, row := range []struct {
		jitter   float64
		min, max time.Duration
	}{{-1, time.Hour, time.Hour}, {0, 54 * time.Minute, time.Hour}, {0.5, 30 * time.Minute, time.Hour}} {
		t.Run(fmt.Sprint(row.jitter), func(t *testing.T) {
			t.Parallel()
			s := newMapStore()
			r := newRig(t, "annotated", gqlcache.Options{Store: s, Jitter: row.jitter, TTL: time.Hour, Now: func() time.Time { return start }})
			for i := range 50 {
				r.send(fmt.Sprintf("{echo(n:%d)}", i))
			}
			seen := map[time.Duration]bool{}
			for _, e := range s.entries {
				age := e.Expires.Sub(start)
				seen[age] = true
				if age < row.min || age > row.max {
					t.Errorf("age %v, want %v to %v", age, row.min, row.max)
				}
			}
			if len(s.entries) != 50 || (len(seen) > 1) != (row.jitter >= 0) {
				t.Errorf("%d entries of %d ages", len(s.entries), len(seen))
			}
		})
	}
}

// TestDefaultTTL: five minutes.
func TestDefaultTTL(t *testing.T) {
	t.Parallel()
	s, start := newMapStore(), time.Unix(1000, 0)
	r := newRig(t, "annotated", gqlcache.Options{Store: s, Jitter: -1, Now: func() time.Time { return start }})
	r.send(readUsers)
	for _, e := range s.entries {
		if age := e.Expires.Sub(start); age != 5*time.Minute {
			t.Errorf("age %v", age)
		}
	}
}

// TestBounds: the default store keeps to MaxEntries and MaxBytes.
func TestBounds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		o     gqlcache.Options
		evict bool
	}{
		{"default", gqlcache.Options{}, false},
		{"MaxEntries", gqlcache.Options{Limits: gqlcache.Limits{MaxEntries: 5}}, true},
		{"MaxBytes", gqlcache.Options{Limits: gqlcache.Limits{MaxBytes: 5000}}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", row.o)
			for i := range 40 {
				r.send(fmt.Sprintf("{echo(n:%d)}", i))
			}
			s := r.cache.Stats()
			if (s.Evictions > 0) != row.evict || s.Entries+int64(s.Evictions) != 40 {
				t.Errorf("%d entries, %d evictions", s.Entries, s.Evictions)
			}
			if row.o.MaxEntries > 0 && s.Entries > int64(row.o.MaxEntries) || row.o.MaxBytes > 0 && s.Bytes > row.o.MaxBytes {
				t.Errorf("%d entries of %d bytes", s.Entries, s.Bytes)
			}
		})
	}
}

// TestMaxEntryBytes: it bounds the body, in any store.
func TestMaxEntryBytes(t *testing.T) {
	t.Parallel()
	// Longer than its key, which the option bounds as well.
	const document = "{users{name again:name onceMore:name}}"
	const answer = `{"users":[{"name":"Ann","again":"Ann","onceMore":"Ann"},{"name":"Bob","again":"Bob","onceMore":"Bob"}]}`
	for limit, want := range map[int]string{len(answer) - 1: "MISS too_large", len(answer): "MISS"} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{Limits: gqlcache.Limits{MaxEntryBytes: limit}, Store: newMapStore()})
			r.run("annotated", []string{want + ": " + document})
		})
	}
}

// TestVaryAndEnabled: they are asked for each query; what they panic with stays with
// them, and is logged once.
func TestVaryAndEnabled(t *testing.T) {
	t.Parallel()
	panics := func(ctx context.Context) {
		if testgraph.Viewer(ctx) == "panics" {
			panic("a caller's bug")
		}
	}
	for name, o := range map[string]gqlcache.Options{
		"Vary":    {Vary: func(ctx context.Context) []string { panics(ctx); return []string{testgraph.Viewer(ctx)} }},
		"Enabled": {Enabled: func(ctx context.Context) bool { panics(ctx); return testgraph.Viewer(ctx) != "de" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Callers = gqlcache.AllSeeTheSame
			c, log := loud(t, o)
			r := newRig(t, "annotated", gqlcache.Options{})
			r.cache, r.cached = c, testgraph.NewServer(r.store, c)
			want := map[string]string{"Vary": "MISS", "Enabled": "disabled"}[name]
			r.run("annotated", []string{
				"@en MISS: " + readUsers, "@en HIT: " + readUsers, "@de " + want + ": " + readUsers,
				"@panics failed: " + readUsers, "@panics failed: " + readUsers, "@panics " + renameAnn, "@en MISS: " + readUsers})
			if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "Options."+name) {
				t.Errorf("log: %q", lines)
			}
		})
	}
}

// TestSweepInterval: dead entries go by themselves, a minute later by default.
func TestSweepInterval(t *testing.T) {
	t.Parallel()
	for interval, after := range map[time.Duration]time.Duration{0: time.Minute, time.Hour: time.Hour, -1: 0} {
		t.Run(interval.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := quiet(gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Store: newMapStore()})
				o.SweepInterval = interval
				c, err := gqlcache.New(o)
				if err != nil {
					t.Fatal(err)
				}
				defer closeCache(c)
				h := testgraph.NewServer(testgraph.NewStore(), c)
				testgraph.Ask(t, h, expand(readAnn), nil)
				testgraph.Ask(t, h, expand(renameAnn), nil)
				wait := func(d time.Duration) int64 {
					<-time.After(d)
					synctest.Wait()
					return c.Stats().Entries
				}
				if after == 0 {
					if n := wait(24 * time.Hour); n != 1 || c.Stats().LastSweep != nil {
						t.Errorf("%d entries after a day without sweeps", n)
					}
					return
				}
				if n := wait(after - time.Second); n != 1 {
					t.Errorf("%d entries before the sweep", n)
				}
				if n := wait(2 * time.Second); n != 0 || c.Stats().LastSweep == nil {
					t.Errorf("%d entries after the sweep", n)
				}
			})
		})
	}
}
