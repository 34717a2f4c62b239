package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// part returns the text of a page between two headings.
func part(t *testing.T, page, from, to string) string {
	t.Helper()
	_, text, found := strings.Cut(page, "\n## "+from+"\n")
	text, _, ended := strings.Cut(text, "\n## "+to+"\n")
	if !found || !ended {
		t.Fatalf("no section %q that ends at %q", from, to)
	}
	return text
}

// TestDesignPaths: the files and directories that DESIGN.md names exist.
func TestDesignPaths(t *testing.T) {
	t.Parallel()
	page := read(t, root+"DESIGN.md")
	exists := func(name string) {
		if _, err := os.Stat(root + name); err != nil {
			t.Errorf("DESIGN.md: there is no %s", name)
		}
	}
	paths := 0
	for _, c := range code.FindAllStringSubmatch(page, -1) {
		if directory.MatchString(c[1]) && !strings.Contains(c[1], "@") {
			paths++
			exists(c[1])
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.*) \\|$").FindAllStringSubmatch(part(t, page, "Files", "Six trips"), -1) {
		exists(row[1])
		for _, c := range code.FindAllStringSubmatch(row[2], -1) {
			if path.Ext(c[1]) == ".go" && !strings.Contains(c[1], "/") {
				paths++
				exists(row[1] + "/" + c[1])
			}
		}
	}
	if paths < 100 {
		t.Errorf("found %d paths", paths)
	}
}

// TestDesignNames: the functions, types and fields that DESIGN.md names in its trips and with its locks exist.
func TestDesignNames(t *testing.T) {
	t.Parallel()
	known := declared(t, "gqlcache", "cascade", "extractor")
	page := read(t, root+"DESIGN.md")
	identifier := regexp.MustCompile(`^[A-Za-z]\w*(\.\w+)?$`)
	names := 0
	for _, text := range []string{part(t, page, "Six trips", "Trips, counted"), part(t, page, "Locks", "Several instances")} {
		for _, c := range code.FindAllStringSubmatch(text, -1) {
			if !identifier.MatchString(c[1]) || c[1] == "gqlcache" {
				continue
			}
			names++
			if !known[c[1]] {
				t.Errorf("DESIGN.md: no declaration of %s", c[1])
			}
		}
	}
	if names < 50 {
		t.Errorf("found %d names", names)
	}
}

// declared returns the functions, types, methods and fields of the packages below the directories, the last two
// with the names of their types.
func declared(t *testing.T, directories ...string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files := token.NewFileSet()
	for _, dir := range directories {
		err := fs.WalkDir(os.DirFS(root), dir, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && d.Name() == "node_modules" {
				return fs.SkipDir
			}
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(files, root+name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, d := range file.Decls {
				addNames(names, d)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}

func addNames(names map[string]bool, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			names[d.Name.Name] = true
			return
		}
		names[typeName(d.Recv.List[0].Type)+"."+d.Name.Name] = true
	case *ast.GenDecl:
		for _, s := range d.Specs {
			s, ok := s.(*ast.TypeSpec)
			if !ok {
				continue
			}
			names[s.Name.Name] = true
			if st, ok := s.Type.(*ast.StructType); ok {
				for _, f := range st.Fields.List {
					for _, n := range f.Names {
						names[s.Name.Name+"."+n.Name] = true
					}
				}
			}
		}
	}
}

// typeName returns the name of a receiver's type.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
