package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// chosenBy is the environment variable with the number of the mutant that a merged binary is to be; none is the
// unbroken code.
const chosenBy = "CASCADEQL_MUTANT"

// merged writes an overlay that holds all mutants of the list which change nothing but bodies of functions, and
// returns its file and the numbers of the others, which are built apart. Compiling a large package for each
// mutant would take an hour; so each function gets the bodies of its mutants before its own, and the environment
// chooses:
//
//	func (c *Cache) usable(f *filled) bool {
//		if mutantChosen == 7 {
//			return true
//		}
//		return f.stamp != nil && c.fresh() && c.clock.Valid(f.stamp.Stamp)
//	}
func merged(dir string, list []mutant, apart map[int]bool) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	byFile := map[string][]int{}
	for i, m := range list {
		if !apart[i] {
			byFile[m.file] = append(byFile[m.file], i)
		}
	}
	replace := map[string]string{}
	add := func(name string, text []byte) error {
		abs, err := filepath.Abs(filepath.FromSlash(name))
		if err != nil {
			return err
		}
		if replace[abs] == "" {
			replace[abs] = filepath.Join(dir, fmt.Sprint(len(replace))+".go")
		}
		return os.WriteFile(replace[abs], text, 0o600)
	}
	for file, numbers := range byFile {
		src, err := os.ReadFile(filepath.FromSlash(file))
		if err != nil {
			return "", err
		}
		f, err := parse(src)
		if err != nil {
			return "", err
		}
		for _, i := range numbers {
			if apart[i], err = f.mutate(list[i], i); err != nil {
				return "", fmt.Errorf("%s: %w", list[i].name, err)
			}
		}
		if err := add(file, f.text(file)); err != nil {
			return "", err
		}
		if err := add(path.Join(path.Dir(file), "mutant_chosen.go"), fmt.Appendf(nil, chooser, f.ast.Name.Name, chosenBy)); err != nil {
			return "", err
		}
	}
	return writeOverlay(dir, replace)
}

const chooser = `package %s

import (
	"os"
	"strconv"
)

var mutantChosen = func() int {
	n, err := strconv.Atoi(os.Getenv(%q))
	if err != nil {
		return -1
	}
	return n
}()
`

func writeOverlay(dir string, replace map[string]string) (string, error) {
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "overlay.json")
	return list, os.WriteFile(list, overlay, 0o600)
}

// A sourceFile is a file and what is put into it.
type sourceFile struct {
	src    []byte
	fset   *token.FileSet
	ast    *ast.File
	bodies map[string]*ast.BlockStmt // by the function
	more   map[string][]byte         // what goes to the beginning of a body
}

func parse(src []byte) (*sourceFile, error) {
	f := &sourceFile{src: src, fset: token.NewFileSet(), bodies: map[string]*ast.BlockStmt{}, more: map[string][]byte{}}
	var err error
	if f.ast, err = parser.ParseFile(f.fset, "", src, parser.SkipObjectResolution); err != nil {
		return nil, err
	}
	for _, d := range f.ast.Decls {
		// The name of a function is all that is before its body: a mutant with another one is built apart.
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			f.bodies[string(src[f.at(fn.Pos()):f.at(fn.Body.Pos())])] = fn.Body
		}
	}
	return f, nil
}

func (f *sourceFile) at(p token.Pos) int { return f.fset.Position(p).Offset }

func (f *sourceFile) body(fn string) []byte {
	b := f.bodies[fn]
	return f.src[f.at(b.Lbrace)+1 : f.at(b.Rbrace)]
}

// frame returns the file without the bodies of its functions.
func (f *sourceFile) frame() []byte {
	var out []byte
	from := 0
	for _, fn := range f.order() {
		b := f.bodies[fn]
		out = append(out, f.src[from:f.at(b.Lbrace)]...)
		from = f.at(b.Rbrace)
	}
	return append(out, f.src[from:]...)
}

func (f *sourceFile) order() []string {
	var names []string
	for fn := range f.bodies {
		names = append(names, fn)
	}
	slices.SortFunc(names, func(a, b string) int { return int(f.bodies[a].Pos() - f.bodies[b].Pos()) })
	return names
}

// mutate puts a mutant into the file; apart says that this is not possible.
func (f *sourceFile) mutate(m mutant, number int) (apart bool, err error) {
	text, err := m.broken(".")
	if err != nil {
		return false, err
	}
	other, err := parse(text)
	if err != nil {
		return false, err
	}
	if !bytes.Equal(f.frame(), other.frame()) {
		return true, nil
	}
	for _, fn := range f.order() {
		if bytes.Equal(f.body(fn), other.body(fn)) {
			continue
		}
		// A label is the function's. The line makes the compiler name the mutant.
		body := other.relabeled(fn, number)
		end := "return"
		if other.hasResults(fn) {
			end = `panic("mutants: no return")`
		}
		f.more[fn] = fmt.Appendf(f.more[fn], "\nif mutantChosen == %d {\n//line MUTANT-%d.go:1\n%s\n%s\n}", number, number, body, end)
	}
	return false, nil
}

func (f *sourceFile) hasResults(fn string) bool {
	for _, d := range f.ast.Decls {
		if d, ok := d.(*ast.FuncDecl); ok && d.Body == f.bodies[fn] {
			return d.Type.Results != nil
		}
	}
	return false
}

// relabeled returns a body whose labels are those of a mutant.
func (f *sourceFile) relabeled(fn string, number int) []byte {
	var labels []int
	ast.Inspect(f.bodies[fn], func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.LabeledStmt:
			labels = append(labels, f.at(n.Label.End()))
		case *ast.BranchStmt:
			if n.Label != nil {
				labels = append(labels, f.at(n.Label.End()))
			}
		}
		return true
	})
	slices.Sort(labels)
	var out []byte
	from := f.at(f.bodies[fn].Lbrace) + 1
	for _, at := range labels {
		out = fmt.Appendf(append(out, f.src[from:at]...), "Mutant%d", number)
		from = at
	}
	return append(out, f.src[from:f.at(f.bodies[fn].Rbrace)]...)
}

// text returns the file with all that was put into it.
func (f *sourceFile) text(file string) []byte {
	var out []byte
	from := 0
	for _, fn := range f.order() {
		if f.more[fn] == nil {
			continue
		}
		at := f.bodies[fn].Lbrace
		out = append(append(out, f.src[from:f.at(at)+1]...), f.more[fn]...)
		out = fmt.Appendf(out, "\n//line %s:%d\n", path.Base(file), f.fset.Position(at).Line)
		from = f.at(at) + 1
	}
	return append(out, f.src[from:]...)
}
