package plans_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/opkey"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/reason"
	"github.com/cascadeql/cascadeql/internal/allocs"
)

// A printer takes a key apart from the front and prints its layout.
type printer struct {
	t    *testing.T
	rest string
	out  []string
}

// take removes the first n bytes.
func (p *printer) take(n int) string {
	p.t.Helper()
	if n > len(p.rest) {
		p.t.Fatalf("the key ends %d bytes too early, after\n%s", n-len(p.rest), strings.Join(p.out, "\n"))
	}
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	return taken
}

// count removes a uvarint.
func (p *printer) count() int {
	p.t.Helper()
	n, width := binary.Uvarint([]byte(p.rest))
	if width <= 0 {
		p.t.Fatal("no count")
	}
	p.take(width)
	return int(n)
}

// part removes a part and prints it.
func (p *printer) part() string {
	p.t.Helper()
	n := p.count()
	return strings.TrimSuffix(fmt.Sprintf("%02x %q", n, p.take(n)), ` ""`)
}

func (p *printer) print(name, text string) {
	p.out = append(p.out, fmt.Sprintf("%-10s %s", name, text))
}

// layout prints a key with variables of type string only.
func layout(t *testing.T, key string, digest [sha256.Size]byte) []string {
	t.Helper()
	p := &printer{t: t, rest: key}
	p.print("version", fmt.Sprintf("%02x", p.take(1)))
	if p.take(sha256.Size) != string(digest[:]) {
		t.Error("the digest of the operation is not that of schema, name and form")
	}
	p.print("operation", "SHA-256 of schema · name · form")
	n := p.count()
	variables := fmt.Sprintf("%02x", n)
	for range n {
		variables += " " + p.part() + fmt.Sprintf(" '%s'", p.take(1)) + " " + p.part()
	}
	p.print("variables", variables)
	scope := p.take(1)
	text := fmt.Sprintf("'%s'", scope)
	if scope == "R" {
		text += " " + p.part()
	}
	p.print("scope", text)
	for p.rest != "" {
		p.print("vary", p.part())
	}
	return p.out
}

// documented returns the indented lines of the comment in key.go, a list for each block.
func documented(t *testing.T) (blocks [][]string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "key.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var block []string
	for _, group := range file.Comments {
		for _, c := range group.List {
			if line, ok := strings.CutPrefix(c.Text, "//\t"); ok {
				block = append(block, line)
			} else if block != nil {
				blocks, block = append(blocks, block), nil
			}
		}
		if block != nil {
			blocks, block = append(blocks, block), nil
		}
	}
	return blocks
}

// TestKeyLayout: the comment in key.go says how real keys are laid out.
func TestKeyLayout(t *testing.T) {
	t.Parallel()
	blocks := documented(t)
	if len(blocks) != 4 {
		t.Fatalf("%d blocks of 4: the grammar, a document, and two keys: %q", len(blocks), blocks)
	}
	grammar, named, public := blocks[0], blocks[2], blocks[3]
	r := newRig(t)
	s := r.source(strings.Join(blocks[1], "\n"))
	form, err := opkey.AppendOperation(nil, s.Document, s.Operation)
	if err != nil {
		t.Fatal(err)
	}
	schema := r.schema.Hash
	digest := sha256.Sum256(slices.Concat(schema[:], []byte{5}, []byte("Names"), form))
	plan := r.Make(r.schema, s)
	got := layout(t, r.key(plan, map[string]any{"id": "u1"}, plans.Scope{Predicate: "viewer ann", Vary: []string{"de", ""}}), digest)
	if !slices.Equal(got, named) {
		t.Errorf("the key\n%s\nis documented as\n%s", strings.Join(got, "\n"), strings.Join(named, "\n"))
	}
	if got := layout(t, r.key(plan, nil, plans.Scope{Public: true}), digest); !slices.Equal(got, public) {
		t.Errorf("the key\n%s\nis documented as\n%s", strings.Join(got, "\n"), strings.Join(public, "\n"))
	}

	var names []string
	for _, line := range got {
		name, _, _ := strings.Cut(line, " ")
		if name == "vary" {
			name = "vary*"
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, want := range []string{
		"key       = " + strings.Join(names, " · "),
		fmt.Sprintf("version   = 1 byte: %d", r.key(plan, nil, plans.Scope{})[0]),
		fmt.Sprintf("operation = %d bytes: SHA-256 of schema · name · form", len(digest)),
		fmt.Sprintf("schema    = %d bytes: the schema's content hash", len(schema)),
	} {
		if !slices.Contains(grammar, want) {
			t.Errorf("%q is not in the grammar\n%s", want, strings.Join(grammar, "\n"))
		}
	}
}

// TestKeysDiffer: two keys are equal only where the operation, its name, the schema, the
// variables and the scope are.
func TestKeysDiffer(t *testing.T) {
	t.Parallel()
	r, other := newRig(t), newRig(t)
	other.schema = compile(t, schemaText+"\ntype More { id: ID! }\nextend type Query { more: More }", cascade.Options{}, "")
	const query = "query A($id: ID!) { user(id: $id) { name } }"
	one := map[string]any{"id": "1"}
	ann := plans.Scope{Predicate: "ann"}
	keys := map[string]string{
		"plain":                   r.key(r.plan(query), one, ann),
		"another schema":          other.key(other.plan(query), one, ann),
		"another name":            r.key(r.plan(strings.Replace(query, "A", "B", 1)), one, ann),
		"another field":           r.key(r.plan(strings.Replace(query, "name", "id", 1)), one, ann),
		"another variable":        r.key(r.plan(query), map[string]any{"id": "2"}, ann),
		"a variable of its type":  r.key(r.plan(query), map[string]any{"id": int64(1)}, ann),
		"null":                    r.key(r.plan(query), map[string]any{"id": nil}, ann),
		"none":                    r.key(r.plan(query), nil, ann),
		"another predicate":       r.key(r.plan(query), one, plans.Scope{Predicate: "bob"}),
		"no predicate":            r.key(r.plan(query), one, plans.Scope{}),
		"public":                  r.key(r.plan(query), one, plans.Scope{Public: true}),
		"vary":                    r.key(r.plan(query), one, plans.Scope{Predicate: "ann", Vary: []string{"de"}}),
		"vary, empty":             r.key(r.plan(query), one, plans.Scope{Predicate: "ann", Vary: []string{""}}),
		"vary, twice empty":       r.key(r.plan(query), one, plans.Scope{Predicate: "ann", Vary: []string{"", ""}}),
		"vary, in two":            r.key(r.plan(query), one, plans.Scope{Predicate: "ann", Vary: []string{"d", "e"}}),
		"public, vary":            r.key(r.plan(query), one, plans.Scope{Public: true, Vary: []string{"de"}}),
		"vary as in a predicate":  r.key(r.plan(query), one, plans.Scope{Vary: []string{"ann"}}),
		"predicate with a length": r.key(r.plan(query), one, plans.Scope{Predicate: "ann\x02de"}),
	}
	seen := map[string]string{}
	for name, key := range keys {
		if same := seen[key]; same != "" {
			t.Errorf("%s and %s have one key", name, same)
		}
		seen[key] = name
	}
	if again := r.key(r.plan("query A($id:ID!){user(id:$id){name}}#"), map[string]any{"id": "1"}, ann); again != keys["plain"] {
		t.Error("layout and comments are in the key")
	}
	if again := r.key(r.plan(query), one, plans.Scope{Public: true, Predicate: "ann"}); again != keys["public"] {
		t.Error("the key of a public answer has a predicate")
	}
}

// TestKeyOfOddVariables: variables without a canonical form have no key.
func TestKeyOfOddVariables(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if _, why := r.plan("{users{name}}").AppendQuestion(nil, map[string]any{"file": func() {}}); why != reason.Variables {
		t.Errorf("%q", why)
	}
}

// TestCut: what makes a key is found again in it, and nothing in bytes that are none.
func TestCut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.plan("query($id:ID!){user(id:$id){name}}")
	vars := map[string]any{"id": "1"}
	for _, row := range []struct {
		name  string
		scope plans.Scope
		vary  string
	}{
		{"predicate", plans.Scope{Predicate: "ann"}, ""},
		{"predicate and vary", plans.Scope{Predicate: "ann", Vary: []string{"de", ""}}, "\x02de\x00"},
		{"public", plans.Scope{Public: true}, ""},
		{"public and vary", plans.Scope{Public: true, Vary: []string{"de"}}, "\x02de"},
	} {
		parts, ok := p.Cut([]byte(r.key(p, vars, row.scope)), vars)
		if !ok || parts.Public != row.scope.Public || string(parts.Predicate) != row.scope.Predicate || string(parts.Vary) != row.vary || string(parts.Variables) != "\x01\x02ids\x011" {
			t.Errorf("%s: %t %+v", row.name, ok, parts)
		}
	}
	key := []byte(r.key(p, vars, plans.Scope{Predicate: "ann"}))
	for name, none := range map[string][]byte{"nothing": nil, "the question": key[:len(key)-5], "half a predicate": key[:len(key)-1]} {
		if parts, ok := p.Cut(none, vars); ok {
			t.Errorf("%s: %+v", name, parts)
		}
	}
	if _, ok := p.Cut(key, map[string]any{"id": func() {}}); ok {
		t.Error("a key of odd variables was taken apart")
	}
}

// TestKeyBuffers: scratch is kept for the next key, unless a client has made it large.
func TestKeyBuffers(t *testing.T) {
	large := plans.KeyBuffer()
	*large = make([]byte, 1<<20)
	plans.FreeKeyBuffer(large)
	for range 100 {
		if b := plans.KeyBuffer(); cap(*b) > 64<<10 {
			t.Fatalf("scratch of %d bytes is kept", cap(*b))
		}
	}
}

// TestKeyDoesNotAllocate: a hit makes a key.
func TestKeyDoesNotAllocate(t *testing.T) {
	r := newRig(t)
	s := r.source("query($id:ID!){user(id:$id){name}}")
	r.Keep(s, r.Make(r.schema, s), 0)
	vars, scope := map[string]any{"id": "1"}, plans.Scope{Predicate: "ann", Vary: []string{"de"}}
	room := make([]byte, 0, 200)
	if n := allocs.PerRun(100, func() {
		again := plans.NewSource(s.Text, s.Document, s.Operation)
		p := r.Find(&again)
		b, why := p.AppendQuestion(room, vars)
		if b = scope.Append(b); why != "" || len(b) > cap(room) {
			t.Fatal(why)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
