package docs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/cascadeql/cascadeql/"

// packages are what snippets may use without an import, by the name that they are used
// under.
var packages = map[string]string{
	"binary": "encoding/binary", "context": "context", "fmt": "fmt", "http": "net/http", "log": "log",
	"errors": "errors", "json": "encoding/json", "rand": "math/rand/v2", "testing": "testing", "time": "time",
	"redis":          "github.com/redis/go-redis/v9",
	"changelog":      module + "gqlcache/changelog",
	"gqlcache":       module + "gqlcache",
	"footprint":      module + "gqlcache/footprint",
	"footprintsql":   module + "gqlcache/footprint/footprintsql",
	"payload":        module + "cascade/payload",
	"gqlcachetest":   module + "gqlcache/gqlcachetest",
	"panel":          module + "gqlcache/panel",
	"redisinstances": module + "gqlcache/redisinstances",
	"sql":            "database/sql",
	"redislog":       module + "gqlcache/changelog/redislog",
	"redisstore":     module + "gqlcache/store/redisstore",
}

// more are further packages that a snippet with imports may name.
var more = []string{
	"github.com/99designs/gqlgen/graphql", "github.com/99designs/gqlgen/graphql/handler",
	"github.com/99designs/gqlgen/graphql/handler/lru", "github.com/99designs/gqlgen/graphql/handler/transport",
	"github.com/vektah/gqlparser/v2/ast",
}

// theirs are the packages of the reader's own server.
var theirs = map[string]string{
	"example.com/shop/auth": `package auth
		import ("context"; "net/http")
		type Caller struct { ID int; Role string }
		func User(context.Context) Caller { return Caller{} }
		func Middleware(next http.Handler) http.Handler { return next }`,
	"example.com/shop/graph": `package graph
		import "github.com/99designs/gqlgen/graphql"
		type Resolver struct{}
		type Config struct { Resolvers *Resolver }
		func NewExecutableSchema(Config) graphql.ExecutableSchema { return nil }`,
}

// An imports finds compiled packages by the build cache, and the reader's own by their
// source.
type imports struct {
	mu       sync.Mutex // held by check: an importer completes its packages while they are used
	compiled types.Importer
	fset     *token.FileSet
}

func newImports(t *testing.T) *imports {
	t.Helper()
	args := append([]string{"list", "-export", "-deps", "-json=ImportPath,Export"}, more...)
	for _, path := range packages {
		args = append(args, path)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for list := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		if err := list.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		files[p.ImportPath] = p.Export
	}
	fset := token.NewFileSet()
	return &imports{fset: fset, compiled: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(files[path])
	})}
}

func (i *imports) Import(path string) (*types.Package, error) {
	source, ok := theirs[path]
	if !ok {
		return i.compiled.Import(path)
	}
	file, err := parser.ParseFile(i.fset, path, source, 0)
	if err != nil {
		return nil, err
	}
	return (&types.Config{Importer: i}).Check(path, i.fset, []*ast.File{file}, nil)
}

// check returns the errors in a snippet: a file, declarations or statements.
func (i *imports) check(text string) []error {
	i.mu.Lock()
	defer i.mu.Unlock()
	var file *ast.File
	var fault error
	whole := strings.HasPrefix(text, "package ")
	forms := []string{"%s%s", "%sfunc _() {\n%s\n}"}
	if whole {
		forms = forms[:1]
	}
	for _, form := range forms {
		head := ""
		if !whole {
			head = header(text)
		}
		parsed, err := parser.ParseFile(i.fset, "", fmt.Sprintf(form, head, text), parser.SkipObjectResolution)
		if err == nil {
			file = parsed
			break
		}
		fault = err
	}
	if file == nil {
		return []error{fault}
	}
	var faults []error
	conf := types.Config{Importer: i, Error: func(err error) {
		if whole || !leftOut.MatchString(err.(types.Error).Msg) { //nolint:errorlint // its documentation says that it is one
			faults = append(faults, err)
		}
	}}
	_, _ = conf.Check("snippet", i.fset, []*ast.File{file}, nil) // the errors have been collected
	return faults
}

// leftOut are the errors of a snippet that is a part of a program: names declared
// elsewhere, variables and values used elsewhere, and an import for what is a comment. A
// name in one of our packages has a dot.
var leftOut = regexp.MustCompile(`^(undefined: \w+$|declared and not used: )|(" imported and not used$| is not used$)`)

func header(text string) string {
	var b strings.Builder
	b.WriteString("package snippet\n")
	for name, path := range packages {
		if regexp.MustCompile(`\b` + name + `\.`).MatchString(text) {
			fmt.Fprintf(&b, "import %s %q\n", name, path)
		}
	}
	return b.String()
}

// TestGo: a Go snippet is right in its types as far as it goes. The README's program is
// right as a whole.
func TestGo(t *testing.T) {
	t.Parallel()
	known := newImports(t)
	programs := 0
	for _, page := range pages(t) {
		for _, b := range blocks(t, page, "go") {
			for _, err := range known.check(b.text) {
				t.Errorf("%s: %v\n%s", b.place, err, b.text)
			}
			if strings.HasPrefix(b.text, "package main\n") {
				programs++
			}
		}
	}
	if programs == 0 {
		t.Error("no page has a whole program")
	}
}

// TestRecipes: each recipe of docs/compute.md is a part of an example, or of a test, which is run.
func TestRecipes(t *testing.T) {
	t.Parallel()
	indent := regexp.MustCompile(`(?m)^[\t ]+`)
	examples := indent.ReplaceAllString(read(t, root+"gqlcache/computed_example_test.go")+read(t, root+"gqlcache/computedall_example_test.go")+read(t, root+"compat/values_test.go"), "")
	recipes := blocks(t, root+"docs/compute.md", "go")
	for _, b := range recipes {
		if !strings.Contains(examples, strings.TrimSpace(indent.ReplaceAllString(b.text, ""))) {
			t.Errorf("%s is in no example:\n%s", b.place, b.text)
		}
	}
	if len(recipes) < 3 {
		t.Errorf("found %d recipes", len(recipes))
	}
}

// TestGoCatches: the check of Go snippets finds what it is for.
func TestGoCatches(t *testing.T) {
	t.Parallel()
	known := newImports(t)
	for _, row := range []struct {
		name, text string
		want       []string
	}{
		{"right", `cache, err := gqlcache.New(gqlcache.Options{TTL: ttl})`, nil},
		{"a function that does not exist", `gqlcache.Drop(ctx)`, []string{"undefined: gqlcache.Drop"}},
		{"an option that does not exist", `gqlcache.Options{Lease: true}`, []string{"unknown field Lease in struct literal of type gqlcache.Options"}},
		{"an option of another type", `gqlcache.Options{Shadow: "on"}`, []string{`cannot use "on" (untyped string constant) as bool value in struct literal`}},
		{"a wrong number of results", `cache := gqlcache.New(gqlcache.Options{})`, []string{"assignment mismatch: 1 variable but gqlcache.New returns 2 values"}},
		{"a missing argument", `gqlcache.Touch(ctx, "User")`, []string{"not enough arguments in call to gqlcache.Touch\n\thave (unknown type, string)\n\twant (context.Context, string, any)"}},
		{"a program with a name of nobody", "package main\nfunc main() { serve() }", []string{"undefined: serve"}},
		{"no Go", `cache :=`, []string{"expected operand"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, err := range known.check(row.text) {
				got = append(got, err.Error())
			}
			if !slices.EqualFunc(got, row.want, strings.Contains) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
