package cascade

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Error returns "file:line:column: message"; what is not known of the place is left out.
func (f Fault) Error() string {
	if place := f.place(); place != "" {
		return place + ": " + f.Message
	}
	return f.Message
}

func (f Fault) place() string {
	if f.Line == 0 {
		return f.File
	}
	place := strconv.Itoa(f.Line) + ":" + strconv.Itoa(f.Column)
	if f.File != "" {
		place = f.File + ":" + place
	}
	return place
}

// Faults is the error of [Compile]: everything wrong with a schema, by file, line and
// column. It wraps [ErrDirectives].
type Faults []Fault

// Error returns the faults, one on a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns [ErrDirectives].
func (f Faults) Unwrap() error { return ErrDirectives }

// sorted orders faults by place. The same fault found twice, by way of two types that
// share a directive, is kept once.
func (f Faults) sorted() Faults {
	slices.SortFunc(f, func(a, b Fault) int {
		return cmp.Or(
			strings.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			strings.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(f)
}

func newFault(pos *ast.Position, message string) Fault {
	f := Fault{Message: message}
	if pos != nil {
		f.Line, f.Column = pos.Line, pos.Column
		if pos.Src != nil {
			f.File = pos.Src.Name
		}
	}
	return f
}
