package compat_test

import (
	"testing"

	"github.com/cascadeql/cascadeql/compat/internal/federated"
	"github.com/cascadeql/cascadeql/compat/internal/twin"
	"github.com/cascadeql/cascadeql/gqlcache"
)

// TestEntities: a gateway asks a subgraph for entities by their representations, which hold more than the key.
func TestEntities(t *testing.T) {
	t.Parallel()
	w := &twin.Pair{T: t, Contract: &twin.Contract{}}
	fields := aroundFields(w.Contract.Fields)
	store := federated.NewStore()
	w.Plain = w.Contract.Around(federated.NewServer(federated.NewStore(), fields))
	w.Cached = w.Contract.Around(federated.NewServer(store, fields, newCache(t, gqlcache.Options{})))
	w.Oracle = federated.NewServer(store)
	t.Cleanup(w.Check)

	const text = `query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Product { name shipping } } }`
	product := func(upc string, weight any) map[string]any {
		return map[string]any{"__typename": "Product", "upc": upc, "weight": weight}
	}
	ask := func(query string, list ...any) {
		t.Helper()
		for range 2 {
			w.Same(twin.Request{Query: query, Variables: map[string]any{"r": list}})
		}
	}
	for range 2 {
		ask(text, product("1", 10))
		ask(text, product("1", 11)) // the same entity, another weight
		ask(text, product("1", 10), product("2", 10))
		ask(text, product("2", 10), product("1", 10))  // in another order
		ask(text, product("1", 10), product("77", 10)) // one is not there: an error at its index
		ask(text, product("1", nil))
		ask(`query ($r: [_Any!]!) { _entities(representations: $r) { ... on Product { name } } }`, map[string]any{"__typename": "Product", "upc": "1"})
		ask(`query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }`, map[string]any{"__typename": "Nothing", "upc": "1"})
		for range 2 {
			w.Same(q(`{ _service { sdl } }`))
			w.Same(q(`{ products { upc name } product(upc: "1") { name } }`))
		}
		w.Same(q(`mutation { rename(upc: "1", name: "desk") { name } }`))
		ask(text, product("1", 10))
	}
}
