package gqlcache_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

const schemaFile = "extension.schema.json"

// recorded is where the tests write what they validate, one file each. The module
// gqlcache/inspect/e2e reads the files with a validator of JSON schemas, which the root
// does not require.
var recorded = flag.String("inspect.recorded", "", "a directory for the JSON of extensions.cache and of its requests")

// validate refuses JSON with members that a type of package inspect does not have, and
// records it.
func validate[T inspect.Extension | inspect.Request](t testing.TB, raw []byte) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var v T
	if err := d.Decode(&v); err != nil {
		t.Errorf("%s is no %T: %v", raw, v, err)
	}
	if *recorded == "" {
		return
	}
	f, err := os.CreateTemp(*recorded, reflect.TypeFor[T]().Name()+"-*.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(raw); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestSchemaIsOfTheTypes: each struct of package inspect is a definition with the same
// members, required unless they may be left out, and of the same types.
func TestSchemaIsOfTheTypes(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("inspect", schemaFile))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
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
