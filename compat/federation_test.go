package compat_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/compat/internal/federated"
	"github.com/cascadeql/cascadeql/compat/internal/twin"
	"github.com/cascadeql/cascadeql/gqlcache"
)

// A subgraph is one with the cache and one without.
type subgraph struct {
	*twin.Pair
	cache *gqlcache.Cache
	store *federated.Store // of the one with the cache
}

// newSubgraph returns a subgraph whose callers are told apart by their name.
func newSubgraph(t testing.TB, finder func(*gqlcache.Cache) federated.Finder, exts ...graphql.HandlerExtension) *subgraph {
	t.Helper()
	cache := newCache(t, gqlcache.Options{Predicate: func(ctx context.Context) (gqlcache.Predicate, error) {
		return gqlcache.Predicate{Text: federated.Caller(ctx)}, nil
	}})
	s := &subgraph{Pair: &twin.Pair{T: t, Contract: &twin.Contract{}}, cache: cache, store: federated.NewStore()}
	exts = append(slices.Clone(exts), aroundFields(s.Contract.Fields))
	serve := func(h http.Handler) http.Handler { return s.Contract.Around(federated.WithUser(h)) }
	var f federated.Finder
	if finder != nil {
		f = finder(cache)
	}
	s.Plain = serve(federated.NewServer(federated.NewStore(), exts...))
	s.Cached = serve(federated.NewServerWith(s.store, f, append(exts, cache)...))
	s.Oracle = serve(federated.NewServer(s.store))
	t.Cleanup(s.Check)
	return s
}

// ask asks for entities, and returns whether the answer was a hit.
func (s *subgraph) ask(user, query string, reps ...any) (hit bool) {
	s.T.Helper()
	before := s.cache.Stats().Hits
	s.Same(twin.Request{Query: query, Variables: map[string]any{"r": reps}, User: user})
	return s.cache.Stats().Hits > before
}

func productOf(upc string, weight any) map[string]any {
	return map[string]any{"__typename": "Product", "upc": upc, "weight": weight}
}

func entityOf(typ, field, value string) map[string]any {
	return map[string]any{"__typename": typ, field: value}
}

const (
	askShipping = `query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Product { name shipping } } }`
	askName     = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Product { name } } }`
	askPrice    = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Product { price } } }`
	askReviews  = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Product { upc reviews(stars: 5) { id } } } }`
	askBodies   = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Review { body product { name } } } }`
	askUsers    = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on User { reviews } } }`
	askAll      = `query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Product { upc name } ... on Review { stars } ...U } } fragment U on User { reviews }`
)

// TestEntities: a gateway asks a subgraph for entities by their representations, which hold more than the key.
func TestEntities(t *testing.T) {
	t.Parallel()
	s := newSubgraph(t, nil)
	ask := func(query string, list ...any) {
		t.Helper()
		for _, user := range []string{"ann", "ann", "bob"} {
			s.ask(user, query, list...)
		}
	}
	for range 2 {
		ask(askShipping, productOf("1", 10))
		ask(askShipping, productOf("1", 11)) // the same entity, another weight
		ask(askShipping, productOf("1", 10), productOf("2", 10))
		ask(askShipping, productOf("2", 10), productOf("1", 10))  // in another order
		ask(askShipping, productOf("1", 10), productOf("77", 10)) // one is not there: an error
		ask(askShipping, productOf("1", nil))
		ask(askName, map[string]any{"__typename": "Product", "upc": "1"})
		ask(askName, entityOf("Product", "sku", "b"), entityOf("Product", "upc", "2"))
		ask(askName, map[string]any{"__typename": "Product", "upc": 1}) // gqlgen takes it for "1"
		ask(askName, map[string]any{"upc": "1"})
		ask(askPrice, productOf("1", 10))
		ask(askReviews, productOf("1", 10), productOf("2", 10))
		ask(askBodies, entityOf("Review", "id", "1"), entityOf("Review", "id", "9"), entityOf("Review", "id", "2")) // null for the second
		ask(askBodies, entityOf("Review", "id", "1"), entityOf("Review", "id", "broken"))
		ask(askUsers, entityOf("User", "id", "ann"))
		ask(askAll, entityOf("User", "id", "ann"), productOf("1", 1), entityOf("Review", "id", "3"), productOf("2", 1))
		ask(`query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }`, map[string]any{"__typename": "Nothing", "upc": "1"})
		ask(`query ($r: [_Any!]!) { a: _entities(representations: $r) { ... on Product { name } } b: _entities(representations: $r) { ... on Product { price } } products { upc } }`, productOf("1", 1))
		for range 2 {
			s.Same(q(`{ _service { sdl } }`))
			s.Same(q(`{ products { upc name } product(upc: "1") { name } }`))
			s.Same(q(`{ _entities(representations: [{__typename: "Product", upc: "1"}]) { ... on Product { name } } }`))
		}
		s.Same(q(`mutation { rename(upc: "1", name: "desk") { name } }`))
		ask(askShipping, productOf("1", 10))
	}
}

// TestEntitiesFall: a change drops the answers with its entities, and no others.
func TestEntitiesFall(t *testing.T) {
	t.Parallel()
	type call struct {
		query string
		reps  []any
	}
	table := []any{entityOf("Product", "upc", "1")}
	both := []any{productOf("1", 3), productOf("2", 3)}
	rename := `mutation { rename(upc: %q, name: "x") { name } }`
	for _, row := range []struct {
		name, mutation string
		call
		stays bool
	}{
		{"its row", fmt.Sprintf(rename, "1"), call{askName, table}, false},
		{"another row", fmt.Sprintf(rename, "2"), call{askName, table}, true},
		{"another column", `mutation { reprice(upc: "1", price: 7) { name } }`, call{askName, table}, true},
		{"the second of two", fmt.Sprintf(rename, "2"), call{askName, both}, false},
		{"neither of two", fmt.Sprintf(rename, "3"), call{askName, both}, true},
		{"the row of a field that requires", `mutation { reprice(upc: "2", price: 7) { name } }`, call{askShipping, both}, false},
		{"another row than that of a field that requires", `mutation { reprice(upc: "3", price: 7) { name } }`, call{askShipping, both}, true},
		{"found by another key", fmt.Sprintf(rename, "2"), call{askName, []any{entityOf("Product", "sku", "b")}}, false},
		{"found by another key, another row", fmt.Sprintf(rename, "1"), call{askName, []any{entityOf("Product", "sku", "b")}}, true},
		{"found by another key, another row gets it", `mutation { relabel(upc: "1", sku: "b") { name } }`, call{askName, []any{entityOf("Product", "sku", "b")}}, false},
		{"one of many", `mutation { review(id: "2", upc: "1", author: "ann", stars: 1) { id } }`, call{askBodies, []any{entityOf("Review", "id", "1"), entityOf("Review", "id", "2")}}, false},
		{"none of many", `mutation { review(id: "3", upc: "1", author: "ann", stars: 1) { id } }`, call{askBodies, []any{entityOf("Review", "id", "1"), entityOf("Review", "id", "2")}}, true},
		{"one that was null", `mutation { review(id: "9", upc: "1", author: "ann", stars: 1) { id } }`, call{askBodies, []any{entityOf("Review", "id", "1"), entityOf("Review", "id", "9")}}, false},
		{"a row below one of many", fmt.Sprintf(rename, "1"), call{askBodies, []any{entityOf("Review", "id", "1")}}, false},
		{"another row than those below", fmt.Sprintf(rename, "2"), call{askBodies, []any{entityOf("Review", "id", "1")}}, true},
		{"the rows of another subgraph's entity", `mutation { review(id: "9", upc: "1", author: "ann", stars: 1) { id } }`, call{askUsers, []any{entityOf("User", "id", "ann")}}, false},
		{"another view", fmt.Sprintf(rename, "1"), call{askUsers, []any{entityOf("User", "id", "ann")}}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSubgraph(t, nil)
			s.ask("ann", row.query, row.reps...)
			if !s.ask("ann", row.query, row.reps...) {
				t.Error("no hit before the mutation")
			}
			if s.ask("bob", row.query, row.reps...) {
				t.Error("a hit for another caller")
			}
			s.Same(twin.Request{Query: row.mutation, User: "ann"})
			if hit := s.ask("ann", row.query, row.reps...); hit != row.stays {
				t.Errorf("a hit after the mutation: %v", hit)
			}
		})
	}
}

// TestEntityHistories: random requests of routers and mutations, with and without a finder that keeps entities apart.
func TestEntityHistories(t *testing.T) {
	t.Parallel()
	for name, finder := range map[string]func(*gqlcache.Cache) federated.Finder{"whole": nil, "apart": newKeeper} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprint(name, seed), func(t *testing.T) {
				t.Parallel()
				s := newSubgraph(t, finder)
				r := rand.New(rand.NewPCG(seed, 7))
				batches := make([][]any, 6)
				for i := range batches {
					batches[i] = randomBatch(r)
				}
				for range 400 {
					s.Same(randomRequest(r, batches))
				}
				if hits := s.cache.Stats().Hits; hits < 20 {
					t.Errorf("%d hits", hits)
				}
			})
		}
	}
}

// randomRequest returns a mutation, or a query for one of the batches.
func randomRequest(r *rand.Rand, batches [][]any) twin.Request {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	req := twin.Request{User: pick("ann", "bob")}
	if r.IntN(5) > 0 {
		req.Query = pick(askName, askPrice, askReviews, askBodies, askUsers, askAll)
		req.Variables = map[string]any{"r": batches[r.IntN(len(batches))]}
		return req
	}
	req.Query = "mutation { " + pick(
		fmt.Sprintf(`rename(upc: %q, name: "n%d") { name }`, pick("1", "2", "3"), r.IntN(4)),
		fmt.Sprintf(`reprice(upc: %q, price: %d) { upc }`, pick("1", "2", "3"), r.IntN(4)),
		fmt.Sprintf(`stock(upc: "3", sku: "c", name: "n%d") { name }`, r.IntN(4)),
		`drop(upc: "3")`,
		fmt.Sprintf(`review(id: %q, upc: %q, author: %q, stars: %d) { body }`, pick("1", "2", "5"), pick("1", "2"), pick("ann", "bob"), 4+r.IntN(2)),
		`unreview(id: "5")`,
	) + " }"
	return req
}

// randomBatch returns representations of which at most one may fail, since errors have no order.
func randomBatch(r *rand.Rand) []any {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	batch := []any{}
	failing := false
	for range 1 + r.IntN(3) {
		switch kind := r.IntN(5); {
		case kind < 3:
			upc := pick("1", "2", "3")
			if upc == "3" && failing {
				continue
			}
			failing = failing || upc == "3"
			rep := productOf(upc, r.IntN(2))
			if r.IntN(3) == 0 {
				rep = entityOf("Product", "sku", map[string]string{"1": "a", "2": "b", "3": "c"}[upc])
			}
			batch = append(batch, rep)
		case kind == 3:
			batch = append(batch, entityOf("Review", "id", pick("1", "2", "5")))
		default:
			batch = append(batch, entityOf("User", "id", pick("ann", "bob")))
		}
	}
	return batch
}

// newKeeper returns a finder that keeps each entity by itself.
func newKeeper(c *gqlcache.Cache) federated.Finder { return keeper{c} }

type keeper struct{ cache *gqlcache.Cache }

func (k keeper) Product(ctx context.Context, upc string, next func(context.Context, string) (*federated.Product, error)) (*federated.Product, error) {
	p, err := gqlcache.Compute(ctx, k.cache, gqlcache.KeyOf("product").Arg("upc", upc), func(ctx context.Context) (federated.Product, error) {
		p, err := next(ctx, upc)
		if err != nil {
			return federated.Product{}, err
		}
		return *p, nil
	}, gqlcache.Reads(gqlcache.Entity("Product", upc)))
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// Reviews looks for those of a batch that nobody has found yet. That a batch may be asked for in parts is the
// program's word.
func (k keeper) Reviews(ctx context.Context, ids []string, next func(context.Context, []string) ([]*federated.Review, error)) ([]*federated.Review, error) {
	token := k.cache.Begin(ctx)
	list := make([]*federated.Review, len(ids))
	var missing []string
	var places []int
	for i, id := range ids {
		r, err := gqlcache.Get[federated.Review](ctx, k.cache, reviewKey(id))
		switch {
		case err == nil:
			list[i] = &r
		case errors.Is(err, gqlcache.ErrMiss):
			missing, places = append(missing, id), append(places, i)
		default:
			return nil, err
		}
	}
	if len(missing) == 0 {
		return list, nil
	}
	found, err := next(ctx, missing)
	if err != nil {
		return nil, err
	}
	for i, r := range found {
		if list[places[i]] = r; r == nil {
			continue // it may come
		}
		err := gqlcache.Put(ctx, k.cache, reviewKey(missing[i]), *r, token, gqlcache.Reads(gqlcache.Entity("Review", missing[i])))
		if err != nil && !errors.Is(err, gqlcache.ErrOutdated) {
			return nil, err
		}
	}
	return list, nil
}

func reviewKey(id string) gqlcache.Key { return gqlcache.KeyOf("review").Arg("id", id) }

// TestEntitiesApart: entities that were found for one batch are not looked for in another one of the same caller.
func TestEntitiesApart(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, query, change string
		rep                 func(id string, i int) any
	}{
		{"one by one", askShipping, `mutation { rename(upc: "2", name: "x") { name } }`, func(id string, i int) any { return productOf(id, i) }},
		{"many", `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Review { id stars } } }`,
			`mutation { review(id: "2", upc: "1", author: "ann", stars: 1) { id } }`, func(id string, _ int) any { return entityOf("Review", "id", id) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSubgraph(t, newKeeper)
			ask := func(want, user string, ids ...string) {
				t.Helper()
				reps := make([]any, len(ids))
				for i, id := range ids {
					reps[i] = row.rep(id, i)
				}
				req := twin.Request{Query: row.query, Variables: map[string]any{"r": reps}, User: user}
				s.store.Found()
				got := s.Contract.Serve(context.Background(), s.Cached, req)
				found := strings.Join(s.store.Found(), " ")
				if found = strings.NewReplacer("upc ", "", "review ", "").Replace(found); found != want {
					t.Errorf("%s asks for %v: found %q, want %q", user, ids, found, want)
				}
				if want := s.Contract.Serve(context.Background(), s.Plain, req); got.String() != want.String() {
					t.Errorf("%s asks for %v:\n%s\nwant\n%s", user, ids, got, want)
				}
			}
			ask("1 2", "ann", "1", "2")
			ask("3", "ann", "2", "3", "1")
			ask("", "ann", "3", "2")
			ask("2 3", "bob", "3", "2")
			s.Same(twin.Request{Query: row.change, User: "ann"})
			ask("2", "ann", "1", "2", "3")
			ask("", "ann", "2", "1")
			ask("1 2", "bob", "1", "2", "3")
		})
	}
}
