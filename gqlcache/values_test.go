package gqlcache_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache"
)

const lenientSDL = `
directive @mailbox on ARGUMENT_DEFINITION
type Item @view(name: "v_item") { id: ID! name: String price: Float email: String }
type Query {
  item(id: ID!): Item
  byPrice(price: Float!): [Item!]! @reads(view: "Item", where: ["price = args.price"], using: [])
  mail(email: String!): [Item!]! @reads(view: "Item", where: ["email = args.email"], using: [])
}
type Mutation {
  updateItem(id: ID!, name: String!): Item @writes(view: "Item", op: "UPDATE", row: "args.id", fields: ["name"])
  renameItem(id: ID!, name: String!): Boolean @writes(view: "Item", op: "UPDATE", row: "args.id", fields: ["name"])
  createItem(price: Float!): Boolean @writes(view: "Item", op: "CREATE", set: ["price = args.price"])
  createMail(email: String! @mailbox): Boolean @writes(view: "Item", op: "CREATE", set: ["email = args.email"])
  createPlain(email: String!): Boolean @writes(view: "Item", op: "CREATE", set: ["email = args.email"])
}`

// lenient is a server as people build them: ids are Go ints (graphql.IntID), text is
// compared as a collation without case and accents does, and a directive takes mailto:
// away from arguments.
type lenient struct {
	unmeasured

	schema *ast.Schema
	mu     sync.Mutex
	rows   []map[string]any
}

func newLenient(t *testing.T, opts gqlcache.Options) (cached, plain http.Handler) {
	t.Helper()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: cascade.SDL("")}, &ast.Source{Input: lenientSDL})
	l := &lenient{schema: schema, rows: []map[string]any{{"id": "8", "name": "one"}, {"id": "9", "name": "other", "email": "café"}}}
	opts.Predicate = viewerPredicate
	serve := func(exts ...graphql.HandlerExtension) http.Handler {
		srv := handler.New(l)
		srv.AddTransport(transport.POST{})
		for _, e := range exts {
			srv.Use(e)
		}
		return srv
	}
	return serve(newCache(t, opts)), serve()
}

func (l *lenient) Schema() *ast.Schema { return l.schema }

func (l *lenient) Exec(ctx context.Context) graphql.ResponseHandler {
	return graphql.OneShot(&graphql.Response{Data: l.exec(graphql.GetOperationContext(ctx))})
}

func (l *lenient) exec(oc *graphql.OperationContext) json.RawMessage {
	l.mu.Lock()
	defer l.mu.Unlock()
	root := "Query"
	if oc.Operation.Operation == ast.Mutation {
		root = "Mutation"
	}
	var b bytes.Buffer
	l.write(&b, oc, oc.Operation.SelectionSet, root, nil)
	return b.Bytes()
}

func (l *lenient) write(b *bytes.Buffer, oc *graphql.OperationContext, set ast.SelectionSet, typ string, row map[string]any) {
	b.WriteByte('{')
	for i, f := range graphql.CollectFields(oc, set, []string{typ}) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, "%q:", f.Alias)
		var v any
		switch {
		case f.Name == "__typename":
			v = typ
		case row == nil:
			v = l.resolve(f.Name, f.ArgumentMap(oc.Variables))
		default:
			v = row[f.Name]
		}
		switch v := v.(type) {
		case map[string]any:
			l.write(b, oc, f.Selections, "Item", v)
		case []map[string]any:
			b.WriteByte('[')
			for i, row := range v {
				if i > 0 {
					b.WriteByte(',')
				}
				l.write(b, oc, f.Selections, "Item", row)
			}
			b.WriteByte(']')
		default:
			text, _ := json.Marshal(v)
			b.Write(text)
		}
	}
	b.WriteByte('}')
}

func (l *lenient) find(match func(map[string]any) bool) []map[string]any {
	found := []map[string]any{}
	for _, row := range l.rows {
		if match(row) {
			found = append(found, row)
		}
	}
	return found
}

func (l *lenient) byID(id any) map[string]any {
	n, err := graphql.UnmarshalIntID(id)
	if rows := l.find(func(row map[string]any) bool { return row["id"] == strconv.Itoa(n) }); err == nil && len(rows) > 0 {
		return rows[0]
	}
	return nil
}

// collated is the text as the database compares it.
func collated(v any) string {
	return strings.ToLower(strings.NewReplacer("é", "e", "É", "e").Replace(fmt.Sprint(v)))
}

func (l *lenient) resolve(field string, args map[string]any) any {
	price := func() float64 { f, _ := graphql.UnmarshalFloat(args["price"]); return f }
	switch field {
	case "item":
		if row := l.byID(args["id"]); row != nil {
			return row
		}
		return nil
	case "byPrice":
		return l.find(func(row map[string]any) bool { return row["price"] == price() })
	case "mail":
		return l.find(func(row map[string]any) bool { return collated(row["email"]) == collated(args["email"]) })
	case "updateItem", "renameItem":
		row := l.byID(args["id"])
		row["name"] = args["name"]
		if field == "updateItem" {
			return row
		}
	case "createItem":
		l.rows = append(l.rows, map[string]any{"id": strconv.Itoa(10 + len(l.rows)), "price": price()})
	case "createMail", "createPlain":
		email := args["email"].(string)
		if field == "createMail" {
			email = strings.TrimPrefix(email, "mailto:")
		}
		l.rows = append(l.rows, map[string]any{"id": strconv.Itoa(10 + len(l.rows)), "email": email})
	}
	return true
}

// TestOneRowHoweverSpelled: what one client changes another one reads, however the two
// spell it.
func TestOneRowHoweverSpelled(t *testing.T) {
	t.Parallel()
	const item, update, rename = `query($v: ID!) {item(id: $v) {name}}`, `mutation($v: ID!) {updateItem(id: $v, name: "two") {name}}`, `mutation($v: ID!) {renameItem(id: $v, name: "two")}`
	const byPrice, create = `query($v: Float!) {byPrice(price: $v) {id}}`, `mutation($v: Float!) {createItem(price: $v)}`
	const mail, createMail = `query($v: String!) {mail(email: $v) {id}}`, `mutation($v: String!) {createMail(email: $v)}`
	const createPlain = `mutation($v: String!) {createPlain(email: $v)}`
	for _, row := range []struct{ name, read, of, write, with string }{
		{"zero", item, `8`, update, `"08"`},
		{"plus", item, `"8"`, rename, `"+8"`},
		{"read with a zero", item, `"08"`, rename, `"8"`},
		{"both otherwise", item, `"+8"`, rename, `"008"`},
		{"exponent", byPrice, `"1e2"`, create, `100`},
		{"fraction", byPrice, `"100.00"`, create, `100`},
		{"plus of a number", byPrice, `"+100"`, create, `100`},
		{"number written with an exponent", byPrice, `100`, create, `"1e2"`},
		{"directive on the argument", mail, `"ann@x"`, createMail, `"mailto:ann@x"`},
		{"collation", mail, `"JOSÉ"`, createPlain, `"jose"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			cached, plain := newLenient(t, gqlcache.Options{})
			send := func(h http.Handler, query, v string) string {
				body := fmt.Sprintf(`{"query":%q,"variables":{"v":%s}}`, query, v)
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				return w.Body.String()
			}
			before := send(cached, row.read, row.of)
			if again := send(cached, row.read, row.of); again != before {
				t.Fatalf("two answers: %s and %s", before, again)
			}
			if done := send(cached, row.write, row.with); strings.Contains(done, "errors") {
				t.Fatal(done)
			}
			got, want := send(cached, row.read, row.of), send(plain, row.read, row.of)
			if want == before {
				t.Fatalf("the change changes nothing: %s", before)
			}
			if got != want {
				t.Errorf("stale: %s, want %s", got, want)
			}
		})
	}
}
