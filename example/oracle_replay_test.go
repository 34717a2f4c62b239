package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/example/graph"
	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/memstore"
	"github.com/cascadeql/cascadeql/internal/pgtest"
)

// An oracleLevel is how much of its directives the schema keeps.
type oracleLevel struct {
	name string
	keep []string
	// projected says that the types of tables say by which columns code decides: by those
	// that name the rows that they refer to.
	projected bool
	// watched says what sees the statements, nil for nothing. Its dialect is that of the
	// database. floors are the precisions that a short replay must reach, by ratio.
	watched *footprint.Options
	floors  []float64
	// options changes those of the cache; nil for nothing. credentials are what a request
	// says of its caller, nil for nothing.
	options     func(*gqlcache.Options)
	credentials func(oracleRequest) string
}

// quick says that the level is replayed also where one replay looks like the other: under
// the race detector, and by a benchmark that only has to run.
func (l oracleLevel) quick() bool {
	return l.name == "everything" || l.name == "images, joins and projection"
}

// database returns an empty one.
func (l oracleLevel) database(tb testing.TB) string {
	tb.Helper()
	if l.watched != nil && l.watched.Dialect == footprint.PostgreSQL {
		return pgtest.Database(tb)
	}
	return filepath.Join(tb.TempDir(), "oracle.db")
}

var oracleLevels = []oracleLevel{
	{name: "no directives"},
	{name: "@view only", keep: []string{"view"}},
	{name: "statements", watched: &footprint.Options{Dialect: footprint.SQLite, Images: footprint.Off}, floors: []float64{.95, .80, .60}},
	{name: "statements of PostgreSQL", watched: &footprint.Options{Dialect: footprint.PostgreSQL, Images: footprint.Off}, floors: []float64{.94, .78, .52}},
	{name: "images of PostgreSQL", watched: &footprint.Options{Dialect: footprint.PostgreSQL, Images: footprint.On}, floors: []float64{.94, .78, .52}},
	{name: "joins of PostgreSQL", watched: &footprint.Options{Dialect: footprint.PostgreSQL, SemiJoins: true}, floors: []float64{.95, .80, .57}},
	{name: "images", watched: &footprint.Options{Dialect: footprint.SQLite}, floors: []float64{.95, .85, .69}},
	{name: "images and joins", watched: &footprint.Options{Dialect: footprint.SQLite, SemiJoins: true}, floors: []float64{.97, .91, .78}},
	{name: "images, joins and projection", projected: true, watched: &footprint.Options{Dialect: footprint.SQLite, SemiJoins: true}, floors: []float64{.97, .94, .91}},
	{name: "everything", keep: []string{"view", "dependsOn", "reads", "writes"}},
}

// A strippedSchema is the example's schema with fewer directives.
type strippedSchema struct {
	graphql.ExecutableSchema
	schema *ast.Schema
}

func (s strippedSchema) Schema() *ast.Schema { return s.schema }

func (l oracleLevel) schema(tb testing.TB, es graphql.ExecutableSchema) graphql.ExecutableSchema {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("graph", "schema.graphql"))
	if err != nil {
		tb.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(
		&ast.Source{Name: "schema.graphql", Input: string(text)},
		&ast.Source{Name: "directives.graphql", Input: cascade.SDL("")},
	)
	if err != nil {
		tb.Fatal(err)
	}
	keep := func(list ast.DirectiveList) (kept ast.DirectiveList) {
		for _, d := range list {
			for _, name := range l.keep {
				if d.Name == name {
					kept = append(kept, d)
				}
			}
		}
		return kept
	}
	schema.SchemaDirectives = keep(schema.SchemaDirectives)
	for _, def := range schema.Types {
		if def.BuiltIn {
			continue
		}
		def.Directives = keep(def.Directives)
		for _, f := range def.Fields {
			f.Directives = keep(f.Directives)
		}
	}
	if l.projected {
		for name, text := range projectedTypes {
			d := schema.Directives["view"]
			doc, err := parser.ParseSchema(&ast.Source{Input: "type T " + text + " { id: ID! }"})
			if err != nil {
				tb.Fatal(err)
			}
			list := doc.Definitions[0].Directives
			list[0].Definition = d
			schema.Types[name].Directives = list
		}
	}
	return strippedSchema{es, schema}
}

// projectedTypes are all that a schema declares beside what the statements tell.
var projectedTypes = map[string]string{
	"User":    `@view(name: "users", decides: [])`,
	"Post":    `@view(name: "posts", decides: ["author_id"])`,
	"Comment": `@view(name: "comments", decides: ["author_id", "post_id"])`,
	"Tag":     `@view(name: "tags", decides: [])`,
}

// An oracle answers every read twice: from a server without a cache, which is the truth,
// and from the one that is measured.
type oracle struct {
	tb            testing.TB
	w             *workload
	truth, cached http.Handler
	cache         *gqlcache.Cache
	store         *spyStore
	log           *oracleLog

	changes int // mutations so far
	known   map[oracleRequest]*knownAnswer
	level   oracleLevel
	watched *footprint.Observer
}

// knownAnswer is the last answer to a key.
type knownAnswer struct {
	data    []byte
	changes int
}

// oracleLog is what a replay found.
type oracleLog struct {
	reads, hits, possible, fresh, stale int
	mutations                           int
	invalidating                        time.Duration
	entries, tags, overhead             int
	lost                                map[lostHit]int
	possibleBy, freshBy                 map[string]int
}

// lostHit is why an answer was gone although it had not changed.
type lostHit struct{ query, mutation, changed string }

func (l *oracleLog) precision() float64 { return float64(l.fresh) / float64(max(l.possible, 1)) }

// spyStore tells which entries a sweep finds dead, and whose they are.
type spyStore struct {
	store.Store
	asked  oracleRequest
	owner  map[string]oracleRequest
	fallen map[oracleRequest]lostHit
	cause  lostHit
	log    *oracleLog
}

func (s *spyStore) Put(ctx context.Context, key []byte, e *store.Entry) error {
	s.owner[string(key)] = s.asked
	delete(s.fallen, s.asked)
	s.log.entries++
	s.log.overhead += e.Size - len(e.Body)
	return s.Store.Put(ctx, key, e)
}

func (s *spyStore) DeleteEntry(ctx context.Context, key []byte, e *store.Entry) error {
	cause := s.cause
	cause.query = s.owner[string(key)].name
	s.fallen[s.owner[string(key)]] = cause
	return s.Store.DeleteEntry(ctx, key, e)
}

// newOracle fills a database with the workload's rows and puts both servers on it.
func newOracle(tb testing.TB, w *workload, level oracleLevel) *oracle {
	tb.Helper()
	ctx := tb.Context()
	database := level.database(tb)
	var watched *footprint.Observer
	if level.watched != nil {
		opts := *level.watched
		if opts.SemiJoins && opts.Dialect == footprint.PostgreSQL {
			opts.Beside = besideOf(tb, database)
		}
		watched = footprint.New(opts)
	}
	db, err := blog.OpenWith(ctx, blogOptions(database, watched))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	for _, t := range w.tenants {
		in := w.rows(t)
		if _, err := db.As(t.id).Import(ctx, in); err != nil {
			tb.Fatal(err)
		}
		for i, p := range in.Posts {
			for n := range 1 + i%2 {
				if _, _, err := db.As(t.id).TagPost(ctx, *p.ID, t.tags[(i+5*n)%len(t.tags)]); err != nil {
					tb.Fatal(err)
				}
			}
		}
	}
	mem, err := memstore.New(memstore.Options{MaxBytes: 1 << 30, MaxEntries: 1 << 20})
	if err != nil {
		tb.Fatal(err)
	}
	log := &oracleLog{lost: map[lostHit]int{}, possibleBy: map[string]int{}, freshBy: map[string]int{}}
	spy := &spyStore{Store: mem, owner: map[string]oracleRequest{}, fallen: map[oracleRequest]lostHit{}, log: log}
	es := level.schema(tb, graph.NewExecutableSchema(graph.Config{Resolvers: &graph.Resolver{Store: db}}))
	opts := cacheOptions()
	opts.Inspector = gqlcache.Inspector{Allow: func(context.Context) bool { return true }}
	opts.Schema, opts.Store, opts.TTL, opts.SweepInterval = es.Schema(), spy, time.Hour, -1
	if watched != nil {
		stripped := es.Schema()
		es = graph.WithoutDirectives(es)
		observe(&opts, watched)
		if level.projected {
			es, opts.Schema = strippedSchema{es, stripped}, stripped
		}
		tb.Cleanup(func() {
			for _, f := range watched.Findings() {
				tb.Log(f)
			}
		})
	}
	if level.options != nil {
		level.options(&opts)
	}
	cache, err := gqlcache.New(opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = cache.Close() })
	return &oracle{
		tb: tb, w: w, cache: cache, store: spy, log: log,
		truth: newGraphQL(db, nil), cached: newHandler(es, db, cache), known: map[oracleRequest]*knownAnswer{}, level: level, watched: watched,
	}
}

// besideOf are connections of a role that no policy applies to.
func besideOf(tb testing.TB, database string) footprint.Conn {
	tb.Helper()
	cfg, err := pgx.ParseConfig(database)
	if err != nil {
		tb.Fatal(err)
	}
	beside := footprintsql.Beside(stdlib.GetConnector(*cfg))
	tb.Cleanup(func() { _ = beside.Close() })
	return beside
}

// replay runs requests until there were that many reads.
func (o *oracle) replay(reads int) *oracleLog {
	o.tb.Helper()
	for o.log.reads < reads {
		if r := o.w.next(); r.mutation {
			o.mutate(r)
		} else {
			o.read(r)
		}
	}
	return o.log
}

func (o *oracle) read(r oracleRequest) {
	o.tb.Helper()
	last := o.known[r]
	truth := last
	if last == nil || last.changes != o.changes { // nothing changed since: the answer is the same
		truth = &knownAnswer{o.ask(o.truth, r).Data, o.changes}
		o.known[r] = truth
	}
	cause := o.store.fallen[r]
	o.store.asked = r
	got := o.ask(o.cached, r)
	o.log.reads++
	hit := got.Extensions.Cache.Status == "HIT"
	right := bytes.Equal(got.Data, truth.data)
	possible := last != nil && bytes.Equal(last.data, truth.data)
	switch {
	case hit:
		o.log.hits++
		if !right {
			o.log.stale++
			o.tb.Errorf("stale: %s %s\n got %s\nwant %s", r.name, r.variables, got.Data, truth.data)
		}
	case !right:
		o.tb.Fatalf("the servers differ without the cache: %s %s\n got %s\nwant %s", r.name, r.variables, got.Data, truth.data)
	}
	if !hit {
		o.log.tags += got.Extensions.Cache.Tags
	}
	if !possible {
		return
	}
	o.log.possible++
	o.log.possibleBy[r.name]++
	if hit && right {
		o.log.fresh++
		o.log.freshBy[r.name]++
		return
	}
	cause.query = r.name
	o.log.lost[cause]++
}

func (o *oracle) mutate(r oracleRequest) {
	o.tb.Helper()
	got := o.ask(o.cached, r)
	o.changes++
	o.log.mutations++
	inv := got.Extensions.Cache.Invalidation
	o.log.invalidating += time.Duration(inv.DurationUS) * time.Microsecond
	changed := inv.EverythingBecause
	if changed != "" {
		changed = "everything: " + changed
	}
	for _, e := range got.Extensions.Cache.InvalidatedEntities {
		rows := "some rows"
		if e.UnknownRows {
			rows = "any rows"
		}
		if part := fmt.Sprintf("%s %s of %s", e.Operation, rows, e.View); !strings.Contains(changed, part) {
			changed += "; " + part
		}
	}
	o.store.cause = lostHit{mutation: r.name, changed: strings.TrimPrefix(changed, "; ")}
	if _, err := o.cache.Sweep(o.tb.Context()); err != nil {
		o.tb.Fatal(err)
	}
}

// oracleAnswer is the JSON of an answer.
type oracleAnswer struct {
	Data       json.RawMessage
	Errors     json.RawMessage
	Extensions struct {
		Cache struct {
			Status              string
			Tags                int
			InvalidatedEntities []struct {
				View, Operation string
				UnknownRows     bool
			}
			Invalidation struct {
				EverythingBecause string
				DurationUS        int64 `json:"durationUs"`
			}
		}
	}
}

func (o *oracle) ask(h http.Handler, r oracleRequest) oracleAnswer {
	o.tb.Helper()
	body, err := json.Marshal(map[string]any{"query": oracleDocuments[r.name], "variables": json.RawMessage(r.variables)})
	if err != nil {
		o.tb.Fatal(err)
	}
	req := httptest.NewRequestWithContext(o.tb.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(gqlcache.DebugHeader, "true")
	if o.level.credentials != nil {
		req.Header.Set("Authorization", o.level.credentials(r))
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req.WithContext(blog.WithTenant(req.Context(), r.tenant)))
	var a oracleAnswer
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil {
		o.tb.Fatalf("%s: %v in %s", r.name, err, rec.Body)
	}
	if !r.mutation && a.Errors != nil {
		o.tb.Fatalf("%s %s: %s", r.name, r.variables, a.Errors)
	}
	return a
}
