package lint_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cascadeql/cascadeql/internal/lint"
)

// root is the module as seen from this package's directory.
func root(t *testing.T) fs.FS {
	t.Helper()
	dir := os.DirFS("../..")
	mod, err := fs.ReadFile(dir, "go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(mod), "module "+lint.Module+"\n") {
		t.Fatalf("../.. is not the root of %s", lint.Module)
	}
	return dir
}

func TestModule(t *testing.T) {
	t.Parallel()
	faults, err := lint.Check(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

// TestModules: nothing new reaches who imports the cache, and no module is without
// checks.
func TestModules(t *testing.T) {
	t.Parallel()
	faults, err := lint.CheckModules(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

// TestCheckModulesCatches changes the tree one breach a row and expects exactly that.
func TestCheckModulesCatches(t *testing.T) {
	t.Parallel()
	const requirement = "require example.org/dep v1.0.0\n"
	rows := []struct {
		name   string
		change func(fstest.MapFS)
		want   string
	}{
		{"requirement", func(m fstest.MapFS) { m["go.mod"].Data = append(m["go.mod"].Data, requirement...) },
			"example.org/dep reaches everyone"},
		{"requirement in a block", func(m fstest.MapFS) {
			replace(m, "go.mod", "require (\n", "require (\n\texample.org/dep v1.0.0 // indirect\n")
		},
			"example.org/dep reaches everyone"},
		{"requirement gone", func(m fstest.MapFS) { replace(m, "go.mod", "\tgo.uber.org/goleak v1.3.0\n", "") },
			"go.uber.org/goleak is in the table required"},
		{"module without checks", func(m fstest.MapFS) { m["novel/go.mod"] = &fstest.MapFile{} },
			"novel/go.mod: no step"},
		{"module that leaves .ci/run", func(m fstest.MapFS) { replace(m, ".ci/run", "  gqlcache/metrics/otel\n", "") },
			"gqlcache/metrics/otel/go.mod: no step"},
		{"array that no step uses", func(m fstest.MapFS) { replace(m, ".ci/run", `for dir in "${workspace_modules[@]}"`, "for dir in") },
			"example/go.mod: no step"},
		{"tests of a workspace that no step runs", func(m fstest.MapFS) { replace(m, ".ci/run", " ./example/...", "") },
			"example/go.mod: go.work and workspace_modules"},
		{"module that enters go.work", func(m fstest.MapFS) { replace(m, "go.work", "./example", "./example\n\t./compat") },
			"compat/go.mod: go.work and workspace_modules"},
		{"module that leaves go.work", func(m fstest.MapFS) { replace(m, "go.work", "\t./example\n", "") },
			"example/go.mod: go.work and workspace_modules"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			tree := modules(t)
			row.change(tree)
			faults, err := lint.CheckModules(tree)
			if err != nil {
				t.Fatal(err)
			}
			if len(faults) != 1 || !strings.Contains(faults[0], row.want) {
				t.Errorf("faults %q, want one with %q", faults, row.want)
			}
		})
	}
}

// modules is what CheckModules reads of the tree.
func modules(t *testing.T) fstest.MapFS {
	t.Helper()
	tree := fstest.MapFS{}
	for _, name := range []string{
		"go.mod", "go.work", ".ci/run", "tools/go.mod", "example/go.mod", "compat/go.mod", "compat/floor/go.mod",
		"gqlcache/metrics/otel/go.mod", "gqlcache/metrics/prometheus/go.mod", "gqlcache/inspect/e2e/go.mod", "gqlcache/panel/e2e/go.mod", "gqlcache/peers/go.mod",
	} {
		text, err := fs.ReadFile(root(t), name)
		if err != nil {
			t.Fatal(err)
		}
		tree[name] = &fstest.MapFile{Data: text}
	}
	return tree
}

func replace(tree fstest.MapFS, file, old, text string) {
	tree[file].Data = []byte(strings.ReplaceAll(string(tree[file].Data), old, text))
}

// TestCheckCatches plants one breach a row and expects exactly that.
func TestCheckCatches(t *testing.T) {
	t.Parallel()
	const ours = lint.Module + "/"
	rows := []struct{ name, file, source, want string }{
		{"library on top of itself", "cascade/a.go", imports(ours + "gqlcache"), `"cascade" may not import "gqlcache"`},
		{"leaf imports ours", "schemahash/a.go", imports(ours + "extractor"), `"schemahash" may not import "extractor"`},
		{"root imported", "extractor/a.go", imports(lint.Module), `"extractor" may not import ""`},
		{"store imports its implementation", "gqlcache/store/a.go", imports(ours + "gqlcache/store/memstore"), "may not import"},
		{"internal imports the cache", "gqlcache/internal/clock/a.go", imports(ours + "gqlcache"), "may not import"},
		{"test server imported by the cache", "gqlcache/a.go", imports(ours + "gqlcache/internal/testgraph"), "may not import"},
		{"test server imported by a store", "gqlcache/store/memstore/a.go", imports(ours + "gqlcache/internal/testgraph"), "may not import"},
		{"recorder in the cache", "gqlcache/a.go", imports(ours + "internal/trips/record"), "may not import"},
		{"suite imported by the cache", "gqlcache/a.go", imports(ours + "gqlcache/store/storetest"), "may not import"},
		{"example imported", "gqlcache/a.go", imports(ours + "example/graph"), "may not import"},
		{"under an alias", "cascade/a.go", `package cascade; import x "` + ours + `gqlcache"; var _ = x.X`, "may not import"},
		{"blank", "gqlcache/a.go", `package gqlcache; import _ "modernc.org/sqlite"`, `may not import "modernc.org/sqlite"`},
		{"otter elsewhere", "gqlcache/a.go", imports("github.com/maypok86/otter/v2"), "only [gqlcache/store/memstore gqlcache/internal/memo] may"},
		{"otter's parts elsewhere", "gqlcache/a.go", imports("github.com/maypok86/otter/v2/stats"), "only [gqlcache/store/memstore gqlcache/internal/memo] may"},
		{"redis in a blog", "example/internal/blog/a.go", imports("github.com/redis/go-redis/v9"), "may not import"},
		{"compiler in the clock", "gqlcache/internal/clock/a.go", imports(ours + "cascade"), "may not import"},
		{"compiler in the log", "gqlcache/changelog/redislog/a.go", imports(ours + "cascade"), "may not import"},
		{"redis in the history", "gqlcache/internal/history/a.go", imports("github.com/redis/go-redis/v9"), "may not import"},
		{"gqlgen in the plans", "gqlcache/internal/plans/a.go", imports("github.com/99designs/gqlgen/graphql"), "may not import"},
		{"engine in the plans", "gqlcache/internal/plans/a.go", imports(ours + "gqlcache/internal/engine"), "may not import"},
		{"http in the plans", "gqlcache/internal/plans/a.go", imports("net/http"), "may not import"},
		{"cache in the history", "gqlcache/internal/history/a.go", imports(ours + "gqlcache"), "may not import"},
		{"store in the cache", "gqlcache/a.go", imports(ours + "gqlcache/store/redisstore"), "may not import"},
		{"zstd elsewhere", "gqlcache/store/memstore/a.go", imports("github.com/klauspost/compress/zstd"), "only [gqlcache/store/redisstore gqlcache/internal/wire] may"},
		{"tiers know no store", "gqlcache/store/tiered/a.go", imports(ours + "gqlcache/store/memstore"), "may not import"},
		{"stores know no other", "gqlcache/store/redisstore/a.go", imports(ours + "gqlcache/store/memstore"), "may not import"},
		{"redis in the cache", "gqlcache/a.go", imports("github.com/redis/go-redis/v9"), "may not import"},
		{"redis in the contract of the log", "gqlcache/changelog/a.go", imports("github.com/redis/go-redis/v9"), "may not import"},
		{"log on top of the cache", "gqlcache/changelog/redislog/a.go", imports(ours + "gqlcache"), "may not import"},
		{"implementation of the log in the cache", "gqlcache/a.go", imports(ours + "gqlcache/changelog/redislog"), "may not import"},
		{"servers for tests in the library", "gqlcache/changelog/redislog/a.go", imports(ours + "internal/redistest"), "may not import"},
		{"gqlgen below", "cascade/a.go", imports("github.com/99designs/gqlgen/graphql"), "may not import"},
		{"http below", "extractor/a.go", imports("net/http/httptest"), "may not import"},
		{"goleak in the library", "gqlcache/a.go", imports("go.uber.org/goleak"), "only [] may"},
		{"rapid in the library", "cascade/a.go", imports("pgregory.net/rapid"), "only [] may"},
		{"porcupine in the library", "gqlcache/a.go", imports("github.com/anishathalye/porcupine"), "only [] may"},
		{"prometheus in the module", "gqlcache/metrics/a.go", imports("github.com/prometheus/client_golang/prometheus"), "argue for the dependency"},
		{"opentelemetry in the cache", "gqlcache/a.go", imports("go.opentelemetry.io/otel"), "argue for the dependency"},
		{"expvar in the cache", "gqlcache/a.go", imports("expvar"), "only [gqlcache/metrics/expvar example/...] may"},
		{"metrics in the cache", "gqlcache/a.go", imports(ours + "gqlcache/metrics"), "may not import"},
		{"testing in the library", "cascade/a.go", imports("testing"), "may not import"},
		{"testify in a test", "cascade/a_test.go", imports("github.com/stretchr/testify/require"), "imported nowhere"},
		{"unknown module", "gqlcache/a.go", imports("example.org/dep"), "argue for the dependency"},
		{"module of a similar name", "schemahash/a.go", imports("github.com/vektah/gqlparser/v2x"), "argue for the dependency"},
		{"package without a rule", "gqlcache/novel/a.go", "package novel", "no rule names package"},
		{"package without a rule, tests only", "novel/a_test.go", "package novel", "no rule names package"},
		{"package at the root", "a.go", "package cascadeql", "no rule names package"},
		{"print", "cascade/a.go", "package cascade\nimport \"fmt\"\nfunc f() { fmt.Println() }", "does not print"},
		{"panic", "cascade/a.go", "package cascade\nfunc f() {\n\tpanic(1)\n}", "needs a comment"},
		{"panic explained on another line", "cascade/a.go", "package cascade\nfunc f() {\n\t// why\n\tpanic(1)\n}", "needs a comment"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			faults, err := lint.Check(fstest.MapFS{row.file: {Data: []byte(row.source)}})
			if err != nil {
				t.Fatal(err)
			}
			where := strings.TrimPrefix(path.Dir(row.file), ".")
			if len(faults) != 1 || !strings.HasPrefix(faults[0], where) || !strings.Contains(faults[0], row.want) {
				t.Errorf("faults %q, want one with %q", faults, row.want)
			}
		})
	}
}

func TestCheckAllows(t *testing.T) {
	t.Parallel()
	const ours = lint.Module + "/"
	rows := []struct{ name, file, source string }{
		{"standard library", "schemahash/a.go", imports("crypto/sha256")},
		{"parser", "schemahash/a.go", imports("github.com/vektah/gqlparser/v2/ast")},
		{"downwards", "cascade/a.go", imports(ours + "extractor")},
		{"internal", "gqlcache/a.go", imports(ours + "gqlcache/internal/clock")},
		{"http in the cache", "gqlcache/a.go", imports("net/http")},
		{"example imports everything", "example/graph/a.go", imports(ours + "gqlcache/store/memstore")},
		{"test imports the example", "gqlcache/a_test.go", imports(ours + "example/graph")},
		{"test tools in tests", "cascade/a_test.go", imports("pgregory.net/rapid")},
		{"example prints and panics", "example/a.go", "package main\nimport \"fmt\"\nfunc main() { fmt.Println(); panic(1) }"},
		{"test prints", "cascade/a_test.go", "package cascade\nimport \"fmt\"\nfunc f() { fmt.Println() }"},
		{"panic explained", "cascade/a.go", "package cascade\nfunc f() {\n\tpanic(1) // f is never called\n}"},
		{"generated panics", "cascade/a.go", "// Code generated by a tool. DO NOT EDIT.\n\npackage cascade\nfunc f() { panic(1) }"},
		{"test imports the test server", "gqlcache/a_test.go", imports(ours + "gqlcache/internal/testgraph")},
		{"redis in the log", "gqlcache/changelog/redislog/a.go", imports("github.com/redis/go-redis/v9")},
		{"test starts a server", "gqlcache/changelog/redislog/a_test.go", imports(ours + "internal/redistest")},
		{"formatting", "cascade/a.go", "package cascade\nimport \"fmt\"\nvar _ = fmt.Sprint()"},
		{"testdata", "cascade/testdata/a.go", "package broken; import \"example.org/dep\""},
		{"left out", "_old/a.go", "not Go"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			faults, err := lint.Check(fstest.MapFS{row.file: {Data: []byte(row.source)}})
			if err != nil || len(faults) > 0 {
				t.Errorf("Check = %q, %v; want nothing", faults, err)
			}
		})
	}
	t.Run("module of the workspace", func(t *testing.T) {
		t.Parallel()
		faults, err := lint.Check(fstest.MapFS{
			"go.work":        {Data: []byte("use (\n\t.\n\t./example\n)\n")},
			"example/go.mod": {Data: []byte("module example")},
			"example/a.go":   {Data: []byte(imports("example.org/dep"))},
		})
		if err != nil || len(faults) != 1 || !strings.Contains(faults[0], "argue for the dependency") {
			t.Errorf("Check = %q, %v; want the import", faults, err)
		}
	})
	t.Run("module within", func(t *testing.T) {
		t.Parallel()
		faults, err := lint.Check(fstest.MapFS{
			"tools/go.mod": {Data: []byte("module tools")},
			"tools/a.go":   {Data: []byte(imports("example.org/dep"))},
		})
		if err != nil || len(faults) > 0 {
			t.Errorf("Check = %q, %v; want nothing", faults, err)
		}
	})
}

func TestCheckReportsBrokenFiles(t *testing.T) {
	t.Parallel()
	if _, err := lint.Check(fstest.MapFS{"cascade/a.go": {Data: []byte("package")}}); err == nil {
		t.Error("a file that does not parse passes")
	}
}

// imports is a file that imports a package.
func imports(path string) string { return "package p\n\nimport \"" + path + "\"\n" }

// TestCoreLinksNoGraphQL: the clock, the engine, the fleet, the history and the log know
// of GraphQL no more than tags.
func TestCoreLinksNoGraphQL(t *testing.T) {
	t.Parallel()
	packages := []string{"cascade/tag", "gqlcache/internal/clock", "gqlcache/internal/history", "gqlcache/internal/engine", "gqlcache/internal/fleet", "gqlcache/changelog", "gqlcache/changelog/redislog"}
	for _, pkg := range packages {
		t.Run(pkg, func(t *testing.T) {
			t.Parallel()
			list := exec.CommandContext(t.Context(), "go", "list", "-deps", "./"+pkg)
			list.Dir = "../.."
			out, err := list.Output()
			if err != nil {
				t.Fatal(err)
			}
			deps := strings.Fields(string(out))
			if !slices.Contains(deps, lint.Module+"/cascade/tag") {
				t.Errorf("it does not link cascade/tag: %d packages", len(deps))
			}
			for _, dep := range deps {
				if dep == lint.Module+"/cascade" || strings.Contains(dep, "vektah/gqlparser") || strings.Contains(dep, "99designs/gqlgen") {
					t.Errorf("it links %s", dep)
				}
			}
		})
	}
}
