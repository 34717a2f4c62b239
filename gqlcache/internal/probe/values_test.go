package probe

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"
)

type (
	level   string
	counter int
	// secret has a marshaler of the server's, which must not be called.
	secret string
	model  struct{ ID string }
)

func (secret) MarshalGQL(io.Writer) { panic("a marshaler of the server's was called") }

func scalar(name string) *ast.Definition { return &ast.Definition{Kind: ast.Scalar, Name: name} }

// render writes what gqlgen would: "unknown" for the null that does not propagate.
func render(v any) string {
	switch v := v.(type) {
	case quietNull:
		return "unknown"
	case graphql.Marshaler:
		var b bytes.Buffer
		v.MarshalGQL(&b)
		return b.String()
	default:
		return fmt.Sprintf("%T %v", v, reflect.Indirect(reflect.ValueOf(v)))
	}
}

func TestShown(t *testing.T) {
	t.Parallel()
	enum := &ast.Definition{Kind: ast.Enum, Name: "Level", EnumValues: ast.EnumValueList{{Name: "HIGH"}}}
	id := uuid.MustParse("a1111111-0000-4000-8000-000200000008")
	text := "x"
	for _, row := range []struct {
		name string
		typ  *ast.Definition
		v    any
		want string
	}{
		{"a string", scalar("String"), "x", "string x"},
		{"a string of a scalar with functions", scalar("Text"), "x", "unknown"},
		{"a pointer to a string", scalar("String"), &text, "*string x"},
		{"a nil pointer", scalar("String"), (*string)(nil), "unknown"},
		{"nil", scalar("ID"), nil, "unknown"},
		{"a number", scalar("Int"), 7, "int 7"},
		{"a named number", scalar("Int"), counter(7), "probe.counter 7"},
		{"a value that marshals itself", scalar("String"), secret("x"), "unknown"},
		{"a struct", scalar("String"), model{}, "unknown"},
		{"a UUID", scalar("UUID"), id, `"` + id.String() + `"`},
		{"a pointer to a UUID", scalar("ID"), &id, `"` + id.String() + `"`},
		{"no UUID", scalar("ID"), uuid.Nil, "unknown"},
		{"a nil pointer to a UUID", scalar("ID"), (*uuid.UUID)(nil), "unknown"},
		{"an enum's value", enum, level("HIGH"), `"HIGH"`},
		{"no value of the enum", enum, level("LOW"), "unknown"},
		{"an enum that is a number", enum, counter(1), "unknown"},
		{"a list", scalar("String"), []string{"a", "b"}, "[]string [a b]"},
		{"a nil list", scalar("String"), []string(nil), "unknown"},
		{"a list with an unknown element", scalar("String"), []*string{&text, nil}, "unknown"},
		{"a list of UUIDs", scalar("UUID"), []uuid.UUID{id}, `["` + id.String() + `"]`},
		{"a list of enum values", enum, []level{"HIGH", "HIGH"}, `["HIGH","HIGH"]`},
	} {
		if got := render(shown(row.typ, row.v)); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

// TestObjects: what gqlgen shows as null, and what can be given to its code a second
// time.
func TestObjects(t *testing.T) {
	t.Parallel()
	one := &model{"1"}
	var none *model
	for _, row := range []struct {
		name                   string
		v                      any
		isAbsent, any, repeats bool
	}{
		{"nil", nil, true, false, true},
		{"an object", one, false, false, true},
		{"no object", none, true, false, true},
		{"no map", map[string]any(nil), true, false, true},
		{"a struct", model{}, false, false, true},
		{"a list", []*model{one, one}, false, false, true},
		{"a list with none", []*model{one, none}, false, true, true},
		{"a list in a list, with none", [][]*model{{one}, {none}}, false, true, true},
		{"a list of interfaces with none", []any{one, none}, false, true, true},
		{"a value that marshals itself", secret("x"), false, false, false},
		{"a list of such values", []secret{"x"}, false, false, false},
		{"a list of interfaces with one", []any{one, secret("x")}, false, false, false},
	} {
		if got := absent(row.v); got != row.isAbsent {
			t.Errorf("%s: absent: %t", row.name, got)
		}
		if got := anyAbsent(row.v); got != row.any {
			t.Errorf("%s: anyAbsent: %t", row.name, got)
		}
		if got := repeatable(row.v); got != row.repeats {
			t.Errorf("%s: repeatable: %t", row.name, got)
		}
	}
}
