package plans

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/vektah/gqlparser/v2/ast"
)

// Directives knows which directives run around resolvers in the servers of a cache, and
// do not when an answer comes from the cache.
//
// Invariant: a query bypasses the cache if a directive runs for it that Covered does not
// name.
type Directives struct {
	// Covered are the names of those that the owner has said may be left out. It is set
	// before the first call.
	Covered []string

	adding sync.Mutex // serializes changes
	// known are the folded names of those that run; nil as long as nobody knows.
	known atomic.Pointer[map[string]bool]
	// guarded is what Guarded returns.
	guarded atomic.Pointer[map[string][]string]
}

// AllDirectives stands for all names.
const AllDirectives = "*"

// Add notes the directives that run in a server, by the names of the Go fields that hold
// them. Several servers may share a cache: what runs in one counts for all. It returns
// what Guarded returns from now on.
func (d *Directives) Add(st *Schema, names []string) (guarded map[string][]string) {
	d.adding.Lock()
	defer d.adding.Unlock()
	known := map[string]bool{}
	if old := d.known.Load(); old != nil {
		for name := range *old {
			known[name] = true
		}
	}
	for _, name := range names {
		known[folded(name)] = true
	}
	d.known.Store(&known)
	guarded = d.guardedFields(st)
	d.guarded.Store(&guarded)
	return guarded
}

// folded brings the name of a directive and that of its Go field together.
func folded(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// Run reports whether a directive runs in a server that was added. As long as there is
// none, and where a server's are not known, each runs that may by its name. Where they
// are known, names say nothing: @authenticated is Federation's in a subgraph, and the
// server's own in another one.
func (d *Directives) Run(st *Schema, name string) bool {
	known := d.known.Load()
	if known == nil || (*known)[AllDirectives] {
		return st.Plan.MayRun(name)
	}
	return (*known)[folded(name)] && !st.Plan.CannotRun(name)
}

// uncovered reports whether a directive runs and nobody has said that it may be left out.
func (d *Directives) uncovered(st *Schema, name string) bool {
	return d.Run(st, name) && !slices.Contains(d.Covered, name)
}

// in returns a directive that runs for a query and is not covered, "" when there is none.
// Whether a part is skipped is not known before the query runs, and does not count.
func (d *Directives) in(st *Schema, s *Source, op *cascade.Operation) string {
	uncovered := func(name string) bool { return d.uncovered(st, name) }
	looked := map[*ast.FieldDefinition]bool{}
	for _, f := range op.Extract.Fields {
		if looked[f.Definition] {
			continue
		}
		looked[f.Definition] = true
		if names := st.Plan.DirectivesOf(f.Definition, uncovered); len(names) > 0 {
			return names[0]
		}
	}
	found := ""
	search := scan{doc: s.Document, directives: func(list ast.DirectiveList) {
		for _, dir := range list {
			if d.uncovered(st, dir.Name) {
				found = dir.Name
			}
		}
	}}
	search.operation(s.Operation)
	return found
}

// Guarded returns the fields that queries can select, by the uncovered directive that
// keeps them out of the cache. It is nil before a server was added, and is not changed.
func (d *Directives) Guarded() map[string][]string {
	if guarded := d.guarded.Load(); guarded != nil {
		return *guarded
	}
	return nil
}

// guardedFields looks for Guarded in the whole schema.
func (d *Directives) guardedFields(st *Schema) map[string][]string {
	uncovered := func(name string) bool { return d.uncovered(st, name) }
	found := map[string][]string{}
	for _, def := range st.Definition.Types {
		if def.Kind != ast.Object || def == st.Definition.Mutation || def == st.Definition.Subscription || strings.HasPrefix(def.Name, "__") {
			continue
		}
		for _, f := range def.Fields {
			for _, name := range st.Plan.DirectivesOf(f, uncovered) {
				found[name] = append(found[name], def.Name+"."+f.Name)
			}
		}
	}
	for _, fields := range found {
		slices.Sort(fields)
	}
	return found
}

// Settled returns those of a schema that need no look: covered ones, and those that are
// known not to run.
func (d *Directives) Settled(st *Schema) []string {
	settled := slices.Clone(d.Covered)
	for name := range st.Definition.Directives {
		if !d.Run(st, name) {
			settled = append(settled, name)
		}
	}
	return settled
}
