package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// recorderName is what instrumented files call package record.
const recorderName = "tripsRecord"

// An insertion is text that an instrumented file has in addition.
type insertion struct {
	at   int // offset in the file
	text string
}

// instrument returns a file whose functions, and function literals, first call
// record.Enter. Lines keep their numbers. name is the file's from the root of the module,
// recorder the import path of record.
func instrument(name, recorder string, src []byte) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var list []insertion
	enter := func(body *ast.BlockStmt, function string, literal bool) {
		list = append(list, insertion{
			fset.Position(body.Lbrace).Offset + 1,
			fmt.Sprintf(" defer %s.Enter(%q, %q, %v)();", recorderName, name, function, literal),
		})
	}
	for _, d := range file.Decls {
		function := "a variable"
		if f, ok := d.(*ast.FuncDecl); ok {
			function = nameOf(f)
			if f.Body != nil {
				enter(f.Body, function, false)
			}
		}
		ast.Inspect(d, func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncLit); ok {
				enter(f.Body, function, true)
			}
			return true
		})
	}
	if len(list) > 0 {
		list = append(list, insertion{fset.Position(file.Name.End()).Offset, fmt.Sprintf("; import %s %q", recorderName, recorder)})
	}
	return inserted(src, list), nil
}

// nameOf returns a function's name, with its receiver's type before it.
func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	t := f.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + f.Name.Name
		default:
			return f.Name.Name
		}
	}
}

func inserted(src []byte, list []insertion) []byte {
	slices.SortFunc(list, func(a, b insertion) int { return a.at - b.at })
	var out strings.Builder
	from := 0
	for _, i := range list {
		out.Write(src[from:i.at])
		out.WriteString(i.text)
		from = i.at
	}
	out.Write(src[from:])
	return []byte(out.String())
}
