package gqlcache_test

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A fuse panics when it is blown, in the calls with one name, or in all.
type fuse struct {
	call  string
	blown atomic.Bool
	count atomic.Int64
}

func (f *fuse) burn(call string) {
	if f.blown.Load() && (f.call == "" || f.call == call) {
		f.count.Add(1)
		panic("a function of the options is broken")
	}
}

type fusedHandler struct {
	slog.Handler
	f *fuse
}

func (h fusedHandler) Enabled(context.Context, slog.Level) bool { h.f.burn("Enabled"); return true }
func (h fusedHandler) Handle(ctx context.Context, r slog.Record) error {
	h.f.burn("Handle")
	return h.Handler.Handle(ctx, r)
}

type fusedTracer struct{ f *fuse }

func (tr fusedTracer) Start(ctx context.Context, _ gqlcache.Span) (context.Context, func(gqlcache.SpanEnd)) {
	tr.f.burn("Start")
	return ctx, func(gqlcache.SpanEnd) { tr.f.burn("end") }
}

// A nilTracer returns contexts that panic when they are used.
type nilTracer struct{ f *fuse }

type nilContext struct{ context.Context }

func (tr nilTracer) Start(ctx context.Context, _ gqlcache.Span) (context.Context, func(gqlcache.SpanEnd)) {
	if tr.f.blown.Load() {
		tr.f.count.Add(1)
		return (*nilContext)(nil), func(gqlcache.SpanEnd) {}
	}
	return ctx, func(gqlcache.SpanEnd) {}
}

type fusedStore struct {
	store.Store
	f *fuse
}

func (s fusedStore) Get(ctx context.Context, key []byte) (*store.Entry, error) {
	s.f.burn("Get")
	return s.Store.Get(ctx, key)
}

func (s fusedStore) Put(ctx context.Context, key []byte, e *store.Entry) error {
	s.f.burn("Put")
	return s.Store.Put(ctx, key, e)
}

func (s fusedStore) DeleteEntry(ctx context.Context, key []byte, e *store.Entry) error {
	s.f.burn("DeleteEntry")
	return s.Store.DeleteEntry(ctx, key, e)
}

func (s fusedStore) All(ctx context.Context) iter.Seq2[[]byte, *store.Entry] {
	s.f.burn("All")
	return s.Store.All(ctx)
}

func (s fusedStore) Clear(ctx context.Context) error { s.f.burn("Clear"); return s.Store.Clear(ctx) }
func (s fusedStore) Stats() store.Stats              { s.f.burn("Stats"); return s.Store.Stats() }
func (s fusedStore) Close() error                    { s.f.burn("Close"); return s.Store.Close() }

func (s fusedStore) Tiers() []store.TierStats {
	s.f.burn("Tiers")
	return []store.TierStats{{Name: "one"}}
}

func (s fusedStore) Lease(context.Context, []byte, time.Duration) (func(context.Context), bool, error) {
	s.f.burn("Lease")
	return func(context.Context) { s.f.burn("release") }, true, nil
}

type fusedLog struct {
	changelog.Log
	f *fuse
}

func (l fusedLog) Publish(ctx context.Context, tags []cascade.Tag, all bool) (changelog.Receipt, error) {
	l.f.burn("Publish")
	return l.Log.Publish(ctx, tags, all)
}

func (l fusedLog) Fresh() bool                 { l.f.burn("Fresh"); return l.Log.Fresh() }
func (l fusedLog) Applied() changelog.Position { l.f.burn("Applied"); return l.Log.Applied() }
func (l fusedLog) Stats() changelog.Stats      { l.f.burn("Stats"); return l.Log.Stats() }
func (l fusedLog) Close() error                { l.f.burn("Close"); return l.Log.Close() }
func (l fusedLog) CatchUp(ctx context.Context, p changelog.Position) error {
	l.f.burn("CatchUp")
	return l.Log.CatchUp(ctx, p)
}

// brokenInterfaces are options that are no functions and have methods that the cache
// calls: the names of the methods, and how to set them with a fuse.
var brokenInterfaces = map[string]struct {
	calls []string
	set   func(t *testing.T, o *gqlcache.Options, f *fuse)
}{
	"Logger": {[]string{"", "Enabled", "Handle"}, func(_ *testing.T, o *gqlcache.Options, f *fuse) {
		o.Logger = slog.New(fusedHandler{slog.DiscardHandler, f})
		o.Partition = func(context.Context) string { // there is something to log, of mutations too
			if f.blown.Load() {
				panic("broken, too")
			}
			return "p"
		}
	}},
	"Tracer": {[]string{"Start", "end", "nil"}, func(_ *testing.T, o *gqlcache.Options, f *fuse) {
		o.Tracer = fusedTracer{f}
		if f.call == "nil" {
			o.Tracer = nilTracer{f}
		}
	}},
	"Store": {[]string{"", "Get", "Put", "DeleteEntry", "All", "Clear", "Stats", "Close", "Tiers"}, func(_ *testing.T, o *gqlcache.Options, f *fuse) {
		o.Store = fusedStore{newMapStore(), f}
	}},
	"Shared": {[]string{"", "Get", "Put", "Close", "Tiers", "Lease", "release"}, func(_ *testing.T, o *gqlcache.Options, f *fuse) {
		o.Log, o.Shared, o.FillLease = newFakeLog().join(changelog.Bounded), fusedStore{newMapStore(), f}, time.Millisecond
	}},
	"Log": {[]string{"", "Publish", "Fresh", "Applied", "Stats", "Close"}, func(_ *testing.T, o *gqlcache.Options, f *fuse) {
		o.Log, o.Shared, o.Tokens = fusedLog{newFakeLog().join(changelog.Bounded), f}, newMapStore(), true
	}},
}

// calledOptions lists the paths of the options that the cache calls: functions, and what
// has methods.
func calledOptions(t *testing.T) (paths []string) {
	t.Helper()
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name := strings.TrimPrefix(path+"."+f.Name, ".")
			switch f.Type.Kind() {
			case reflect.Func:
				paths = append(paths, name)
			case reflect.Struct:
				if f.Anonymous {
					name = path // its fields are the options' own
				}
				walk(f.Type, name)
			case reflect.Interface, reflect.Pointer:
				if _, known := brokenInterfaces[name]; known {
					paths = append(paths, name)
				} else if f.Type != reflect.TypeFor[*ast.Schema]() {
					t.Errorf("option %s is new: say in brokenInterfaces how it breaks", name)
				}
			}
		}
	}
	walk(reflect.TypeFor[gqlcache.Options](), "")
	return paths
}

// field returns the option at a path.
func field(o *gqlcache.Options, path string) reflect.Value {
	v := reflect.ValueOf(o).Elem()
	for name := range strings.SplitSeq(path, ".") {
		v = v.FieldByName(name)
	}
	return v
}

// workingOptions have every function set.
func workingOptions() gqlcache.Options {
	return gqlcache.Options{
		Predicate: viewerPredicate,
		Partition: func(context.Context) string { return "p" },
		Vary:      func(context.Context) []string { return []string{"v"} },
		Enabled:   func(context.Context) bool { return true },
		Now:       time.Now,
		Policy:    func(context.Context) gqlcache.Policy { return gqlcache.CacheFirst },
		ClientPolicies: gqlcache.ClientPolicies{
			Allow: func(context.Context) bool { return true }, NoCache: true,
		},
		HTTP: gqlcache.HTTP{
			CacheControl: func(_ context.Context, proposed string) string { return proposed },
			Edge: gqlcache.Edge{
				Secret: []byte(edgeSecret), Groups: true, WaitForPurge: true,
				Trusted: func(*http.Request) bool { return true },
				Purge:   func(context.Context, []string) error { return nil },
			},
		},
		Inspector: gqlcache.Inspector{
			Allow:   func(ctx context.Context) bool { return testgraph.Viewer(ctx) != "" },
			Actions: func(context.Context) bool { return true },
		},
		Verify: gqlcache.VerifyOptions{Rate: 1, Grace: time.Nanosecond, Context: func(ctx context.Context) (context.Context, error) {
			return context.WithoutCancel(ctx), nil
		}},
	}
}

// TestBrokenOptions makes every function of the options panic, one after the other, from
// the start or later on: answers are those of a server without the cache, and a change is
// never lost.
func TestBrokenOptions(t *testing.T) {
	t.Parallel()
	for _, path := range calledOptions(t) {
		broken, isInterface := brokenInterfaces[path]
		if !isInterface {
			broken.calls = []string{""}
		}
		for _, call := range broken.calls {
			for _, later := range []bool{false, true} {
				name := path + "/" + call + map[bool]string{false: "/at once", true: "/later"}[later]
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					o, f := workingOptions(), &fuse{call: call}
					if isInterface {
						broken.set(t, &o, f)
					} else {
						option := field(&o, path)
						if option.IsNil() {
							t.Fatalf("option %s is new: set it in workingOptions", path)
						}
						works := reflect.ValueOf(option.Interface())
						option.Set(reflect.MakeFunc(option.Type(), func(args []reflect.Value) []reflect.Value {
							f.burn("")
							return works.Call(args)
						}))
					}
					checkBroken(t, o, f, later)
				})
			}
		}
	}
}

// checkBroken runs a server whose options break when the fuse is blown, beside one
// without the cache.
func checkBroken(t *testing.T, o gqlcache.Options, f *fuse, later bool) {
	t.Helper()
	f.blown.Store(!later)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c, err := gqlcache.New(o)
	if err != nil {
		t.Fatal(err)
	}
	rows, twin := testgraph.NewStore(), testgraph.NewStore()
	unheld := testgraph.ServeBy(c.Transport, testgraph.Executable(rows, "cacheControl"), c)
	h := c.Handler(c.HoldUntilCommit(unheld))
	plain := testgraph.NewServer(twin)
	ask := func(what string, q testgraph.Request, direct bool) {
		t.Helper()
		to := h
		if direct {
			to = unheld
		}
		got, want := testgraph.Do(t, t.Context(), to, q), testgraph.Do(t, t.Context(), plain, q)
		if string(got.Data) != string(want.Data) || string(got.Errors) != string(want.Errors) || got.Status != want.Status {
			t.Errorf("%s: %d %s, want %d %s", what, got.Status, got.Body, want.Status, want.Body)
		}
	}
	round := func() {
		t.Helper()
		for _, direct := range []bool{false, true} {
			for _, document := range []string{readAnn, readUsers, readAnn, renameAnn, readAnn, readUsers, readAnn, `mutation { panics }`, readAnn} {
				q, _ := stepRequest("@ann " + document)
				ask(document, q, direct)
				q.Header[gqlcache.DebugHeader] = "true"
				q.Header[gqlcache.TokenHeader] = "1.1"
				q.Header["Cache-Control"] = "no-cache"
				ask(document+" inspected", q, direct)
				back := strings.Replace(document, "New", "Newer", 1) // the next round's change is one
				q, _ = stepRequest("@bob " + back)
				ask(back, q, direct)
			}
			read := &sentRequest{name: readAnn, method: http.MethodGet, target: get("query", expand(readAnn)), header: map[string]string{"X-Viewer": "ann"}}
			compareSent(t, read, unheld, plain)
		}
		testgraph.Do(t, t.Context(), h, inspectRequest("ann", asks, inspect.Request{Inspect: &inspect.SnapshotRequest{}}))
		_, _ = c.Sweep(t.Context())
		c.Stats()
		c.OperationStats()
		c.VerifyStats()
		_ = c.Invalidate(t.Context(), gqlcache.View("User"))
	}
	round()
	f.blown.Store(true)
	round()
	_ = c.Clear(t.Context())
	round()
	_ = c.Close()
	round()
	if f.count.Load() == 0 {
		t.Error("the test is pointless: nothing was broken")
	}
}

// A leavingTracer ends the goroutine on which a change is applied.
type leavingTracer struct{}

func (leavingTracer) Start(ctx context.Context, s gqlcache.Span) (context.Context, func(gqlcache.SpanEnd)) {
	if s.Kind == gqlcache.SpanInvalidate {
		runtime.Goexit()
	}
	return ctx, func(gqlcache.SpanEnd) {}
}

// TestEndedGoroutines: a change is applied although a function of the options has ended
// the goroutine of its mutation, here and on other instances.
func TestEndedGoroutines(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(o *gqlcache.Options, ends *atomic.Bool){
		"Tracer": func(o *gqlcache.Options, _ *atomic.Bool) { o.Tracer = leavingTracer{} },
		"Partition": func(o *gqlcache.Options, ends *atomic.Bool) {
			o.Partition = func(context.Context) string {
				if ends.Load() {
					runtime.Goexit()
				}
				return ""
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ends atomic.Bool
			first := true
			r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) {
				if first {
					set(o, &ends)
				}
				first = false
			})
			one, other := r.two()
			for _, m := range r.all {
				m.ask(readAnn)
			}
			ends.Store(true)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				testgraph.Ask(t, one.h, expand(renameAnn), nil)
			}()
			<-ended
			ends.Store(false)
			for _, m := range []*instance{one, other} {
				if resp, _ := m.ask(readAnn); !strings.Contains(resp.Body, "New") {
					t.Errorf("stale: %s", resp.Body)
				}
			}
		})
	}
}
