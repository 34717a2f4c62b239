package plans_test

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/count"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/schemahash"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

const schemaText = `
directive @guard on FIELD_DEFINITION | OBJECT
directive @upper on FIELD
directive @docs on FIELD_DEFINITION
directive @defer(if: Boolean! = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
type User @view(name: "v_user") { id: ID! name: String! email: String! @guard plan: String! @docs friend: User secret: Vault }
type Vault @guard { key: String! }
type Query {
  user(id: ID!): User
  users: [User!]! @reads(view: "User") @cacheControl(maxAge: 7)
  live: String! @cacheControl(maxAge: 0)
  hidden: String! @guard
  self: Query!
}
type Mutation {
  rename(id: ID!, name: String!): User @writes(view: "User", op: "UPDATE", row: "args.id", fields: ["name"])
  any: Boolean
}`

// A rig makes plans of operations of a schema, without a server.
type rig struct {
	*plans.Plans
	t          *testing.T
	schema     *plans.Schema
	directives *plans.Directives
	operations count.Operations
	log        bytes.Buffer
}

func compile(t *testing.T, text string, o cascade.Options, partitions string) *plans.Schema {
	t.Helper()
	s, err := gqlparser.LoadSchema(&ast.Source{Name: "directives", Input: cascade.SDL("") + cascade.CacheControlSDL()}, &ast.Source{Name: "schema", Input: text})
	if err != nil {
		t.Fatal(err)
	}
	schema, err := plans.Compile(s, schemahash.Sum(s), o, partitions)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func newRig(t *testing.T, covered ...string) *rig {
	t.Helper()
	r := &rig{t: t, schema: compile(t, schemaText, cascade.Options{}, ""), directives: &plans.Directives{Covered: covered}}
	r.Plans = plans.New(r.config())
	return r
}

func (r *rig) config() plans.Config {
	return plans.Config{
		MaxBytes: 1 << 20, TTL: time.Minute,
		Directives: r.directives, Operations: &r.operations, Once: &safe.Once{Log: slog.New(slog.NewTextHandler(&r.log, nil))},
	}
}

// source parses a text with one operation.
func (r *rig) source(text string) *plans.Source {
	r.t.Helper()
	doc, errs := gqlparser.LoadQuery(r.schema.Definition, text)
	if errs != nil {
		r.t.Fatal(errs)
	}
	s := plans.NewSource(text, doc, doc.Operations[0])
	return &s
}

// plan plans the operation of a text.
func (r *rig) plan(text string) *plans.Plan {
	r.t.Helper()
	return r.Make(r.schema, r.source(text))
}

// key makes a key as the cache does.
func (r *rig) key(p *plans.Plan, vars map[string]any, s plans.Scope) string {
	r.t.Helper()
	b, why := p.AppendQuestion(nil, vars)
	if why != "" {
		r.t.Fatalf("no key: %s", why)
	}
	return string(s.Append(b))
}
