package opkey

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"pgregory.net/rapid"
)

func parse(t testing.TB, text string) *ast.QueryDocument {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return doc
}

// normal returns the normal form of the operation that is not called unused.
func normal(t testing.TB, text string) []byte {
	t.Helper()
	doc := parse(t, text)
	op := doc.Operations[0]
	if op.Name == "unused" {
		op = doc.Operations[1]
	}
	b, err := AppendOperation(nil, doc, op)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOperationsThatDiffer(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, a, b string }{
		{"field", "{a}", "{b}"},
		{"field order", "{a b}", "{b a}"},
		{"alias", "{a}", "{b:a}"},
		{"alias and name", "{a:b}", "{b:a}"},
		{"repeated field", "{a}", "{a a}"},
		{"nesting", "{a{b} c}", "{a{b c}}"},
		{"nesting deeper", "{a{b{c}}}", "{a{b c}}"},
		{"operation kind", "query{a}", "mutation{a}"},
		{"subscription", "mutation{a}", "subscription{a}"},
		{"argument name", "{a(x:1)}", "{a(y:1)}"},
		{"argument present", "{a(x:null)}", "{a}"},
		{"argument place", "{a(x:1) b}", "{a b(x:1)}"},
		{"int and string", "{a(x:1)}", `{a(x:"1")}`},
		{"int and float", "{a(x:1)}", "{a(x:1.0)}"},
		{"int and list", "{a(x:1)}", "{a(x:[1])}"},
		{"list of lists", "{a(x:[[1]])}", "{a(x:[1])}"},
		{"list order", "{a(x:[1,2])}", "{a(x:[2,1])}"},
		{"list cut", "{a(x:[1,2])}", "{a(x:[12])}"},
		{"lists joined", "{a(x:[[1],[2]])}", "{a(x:[[1,2]])}"},
		{"empty list and object", "{a(x:[])}", "{a(x:{})}"},
		{"empty list and null", "{a(x:[])}", "{a(x:null)}"},
		{"enum and string", "{a(x:RED)}", `{a(x:"RED")}`},
		{"enum and variable", "query($x:Int){a(x:x)}", "query($x:Int){a(x:$x)}"},
		{"variable and string", "query($x:Int){a(x:$x)}", `query($x:Int){a(x:"$x")}`},
		{"boolean and string", "{a(x:true)}", `{a(x:"true")}`},
		{"null and string", "{a(x:null)}", `{a(x:"null")}`},
		{"object member", "{a(x:{y:1})}", "{a(x:{z:1})}"},
		{"object member null", "{a(x:{y:null})}", "{a(x:{})}"},
		{"object and list", "{a(x:{y:1})}", "{a(x:[{y:1}])}"},
		{"string that closes itself", `{a(x:"1",y:"2")}`, `{a(x:"1\",y:\"2")}`},
		{"string moved over", `{a(x:"ab",y:"c")}`, `{a(x:"a",y:"bc")}`},
		{"directive", "{a @skip(if:$x)}", "{a @include(if:$x)}"},
		{"directive present", "{a}", "{a @x}"},
		{"directive order", "{a @x @y}", "{a @y @x}"},
		{"directive place", "{a @x{b}}", "{a{b @x}}"},
		{"directive on operation", "query @x {a}", "query {a}"},
		{"inline fragment", "{... on T{a}}", "{... on U{a}}"},
		{"inline fragment without type", "{...{a}}", "{...on T{a}}"},
		{"inline fragment or fields", "{...{a}}", "{a}"},
		{"fragment type", "{...F} fragment F on T{a}", "{...F} fragment F on U{a}"},
		{"fragment body", "{...F} fragment F on T{a}", "{...F} fragment F on T{b}"},
		{"fragment directive", "{...F@x} fragment F on T{a}", "{...F} fragment F on T{a}"},
		{"fragment definition's directive", "{...F} fragment F on T@x{a}", "{...F} fragment F on T{a}"},
		{"fragment order", "{...F ...G} fragment F on T{a} fragment G on T{b}", "{...G ...F} fragment F on T{a} fragment G on T{b}"},
		{"fragment repeated", "{...F ...F} fragment F on T{a}", "{...F} fragment F on T{a}"},
		{"fragment in fragment", "{...F} fragment F on T{...G} fragment G on T{a}", "{...F ...G} fragment F on T{a} fragment G on T{a}"},
		{"variable name", "query($x:Int){a(x:$x)}", "query($y:Int){a(x:$y)}"},
		{"variable type", "query($x:Int){a(x:$x)}", "query($x:Int!){a(x:$x)}"},
		{"variable list type", "query($x:[Int!]){a(x:$x)}", "query($x:[Int]!){a(x:$x)}"},
		{"variable type name", "query($x:ID){a(x:$x)}", "query($x:String){a(x:$x)}"},
		{"variable default", "query($x:Int=1){a(x:$x)}", "query($x:Int=2){a(x:$x)}"},
		{"variable null default", "query($x:Int=null){a(x:$x)}", "query($x:Int){a(x:$x)}"},
		{"__typename", "{a}", "{a __typename}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if a, b := normal(t, tt.a), normal(t, tt.b); bytes.Equal(a, b) {
				t.Errorf("%s and %s have one form: %q", tt.a, tt.b, a)
			}
		})
	}
}

func TestOperationsThatAgree(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, a, b string }{
		{"layout", "{a(x:1){b}}", " query\n{ a ( x : 1 ) , { b } # c\n}"},
		{"operation name", "query A{a}", "query B{a}"},
		{"shorthand", "{a}", "query{a}"},
		{"alias that repeats the name", "{a}", "{a:a}"},
		{"argument order", "{a(x:1,y:2)}", "{a(y:2,x:1)}"},
		{"directive argument order", "{a@d(x:1,y:2)}", "{a@d(y:2,x:1)}"},
		{"input field order", "{a(i:{x:1,y:{p:1,q:2}})}", "{a(i:{y:{q:2,p:1},x:1})}"},
		{"variable order", "query($x:Int,$y:Int){a(x:$x,y:$y)}", "query($y:Int,$x:Int){a(x:$x,y:$y)}"},
		{"block string", `{a(x:"one\ntwo")}`, "{a(x:\"\"\"\n  one\n  two\n\"\"\")}"},
		{"escapes", `{a(x:"\u0061\/")}`, `{a(x:"a/")}`},
		{"fragment name", "{...F} fragment F on T{a}", "{...G} fragment G on T{a}"},
		{"fragment definitions' order", "{...F ...G} fragment F on T{a} fragment G on T{b}", "fragment G on T{b} {...F ...G} fragment F on T{a}"},
		{"fragment names exchanged", "{...F ...G} fragment F on T{a} fragment G on T{b}", "{...G ...F} fragment G on T{a} fragment F on T{b}"},
		{"unused fragment", "{a}", "{a} fragment F on T{b}"},
		{"other operation", "query A{a}", "query unused{b} query A{a}"},
		{"fragment of another operation", "query A{a}", "query unused{...F} query A{a} fragment F on T{b}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if a, b := normal(t, tt.a), normal(t, tt.b); !bytes.Equal(a, b) {
				t.Errorf("%s is %q\n%s is %q", tt.a, a, tt.b, b)
			}
		})
	}
}

func TestOperationAppends(t *testing.T) {
	t.Parallel()
	doc := parse(t, "{a}")
	b, err := AppendOperation([]byte("before"), doc, doc.Operations[0])
	if err != nil || !bytes.Equal(b, append([]byte("before"), normal(t, "{a}")...)) {
		t.Errorf("%q, %v", b, err)
	}
}

func TestMalformedOperations(t *testing.T) {
	t.Parallel()
	query := func(s ast.Selection) *ast.OperationDefinition {
		return &ast.OperationDefinition{Operation: ast.Query, SelectionSet: ast.SelectionSet{s}}
	}
	arg := func(v *ast.Value) *ast.OperationDefinition {
		return query(&ast.Field{Name: "a", Arguments: ast.ArgumentList{{Name: "x", Value: v}}})
	}
	tests := []struct {
		name string
		op   *ast.OperationDefinition
	}{
		{"unknown fragment", query(&ast.FragmentSpread{Name: "F"})},
		{"no selection", query(nil)},
		{"no value", arg(nil)},
		{"unknown value", arg(&ast.Value{Kind: 99})},
		{"unknown kind", &ast.OperationDefinition{Operation: "x"}},
		{"no type", &ast.OperationDefinition{Operation: ast.Query, VariableDefinitions: ast.VariableDefinitionList{{Variable: "x"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := AppendOperation(nil, &ast.QueryDocument{}, tt.op); !errors.Is(err, ErrMalformed) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestManyFragments(t *testing.T) {
	t.Parallel()
	forms := map[string]bool{}
	for _, prefix := range []string{"a", "zz"} {
		var doc strings.Builder
		doc.WriteString("{ ...unknownFirst ")
		for i := range 50 {
			fmt.Fprintf(&doc, "...%s%d ", prefix, i%40)
		}
		doc.WriteString("} fragment unknownFirst on T { x }")
		for i := range 40 {
			fmt.Fprintf(&doc, " fragment %s%d on T { x%d ...%s%d }", prefix, i, i, prefix, (i+1)%40) // a cycle
		}
		forms[string(normal(t, doc.String()))] = true
	}
	if len(forms) != 1 {
		t.Error("the names of fragments make a difference")
	}
	unknown := parse(t, "{...a ...b ...c ...d ...e ...f ...g ...h ...i}"+
		" fragment a on T{x} fragment b on T{x} fragment c on T{x} fragment d on T{x} fragment e on T{x} fragment f on T{x} fragment g on T{x} fragment h on T{x}")
	if _, err := AppendOperation(nil, unknown, unknown.Operations[0]); !errors.Is(err, ErrMalformed) {
		t.Errorf("error %v", err)
	}
}

// A document is not changed: others execute it at the same time.
func TestOperationIsLeftAlone(t *testing.T) {
	t.Parallel()
	text := `query($b:Int,$a:Int){f(b:$b,a:{d:1,c:2})}`
	doc := parse(t, text)
	if _, err := AppendOperation(nil, doc, doc.Operations[0]); err != nil {
		t.Fatal(err)
	}
	f := doc.Operations[0].SelectionSet[0].(*ast.Field)
	if f.Arguments[0].Name != "b" || f.Arguments[1].Value.Children[0].Name != "d" || doc.Operations[0].VariableDefinitions[0].Variable != "b" {
		t.Error("the document was sorted")
	}
}

// TestNormalForm: whatever a document's layout, its form is the same; and what is taken
// out of the form again is the document, so that documents that are not equivalent have
// different forms.
func TestNormalForm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		doc := (&generator{t: t}).document()
		form, err := AppendOperation(nil, doc, doc.Operations[0])
		if err != nil {
			t.Fatal(err)
		}
		text := shuffled(t, doc)
		parsed, perr := parser.ParseQuery(&ast.Source{Input: text})
		if perr != nil {
			t.Fatalf("%v in\n%s", perr, text)
		}
		again, err := AppendOperation(nil, parsed, parsed.Operations[1])
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(form, again) {
			t.Fatalf("another layout has another form:\n%q\n%q\n%s", form, again, text)
		}
		d := decoder{form}
		if got, want := canonical(d.document()), canonical(doc); got != want {
			t.Fatalf("the form does not say what the document says:\n%s\n%s", got, want)
		}
	})
}

func FuzzOperation(f *testing.F) {
	for _, s := range []string{
		"{a}", `query Q($x:[Int!]!=[1] @d){a:b(x:$x,y:{z:"s"}) @skip(if:true){...F ... on T{c}}} fragment F on T{...F}`,
		"{...F} fragment F on T{a} fragment F on U{b}", "mutation{a(x:1.5,y:null,z:E,b:\"\"\"x\"\"\")}", "{a(x:1,x:2)}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, 1000)
		if err != nil {
			return
		}
		for _, op := range doc.Operations {
			form, err := AppendOperation(nil, doc, op)
			if err != nil {
				continue
			}
			d := decoder{form}
			decoded := d.document()
			again, err := AppendOperation(nil, decoded, decoded.Operations[0])
			if err != nil || !bytes.Equal(form, again) {
				t.Fatalf("%q decodes to %q, %v", form, again, err)
			}
		}
	})
}
