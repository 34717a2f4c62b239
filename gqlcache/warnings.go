package gqlcache

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// The severities of inspect.Warning.
const (
	severityInfo     = "info"
	severityWarning  = "warning"
	severityCritical = "critical"
)

const (
	maxLint = 50
	// manyReplans is how often operations are planned again before somebody is told.
	manyReplans = 20
)

// warnings are what is worth a look, the worst first.
func (c *Cache) warnings() []inspect.Warning {
	return append(c.alarms(), c.unsaidBySchema()...)
}

// alarms are warnings that concern every request.
func (c *Cache) alarms() []inspect.Warning {
	all := []inspect.Warning{}
	warn := func(code, severity, format string, args ...any) {
		all = append(all, inspect.Warning{Code: code, Severity: severity, Message: fmt.Sprintf(format, args...)})
	}
	if v := c.VerifyStats(); v != nil && v.Mismatched > 0 {
		warn("verify", severityCritical, "Verify mode has found stale answers: %d so far. See Verify below, and the log.", v.Mismatched)
	}
	if names := c.different(); names != "" {
		warn("callers", severityCritical, "Callers with different credentials got different answers of operations that all callers share: %s. They are not cached any more. Set Options.Predicate.", names)
	}
	uncovered := c.met.directives.Guarded()
	for _, name := range slices.Sorted(maps.Keys(uncovered)) {
		fields := uncovered[name]
		warn("directive", severityWarning, "Queries with these fields bypass the cache, since @%s would not run on a hit: %s. When all that it looks at is in Predicate or Vary, name it in Options.DirectivesCovered.", name, summary(fields))
	}
	if c.met.hooked.Load() && !c.opts.FieldHooksCovered {
		warn("field_hooks", severityWarning, "The server has interceptors of fields, which do not run on a hit. When they do the same for all callers, or all that they look at is in Predicate or Vary, set Options.FieldHooksCovered.")
	}
	if !c.fresh() {
		warn("lease", severityWarning, "This instance has no lease of the log, and serves nothing from the cache until it has one. That is normal for a moment after the start; later, the log lines of the server say why.")
	}
	if n := c.fleet.Counts.Foreign.Load(); n > 0 {
		warn("schema", severityWarning, "%d changes came from instances with another schema, and dropped whole views here, or everything. During a deployment that passes.", n)
	}
	if n := c.counts.replanned.Load(); n >= manyReplans {
		warn("query_cache", severityWarning, "The server parses the same operations again and again (%d times so far): give it a query cache with srv.SetQueryCache.", n)
	}
	if n := c.engine.Stats().Errors + c.fleet.Counts.SharedErrors.Load(); n > 0 {
		warn("store", severityWarning, "A store has failed (%d times so far). The first failure of each kind is in the server's log lines.", n)
	}
	return all
}

// unwrapped warns of actions that nobody can take, because the request did not come through Cache.Handler.
func (c *Cache) unwrapped(ctx context.Context) []inspect.Warning {
	if c.opts.Inspector.Actions == nil || wire.ExchangeFrom(ctx) != nil {
		return nil
	}
	return []inspect.Warning{{
		Code: "handler", Severity: severityWarning,
		Message: "Options.Inspector.Actions is set, but nobody can act: this request did not come through Cache.Handler. Wrap the server: http.Handle(\"/graphql\", cache.Handler(srv)).",
	}}
}

// unsaidBySchema is what cascade.Lint finds, looked for once.
func (c *Cache) unsaidBySchema() []inspect.Warning {
	st := c.schema.Load()
	if st == nil {
		return nil
	}
	c.lint.Do(func() {
		opts := c.opts.cascade()
		opts.DirectivesCovered = c.met.directives.Settled(st.Schema)
		findings, err := cascade.Lint(st.Definition, opts)
		if err != nil {
			return // the plan was compiled from the same schema
		}
		for _, f := range findings {
			severity := severityInfo
			if f.Code == cascade.CodeUnchangedColumn {
				severity = severityWarning
			}
			c.unsaid = append(c.unsaid, inspect.Warning{Code: f.Code, Severity: severity, Message: f.String()})
		}
		slices.SortStableFunc(c.unsaid, func(a, b inspect.Warning) int {
			return bySeverity(b) - bySeverity(a)
		})
		if more := len(c.unsaid) - maxLint; more > 0 {
			c.unsaid = append(c.unsaid[:maxLint], inspect.Warning{Code: "lint", Severity: severityInfo, Message: fmt.Sprintf("%d more findings of cascade.Lint", more)})
		}
	})
	return c.unsaid
}

func bySeverity(w inspect.Warning) int {
	return slices.Index([]string{severityInfo, severityWarning, severityCritical}, w.Severity)
}
