package cascade

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func TestParseTerm(t *testing.T) {
	t.Parallel()
	rows := []struct{ term, want string }{
		{"authorId", "authorId=args.authorId"},
		{"  _a1 ", "_a1=args._a1"},
		{"status = 'PUBLISHED'", "status='PUBLISHED'"},
		{"status='it''s'", "status='it's'"},
		{"status = ''", "status=''"},
		{"status = ' = args.x '", "status=' = args.x '"},
		{"status\n=\t'ü'", "status='ü'"},
		{"author.id = args.by.id", "author.id=args.by.id"},
		{"id = parent.author.id", "id=parent.author.id"},
		{"id = result", "id=result"},
		{"n = 0", "n='0'"},
		{"n = -12.50e+3", "n='-12.50e+3'"},
		{"n = 1E9", "n='1E9'"},
		{"b = true", "b='true'"},
		{"b = false", "b='false'"},
		{"b = null", "b=null"},
		{"b = 'null'", "b='null'"},
		{"args = args.args", "args=args.args"},
		{"b = true.x", "error: neither path nor constant"},
		{"", "error: does not begin with a column"},
		{" ", "error: does not begin with a column"},
		{"= 1", "error: does not begin with a column"},
		{"1a = 1", "error: does not begin with a column"},
		{"a. = 1", "error: does not begin with a column"},
		{"a .b = 1", "error: has no = after a"},
		{"a.b", "error: compares nothing: write a.b = args.b"},
		{"a = ", "error: has no operand"},
		{"a == 1", "error: has no operand"},
		{"a != 1", "error: has no = after a"},
		{"a IN args.ids", "error: has no = after a"},
		{"a = 1 and b = 2", `error: goes on after its operand with "and b = 2"`},
		{"a = 1, b = 2", "error: goes on after its operand"},
		{"a = b", "error: write args.b for an argument or 'b' for a constant"},
		{"a = $b", "error: has no operand"},
		{"a = 'b", "error: without its closing quote"},
		{"a = 'b''", "error: without its closing quote"},
		{`a = "b"`, "error: has no operand"},
		{"a = -", "error: where a number begins"},
		{"a = 1.", "error: where a number begins"},
		{"a = 1.2.3", "error: where a number begins"},
		{"a = 1e", "error: where a number begins"},
		{"a = 1x", "error: where a number begins"},
		{"a = .5", "error: has no operand"},
		{"a = args.", "error: has no operand"},
		{"a\x00 = 1", "error: has no = after a"},
		{"ä = 1", "error: does not begin with a column"},
	}
	for _, row := range rows {
		t.Run(row.term, func(t *testing.T) {
			t.Parallel()
			term, err := parseTerm(row.term)
			if want, ok := strings.CutPrefix(row.want, "error: "); ok {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("error %v, want one with %q", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(describeTerms([]termDecl{term})); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

func TestParsePath(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"args.id": "args.id", " parent.a.b ": "parent.a.b", "result": "result", "args": "args",
		"id": "", "argsid": "", "": "", "args.": "", "args. id": "", "args.id x": "", "'a'": "", "args.0": "", "Args.id": "",
	} {
		op, err := parsePath(text)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q parsed to %s", text, describeOperand(op))
		case want != "" && (err != nil || describeOperand(op) != want):
			t.Errorf("%q: got %s, %v", text, describeOperand(op), err)
		}
	}
}

// FuzzTerm checks that what the parser accepts, written again, means the same.
func FuzzTerm(f *testing.F) {
	for _, seed := range []string{"a", "a.b = args.c", "a = 'it''s'", "a = -1.5e3", "a = null", "a = 'x", "a = b.c", "=", "a=1.2.", "a = \x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = parsePath(text)
		_, _ = parseColumn(text)
		term, err := parseTerm(text)
		if err != nil {
			if !strings.Contains(err.Error(), strconv.Quote(text)) {
				t.Errorf("the error %q does not show the term", err)
			}
			return
		}
		again := term.Column + " = " + describeOperand(term.Operand)
		if op := term.Operand; op.Kind == fromConst && op.Const.kind == valueText {
			again = term.Column + " = '" + strings.ReplaceAll(op.Const.text, "'", "''") + "'"
		}
		second, err := parseTerm(again)
		if err != nil {
			t.Fatalf("%q parsed, but not as %q: %v", text, again, err)
		}
		if a, b := describeTerms([]termDecl{term}), describeTerms([]termDecl{second}); a != b {
			t.Errorf("%q means %s, and as %q %s", text, a, again, b)
		}
	})
}

// FuzzCompile puts arbitrary strings into every argument of the directives.
func FuzzCompile(f *testing.F) {
	f.Add("v", "id", "author.id", "status = 'DRAFT'", "args.id", "UPDATE")
	f.Add("Post", "k", "tenant", "title", "parent.author.id", "CREATE")
	f.Add("Node", "", ".", "a = args.in.nested.nested.color", "result.author.name", "ANY")
	f.Add("v_post", "hit.id", "__typename", "id = result", "args.in", "")
	f.Fuzz(func(t *testing.T, name, key, column, term, path, op string) {
		row := strings.NewReplacer(
			"NAME", quote(name), "KEY", quote(key), "COLUMN", quote(column), "TERM", quote(term), "PATH", quote(path), "OP", quote(op),
		).Replace(fuzzTemplate)
		schema, err := gqlparser.LoadSchema(
			&ast.Source{Name: "sdl.graphql", Input: SDL("") + CacheControlSDL()},
			&ast.Source{Name: "base.graphql", Input: faultBase},
			&ast.Source{Name: "row.graphql", Input: row},
		)
		if err != nil {
			t.Skip()
		}
		plan, err := Compile(schema, Options{})
		if (plan == nil) == (err == nil) {
			t.Fatalf("plan %v with error %v", plan, err)
		}
		if err == nil {
			return
		}
		var faults Faults
		if !errors.As(err, &faults) {
			t.Fatalf("error %v is no Faults", err)
		}
		for _, fault := range faults {
			if fault.File != "row.graphql" || fault.Line == 0 || fault.Column == 0 {
				t.Errorf("fault without its place: %v", fault)
			}
		}
	})
}

const fuzzTemplate = `
type T @view(name: NAME, key: KEY, columns: [COLUMN], touched: COLUMN)
  @dependsOn(on: NAME, key: KEY, using: [COLUMN]) @dependsOn(on: "v_tag", key: COLUMN) {
  id: ID! k: ID! author: User! status: Status
  f(id: ID, title: String, in: PostInput): Post @reads(view: NAME, row: PATH) @reads(view: "Post", where: [TERM, COLUMN], using: COLUMN)
}
extend schema @view(name: NAME, columns: [COLUMN, KEY]) @dependsOn(on: NAME, view: "v_tag", key: COLUMN) @dependsOn(on: "Post", view: NAME)
extend type Query {
  f(id: ID, title: String, in: PostInput): Post @reads(view: "Node", row: PATH) @reads(view: NAME, where: TERM, using: [COLUMN])
}
extend type Mutation {
  f(id: ID, title: String, in: PostInput): Post
    @writes(view: NAME, op: OP, row: PATH, where: [TERM], set: [TERM], fields: [COLUMN, PATH])
    @writes(view: "Post", op: OP, where: TERM) @writes(view: "Post", op: "UPDATE", set: TERM, fields: PATH)
}`

// quote writes a string literal of GraphQL.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			b.WriteString(`\u00` + strconv.FormatInt(0x100+int64(r), 16)[1:])
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"`
}
