package gqlcache

import (
	"fmt"

	"github.com/cascadeql/cascadeql/cascade"
)

// Callers says which callers a server without Options.Predicate has. It has no default:
// Options.Predicate or AllSeeTheSame is set, or every query of the schema has scope
// PUBLIC.
type Callers uint8

// AllSeeTheSame says that every caller gets the same answers and may ask the same
// questions: a logged-in user sees exactly what an anonymous one sees. It is not about
// the database: a server without row-level security whose resolvers look at the user
// needs Options.Predicate.
//
// The cache checks it where it can: of each operation, some answers that callers with
// other credentials (Authorization, Cookie and the like) would get from the cache are
// computed and compared. An operation whose answers differ is said in the log and in the
// panel, and is not stored any more.
const AllSeeTheSame Callers = 1

// whoAsks is the text of every refusal to start without knowing the callers.
const whoAsks = "which answers differ from caller to caller? If any, set Predicate; " +
	"if a logged-in user sees exactly what an anonymous one sees, set Callers: AllSeeTheSame"

// validateCallers reports what is wrong with Callers by itself.
func (o Options) validateCallers(fault func(string, ...any)) {
	if o.Callers > AllSeeTheSame {
		fault("Callers is %d; use AllSeeTheSame, or set Predicate", o.Callers)
	}
	if o.Callers == AllSeeTheSame && o.Predicate != nil {
		fault("Callers is AllSeeTheSame and Predicate is set; leave one of them out")
	}
}

// knowsCallers says whether the owner has said what answers depend on.
func (o Options) knowsCallers() bool { return o.Predicate != nil || o.Callers == AllSeeTheSame }

// refuseUnknownCallers refuses a schema with queries whose answers might differ, when
// nobody has said whether they do.
func (o Options) refuseUnknownCallers(plan *cascade.Plan) error {
	if plan.HasPrivate() && o.Predicate == nil {
		return fmt.Errorf("%w: the schema has scope: PRIVATE and Predicate is not set; return what its answers depend on from Predicate", ErrOptions)
	}
	if o.knowsCallers() {
		return nil
	}
	if field := plan.NotPublic(); field != "" {
		return fmt.Errorf("%w: neither Predicate nor Callers is set, and answers with %s are not PUBLIC: %s", ErrOptions, field, whoAsks)
	}
	return nil
}

// callersName is Callers for people and programs that look at the cache.
func (o Options) callersName() string {
	switch {
	case o.Predicate != nil:
		return "predicate"
	case o.Callers == AllSeeTheSame:
		return "same"
	}
	return "public"
}
