package gqlcache_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/edge"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/ast"
)

// A cdn stands for caches in front: it notes what they are told to purge.
type cdn struct {
	mu     sync.Mutex // protects all below
	purged []string
	calls  int
	fail   error
}

func (e *cdn) purge(_ context.Context, keys []string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls++
	e.purged = append(e.purged, keys...)
	return e.fail
}

// take returns what was purged since it was called last.
func (e *cdn) take() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	purged := e.purged
	e.purged = nil
	return purged
}

const edgeSecret = "0123456789abcdef"

func fromEdge(r *http.Request) bool { return r.Header.Get("X-From-Edge") != "" }

// edgeOptions are those of a server behind a cache.
func (e *cdn) options() gqlcache.Options {
	return gqlcache.Options{Predicate: viewerPredicate, HTTP: gqlcache.HTTP{Edge: gqlcache.Edge{
		Secret: []byte(edgeSecret), Trusted: fromEdge, Header: "Surrogate-Key", Groups: true, Purge: e.purge, WaitForPurge: true, InFlight: time.Hour,
	}}}
}

func edgeServer(t *testing.T, o gqlcache.Options, store *testgraph.Store) (*gqlcache.Cache, http.Handler) {
	t.Helper()
	c := newCache(t, o)
	return c, testgraph.ServeBy(c.Transport, testgraph.Executable(store), c)
}

// edgeGet asks for an answer on behalf of the cache in front.
func edgeGet(t *testing.T, h http.Handler, document string, header ...string) http.Header {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, get("query", document), nil)
	r.Header.Set("X-From-Edge", "1")
	r.Header.Set("X-Viewer", "ann")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if strings.Contains(w.Body.String(), "errors") {
		t.Errorf("%s: %s", document, w.Body)
	}
	return w.Header()
}

// readBanner is a query of which everything is PUBLIC.
const readBanner = `{ banner(id: "b1") { id text } }`

// publicly is a schema that says of all its fields that they are PUBLIC.
func publicly(store *testgraph.Store, without ...string) graphql.ExecutableSchema {
	es := testgraph.Executable(store, append(without, "cacheControl")...)
	for _, def := range es.Schema().Types {
		for _, f := range def.Fields {
			f.Directives = append(f.Directives, &ast.Directive{
				Name:      "cacheControl",
				Arguments: ast.ArgumentList{{Name: "scope", Value: &ast.Value{Raw: "PUBLIC", Kind: ast.EnumValue}}},
			})
		}
	}
	return es
}

// publicQueries are queries of several shapes for such a schema.
var publicQueries = []string{
	readBanner,
	`{ banner(id: "b2") { text } }`,
	`{ b: banner(id: "none") { id } }`,
	`query Named { banner(id: "b1") { id } other: banner(id: "b2") { id } }`,
	fmt.Sprintf(`{ node(id: %q) { id ... on User { name } } }`, testgraph.Ann),
	fmt.Sprintf(`{ user(id: %q) { name boss { name } posts(status: DRAFT) { name } postCount } }`, testgraph.Ann),
	"{ users { id name posts { name comments { text } } } }",
	`{ usersByName(name: "new") { email } }`,
	"{ userCount activeUsers { name } }",
	"{ posts(status: PUBLISHED) { name } }",
	"{ all: posts { status author { name } } }",
	fmt.Sprintf(`{ userStats(userId: %q) { posts } }`, testgraph.Ann),
	"{ settings counters { value } }",
}

// TestPurgedWhatIsDropped: what a change drops here it purges there, and a purge that
// waits has ended when the mutation is answered.
func TestPurgedWhatIsDropped(t *testing.T) {
	t.Parallel()
	for _, most := range []int{0, 2*edge.NameSize + 1, 6 * (edge.NameSize + 1)} {
		for _, without := range [][]string{nil, {"writes"}, {"view", "dependsOn", "reads", "writes"}} {
			t.Run(fmt.Sprintf("%d bytes, without %v", most, without), func(t *testing.T) {
				t.Parallel()
				e := &cdn{}
				o := e.options()
				o.HTTP.Edge.MaxBytes = most
				c := newCache(t, o)
				h := testgraph.ServeBy(c.Transport, publicly(testgraph.NewStore(), without...), c)
				checkPurges(t, e, c, h, most == 0 && without == nil)
			})
		}
	}
}

func checkPurges(t *testing.T, e *cdn, c *gqlcache.Cache, h http.Handler, precise bool) {
	t.Helper()
	kept := 0
	invalidate := func(changes ...gqlcache.Change) func() {
		return func() {
			if err := c.Invalidate(t.Context(), changes...); err != nil {
				t.Error(err)
			}
		}
	}
	mutate := func(document string) func() {
		return func() { testgraph.Ask(t, h, "mutation "+document, nil, "X-Viewer", "ann") }
	}
	var many []gqlcache.Change
	for i := range 200 {
		many = append(many, gqlcache.Entity("Banner", fmt.Sprint("x", i)))
	}
	for name, change := range map[string]func(){
		"a banner":         mutate(`{ setBanner(id: "b1", text: "new") }`),
		"another banner":   mutate(`{ setBanner(id: "none", text: "new") }`),
		"a user":           mutate(fmt.Sprintf(`{ updateUser(id: %q, input: {name: "new"}) { id } }`, testgraph.Ann)),
		"a new user":       mutate(`{ createUser(id: "new", input: {name: "new"}) { id } }`),
		"a deleted user":   mutate(`{ deleteUser(id: "new") }`),
		"a new post":       mutate(fmt.Sprintf(`{ createPost(id: "new", authorId: %q, name: "new") { post { id } } }`, testgraph.Ann)),
		"a post":           mutate(`{ updatePost(id: "new", input: {status: PUBLISHED}) { id } }`),
		"published posts":  mutate(fmt.Sprintf("{ publishAll(authorId: %q) }", testgraph.Ann)),
		"a counter":        mutate("{ setCounter(id: 7, value: 1) { id } }"),
		"a setting":        mutate(`{ setSetting(key: "a", value: "b") }`),
		"a whole view":     invalidate(gqlcache.View("Banner")),
		"many rows":        invalidate(append(many, gqlcache.Entity("Banner", "b1"))...),
		"an operation":     invalidate(gqlcache.Operation("Named")),
		"many, and others": invalidate(append(many, gqlcache.Operation("Named"))...),
		"everything":       invalidate(gqlcache.Everything()),
		"a clearing": func() {
			if err := c.Clear(t.Context()); err != nil {
				t.Error(err)
			}
		},
	} {
		keys := map[string][]string{}
		for _, q := range publicQueries {
			edgeGet(t, h, q)
			keys[q] = strings.Fields(edgeGet(t, h, q).Get("Surrogate-Key"))
			if len(keys[q]) < 2 {
				t.Fatalf("%s: %q", q, keys[q])
			}
		}
		e.take()
		change()
		purged := e.take()
		for _, q := range publicQueries {
			before := c.Stats()
			edgeGet(t, h, q)
			dropped := c.Stats().Misses > before.Misses
			gone := slices.ContainsFunc(keys[q], func(k string) bool { return slices.Contains(purged, k) })
			if dropped && !gone {
				t.Errorf("%s: %s is dropped, and not purged", name, q)
			}
			if !gone {
				kept++
			}
		}
	}
	if precise && kept < 50 {
		t.Errorf("%d answers were kept", kept)
	}
}

// TestKeysOfAnswers: who gets keys, and of what.
func TestKeysOfAnswers(t *testing.T) {
	t.Parallel()
	banner, private := readBanner, "{ notes { name } }"
	own := gqlcache.Options{Vary: func(context.Context) []string { return []string{"de"} }}
	for name, row := range map[string]struct {
		change   func(*gqlcache.Options)
		document string
		header   []string
		want     bool
	}{
		"public":              {nil, banner, nil, true},
		"of a predicate":      {nil, private, nil, false},
		"not trusted":         {nil, banner, []string{"X-From-Edge", ""}, false},
		"trusted fails":       {func(o *gqlcache.Options) { o.HTTP.Edge.Trusted = func(*http.Request) bool { panic("broken") } }, banner, nil, false},
		"varies by what":      {func(o *gqlcache.Options) { o.Vary = own.Vary }, banner, nil, false},
		"varies by a header":  {func(o *gqlcache.Options) { o.Vary = own.Vary; o.HTTP.VaryHeaders = []string{"Accept-Language"} }, banner, nil, true},
		"it only watches":     {func(o *gqlcache.Options) { o.Shadow = true }, banner, nil, false},
		"past the hooks":      {func(o *gqlcache.Options) { o.HTTP.Direct = true }, banner, nil, true},
		"has it already, 304": {nil, banner, []string{"If-None-Match", "*"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := (&cdn{}).options()
			if row.change != nil {
				row.change(&o)
			}
			_, h := edgeServer(t, o, testgraph.NewStore())
			var first []string
			for i := range 4 {
				got := edgeGet(t, h, row.document, row.header...)
				keys, groups := strings.Fields(got.Get("Surrogate-Key")), strings.Split(got.Get("Cache-Groups"), ", ")
				if !row.want {
					if len(got["Surrogate-Key"])+len(got["Cache-Groups"]) > 0 {
						t.Errorf("%v", got)
					}
					continue
				}
				for j, g := range groups {
					groups[j] = strings.Trim(g, `"`)
				}
				if len(keys) != edge.MaxNames || !slices.Equal(keys, groups) || !slices.IsSorted(keys) || len(keys[0]) != edge.NameSize {
					t.Errorf("%d keys %q, groups %q", len(keys), keys, groups)
				}
				if i == 0 {
					first = keys
				} else if !slices.Equal(first, keys) {
					t.Errorf("%q, before %q", keys, first)
				}
			}
		})
	}
	o := (&cdn{}).options()
	_, h := edgeServer(t, o, testgraph.NewStore())
	if got := testgraph.Ask(t, h, banner, nil); got.Status != http.StatusOK {
		t.Error(got)
	}
	r := &sentRequest{method: http.MethodPost, target: "/query", body: `{"query":"{ banner(id: \"b1\") { id } }"}`, header: map[string]string{"X-From-Edge": "1"}}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.make(t.Context()))
	if w.Header().Get("Surrogate-Key") != "" {
		t.Errorf("POST: %v", w.Header())
	}
}

// TestDeadAnswersHaveKeys: an answer that has changed when its header is written is for
// nobody to keep. If the server has said otherwise, the purges that are still to come find it.
func TestDeadAnswersHaveKeys(t *testing.T) {
	t.Parallel()
	c := newCache(t, (&cdn{}).options())
	changing := &onResponse{do: func(context.Context) {}}
	h := testgraph.ServeBy(c.Transport, testgraph.Executable(testgraph.NewStore()), changing, c)
	if got := edgeGet(t, h, readBanner); got.Get("Surrogate-Key") == "" {
		t.Error(got)
	}
	changing.do = func(ctx context.Context) {
		if err := c.Invalidate(ctx, gqlcache.View("Banner")); err != nil {
			t.Error(err)
		}
	}
	if got := edgeGet(t, h, readBanner); got.Get("Surrogate-Key") == "" || got.Get("Cache-Control") != "no-store" {
		t.Error(got)
	}
}

// TestOneInstancePurges: the instance that makes a change purges, after the others have
// applied it; all have the same keys.
func TestOneInstancePurges(t *testing.T) {
	t.Parallel()
	log := newFakeLog()
	store := testgraph.NewStore()
	var servers [2]http.Handler
	var edges [2]*cdn
	for i := range servers {
		edges[i] = &cdn{}
		o := edges[i].options()
		o.Log = log.join(changelog.Bounded)
		_, servers[i] = edgeServer(t, o, store)
	}
	keys := edgeGet(t, servers[0], readBanner).Get("Surrogate-Key")
	if other := edgeGet(t, servers[1], readBanner).Get("Surrogate-Key"); other != keys {
		t.Errorf("%s, and %s", keys, other)
	}
	testgraph.Ask(t, servers[1], `mutation { setBanner(id: "b1", text: "new") }`, nil)
	if got := edges[1].take(); !slices.ContainsFunc(got, func(k string) bool { return strings.Contains(keys, k) }) {
		t.Errorf("purged %q of %s", got, keys)
	}
	if got := edges[0].take(); got != nil {
		t.Errorf("the other has purged %q", got)
	}
}

// TestPurgedAfterTheCommit: what is not committed yet is purged when it is.
func TestPurgedAfterTheCommit(t *testing.T) {
	t.Parallel()
	e := &cdn{}
	c, h := edgeServer(t, e.options(), testgraph.NewStore())
	held := c.HoldUntilCommit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		if got := e.take(); got != nil {
			t.Errorf("before the commit: %q", got)
		}
	}))
	testgraph.Ask(t, held, `mutation { setBanner(id: "b1", text: "new") }`, nil)
	if got := e.take(); len(got) == 0 {
		t.Error("nothing was purged after the commit")
	}
}

// TestPurgesInTheBackground: without WaitForPurge a mutation is answered while a purge
// hangs or fails, and failures are counted.
func TestPurgesInTheBackground(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &cdn{fail: errors.New("down")}
		o := e.options()
		o.HTTP.Edge.WaitForPurge, o.HTTP.Edge.InFlight = false, 0
		open := make(chan struct{})
		o.HTTP.Edge.Purge = func(ctx context.Context, keys []string) error {
			<-open
			return e.purge(ctx, keys)
		}
		c, h := edgeServer(t, o, testgraph.NewStore())
		start := time.Now()
		testgraph.Ask(t, h, `mutation { setBanner(id: "b1", text: "new") }`, nil)
		if took := time.Since(start); took > 0 || e.take() != nil {
			t.Errorf("it was waited for %v", took)
		}
		close(open)
		synctest.Wait()
		if s := c.Stats(); s.EdgePurges != 1 || s.EdgePurgeErrors != 1 {
			t.Errorf("%d purges, %d errors", s.EdgePurges, s.EdgePurgeErrors)
		}
		e.mu.Lock()
		e.fail = nil
		e.mu.Unlock()
		time.Sleep(15 * time.Second)
		if s := c.Stats(); s.EdgePurges != 2 || s.EdgePurgeErrors != 1 {
			t.Errorf("10 seconds later: %d purges, %d errors", s.EdgePurges, s.EdgePurgeErrors)
		}
	})
}

// TestEdgeRefused: options that could not work.
func TestEdgeRefused(t *testing.T) {
	t.Parallel()
	for text, change := range map[string]func(*gqlcache.Edge){
		"Secret has 3 bytes":   func(o *gqlcache.Edge) { o.Secret = []byte("abc") },
		"Trusted is not set":   func(o *gqlcache.Edge) { o.Trusted = nil },
		`Header is "a b"`:      func(o *gqlcache.Edge) { o.Header = "a b" },
		`Delimiter is "\n"`:    func(o *gqlcache.Edge) { o.Delimiter = "\n" },
		"MaxBytes is 44":       func(o *gqlcache.Edge) { o.MaxBytes = 44 },
		"MaxBytes is -1":       func(o *gqlcache.Edge) { o.MaxBytes = -1 },
		"Purge is set, and ne": func(o *gqlcache.Edge) { o.Header, o.Groups = "", false },
		"InFlight is -1ns":     func(o *gqlcache.Edge) { o.InFlight = -1 },
	} {
		o := (&cdn{}).options()
		change(&o.HTTP.Edge)
		if _, err := gqlcache.New(quiet(o)); !errors.Is(err, gqlcache.ErrOptions) || !strings.Contains(fmt.Sprint(err), text) {
			t.Errorf("%v, want %q", err, text)
		}
	}
}

// TestEdgeFieldsAreCharged: an entry is charged for its keys, and one that nobody may
// keep outside has none.
func TestEdgeFieldsAreCharged(t *testing.T) {
	t.Parallel()
	size := func(document string, o gqlcache.Options) int64 {
		c, h := edgeServer(t, o, testgraph.NewStore())
		edgeGet(t, h, document)
		return c.Stats().Bytes
	}
	with, without := (&cdn{}).options(), gqlcache.Options{Predicate: viewerPredicate}
	if more := size(readBanner, with) - size(readBanner, without); more < 2*edge.MaxNames*edge.NameSize {
		t.Errorf("keys take %d bytes", more)
	}
	if more := size("{ notes { name } }", with) - size("{ notes { name } }", without); more != 0 {
		t.Errorf("keys of a private answer take %d bytes", more)
	}
}

// TestPurgedAfterTheCascade: when a change is purged it is applied, so what the cache in
// front asks for then is new.
func TestPurgedAfterTheCascade(t *testing.T) {
	t.Parallel()
	var misses []uint64
	var c *gqlcache.Cache
	var h http.Handler
	o := (&cdn{}).options()
	o.HTTP.Edge.Purge = func(context.Context, []string) error {
		if h != nil {
			edgeGet(t, h, readBanner)
			misses = append(misses, c.Stats().Misses)
		}
		return nil
	}
	c, h = edgeServer(t, o, testgraph.NewStore())
	edgeGet(t, h, readBanner)
	if err := c.Invalidate(t.Context(), gqlcache.View("Banner")); err != nil {
		t.Error(err)
	}
	if !slices.Equal(misses, []uint64{2}) {
		t.Errorf("misses when it was purged: %d", misses)
	}
	h = nil // the last purge is that of Close
}

// TestCacheGroupInvalidation: the response to a mutation names the groups that its
// changes reach, when they are applied and committed, for those who may see them, and no
// more than a cache must read.
func TestCacheGroupInvalidation(t *testing.T) {
	t.Parallel()
	o := (&cdn{}).options()
	o.HTTP.Edge.Purge = nil
	member := newFakeLog().join(changelog.Bounded)
	o.Log, o.RequireLease = member, true
	c, h := edgeServer(t, o, testgraph.NewStore())
	groupsIn := func(h http.Handler, document string, header ...string) []string {
		q := sentRequest{method: http.MethodPost, target: "/query", header: map[string]string{"X-From-Edge": "1"}}
		body, err := json.Marshal(map[string]string{"query": document})
		if err != nil {
			t.Error(err)
		}
		q.body = string(body)
		for i := 0; i < len(header); i += 2 {
			q.header[header[i]] = header[i+1]
		}
		w := httptest.NewRecorder()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // it is waited for the lease, if that is lost
		defer cancel()
		h.ServeHTTP(w, q.make(ctx))
		return w.Header()["Cache-Group-Invalidation"]
	}
	split := func(list string) (groups []string) {
		for g := range strings.SplitSeq(list, ", ") {
			groups = append(groups, strings.Trim(g, `"`))
		}
		return groups
	}
	answer := split(edgeGet(t, h, readBanner).Get("Cache-Groups"))
	meets := func(named []string) bool {
		return len(named) == 1 && len(split(named[0])) <= edge.MaxNames &&
			slices.ContainsFunc(split(named[0]), func(g string) bool { return slices.Contains(answer, g) })
	}
	const change = `mutation { setBanner(id: "b1", text: "new") }`
	for i := range 4 { // decoded anew, and from memory
		if got := groupsIn(h, change); !meets(got) {
			t.Errorf("time %d: %q", i, got)
		}
		if got := groupsIn(c.HoldUntilCommit(h), change); !meets(got) {
			t.Errorf("time %d, held: %q", i, got)
		}
	}
	if got := groupsIn(h, `mutation { setBanner(id: "another", text: "new") }`); len(got) != 1 || meets(got) {
		t.Errorf("of another row: %q", got)
	}
	many := ""
	for i := range 40 {
		many += fmt.Sprintf(`m%d: setBanner(id: "x%d", text: "new") `, i, i)
	}
	if got := groupsIn(h, "mutation { "+many+"}"); !meets(got) {
		t.Errorf("of many rows: %q", got)
	}
	for name, got := range map[string][]string{
		"not trusted":     groupsIn(h, change, "X-From-Edge", ""),
		"a query":         groupsIn(h, readBanner),
		"a held query":    groupsIn(c.HoldUntilCommit(h), readBanner),
		"invalid":         groupsIn(h, "mutation { nothing }"),
		"changes nothing": groupsIn(h, "mutation { __typename }"),
	} {
		if got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	member.lose()
	if got := groupsIn(h, change); got != nil {
		t.Errorf("refused: %q", got)
	}
}
