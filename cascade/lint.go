package cascade

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// The codes of findings.
const (
	// CodeUnknownReads: nothing says what a field reads, so any mutation drops the
	// answers that have it.
	CodeUnknownReads = "unknown-reads"
	// CodeUnknownWrites: nothing says what a mutation writes, so it drops everything.
	CodeUnknownWrites = "unknown-writes"
	// CodeUnwrittenView: no mutation is declared to write a view that answers depend on
	// and that is not static, so any mutation drops them.
	CodeUnwrittenView = "unwritten-view"
	// CodeUnchangedColumn: a column in using that no mutation can change. It is useless,
	// or the fields of a mutation are incomplete, and then answers are stale.
	CodeUnchangedColumn = "unchanged-column"
	// CodeUnknownValue: a value that a term, a row or a key names is not what a client
	// sends or a database compares, as far as the schema tells. Every change of its
	// view drops the answers that depend on it.
	CodeUnknownValue = "unknown-value"
	// CodeKeyArguments: a key takes arguments. What it is without them identifies the
	// row.
	CodeKeyArguments = "key-arguments"
	// CodeWideWrite: a mutation drops a whole view although its arguments or its result
	// may name the row.
	CodeWideWrite = "wide-write"
	// CodeWideColumns: an update does not say which columns it changes, so it drops all
	// answers with its rows.
	CodeWideColumns = "wide-columns"
	// CodeRuntimeDirective: a field that queries can select, or one of its arguments, has
	// a directive that may run when it is resolved, and is not in
	// Options.DirectivesCovered. It does not run on a hit.
	CodeRuntimeDirective = "runtime-directive"
)

// A Finding is something that a schema's directives leave unsaid. Nothing is wrong with
// it: the cache keeps less than it could. Its JSON form has the names of its fields in
// lower case.
type Finding struct {
	Code string `json:"code"`
	// File, Line and Column are the place, as in Fault.
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	// Subject is what it is about: a field ("Query.posts"), a type or a view.
	Subject string `json:"subject"`
	Message string `json:"message"`
}

// String returns the finding on one line, in the form file:line:column: message (code).
func (f Finding) String() string {
	at := Fault{File: f.File, Line: f.Line, Column: f.Column}
	return fmt.Sprintf("%s: %s (%s)", at.place(), f.Message, f.Code)
}

// Lint returns what a schema's directives leave unsaid, sorted by place. The error is
// that of Compile.
func Lint(schema *ast.Schema, opts Options) ([]Finding, error) {
	p, err := Compile(schema, opts)
	if err != nil {
		return nil, err
	}
	l := &linter{plan: p, seen: map[linted]bool{}, read: map[*View]bool{}}
	if q := schema.Query; q != nil {
		l.object(q, false)
	}
	l.views()
	l.mutations()
	l.columns()
	l.values()
	slices.SortFunc(l.findings, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			strings.Compare(a.Code, b.Code), strings.Compare(a.Message, b.Message))
	})
	return slices.Compact(l.findings), nil
}

type linter struct {
	plan     *Plan
	findings []Finding
	seen     map[linted]bool
	read     map[*View]bool
}

// linted is an object type as queries reach it.
type linted struct {
	object  *ast.Definition
	covered bool // below a field that declares its reads
}

func (l *linter) addf(code, subject string, pos *ast.Position, format string, args ...any) {
	at := newFault(pos, "")
	l.findings = append(l.findings, Finding{
		Code: code, File: at.File, Line: at.Line, Column: at.Column, Subject: subject, Message: fmt.Sprintf(format, args...),
	})
}

func (l *linter) at(directive string) string { return "@" + l.plan.opts.Prefix + directive }

// object follows the fields that queries can select, as Operation.bindSelection does for
// one query.
func (l *linter) object(def *ast.Definition, covered bool) {
	views := l.plan.byType[def.Name]
	wrapper := covered && len(views) == 0
	if l.seen[linted{def, wrapper}] {
		return
	}
	if !l.seen[linted{def, !wrapper}] {
		l.hooks(def)
	}
	l.seen[linted{def, wrapper}] = true
	explicit := len(views) > 0 && views[0].explicit
	for _, v := range views {
		l.read[v] = true
	}
	if len(views) > 0 && !explicit {
		l.addf(CodeUnknownReads, def.Name, def.Position, "type %s has no %s: say where its rows come from, and its plain fields are known to be read from there", def.Name, l.at(dirView))
	}
	for _, f := range def.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		target := l.plan.schema.Types[f.Type.Name()]
		decl := l.plan.fields[fieldRef{def.Name, f.Name}]
		declared := decl != nil && decl.Declared
		switch {
		case declared:
			if decl.Entities {
				l.entities(target)
			}
			for _, r := range decl.Reads {
				for _, v := range r.Views {
					l.read[v] = true
				}
			}
		case wrapper:
		case len(views) > 0 && !explicit && target.IsLeafType():
			// said of the type already
		case explicit && target.IsLeafType() && l.isColumn(views[0], f.Name):
		default:
			l.addf(CodeUnknownReads, def.Name+"."+f.Name, f.Position, "nothing says what %s.%s reads, so any mutation drops the answers that have it: give it %s", def.Name, f.Name, l.at(dirReads))
		}
		if target.IsCompositeType() {
			for _, object := range l.plan.schema.GetPossibleTypes(target) {
				l.object(object, declared || wrapper)
			}
		}
	}
}

// entities finds the types of which nobody knows where their rows come from.
func (l *linter) entities(union *ast.Definition) {
	for _, object := range l.plan.schema.GetPossibleTypes(union) {
		if e := l.plan.entities[object.Name]; e == nil {
			l.addf(CodeUnknownReads, object.Name, object.Position, "nothing says what an entity %s is found in, so any mutation drops the answers to %s that have one: give the type %s", object.Name, entitiesField, l.at(dirView))
		}
	}
}

func (l *linter) isColumn(v *View, name string) bool {
	_, ok := v.column(name)
	return ok
}

func (l *linter) views() {
	for _, v := range l.plan.views {
		if v.explicit && l.read[v] && !v.written && !v.static {
			l.addf(CodeUnwrittenView, v.Name, v.pos, "no mutation writes the view %q, so any mutation drops the answers that depend on it: give the ones that do %s, or say static: true", v.Name, l.at(dirWrites))
		}
	}
}

func (l *linter) mutations() {
	def := l.plan.schema.Mutation
	if def == nil {
		return
	}
	for _, f := range def.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		subject := def.Name + "." + f.Name
		for _, inv := range l.plan.invalidates[f.Name] {
			if len(inv.fields) == 0 {
				l.addf(CodeWideWrite, subject, inv.pos, "%s drops everything: its @%s names %s, which is no field of %s; name one, or a pattern that matches some",
					subject, dirInvalidates, inv.name, l.plan.schema.Query.Name)
			}
		}
		m := l.plan.mutations[f.Name]
		if m == nil {
			l.addf(CodeUnknownWrites, subject, f.Position, "nothing says what %s writes, so it drops everything: give it %s", subject, l.at(dirWrites))
			continue
		}
		for i := range m.Writes {
			w := &m.Writes[i]
			if w.Op == Update && w.Columns == AllColumns {
				l.addf(CodeWideColumns, subject, w.pos, "%s does not say which columns of %q it changes: name them in fields", subject, w.View.Name)
			}
			if w.Row != nil || len(w.Where) > 0 {
				continue
			}
			if row := l.namedRow(f, m, w); row != "" {
				l.addf(CodeWideWrite, subject, w.pos, "%s drops everything that shows the view %q: %s", subject, w.View.Name, rowAdvice(w.Op, row))
			}
		}
	}
}

// rowAdvice says how to name the rows of a write of which row may be one. An argument is
// often the row that is read: copy(id). Only who wrote the resolver knows.
func rowAdvice(op Op, row string) string {
	switch op {
	case Create:
		return fmt.Sprintf("if it creates no row but %s, say row: %q", row, row)
	case Update, Delete:
		return fmt.Sprintf("if it writes no row but %s, say row: %q", row, row)
	}
	return fmt.Sprintf("if it changes no row but %s, say row: %q; if it only creates the rows that it returns, say op: \"CREATE\", and not that row", row, row)
}

// values tells of values that are unknown. They lose nothing but hits.
func (l *linter) values() {
	for _, v := range l.plan.vagues {
		remedy := "every change of the view drops its answers"
		switch name := directiveOf(v.why); {
		case name != "":
			remedy += fmt.Sprintf("; name %s in PassiveDirectives of the options if it changes no values", name)
		case strings.HasPrefix(v.why, scalarPrefix):
			remedy += fmt.Sprintf("; name %s in ComparableScalars of the options if equal values have the same text but for case and punctuation", strings.TrimPrefix(v.why, scalarPrefix))
		}
		l.addf(CodeUnknownValue, v.subject, v.pos, "nothing is known of the values of %s of %s, because of %s: %s", v.what, v.subject, v.why, remedy)
	}
	for _, v := range l.plan.views {
		for _, name := range v.types {
			def := l.plan.schema.Types[name]
			if f := def.Fields.ForName(v.key); v.explicit && f != nil && len(f.Arguments) > 0 {
				l.addf(CodeKeyArguments, name+"."+f.Name, f.Position, "%s.%s takes arguments and is the key of %q: what it is without them must identify the row, in the arguments of queries and mutations too", name, f.Name, v.Name)
			}
		}
	}
}

// namedRow returns the path at which a mutation names the row that it writes, "" if there
// is none. An argument that names the row of another of its writes is not meant.
func (l *linter) namedRow(f *ast.FieldDefinition, m *mutationDecl, w *writeDecl) string {
	key := w.View.key
	arg := f.Arguments.ForName(key)
	taken := slices.ContainsFunc(m.Writes, func(o writeDecl) bool {
		return o.View != w.View && o.Row != nil && o.Row.Kind == fromArgs && slices.Equal(o.Row.Path, []string{key})
	})
	if arg != nil && !taken && w.Op != Create && l.plan.schema.Types[arg.Type.Name()].IsLeafType() {
		return "args." + key
	}
	result := l.plan.schema.Types[f.Type.Name()]
	if slices.Contains(w.View.types, result.Name) {
		if w.Op == Create {
			return "" // what it returns is what it creates
		}
		return "result." + key
	}
	if result.Kind != ast.Object {
		return ""
	}
	for _, inner := range result.Fields {
		if slices.Contains(w.View.types, inner.Type.Name()) && requiredArgument(inner) == "" {
			return "result." + inner.Name + "." + key
		}
	}
	return ""
}

// columns looks for columns in using that nothing changes. What a derived view shows
// changes with the views that it is derived from.
func (l *linter) columns() {
	changes := map[*View]Mask{}
	for _, m := range l.plan.mutations {
		for i := range m.Writes {
			changes[m.Writes[i].View] |= m.Writes[i].mayChange()
		}
	}
	check := func(subject string, pos *ast.Position, v *View, using Mask) {
		if using == AllColumns || len(v.in) > 0 || !v.written {
			return
		}
		for _, name := range v.names {
			m, _ := v.column(name)
			if m != 1<<overflowBit && using&m != 0 && changes[v]&m == 0 {
				l.addf(CodeUnchangedColumn, subject, pos, "no mutation changes the column %s of %q that %s is said to use: leave it out, or name it in the fields of the mutation that does", name, v.Name, subject)
			}
		}
	}
	for ref, f := range l.plan.fields {
		for _, r := range f.Reads {
			if r.Kind == readWhere {
				check(ref.typ+"."+ref.field, r.pos, r.Views[0], r.Using)
			}
		}
	}
	for _, v := range l.plan.views {
		for _, e := range v.out {
			using := e.using
			if m, ok := v.column(e.key); ok && using != AllColumns {
				using &^= m // the key is there to find the row
			}
			check(e.to.Name, e.pos, v, using)
		}
	}
}

// mayChange returns the columns that a write may change in rows that stay.
func (w *writeDecl) mayChange() Mask {
	if w.Op == Create || w.Op == Delete {
		return 0
	}
	may := w.Columns
	for _, from := range w.ColumnsFrom {
		for _, m := range from.masks {
			may |= m
		}
	}
	for _, t := range w.Set {
		m, _ := w.View.column(t.Column)
		may |= m
	}
	return may
}
