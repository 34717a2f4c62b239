package gqlcache

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/flight"
	"github.com/cascadeql/cascadeql/gqlcache/internal/verify"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

type requestKey struct{}

// insideKey marks what runs inside of a request's InterceptResponse, in a server that has the cache twice.
type insideKey struct{}

// request is the cache's state of one operation. It is the operation's context, too.
type request struct {
	context.Context

	cache *Cache
	// handler runs the operation: respond calls it.
	handler graphql.ResponseHandler
	// mutates is set for a mutation.
	mutates bool
	// operation is what was asked for. A resolver may run an operation of its own in this request's context:
	// that is another one.
	operation *graphql.OperationContext
	// guarded is the one whose resolver middleware watches a mutation's root fields.
	guarded *graphql.OperationContext
	// header is that of the response, nil when it cannot be looked at.
	header *wire.Header
	// twice is set before the operation runs when its server has the cache twice.
	twice bool
	// outer is the request in whose resolver this operation runs, nil without.
	outer *request
	// arrived is the clock number when the operation began, or the HTTP request that it came with, if
	// that is known: everything applied before is visible to its resolvers, and in what middlewares have read
	// for them. at is the place in the log, read before the number; it is zero where no other instance may have
	// what is computed.
	arrived uint64
	at      changelog.Position
	hold    *hold
	// since is the number from which on a computation that somebody else began is as good as one that
	// begins now.
	since uint64
	// anew is set when the answer must be computed after the request arrived: see catchUp. It is the window.
	anew string
	// ended is how many computations had ended before the cache was asked.
	ended uint64
	// served is set once a query's only answer has been given: the streaming transports ask again
	// until they get nil. Only the transport's goroutine uses it.
	served bool
	// passed is set when a query bypasses the cache: all of its answers do.
	passed bool
	// planned is the mutation's plan, once it runs.
	planned *document
	// access is what the request may ask of the inspector, nil for nothing; note is for those who want to
	// know what became of it, verdict for everybody. The request's own goroutine uses them.
	access  *access
	note    *explanation
	verdict verdict
	// uncommitted are the changes that are applied again when the operation ends.
	uncommitted uncommitted
	// done is what the mutation did, until its response is completed; told is what became of it where it was
	// made known before the handler was asked. The operation's own goroutine uses them.
	done *settled
	told *fleet.Publication
	// took is how long the cache has held the mutation's response up.
	took time.Duration
	// mutation is what Options.Verify remembers of a mutation; nil when it is off.
	mutation *verify.Mutation

	// What resolvers said, until the mutation is published or the query's answer stored.
	mu struct {
		sync.Mutex
		lasts map[string]cascade.Value // by response name of the root field
		// computing and computed say where the computation of the answer is; flight has those who wait
		// for it, predicate says that its key has one.
		computing, computed bool
		predicate           bool
		flight              *flight.Flight[*filled]
		// unstored says why the answer must not be stored, maxAge how long it may be kept, 0 for nothing said.
		unstored Reason
		maxAge   time.Duration
		// lease gives up the lease to compute the answer for all instances; nil without.
		lease func()
		// entry is what was made of the answer, under key.
		key     string
		entry   *store.Entry
		running bool
		nothing map[string]bool // by response name of the root field
		reports []cascade.Report
		events  []cascade.Event
		asked   map[string]any        // the variables of a mutation: see keepVariables
		roots   map[string]*rootState // of a mutation, by response name: see refused.go
	}
}

// newRequest returns the state of an operation that arrives now. outer is the request in whose resolver it runs.
func newRequest(ctx context.Context, c *Cache, outer *request) *request {
	r := &request{Context: ctx, cache: c, outer: outer}
	a := arrivalFrom(ctx, c)
	if a == nil && c.opts.Log != nil {
		r.at, r.arrived = c.fleet.Place()
	} else {
		r.arrived = c.clock.Seq()
	}
	// Not the number of the wrapper: a computation that began while this request's body was still being read may
	// lack a change that its client has seen acknowledged.
	r.since = r.arrived
	if a != nil {
		r.arrived, r.at, r.hold = a.number, a.at, a.hold
	}
	if r.hold != nil {
		r.at = changelog.Position{}
	}
	return r
}

// Value implements context.Context.
func (r *request) Value(key any) any {
	if key == (requestKey{}) {
		return r
	}
	return r.Context.Value(key)
}

// String keeps whoever prints a context from printing the cache.
func (r *request) String() string { return fmt.Sprintf("%v.WithValue(gqlcache operation)", r.Context) }

func requestFrom(ctx context.Context) *request {
	if ctx == nil {
		return nil
	}
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

// begin returns the number that a computation of this request is based on: the number when the operation arrived,
// or when the transaction began that it reads in, also if the computation begins later. What extensions and
// middlewares have read, or what a snapshot shows that one of them opened, may be as old. A later number would
// bless what they still show after a change.
func (r *request) begin() uint64 { return r.arrived }

// within says whether the operation runs inside of one that fits, in a resolver.
func (r *request) within(fits func(outer *request) bool) bool {
	for o := r.outer; o != nil; o = o.outer {
		if fits(o) {
			return true
		}
	}
	return false
}

// isComputing says that others may wait for the request's answer, which is being computed.
func (r *request) isComputing() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.computing
}

// isWriting says that the request is a mutation that runs, or has changed something that may not be committed yet.
func (r *request) isWriting() bool {
	if r.uncommitted.some.Load() {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.running
}

// NothingWritten tells the cache, from inside a mutation's resolver, that this field wrote nothing of
// what its @writes declare: a refused request, say. It returns ErrNoOperation outside of an operation.
// Changes reported by Touch and Report still count.
func NothingWritten(ctx context.Context) error {
	r := requestFrom(ctx)
	if r == nil {
		return ErrNoOperation
	}
	root := rootField(ctx)
	if root == "" {
		return ErrNoOperation
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.nothing == nil {
		r.mu.nothing = map[string]bool{}
	}
	r.mu.nothing[root] = true
	return nil
}

// rootField returns the response name of the root field that is being resolved, "" outside of one.
func rootField(ctx context.Context) string {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil {
		return ""
	}
	for fc.Parent != nil && fc.Parent.Field.Field != nil {
		fc = fc.Parent
	}
	if fc.Field.Field == nil {
		return ""
	}
	return fc.Field.Alias
}

// Touch says that a row was changed in a way that the schema does not tell. Inside a mutation the
// change counts when the mutation ends; elsewhere in an operation, at once and again when the operation
// ends, since it may be committed later than this. The answer of a query that calls it is not stored. After the end
// of its operation it counts at once. typ is a type's or view's name, id the row's key as a string or number. It
// returns ErrNoOperation outside of an operation and wraps ErrUnknownName for an unknown type.
func Touch(ctx context.Context, typ string, id any) error {
	r := requestFrom(ctx)
	if r == nil {
		return ErrNoOperation
	}
	events, _, err := r.cache.events(Entity(typ, id))
	if err != nil {
		return err
	}
	r.add(ctx, events)
	return nil
}

// add joins events to the running mutation, or applies them when none is running.
func (r *request) add(ctx context.Context, events []cascade.Event) {
	r.mu.Lock()
	if r.mu.running {
		r.mu.events = append(r.mu.events, events...)
		r.mu.Unlock()
		return
	}
	r.mu.Unlock()
	if !r.mutates {
		r.refuseToStore(ReasonWrote)
	}
	by := causeOf(ctx)
	by.Kind = causeResolver
	r.cache.publish(ctx, change{by: by, events: events, part: r.cache.partition(ctx), within: r})
}

// A RowReport is what a resolver knows of rows that the schema cannot tell: see [Moved], [Unchanged],
// [Rows] and [MovedAll].
type RowReport struct {
	kind   reportKind
	typ    string
	ids    []any
	column string
	before any
	after  any
}

type reportKind uint8

const (
	reportRow reportKind = iota
	reportRows
	reportAll
)

// Moved reports that a column of a row had one value before the mutation and has another now. With
// the old value known, only the answers that the row left or entered fall. Equal values say that the
// column stayed as it was. Of a row that was deleted only the old value counts.
func Moved(typ string, id any, column string, before, after any) RowReport {
	return RowReport{reportRow, typ, []any{id}, column, before, after}
}

// Unchanged reports that the mutation left a row as it was, although it is declared to write it.
func Unchanged(typ string, id any) RowReport {
	return RowReport{kind: reportRow, typ: typ, ids: []any{id}}
}

// Rows reports which rows of a type or view this field of the mutation changed, of those that its
// @writes declare: exactly these, and none for an empty list. Without it, deleting the comments of
// one post drops every answer that shows a comment.
func Rows[K any](typ string, ids []K) RowReport {
	r := RowReport{kind: reportRows, typ: typ}
	for _, id := range ids {
		r.ids = append(r.ids, id)
	}
	return r
}

// MovedAll is Moved for every row of a type or view that this field of the mutation changed.
func MovedAll(typ, column string, before, after any) RowReport {
	return RowReport{kind: reportAll, typ: typ, column: column, before: before, after: after}
}

// resolve finds what the names of a report stand for.
func (r *RowReport) resolve(plan *cascade.Plan) (cascade.Report, bool) {
	ids := make([]cascade.Value, len(r.ids))
	for i, id := range r.ids {
		ids[i] = cascade.ValueOf(id)
	}
	before, after := cascade.ValueOf(r.before), cascade.ValueOf(r.after)
	switch r.kind {
	case reportRows:
		return plan.NewRowsReport(r.typ, ids)
	case reportAll:
		return plan.NewMovedAllReport(r.typ, r.column, before, after)
	default:
		return plan.NewReport(r.typ, ids[0], r.column, before, after)
	}
}

// Report refines, from inside a mutation's resolver, what the mutation is declared to write. A report
// about a row that no @writes names is a change of its own. Elsewhere in an operation, and after the mutation has
// ended, there is nothing to refine: the rows that the reports name are changed, all of the view's with
// MovedAll, as Touch says it. It returns ErrNoOperation outside of an operation and wraps ErrUnknownName for
// an unknown type or column; then none of the reports counts.
func Report(ctx context.Context, reports ...RowReport) error {
	r := requestFrom(ctx)
	if r == nil {
		return ErrNoOperation
	}
	plan, root := r.cache.schema.Load().Plan, rootField(ctx)
	var known []cascade.Report
	var named []Change
	for _, rep := range reports {
		k, ok := rep.resolve(plan)
		if !ok {
			return fmt.Errorf("%w: rows %v of %s, column %q", ErrUnknownName, rep.ids, rep.typ, rep.column)
		}
		k.Root = root
		known = append(known, k)
		named = append(named, rep.changes()...)
	}
	r.mu.Lock()
	if r.mu.running {
		r.mu.reports = append(r.mu.reports, known...)
		r.mu.Unlock()
		return nil
	}
	r.mu.Unlock()
	events, _, err := r.cache.events(named...)
	if err != nil {
		return err
	}
	if len(events) > 0 {
		r.add(ctx, events)
	}
	return nil
}

// changes are what a report names, without a mutation that it could refine.
func (r *RowReport) changes() (named []Change) {
	switch {
	case r.kind == reportAll:
		return []Change{View(r.typ)}
	case r.kind == reportRow && r.column == "":
		return nil // unchanged
	}
	for _, id := range r.ids {
		named = append(named, Entity(r.typ, id))
	}
	return named
}
