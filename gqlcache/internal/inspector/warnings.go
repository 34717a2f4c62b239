package inspector

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
)

// The severities of inspect.Warning.
const (
	severityInfo     = "info"
	SeverityWarning  = "warning"
	severityCritical = "critical"
)

const (
	maxLint = 50
	// manyReplans is how often operations are planned again before somebody is told.
	manyReplans = 20
)

// Alarms are what concerns every request.
type Alarms struct {
	// Mismatched are the stale answers that verify mode has found.
	Mismatched uint64
	// Differing names the operations whose answers differ by caller, "" for none.
	Differing string
	// Uncovered are the fields with run-time directives that keep queries out, by
	// directive. Hooked says that interceptors of fields do.
	Uncovered map[string][]string
	Hooked    bool
	// NoLease says that there is no lease of the log.
	NoLease bool
	// Foreign are the records of instances with another schema, Replanned the operations
	// that were planned again for the same text, and StoreErrors the failures of stores.
	Foreign, Replanned, StoreErrors uint64
}

// Warnings returns what is worth a look, the worst first.
func (a Alarms) Warnings() []inspect.Warning {
	all := []inspect.Warning{}
	warn := func(code, severity, format string, args ...any) {
		all = append(all, inspect.Warning{Code: code, Severity: severity, Message: fmt.Sprintf(format, args...)})
	}
	if a.Mismatched > 0 {
		warn("verify", severityCritical, "Verify mode has found stale answers: %d so far. See Verify below, and the log.", a.Mismatched)
	}
	if names := a.Differing; names != "" {
		warn("callers", severityCritical, "Callers with different credentials got different answers of operations that all callers share: %s. They are not cached any more. Set Options.Predicate.", names)
	}
	for _, name := range slices.Sorted(maps.Keys(a.Uncovered)) {
		fields := a.Uncovered[name]
		warn("directive", SeverityWarning, "Queries with these fields bypass the cache, since @%s would not run on a hit: %s. When all that it looks at is in Predicate or Vary, name it in Options.DirectivesCovered.", name, Names(fields))
	}
	if a.Hooked {
		warn("field_hooks", SeverityWarning, "The server has interceptors of fields, which do not run on a hit. When they do the same for all callers, or all that they look at is in Predicate or Vary, set Options.FieldHooksCovered.")
	}
	if a.NoLease {
		warn("lease", SeverityWarning, "This instance has no lease of the log, and serves nothing from the cache until it has one. That is normal for a moment after the start; later, the log lines of the server say why.")
	}
	if n := a.Foreign; n > 0 {
		warn("schema", SeverityWarning, "%d changes came from instances with another schema, and dropped whole views here, or everything. During a deployment that passes.", n)
	}
	if n := a.Replanned; n >= manyReplans {
		warn("query_cache", SeverityWarning, "The server parses the same operations again and again (%d times so far): give it a query cache with srv.SetQueryCache.", n)
	}
	if n := a.StoreErrors; n > 0 {
		warn("store", SeverityWarning, "A store has failed (%d times so far). The first failure of each kind is in the server's log lines.", n)
	}
	return all
}

// Unsaid returns what cascade.Lint finds in the schema, looked for once, with those
// options.
func (i *Inspector) Unsaid(options func(*plans.Schema) cascade.Options) []inspect.Warning {
	st := i.config.Schema()
	if st == nil {
		return nil
	}
	i.lint.Do(func() {
		findings, err := cascade.Lint(st.Definition, options(st))
		if err != nil {
			return // the plan was compiled from the same schema
		}
		for _, f := range findings {
			severity := severityInfo
			if f.Code == cascade.CodeUnchangedColumn {
				severity = SeverityWarning
			}
			i.unsaid = append(i.unsaid, inspect.Warning{Code: f.Code, Severity: severity, Message: f.String()})
		}
		slices.SortStableFunc(i.unsaid, func(a, b inspect.Warning) int {
			return bySeverity(b) - bySeverity(a)
		})
		if more := len(i.unsaid) - maxLint; more > 0 {
			i.unsaid = append(i.unsaid[:maxLint], inspect.Warning{Code: "lint", Severity: severityInfo, Message: fmt.Sprintf("%d more findings of cascade.Lint", more)})
		}
	})
	return i.unsaid
}

func bySeverity(w inspect.Warning) int {
	return slices.Index([]string{severityInfo, SeverityWarning, severityCritical}, w.Severity)
}

// maxNamed bounds how many names one warning has.
const maxNamed = 5

// Names returns the first names of a list, and how many more there are.
func Names(names []string) string {
	if more := len(names) - maxNamed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), more)
	}
	return strings.Join(names, ", ")
}
