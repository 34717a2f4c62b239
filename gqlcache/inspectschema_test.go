package gqlcache_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaFile = "extension.schema.json"

var readSchema = sync.OnceValues(func() (map[string]any, error) {
	b, err := os.ReadFile(filepath.Join("inspect", schemaFile))
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return doc.(map[string]any), nil
})

// compileSchema compiles a part of the schema, strictly: members that it does not name
// are faults.
func compileSchema(part string) (*jsonschema.Schema, error) {
	doc, err := readSchema()
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	var strict map[string]any
	if err := json.Unmarshal(b, &strict); err != nil {
		return nil, err
	}
	for _, def := range strict["$defs"].(map[string]any) {
		def.(map[string]any)["additionalProperties"] = false
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaFile, strict); err != nil {
		return nil, err
	}
	return c.Compile(schemaFile + part)
}

var (
	extensionSchema = sync.OnceValues(func() (*jsonschema.Schema, error) { return compileSchema("") })
	requestSchema   = sync.OnceValues(func() (*jsonschema.Schema, error) { return compileSchema("#/$defs/Request") })
)

// validate checks JSON against the schema.
func validate(t testing.TB, compiled func() (*jsonschema.Schema, error), raw []byte) {
	t.Helper()
	s, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%s is not what %s says: %v", raw, schemaFile, err)
	}
}

// TestSchemaNoticesFaults: the strict schema refuses what it should, or the other tests
// prove nothing.
func TestSchemaNoticesFaults(t *testing.T) {
	t.Parallel()
	s, err := extensionSchema()
	if err != nil {
		t.Fatal(err)
	}
	const good = `{"version":1,"status":"HIT","hit":true,"didCache":false,"collapsed":false,"reason":{"code":"hit","message":""},"operation":{"name":"","type":"query"},"durationUs":1}`
	for _, row := range []struct {
		name, json string
		ok         bool
	}{
		{"good", good, true},
		{"notice", `{"consistency":"bounded","token":"1-2"}`, true},
		{"unknown member", strings.Replace(good, `"hit":true`, `"hit":true,"new":1`, 1), false},
		{"unknown member below", strings.Replace(good, `"type":"query"`, `"type":"query","new":1`, 1), false},
		{"another version", strings.Replace(good, `"version":1`, `"version":2`, 1), false},
		{"no reason", strings.Replace(good, `"reason":{"code":"hit","message":""},`, "", 1), false},
		{"unknown status", strings.Replace(good, `"HIT"`, `"SOMETHING"`, 1), false},
		{"text for a number", strings.Replace(good, `"durationUs":1`, `"durationUs":"1"`, 1), false},
	} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(row.json))
		if err != nil {
			t.Fatal(row.name, err)
		}
		if err := s.Validate(v); (err == nil) != row.ok {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// TestSchemaIsOfTheTypes: each struct of package inspect is a definition with the same
// members, required unless they may be left out, and of the same types.
func TestSchemaIsOfTheTypes(t *testing.T) {
	t.Parallel()
	doc, err := readSchema()
	if err != nil {
		t.Fatal(err)
	}
	defs := doc["$defs"].(map[string]any)
	seen := map[string]bool{"Notice": true} // of a part of Extension
	var visit func(reflect.Type)
	visit = func(typ reflect.Type) {
		if seen[typ.Name()] {
			return
		}
		seen[typ.Name()] = true
		def, ok := defs[typ.Name()].(map[string]any)
		if !ok {
			t.Errorf("no definition of %s", typ.Name())
			return
		}
		props := def["properties"].(map[string]any)
		var required []string
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			prop, ok := props[name].(map[string]any)
			if !ok {
				t.Errorf("%s.%s has no member %q", typ.Name(), f.Name, name)
				continue
			}
			if options != "omitempty" {
				required = append(required, name)
			}
			visitType(t, typ.Name()+"."+name, prop, f.Type, visit)
		}
		if len(props) != typ.NumField() {
			t.Errorf("%s: %d members, want %d", typ.Name(), len(props), typ.NumField())
		}
		var stated []string
		list, _ := def["required"].([]any)
		for _, name := range list {
			stated = append(stated, name.(string))
		}
		slices.Sort(required)
		if slices.Sort(stated); !slices.Equal(stated, required) {
			t.Errorf("%s: required %v, want %v", typ.Name(), stated, required)
		}
	}
	visit(reflect.TypeFor[inspect.Extension]())
	visit(reflect.TypeFor[inspect.Request]())
	for name := range defs {
		if !seen[name] {
			t.Errorf("definition %s is of no type", name)
		}
	}
}

func visitType(t *testing.T, at string, prop map[string]any, typ reflect.Type, visit func(reflect.Type)) {
	t.Helper()
	var want string
	switch typ.Kind() {
	case reflect.Pointer:
		visitType(t, at, prop, typ.Elem(), visit)
		return
	case reflect.Slice:
		want = "array"
		items, _ := prop["items"].(map[string]any)
		visitType(t, at+"[]", items, typ.Elem(), visit)
	case reflect.Map:
		want = "object"
		values, _ := prop["additionalProperties"].(map[string]any)
		visitType(t, at+"{}", values, typ.Elem(), visit)
	case reflect.Struct:
		if ref := "#/$defs/" + typ.Name(); prop["$ref"] != ref {
			t.Errorf("%s is a %v, want %s", at, prop, ref)
		}
		visit(typ)
		return
	case reflect.String:
		want = "string"
	case reflect.Bool:
		want = "boolean"
	case reflect.Float64:
		want = "number"
	default:
		want = "integer"
	}
	if prop["type"] != want {
		t.Errorf("%s is a %v, want %s", at, prop["type"], want)
	}
}
