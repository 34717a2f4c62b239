package panel

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

var update = flag.Bool("update", false, "write ui/src/types.ts")

const typesFile = "ui/src/types.ts"

// TestTypes keeps the page's types in step with the JSON that the cache writes.
func TestTypes(t *testing.T) {
	t.Parallel()
	want := typeScript(reflect.TypeFor[inspect.Extension](), reflect.TypeFor[inspect.Request]())
	if *update {
		if err := os.WriteFile(typesFile, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(typesFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what gqlcache/inspect says: run go test ./gqlcache/panel -run TestTypes -update", typesFile)
	}
}

// typeScript declares the types, and all that they mention, in the order in which they
// are met.
func typeScript(roots ...reflect.Type) string {
	w := &typeWriter{seen: map[reflect.Type]bool{}}
	w.text.WriteString("// Written by TestTypes from the Go package gqlcache/inspect, which explains the fields.\n")
	w.queue = roots
	for len(w.queue) > 0 {
		next := w.queue[0]
		w.queue = w.queue[1:]
		w.declare(next)
	}
	return w.text.String()
}

type typeWriter struct {
	text  strings.Builder
	queue []reflect.Type
	seen  map[reflect.Type]bool
}

func (w *typeWriter) declare(t reflect.Type) {
	if w.seen[t] {
		return
	}
	w.seen[t] = true
	if t == reflect.TypeFor[inspect.Status]() {
		w.text.WriteString("\nexport type Status =")
		for _, s := range []inspect.Status{inspect.Hit, inspect.Miss, inspect.Bypass, inspect.Invalidated, inspect.Unchanged, inspect.Inspected} {
			fmt.Fprintf(&w.text, "\n  | '%s'", s)
		}
		w.text.WriteString(";\n")
		return
	}
	fmt.Fprintf(&w.text, "\nexport interface %s {\n", t.Name())
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if strings.Contains(options, "omitempty") || f.Type.Kind() == reflect.Pointer {
			name += "?"
		}
		fmt.Fprintf(&w.text, "  %s: %s;\n", name, w.typeOf(f.Type))
	}
	w.text.WriteString("}\n")
}

func (w *typeWriter) typeOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Pointer:
		return w.typeOf(t.Elem())
	case reflect.Slice:
		return w.typeOf(t.Elem()) + "[]"
	case reflect.Map:
		return "Record<string, " + w.typeOf(t.Elem()) + ">"
	case reflect.Struct:
		w.queue = append(w.queue, t)
		return t.Name()
	case reflect.String:
		if t.Name() == "Status" {
			w.queue = append(w.queue, t)
			return t.Name()
		}
		return "string"
	default:
		return "number"
	}
}
