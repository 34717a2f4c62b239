package lint

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Check reads the Go files below the root of a module and returns what breaks a rule, a
// sentence each, sorted. Of the modules within the module it reads those of go.work. It
// does not read testdata and directories that the go command leaves out.
func Check(root fs.FS) ([]string, error) {
	work, err := workModules(root)
	if err != nil {
		return nil, err
	}
	var faults []string
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return enter(root, work, name)
		}
		if !strings.HasSuffix(name, ".go") || leftOut(path.Base(name)) {
			return nil
		}
		found, err := checkFile(root, name)
		faults = append(faults, found...)
		return err
	})
	slices.Sort(faults)
	return slices.Compact(faults), err
}

// enter returns fs.SkipDir for a directory that is not read.
func enter(root fs.FS, work []string, name string) error {
	if name == "." {
		return nil
	}
	if base := path.Base(name); leftOut(base) || base == "testdata" || base == "vendor" {
		return fs.SkipDir
	}
	if _, err := fs.Stat(root, path.Join(name, "go.mod")); err == nil && !slices.Contains(work, name) {
		return fs.SkipDir
	}
	return nil
}

func leftOut(base string) bool { return strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") }

func checkFile(root fs.FS, name string) ([]string, error) {
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, err
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	pkg, test := path.Dir(name), strings.HasSuffix(name, "_test.go")

	var faults []string
	if _, ok := rule(ours, pkg); !ok {
		faults = append(faults, fmt.Sprintf("%s: no rule names package %q: say what it may import in the table ours of internal/lint/rules.go", pkg, pkg))
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if fault := checkImport(pkg, imported, test); fault != "" {
			faults = append(faults, fmt.Sprintf("%s: %s", files.Position(spec.Pos()), fault))
		}
	}
	if !test && !matches("example/...", pkg) && file.Name.Name != "main" && !ast.IsGenerated(file) {
		faults = append(faults, checkCalls(files, file)...)
	}
	return faults, nil
}

// checkImport returns what is wrong with an import, or "".
func checkImport(pkg, imported string, test bool) string {
	for module, instead := range nowhere {
		if within(module, imported) {
			return fmt.Sprintf("%s is imported nowhere: %s", module, instead)
		}
	}
	if test {
		return ""
	}
	if imported == Module || strings.HasPrefix(imported, Module+"/") {
		return checkOurs(pkg, strings.TrimPrefix(strings.TrimPrefix(imported, Module), "/"))
	}
	table, missing := standard, true
	if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
		table, missing = theirs, false
	}
	for prefix, allowed := range table {
		if within(prefix, imported) {
			if matchesAny(allowed, pkg) {
				return ""
			}
			return fmt.Sprintf("package %q may not import %q: only %v may", pkg, imported, allowed)
		}
	}
	if missing {
		return ""
	}
	return fmt.Sprintf("%q belongs to no module that may be imported: argue for the dependency as CONTRIBUTING.md says, then add it to the table theirs of internal/lint/rules.go", imported)
}

func checkOurs(pkg, imported string) string {
	allowed, ok := rule(ours, pkg)
	if !ok || matchesAny(allowed, imported) {
		return "" // a missing rule is reported once a package
	}
	return fmt.Sprintf("package %q may not import %q: of ours it may import %v", pkg, imported, allowed)
}

// checkCalls finds printing and panicking in the library.
func checkCalls(files *token.FileSet, file *ast.File) []string {
	explained := map[int]bool{} // lines with a comment
	for _, group := range file.Comments {
		for _, c := range group.List {
			explained[files.Position(c.Pos()).Line] = true
		}
	}
	var faults []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		pos := files.Position(call.Pos())
		switch fn := call.Fun.(type) {
		case *ast.Ident:
			if fn.Name == "panic" && !explained[pos.Line] {
				faults = append(faults, fmt.Sprintf("%s: a panic in the library needs a comment on its line that says which assertion failed", pos))
			}
		case *ast.SelectorExpr:
			if x, ok := fn.X.(*ast.Ident); ok && x.Name == "fmt" && strings.HasPrefix(fn.Sel.Name, "Print") {
				faults = append(faults, fmt.Sprintf("%s: the library does not print: return the text or use slog", pos))
			}
		}
		return true
	})
	return faults
}

// rule returns the entry of the most specific pattern that matches a package.
func rule(table map[string][]string, pkg string) ([]string, bool) {
	best, ok := "", false
	for pattern := range table {
		if matches(pattern, pkg) && (!ok || len(pattern) > len(best)) {
			best, ok = pattern, true
		}
	}
	return table[best], ok
}

func matchesAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, pkg) })
}

func matches(pattern, pkg string) bool {
	if pattern == "..." {
		return true
	}
	prefix, below := strings.CutSuffix(pattern, "/...")
	return pkg == prefix || below && strings.HasPrefix(pkg, prefix+"/")
}

// within reports whether a package is prefix or below it.
func within(prefix, imported string) bool {
	return imported == prefix || strings.HasPrefix(imported, prefix+"/")
}
