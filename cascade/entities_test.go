package cascade_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
)

const federationDirectives = `
directive @key(fields: String!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @requires(fields: String!) on FIELD_DEFINITION
directive @external on FIELD_DEFINITION
scalar _Any
scalar Opaque
`

// entitySchema has entities with one key, with several, with none that is a row's, and of types without a view.
const entitySchema = federationDirectives + `
union _Entity = Product | Seat | Review | Stub | Quiet | Cloudy | Bin
type Bin @key(fields: "aisle shelf") @view(name: "bins") { id: ID! aisle: String! shelf: String! name: String }
type Product @key(fields: "upc") @key(fields: "sku") @key(fields: "shop { id } code") @view(name: "products", key: "upc", columns: ["tenant_id"]) {
  upc: String! sku: String name: String code: String shop: Shop @reads(view: "Shop", row: "parent.shop.id")
  size: Int
  weight: Int @external
  shipping: Int @requires(fields: "weight")
}
type Shop @view(name: "shops", static: true) { id: ID! name: String }
type Seat @key(fields: "id hall") @view(name: "seats") { id: ID! hall: String row: String }
type Review @key(fields: "id") { id: ID! text: String }
type Stub @key(fields: "id") @view(name: "stubs", static: true) {
  id: ID!
  seats: Int @reads(view: "Seat", where: ["hall = parent.id"], using: [])
}
type Quiet @key(fields: "id") @view(name: "quiets") { id: ID! text: String }
type Cloudy @key(fields: "code") @view(name: "clouds") { id: ID! code: Opaque text: String }
type Query {
  _entities(representations: [_Any!]!): [_Entity]!
  product(upc: String!): Product
}
type Mutation {
  any: Boolean
  rename(upc: String!): Boolean @writes(view: "Product", op: "UPDATE", row: "args.upc", fields: ["name"])
  resize(upc: String!): Boolean @writes(view: "Product", op: "UPDATE", row: "args.upc", fields: ["size"])
  relabel(upc: String!, sku: String): Boolean @writes(view: "Product", op: "UPDATE", row: "args.upc", set: ["sku"], fields: [])
  hide(upc: String!): Boolean @writes(view: "Product", op: "UPDATE", row: "args.upc", fields: ["tenant_id"])
  create(upc: String!, sku: String): Boolean @writes(view: "Product", op: "CREATE", row: "args.upc", set: ["sku"])
  createIn(upc: String!, shop: ID, code: String): Boolean @writes(view: "Product", op: "CREATE", row: "args.upc", set: ["shop.id = args.shop", "code"])
  drop(upc: String!): Boolean @writes(view: "Product", op: "DELETE", row: "args.upc")
  seat(id: ID!, hall: String): Boolean @writes(view: "Seat", op: "UPDATE", row: "args.id", set: ["hall"], fields: [])
  seatRow(id: ID!): Boolean @writes(view: "Seat", op: "UPDATE", row: "args.id", fields: ["row"])
  addSeat(id: ID!, hall: String): Boolean @writes(view: "Seat", op: "CREATE", row: "args.id", set: ["hall"])
  moveBin(id: ID!, shelf: String): Boolean @writes(view: "Bin", op: "UPDATE", row: "args.id", set: ["shelf"], fields: [])
  cloud(id: ID!): Boolean @writes(view: "Cloudy", op: "CREATE", row: "args.id")
}`

const askEntities = `($r: [_Any!]!) { _entities(representations: $r) { ... on Product { name } ... on Stub { seats } ... on Cloudy { text } } }`

func entities(name, reps, data, mutation string, falls bool) rule {
	return rule{
		name: name, schema: entitySchema, query: askEntities, vars: `{"r":` + reps + `}`,
		data: `{"_entities":` + data + `}`, mutation: "{" + mutation + "}", falls: falls,
	}
}

func (r rule) asked(query string) rule {
	r.query = query
	return r
}

// What _entities depends on is told by its representations and by the rows that it shows.
func TestEntities(t *testing.T) {
	t.Parallel()
	const (
		p1    = `[{"__typename":"Product","upc":"1"}]`
		p12   = `[{"__typename":"Product","upc":"1"},{"__typename":"Product","upc":"2"}]`
		sku   = `[{"__typename":"Product","sku":"a"}]`
		shop  = `[{"__typename":"Product","shop":{"id":7},"code":"x"}]`
		one   = `[{"__typename":"Product","upc":"1","sku":"a","name":"table"}]`
		two   = `[{"__typename":"Product","upc":"1","name":"table"},{"__typename":"Product","upc":"2","name":"chair"}]`
		none  = `[null]`
		seat  = `[{"__typename":"Seat","id":"1","hall":"A"}]`
		bins  = `($r: [_Any!]!) { _entities(representations: $r) { ... on Bin { name } } }`
		seats = `($r: [_Any!]!) { _entities(representations: $r) { ... on Seat { row } } }`
		ship  = `($r: [_Any!]!) { _entities(representations: $r) { ... on Product { shipping } } }`
		bare  = `($r: [_Any!]!) { _entities(representations: $r) { __typename } }`
	)
	runRules(t, []rule{
		entities("its row changes", p1, one, `rename(upc: "1")`, true),
		entities("another row changes", p1, one, `rename(upc: "2")`, false),
		entities("another column of its row", p1, one, `resize(upc: "1")`, false),
		entities("a column that nobody shows", p1, one, `hide(upc: "1")`, true),
		entities("its row goes", p1, one, `drop(upc: "1")`, true),
		entities("another row goes", p1, one, `drop(upc: "2")`, false),
		entities("another row comes", p1, one, `create(upc: "3")`, false),
		entities("a mutation that says nothing", p1, one, `any`, true),
		entities("another type", p1, one, `seatRow(id: 1)`, false),
		entities("two, the second changes", p12, two, `rename(upc: "2")`, true),
		entities("two, the first changes", p12, two, `rename(upc: "1")`, true),
		entities("two, a third changes", p12, two, `rename(upc: "3")`, false),
		entities("one is missing and comes", p12, `[{"__typename":"Product","upc":"1","name":"table"},null]`, `create(upc: "2")`, true),
		entities("one is missing and changes in any way", p12, `[null,{"__typename":"Product","upc":"2"}]`, `resize(upc: "1")`, true),
		entities("missing", p1, none, `create(upc: "1")`, true),
		entities("missing, another comes", p1, none, `create(upc: "2")`, false),
		entities("spelled as a number", `[{"__typename":"Product","upc":1}]`, one, `rename(upc: "1")`, true),
		entities("shown in the other order", p12, `[{"__typename":"Product","upc":"2","name":"b"},{"__typename":"Product","upc":"1","name":"a"}]`, `seatRow(id: 1)`, true),
		entities("another key than asked for", p1, `[{"__typename":"Product","upc":"9","name":"a"}]`, `seatRow(id: 1)`, true),
		entities("fewer elements than representations", p12, one, `seatRow(id: 1)`, true),
		entities("another type than asked for", `[{"__typename":"Seat","id":"1","hall":"A"}]`, one, `addSeat(id: 9, hall: "B")`, true),
		entities("one representation, no list", `{"__typename":"Product","upc":"1"}`, one, `rename(upc: "2")`, false),
		entities("one representation, no list, its row", `{"__typename":"Product","upc":"1"}`, one, `rename(upc: "1")`, true),
		entities("none", `[]`, `[]`, `rename(upc: "1")`, false),
		entities("no type", `[{"upc":"1"}]`, none, `seatRow(id: 1)`, true),
		entities("a type that is not there", `[{"__typename":"Nothing","upc":"1"}]`, none, `seatRow(id: 1)`, true),
		entities("no key", `[{"__typename":"Product","name":"x"}]`, one, `resize(upc: "5")`, true),
		entities("no key, another view", `[{"__typename":"Product","name":"x"}]`, one, `seatRow(id: 1)`, false),
		entities("the key is an object", `[{"__typename":"Product","upc":{"x":1}}]`, none, `create(upc: "5")`, true),
		entities("the key is null", `[{"__typename":"Product","upc":null}]`, none, `create(upc: "5")`, true),
		entities("the key is a list", `[{"__typename":"Product","upc":["1","2"]}]`, none, `create(upc: "5")`, true),

		entities("by another key, its row", sku, one, `rename(upc: "1")`, true),
		entities("by another key, another row", sku, one, `rename(upc: "2")`, false),
		entities("by another key, another row gets it", sku, one, `relabel(upc: "2", sku: "a")`, true),
		entities("by another key, another row gets another", sku, one, `relabel(upc: "2", sku: "b")`, true), // it may have had this one
		entities("by another key, it loses it", sku, one, `relabel(upc: "1", sku: "b")`, true),
		entities("by another key, one comes", sku, one, `create(upc: "5", sku: "a")`, true),
		entities("by another key, one with another comes", sku, one, `create(upc: "5", sku: "b")`, false),
		entities("by another key, missing, one comes", sku, none, `create(upc: "5", sku: "a")`, true),
		entities("by another key, missing, one with another comes", sku, none, `create(upc: "5", sku: "b")`, false),
		entities("by another key, missing, any column", sku, none, `resize(upc: "5")`, true),
		entities("by another key, a hidden column", sku, one, `hide(upc: "5")`, true),
		entities("by both keys, the other comes", `[{"__typename":"Product","upc":"1","sku":"b"}]`, one, `create(upc: "5", sku: "b")`, true),
		// gqlgen gives all representations of a batch to the resolver for the first one's key, and "" where one lacks it.
		entities("by the first one's key, one without it comes", `[{"__typename":"Product","sku":"a"},{"__typename":"Product","upc":"9"}]`,
			`[{"__typename":"Product","upc":"1","sku":"a","name":"table"},null]`, `create(upc: "5", sku: "")`, true),
		entities("by the first one's key, and more", `[{"__typename":"Product","upc":"8"},{"__typename":"Product","upc":"9","sku":"a"}]`, `[null,null]`, `create(upc: "5", sku: "b")`, false),
		entities("by the first one's key, of another type", `[{"__typename":"Stub","id":"A"},{"__typename":"Product","upc":"9"}]`, `[null,null]`, `create(upc: "5", sku: "b")`, false),
		entities("by a path, one comes", shop, none, `createIn(upc: "5", shop: 7, code: "x")`, true),
		entities("by a path, one of another shop comes", shop, none, `createIn(upc: "5", shop: 8, code: "x")`, false),
		entities("by a path, one with another code comes", shop, none, `createIn(upc: "5", shop: 7, code: "y")`, false),
		entities("by a path, a part is null", `[{"__typename":"Product","shop":{"id":7},"code":null}]`, none, `createIn(upc: "5", shop: 7, code: "y")`, true),
		entities("by a path, the object is null", `[{"__typename":"Product","shop":null,"code":"x"}]`, none, `createIn(upc: "5", shop: 7, code: "x")`, true),
		entities("by a path, a part is missing", `[{"__typename":"Product","shop":{},"code":"x"}]`, none, `createIn(upc: "5", shop: 8, code: "y")`, true),

		entities("by a key that is null and cannot be", `[{"__typename":"Bin","aisle":"A","shelf":null}]`, `[{"__typename":"Bin","id":"1","name":"b"}]`, `moveBin(id: 1, shelf: "2")`, true).asked(bins),
		entities("by a key that is not null", `[{"__typename":"Bin","aisle":"A","shelf":"1"}]`, `[{"__typename":"Bin","id":"1","name":"b"}]`, `moveBin(id: 1, shelf: "2")`, true).asked(bins),

		entities("a key with more than the row's, its other part", seat, `[{"__typename":"Seat","id":"1","row":"r"}]`, `seat(id: 1, hall: "B")`, true).asked(seats),
		entities("a key with more than the row's, another row's part", seat, `[{"__typename":"Seat","id":"1","row":"r"}]`, `seat(id: 2, hall: "B")`, false).asked(seats),
		entities("a part of a key", `[{"__typename":"Seat","id":"1"}]`, `[{"__typename":"Seat","id":"1","row":"r"}]`, `addSeat(id: 2, hall: "B")`, true).asked(seats),

		entities("what a field requires and nothing else", p1, one, `resize(upc: "1")`, true).asked(ship),
		entities("a field of another row that requires", p1, one, `resize(upc: "2")`, false).asked(ship),
		entities("nothing but types", p1, one, `rename(upc: "1")`, false).asked(bare),
		entities("nothing but types, it goes", p1, one, `drop(upc: "1")`, true).asked(bare),
		entities("no view", `[{"__typename":"Review","id":1}]`, `[{"__typename":"Review","id":"1"}]`, `rename(upc: "1")`, true).asked(bare),
		entities("a view that nothing writes", `[{"__typename":"Quiet","id":1}]`, `[{"__typename":"Quiet","id":"1"}]`, `rename(upc: "1")`, true).asked(bare),
		entities("a static view", `[{"__typename":"Stub","id":"A"}]`, `[{"__typename":"Stub","id":"A","seats":3}]`, `rename(upc: "1")`, false),
		entities("a static view with a field that reads", `[{"__typename":"Stub","id":"A"}]`, `[{"__typename":"Stub","id":"A","seats":3}]`, `addSeat(id: 4, hall: "A")`, true),
		entities("a static view with a field that reads others", `[{"__typename":"Stub","id":"A"}]`, `[{"__typename":"Stub","id":"A","seats":3}]`, `addSeat(id: 4, hall: "B")`, false),
		entities("a key that cannot be compared", `[{"__typename":"Cloudy","code":"x"}]`, none, `cloud(id: 4)`, true),
		entities("a key that cannot be compared, another view", `[{"__typename":"Cloudy","code":"x"}]`, none, `rename(upc: "1")`, false),

		entities("literals", `[]`, one, `rename(upc: "2")`, false).asked(`{ _entities(representations: [{__typename: "Product", upc: "1"}]) { ... on Product { name } } }`),
		entities("literals, its row", `[]`, one, `rename(upc: "1")`, true).asked(`{ _entities(representations: [{__typename: "Product", upc: "1"}]) { ... on Product { name } } }`),
		entities("a variable within", `"1"`, one, `rename(upc: "2")`, false).asked(`($r: String) { _entities(representations: [{__typename: "Product", upc: $r}]) { ... on Product { name } } }`),
		entities("a variable within, its row", `"1"`, one, `rename(upc: "1")`, true).asked(`($r: String) { _entities(representations: [{__typename: "Product", upc: $r}]) { ... on Product { name } } }`),
		entities("an alias", p1, one, `rename(upc: "2")`, false).asked(`($r: [_Any!]!) { a: _entities(representations: $r) { ... on Product { name } } }`),
		entities("two fields, the second's row", p1, one, `create(upc: "2")`, true).asked(
			`($r: [_Any!]!) { _entities(representations: $r) { ... on Product { name } } b: _entities(representations: [{__typename: "Product", upc: "2"}]) { ... on Product { name } } }`),
		entities("skipped", p1, one, `seatRow(id: 1)`, false).asked(
			`($r: [_Any!]!) { _entities(representations: $r) @skip(if: true) { ... on Product { name } } }`),
	})
}

// A view whose type has no field id has the key by which a router names its entities.
func TestKeyOfEntities(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, typ, fault string }{
		{"one key", `@key(fields: "upc")`, ""},
		{"the same key twice", `@key(fields: "upc") @key(fields: "upc", resolvable: false)`, ""},
		{"beside a key of several", `@key(fields: "sku name") @key(fields: "upc")`, ""},
		{"beside a key that is no field set", `@key(fields: "upc") @key(fields: "}{")`, ""},
		{"none", ``, "has no field id to be the key"},
		{"several", `@key(fields: "upc") @key(fields: "sku")`, "has no field id to be the key"},
		{"of several fields", `@key(fields: "upc sku")`, "has no field id to be the key"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := newFixture(federationDirectives + `
type Product @view(name: "products") ` + row.typ + ` { upc: String! sku: String name: String }
type Query { product(upc: String!): Product }`)
			switch {
			case row.fault == "" && err != nil:
				t.Error(err)
			case row.fault != "" && (err == nil || !strings.Contains(err.Error(), row.fault)):
				t.Errorf("%v, want %s", err, row.fault)
			}
		})
	}
	runRules(t, []rule{
		{name: "inferred by that key", schema: entitySchema, query: `{product(upc: "1") {name}}`, data: `{"product":{"upc":"1","name":"a"}}`, mutation: `{rename(upc: "1")}`, falls: true},
		{name: "inferred by that key, another row", schema: entitySchema, query: `{product(upc: "1") {name}}`, data: `{"product":{"upc":"1","name":"a"}}`, mutation: `{rename(upc: "2")}`},
	})
}

// The linter names the entities that nobody can tell the rows of.
func TestLintEntities(t *testing.T) {
	t.Parallel()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: cascade.SDL("")}, &ast.Source{Input: entitySchema})
	if err != nil {
		t.Fatal(err)
	}
	findings, err := cascade.Lint(schema, cascade.Options{})
	if err != nil {
		t.Fatal(err)
	}
	about := func(subject string) bool {
		return slices.ContainsFunc(findings, func(f cascade.Finding) bool { return f.Code == cascade.CodeUnknownReads && f.Subject == subject })
	}
	if !about("Review") || about("Product") || about("Query._entities") {
		t.Errorf("%v", findings)
	}
}

// Answers of a view that no mutation writes stay if somebody tells its changes.
func TestVersioned(t *testing.T) {
	t.Parallel()
	const sdl = `
type Fact @view(name: "facts") { id: ID! sum: Int }
type Query { fact(id: ID!): Fact }`
	for _, versioned := range [][]string{nil, {"Fact"}, {"facts"}} {
		f := mustFixtureOf(t, sdl, cascade.Options{Versioned: versioned})
		q, err := f.prepare("{fact(id: 1) {sum}}", nil)
		if err != nil {
			t.Fatal(err)
		}
		if known := q.op.Anything == ""; known != (versioned != nil) {
			t.Errorf("%q: %q", versioned, q.op.Anything)
		}
	}
}
