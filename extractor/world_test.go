package extractor_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

const testSDL = `
directive @mask on FIELD
scalar Map
interface Node { id: ID! }
interface Named implements Node { id: ID! name: String }
interface Thing { friend: Node best: Node }
interface Other { best: Node }
union Any = User | Post | Stats | Counter
type User implements Node & Named & Thing & Other {
  id: ID! name: String email: String! age: Int extra: Map
  posts(limit: Int = 3): [Post!]! matrix: [[Post]] friend: User best: User node: Node any: Any anys: [Any] stats: Stats stat: Stats!
}
type Post implements Node & Named { id: ID! name: String title: String! tags: [String!] author: User! maybe: User related: [Node!]! stats: Stats extra: Map }
type Stats { count: Int! extra: Map top: Post owner: User! any: Any }
type Counter { number: Int! name: String next: Counter node: Named }
type Query {
  me: User user(id: ID!): User users: [User!]! posts: [Post] node(id: ID): Node named: [Named] any: Any anys: [[Any!]] stats: Stats
  counter: Counter counters: [Counter!] thing: Thing other: Other hello: String map: Map again: Query
}
type Mutation { save(id: ID!): User remove: Boolean savePost: Post saveAny: [Any]
  full: FullPayload inData: DataPayload fulls: [FullPayload] either: Either }
type FullPayload { success: Boolean! data: User cascade: CascadeUpdates! }
type DataPayload { success: Boolean data: Holder }
type Holder { user: User cascade: CascadeUpdates }
union Either = FullPayload | Stats
type CascadeUpdates { updated: [UpdatedEntity!]! deleted: [DeletedEntity!]! invalidations: [QueryInvalidation!]! metadata: Meta! }
type UpdatedEntity { id: ID! entityType: String operation: String! entity: Node! }
type DeletedEntity { id: ID! entityType: String! }
type QueryInvalidation { queryName: String strategy: String! scope: String! arguments: Map }
type Meta { affectedCount: Int! depth: Int! }
`

var testSchema = gqlparser.MustLoadSchema(&ast.Source{Name: "test.graphqls", Input: testSDL})

// keyName is the key policy of the tests: id where there is one, number of a Counter.
func keyName(object *ast.Definition) string {
	if object.Name == "Counter" {
		return "number"
	}
	if object.Fields.ForName("id") != nil && !strings.HasSuffix(object.Name, "Entity") {
		return "id"
	}
	return ""
}

func load(tb testing.TB, query string) (*ast.QueryDocument, *ast.OperationDefinition) {
	tb.Helper()
	doc, errs := gqlparser.LoadQuery(testSchema, query)
	if len(errs) > 0 {
		tb.Fatalf("%s: %v", query, errs)
	}
	return doc, doc.Operations[0]
}

func prepare(tb testing.TB, spec extractor.Spec, query string) *extractor.Operation {
	tb.Helper()
	spec.Schema = testSchema
	if spec.Key == nil {
		spec.Key = keyName
	}
	doc, op := load(tb, query)
	o, err := extractor.Prepare(spec, doc, op)
	if err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	return o
}

// A world is a random but fixed graph of data: what a field returns depends on the object
// it is on, its name and arguments, never on the document.
type world struct {
	seed uint64
	// fail tells which hidden fields fail; then null is written, as a guard would.
	fail func(alias string) bool
	// values are what fields of the client's returned, by object and response name, in an
	// execution before this one: they count more than arguments. Nil when nothing is
	// remembered.
	values map[string]uint64
}

func mix(h uint64, parts ...string) uint64 {
	f := fnv.New64a()
	fmt.Fprint(f, h, "/", strings.Join(parts, "/"))
	return f.Sum64() >> 1
}

// key returns the raw and the canonical key of an object.
func (w *world) key(object string, h uint64) (raw, canonical string) {
	h = mix(h, "key", object) >> 8
	if object == "Counter" {
		n := strconv.FormatUint(h%1000, 10)
		return n, n
	}
	id := uuid.NewSHA1(uuid.Nil, []byte(strconv.FormatUint(h, 10))).String()
	switch h % 6 {
	case 0:
		return quote(id), id
	case 1:
		return quote(strings.ToUpper(id)), id
	case 2:
		return quote("{" + id + "}"), id
	case 3:
		s := "a\"b\\" + strconv.FormatUint(h%100, 10) + "\n"
		return quote(s), s
	case 4:
		return quote(strconv.FormatUint(h%100, 10)), strconv.FormatUint(h%100, 10)
	default:
		return quote(strings.ReplaceAll(id, "-", "")), id
	}
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// leaf returns the JSON of a scalar; Map holds what imitates objects and hidden members.
func (w *world) leaf(typ string, h uint64) string {
	h >>= 6
	switch typ {
	case "Int":
		return strconv.FormatUint(h%50, 10)
	case "Boolean":
		return strconv.FormatBool(h%2 == 0)
	case "Map":
		return fmt.Sprintf(`{"id":"x%d","__typename":"User","%sk0":{"id":"[}"},"posts":[{"id":"1"},{"%sk1":"\"}"}]}`, h%9, extractor.Nonce(), extractor.Nonce())
	default:
		return []string{`"plain"`, `"q\"\\"`, `"` + extractor.Nonce() + `k0"`, `""`, `"{[,:"`}[h%5]
	}
}

// An entry is the truth about one object or null of a response.
type entry struct {
	Field, Type string
	Parent      int
	Null        bool
	Key         string
	HasKey      bool
	Paths       [][]string
}

// A run executes one document as gqlgen would.
type run struct {
	*world
	doc   *ast.QueryDocument
	vars  map[string]any
	out   strings.Builder
	truth []entry
	paths func(field, object string) [][]string
}

func (w *world) execute(doc *ast.QueryDocument, op *ast.OperationDefinition, vars map[string]any, paths func(field, object string) [][]string) *run {
	r := &run{world: w, doc: doc, vars: vars, paths: paths}
	root := testSchema.Query
	if op.Operation == ast.Mutation {
		root = testSchema.Mutation
	}
	r.object(root, op.SelectionSet, w.seed, -1, "")
	return r
}

func (r *run) object(object *ast.Definition, set ast.SelectionSet, h uint64, parent int, field string) {
	at := len(r.truth)
	e := entry{Field: field, Type: object.Name, Parent: parent}
	if keyName(object) != "" {
		_, e.Key = r.key(object.Name, h)
		e.HasKey = true
	}
	if field != "" && r.paths != nil {
		for _, p := range r.paths(field, object.Name) {
			e.Paths = append(e.Paths, r.pathValues(object, p, h))
		}
	}
	r.truth = append(r.truth, e)
	r.out.WriteByte('{')
	written := map[string]bool{}
	for _, f := range r.collect(object, set, map[string]bool{}) {
		if written[f.Alias] {
			continue
		}
		if len(written) > 0 {
			r.out.WriteByte(',')
		}
		written[f.Alias] = true
		r.out.WriteString(quote(f.Alias) + ":")
		r.field(object, f, h, at)
	}
	r.out.WriteByte('}')
}

func (r *run) field(object *ast.Definition, f *collected, h uint64, at int) {
	switch {
	case r.fail != nil && extractor.IsHidden(f.Alias) && r.fail(f.Alias):
		r.out.WriteString("null")
	case f.Name == "__typename":
		r.out.WriteString(quote(object.Name))
	case f.Directives.ForName("mask") != nil:
		r.out.WriteString(`"***"`)
	case f.Name == keyName(object):
		raw, _ := r.key(object.Name, h)
		r.out.WriteString(raw)
	default:
		next := r.next(f.Name, f.Arguments, h)
		if place := fmt.Sprint(h, f.Alias); r.values != nil && !extractor.IsHidden(f.Alias) {
			if old, ok := r.values[place]; ok {
				next = old
			}
			r.values[place] = next
		}
		r.value(object.Fields.ForName(f.Name).Type, f, next, at)
	}
}

func (r *run) next(name string, args ast.ArgumentList, h uint64) uint64 {
	parts := []string{name}
	for _, a := range args {
		v, _ := a.Value.Value(r.vars)
		parts = append(parts, a.Name, fmt.Sprint(v))
	}
	slices.Sort(parts[1:])
	return mix(h, parts...)
}

func (r *run) value(typ *ast.Type, f *collected, h uint64, parent int) {
	def := testSchema.Types[typ.Name()]
	switch {
	case !typ.NonNull && h%5 == 0:
		if def.IsCompositeType() {
			r.truth = append(r.truth, entry{Field: f.Alias, Parent: parent, Null: true})
		}
		r.out.WriteString("null")
	case typ.Elem != nil:
		r.out.WriteByte('[')
		for i := range (h >> 3) % 4 {
			if i > 0 {
				r.out.WriteByte(',')
			}
			r.value(typ.Elem, f, mix(h, strconv.FormatUint(i, 10)), parent)
		}
		r.out.WriteByte(']')
	case def.IsCompositeType():
		r.object(concreteType(def, h), f.selections, h, parent, f.Alias)
	default:
		r.out.WriteString(r.leaf(def.Name, h))
	}
}

func concreteType(def *ast.Definition, h uint64) *ast.Definition {
	if def.Kind == ast.Object {
		return def
	}
	var types []*ast.Definition
	for _, t := range testSchema.GetPossibleTypes(def) {
		if t.Kind == ast.Object {
			types = append(types, t)
		}
	}
	slices.SortFunc(types, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	return types[(h>>4)%uint64(len(types))]
}

// pathValues follows a path; nil when a null is on the way.
func (r *run) pathValues(object *ast.Definition, path []string, h uint64) []string {
	if path[0] == keyName(object) {
		raw, _ := r.key(object.Name, h)
		return []string{raw}
	}
	out := []string{}
	var each func(typ *ast.Type, h uint64) bool
	each = func(typ *ast.Type, h uint64) bool {
		def := testSchema.Types[typ.Name()]
		switch {
		case !typ.NonNull && h%5 == 0:
			return false
		case typ.Elem != nil:
			ok := true
			for i := range (h >> 3) % 4 {
				ok = each(typ.Elem, mix(h, strconv.FormatUint(i, 10))) && ok
			}
			return ok
		case def.IsCompositeType():
			v := r.pathValues(concreteType(def, h), path[1:], h)
			out = append(out, v...)
			return v != nil
		}
		out = append(out, r.leaf(def.Name, h))
		return true
	}
	if !each(object.Fields.ForName(path[0]).Type, r.next(path[0], nil, h)) {
		return nil
	}
	return out
}

type collected struct {
	*ast.Field
	selections ast.SelectionSet
}

// collect does as gqlgen does, including that nodes reached through unrelated interfaces
// are not merged and that only the first of them is written.
func (r *run) collect(object *ast.Definition, set ast.SelectionSet, visited map[string]bool) []*collected {
	var out []*collected
	add := func(f *ast.Field, selections ast.SelectionSet) {
		for _, c := range out {
			a, b := c.ObjectDefinition, f.ObjectDefinition
			if c.Alias == f.Alias && c.Name == f.Name && (a.Name == b.Name || slices.Contains(a.Interfaces, b.Name) || slices.Contains(b.Interfaces, a.Name)) {
				c.selections = append(c.selections, selections...)
				return
			}
		}
		out = append(out, &collected{Field: f, selections: slices.Clone(selections)})
	}
	fragment := func(condition string, set ast.SelectionSet) {
		if condition != "" && condition != object.Name && !slices.ContainsFunc(testSchema.GetImplements(object), func(d *ast.Definition) bool { return d.Name == condition }) {
			return
		}
		for _, c := range r.collect(object, set, visited) {
			add(c.Field, c.selections)
		}
	}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if r.included(sel.Directives) {
				add(sel, sel.SelectionSet)
			}
		case *ast.InlineFragment:
			if r.included(sel.Directives) {
				fragment(sel.TypeCondition, sel.SelectionSet)
			}
		case *ast.FragmentSpread:
			if !visited[sel.Name] && r.included(sel.Directives) {
				visited[sel.Name] = true
				f := r.doc.Fragments.ForName(sel.Name)
				fragment(f.TypeCondition, f.SelectionSet)
			}
		}
	}
	return out
}

func (r *run) included(list ast.DirectiveList) bool {
	value := func(name string, otherwise bool) bool {
		d := list.ForName(name)
		if d == nil {
			return otherwise
		}
		v, _ := d.Arguments.ForName("if").Value.Value(r.vars)
		return v.(bool)
	}
	return !value("skip", false) && value("include", true)
}
