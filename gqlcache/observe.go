package gqlcache

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/verify"
	"github.com/cascadeql/cascadeql/gqlcache/internal/witness"
	"github.com/vektah/gqlparser/v2/ast"
)

// Observe says what the cache learns from the SQL statements that resolvers send, a part
// of Options: see package footprint and docs/observe.md. With handles, an answer depends
// on what its statements have read, beside what directives declare, and whatever commits
// through a handle invalidates when COMMIT returns: a mutation, another HTTP handler, a
// job.
type Observe struct {
	// Handles watch the statements of databases. Each handle of a database that resolvers
	// read, or that anybody writes, is one of them. Defaults to none.
	Handles []*footprint.Observer
	// Everything is a promise: what resolvers return is computed from the request's key
	// (operation, variables, Predicate, Vary) and from statements on Handles, and
	// mutations change nothing else that an answer shows. Then fields without directives
	// depend on what they have read, and mutations without directives have changed what
	// they have written. Fields for which it does not hold are named in Foreign. Without
	// it an answer with an undeclared field depends on every change. Defaults to false.
	Everything bool
	// Foreign names fields, "Query.weather", whose resolvers take data from elsewhere or
	// write elsewhere: another service, a file, memory that outlives the request. Answers
	// with such a query field depend on every change, and such a mutation field drops
	// everything, unless directives say more. Defaults to none.
	Foreign []string
	// Computed names fields, "Post.excerpt", whose resolvers compute from the object and
	// the arguments alone, or return what the same request has loaded for another field.
	// With Everything, an answer is not stored if the resolver of any other field has
	// returned something while no statement ran: it may come from memory that no
	// statement fills. Defaults to none.
	Computed []string
	// KeyCheck finds parts of the key that are missing: an argument of a statement must come
	// from the request's key, from a row that was read before, or be the same for all. An
	// answer with one that does not is not stored, and the statement is reported; one for
	// which that is not proven yet is for requests with the same credentials only.
	// footprint.Known vouches for values that resolvers compute in Go. Defaults to On.
	KeyCheck footprint.Switch
	// Cover says when an operation's directives stand for what its statements have read.
	// Defaults to CoverNone: what was read is added to what is declared.
	Cover Cover
	// ReportOnly has the cache report what it sees and change nothing: see
	// Cache.Observed. Everything is not relied upon. Defaults to false.
	ReportOnly bool
}

// A Cover says when directives stand for what was seen. There is none that compares rows:
// a declared set of rows may stand for one that was seen only where it is the wider one, and
// what CoverNone adds then drops nothing more.
type Cover uint8

const (
	// CoverNone adds what was seen to what is declared: a wrong directive makes no answer
	// stale.
	CoverNone Cover = iota
	// CoverTables trusts directives for rows and columns, and looks at tables alone: an
	// operation of which every table that was read is that of a view which it is declared
	// to depend on, directly or not, depends on what it declares. A table that a mutation
	// was seen to write and is not declared to, and one that anybody else writes, is
	// changed as a whole. So a forgotten directive makes no answer stale, and one that
	// names the wrong rows may. Views need their tables' names: see @view(table:).
	CoverTables
)

func (o *Observe) validate(fault func(string, ...any)) {
	if len(o.Handles) == 0 {
		if o.Everything || o.ReportOnly || o.Cover != CoverNone || len(o.Foreign)+len(o.Computed) > 0 {
			fault("Observe has no Handles, so nothing is observed; make one with footprint.New and give it to the driver's wrapper")
		}
		return
	}
	if o.Cover > CoverTables {
		fault("Observe.Cover is %d; use CoverNone or CoverTables", o.Cover)
	}
	if slices.Contains(o.Handles, nil) {
		fault("Observe.Handles has a nil; make handles with footprint.New")
	}
	for _, names := range [][]string{o.Foreign, o.Computed} {
		for _, name := range names {
			if typ, field, ok := strings.Cut(name, "."); !ok || typ == "" || field == "" {
				fault("Observe names the field %q; write it as Type.field", name)
			}
		}
	}
}

// refuseUnknownFields returns an error for each name that is no field of the schema.
func (o *Observe) refuseUnknownFields(s *ast.Schema) error {
	var faults []error
	for _, name := range slices.Concat(o.Foreign, o.Computed) {
		typ, field, _ := strings.Cut(name, ".")
		if def := s.Types[typ]; def == nil || def.Fields.ForName(field) == nil {
			faults = append(faults, fmt.Errorf("%w: Observe names %s, which is no field of the schema", ErrOptions, name))
		}
	}
	return errors.Join(faults...)
}

// observing is the cache's side of Options.Observe. It is the Sink of its handles.
type observing struct {
	c                 *Cache
	foreign, computed map[fieldName]bool
	detach            []func()
	outside           commits
	seen              observed
	counts            commitCounts
	uncertain         sync.WaitGroup // see again
	// keys checks keys, nil when that is off.
	keys *footprint.KeyChecker

	mu     sync.Mutex // protects closed
	closed bool       // nothing is added to uncertain any more
}

// A fieldName is a field of an object type.
type fieldName struct{ object, field string }

func fieldNames(names []string) map[fieldName]bool {
	set := make(map[fieldName]bool, len(names))
	for _, name := range names {
		object, field, _ := strings.Cut(name, ".")
		set[fieldName{object, field}] = true
	}
	return set
}

// newObserving returns nil when nothing is observed.
func (c *Cache) newObserving() *observing {
	opts := &c.opts.Observe
	if len(opts.Handles) == 0 {
		return nil
	}
	o := &observing{c: c, foreign: fieldNames(opts.Foreign), computed: fieldNames(opts.Computed)}
	o.outside.ahead = func() *fleet.Ahead { return c.fleet.Ahead() }
	o.outside.apply = func(ch fleet.Change) uint64 { return c.fleet.Apply(ch) }
	o.outside.publish = func(ch fleet.Change) fleet.Publication { return c.makeKnown(context.Background(), nil, ch) }
	o.outside.most = c.opts.CommitWait
	if opts.KeyCheck != footprint.Off {
		o.keys = footprint.NewKeyChecker()
	}
	return o
}

// attach has the handles tell of changes, from here on. It may be called on nil.
func (o *observing) attach() {
	if o == nil {
		return
	}
	for _, h := range o.c.opts.Observe.Handles {
		o.detach = append(o.detach, h.Attach(o))
	}
}

// Number implements footprint.Sink.
func (o *observing) Number() uint64 { return o.c.clock.Seq() }

// Forget implements footprint.Forgetter. Other instances have no answers that depend on
// such tags.
func (o *observing) Forget(tags []cascade.Tag) { o.c.clock.Apply(tags) }

// Request implements footprint.Requester.
func (*observing) Request(ctx context.Context) <-chan struct{} {
	if ctx.Value(http.ServerContextKey) == nil {
		return nil // nobody says that it ends
	}
	return ctx.Done()
}

// Wrote implements footprint.Sink.
func (o *observing) Wrote(ctx context.Context) {
	if r := o.mutationOf(ctx); r != nil { //nolint:contextcheck // it looks for the operation of contexts
		r.noteWrite(rootField(ctx))
	}
}

// mutationOf returns the mutation that one of the contexts belongs to, the innermost of
// the first, and nil when there is none.
func (o *observing) mutationOf(contexts ...context.Context) *request {
	return mutationIn(contexts, func(c *Cache) bool { return c == o.c })
}

// mutationIn returns the first mutation of such a cache that one of the contexts belongs to.
func mutationIn(contexts []context.Context, of func(*Cache) bool) *request {
	for _, ctx := range contexts {
		for r := requestFrom(ctx); r != nil; r = r.outer {
			if r.mutates && of(r.cache) {
				return r
			}
		}
	}
	return nil
}

// nameUnowned reports a commit that belongs to no mutation which still runs; r is the one of
// this cache that it belongs to, nil for none. It is a method because the place of a finding
// is the first function that is none of observing's.
func (*observing) nameUnowned(ctx context.Context, commit *footprint.Commit, r *request) {
	switch {
	case r == nil && mutationIn(append([]context.Context{ctx}, commit.Origins...), anyCache) == nil: //nolint:contextcheck // as above
		commit.Unowned(ctx, "no mutation has sent its statements: it may be a job's, another handler's, or on a context of its own")
	case r != nil && r.hold == nil && !r.isRunning():
		commit.Unowned(ctx, "its mutation has been answered")
	}
}

// anyCache is for mutationIn: several caches may observe one handle.
func anyCache(*Cache) bool { return true }

// noteWrite notes that a statement of a root field of the mutation has written. A
// statement that was sent outside of all fields is that of the only one.
func (r *request) noteWrite(root string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.wrote == nil {
		r.mu.wrote = map[string]bool{}
	}
	r.mu.wrote[root] = true
}

// noteCommit notes the tables that a commit of the mutation has changed. It may be called
// on nil.
func (r *request) noteCommit(c *footprint.Commit) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.committed == nil {
		r.mu.committed = map[string]bool{}
	}
	for _, name := range c.Tables() {
		r.mu.committed[name] = true
	}
}

// verified returns what Options.Verify knows the mutation by, nil for none. It may be called
// on nil.
func (r *request) verified() *verify.Mutation {
	if r == nil {
		return nil
	}
	return r.mutation
}

// hasCommitted reports whether a commit of the mutation was seen.
func (r *request) hasCommitted() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.committed != nil
}

// isRunning reports whether a mutation is still to be settled. It may be called on nil.
func (r *request) isRunning() bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.running
}

// wholeTables returns changes of all rows of the views that come from some tables.
func (c *Cache) wholeTables(tables []string) []cascade.Event {
	st := c.schema.Load()
	if st == nil {
		return nil
	}
	return cascade.WholeViews(st.Plan.ViewsOf(tables))
}

// seenWrites returns the root fields, by response name, of which all that they wrote was
// seen. A field of which nothing was seen may have written anything: by a job that it has
// started, or by another service.
func (c *Cache) seenWrites(r *request, d *document) map[string]bool {
	o := c.observing
	if o == nil || !c.opts.Observe.Everything || c.opts.Observe.ReportOnly || d.Operation == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[string]bool{}
	fields := d.Operation.Extract.Root.Fields
	for _, f := range fields {
		wrote := r.mu.wrote[f.Name] || len(fields) == 1 && r.mu.wrote[""]
		if wrote && !o.foreign[fieldName{d.Operation.Extract.Root.Object.Name, f.Definition.Name}] {
			seen[f.Name] = true
		}
	}
	return seen
}

// Committed implements footprint.Sink. Within an operation the change is a part of what
// that makes known at its end; outside of one it is made known in a moment, with others.
func (o *observing) Committed(ctx context.Context, commit footprint.Commit) {
	c := o.c
	r := o.mutationOf(append([]context.Context{ctx}, commit.Origins...)...) //nolint:contextcheck // as above
	o.nameUnowned(ctx, &commit, r)
	o.counts.add(&commit, r == nil)
	r.noteCommit(&commit)
	if c.opts.Observe.ReportOnly {
		return
	}
	if c.verify != nil {
		for _, x := range commit.Changes() {
			c.verify.Wrote(r.verified(), x.Table, x.Columns)
		}
	}
	ch := change{by: inspect.Cause{Kind: causeCommit, Name: commit.Text}, within: r, everything: commit.Everything}
	if ch.everything == "" {
		var ok bool
		if ch.rows, ok = footprint.Words(commit); !ok {
			ch.everything = "a commit whose rows could not be told"
		}
	}
	if opts := &c.opts.Observe; opts.Cover == CoverTables && ch.everything == "" && !r.isRunning() {
		ch.events = c.wholeTables(commit.Tables())
	}
	c.publish(ctx, ch)
	if commit.Uncertain {
		o.again(context.WithoutCancel(ctx), ch)
	}
}

// uncertainFor are the times after which a commit of unknown outcome is published once
// more. A connection may break while the server waits, for a standby, say, before it makes
// the commit visible: a reader in between stores the old state with the number of the
// first publication.
var uncertainFor = []time.Duration{time.Second, 5 * time.Second, 20 * time.Second, time.Minute}

// again publishes a change once more after a while. Until then nothing that it reaches is
// stored here.
func (o *observing) again(ctx context.Context, ch change) {
	c := o.c
	ch.within = nil
	what := fleet.Change{Rows: ch.rows, All: ch.everything != ""}
	tags, ok := o.reach(nil, what.Rows)
	intent := c.clock.AnnounceAll
	if !what.All && ok {
		intent = func() *clock.Intent { return c.clock.Announce(tags) }
	}
	if !o.begin() {
		return
	}
	open := intent()
	go func() {
		defer o.uncertain.Done()
		defer open.Settle()
		began := time.Now()
		for _, after := range uncertainFor {
			select {
			case <-c.closed:
				return
			case <-time.After(time.Until(began.Add(after))):
			}
			c.publish(ctx, ch)
		}
	}()
}

// begin reports whether a publication of what is uncertain may begin, which ends with
// uncertain.Done.
func (o *observing) begin() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	o.uncertain.Add(1)
	return true
}

// reach adds to tags those of words of rows: see fleet.Config.
func (o *observing) reach(tags, words []cascade.Tag) ([]cascade.Tag, bool) {
	return footprint.Reach(tags, words, o.c.opts.Observe.Handles...)
}

// awaitOutside returns when the commits that were seen outside of operations are made
// known, those among them that are the mutation's own: it may have sent its statements on
// a context of their own. p is what became of the changes that are known to be the
// mutation's, before what doubts returned when it began. It may be called on nil.
func (o *observing) awaitOutside(before uint64, p fleet.Publication) fleet.Publication {
	if o == nil {
		return p
	}
	worst, doubts := o.outside.await()
	if doubts != before && confirmed(p) {
		return worst
	}
	return p
}

// doubts counts the commits outside of operations that not all instances have confirmed.
// It may be called on nil.
func (o *observing) doubts() uint64 {
	if o == nil {
		return 0
	}
	return o.outside.counted()
}

// close ends what was begun by newObserving. It may be called on nil.
func (o *observing) close() {
	if o == nil {
		return
	}
	for _, detach := range o.detach {
		detach()
	}
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.uncertain.Wait()
	o.outside.close()
}

// A recording is what one computation reads. Its methods may be called on nil, and
// concurrently but for end.
type recording struct {
	*footprint.Recording
	o *observing
	// elsewhere says that a field of Options.Observe.Foreign was resolved.
	elsewhere atomic.Bool
	// projecting is nil without a promise of @view(decides:).
	projecting *projecting
}

// startOf returns the recording's start of a request that arrived at number, when
// footprint.Generation was shapes. It is for a cache that observes.
func (c *Cache) startOf(shapes, number uint64) footprint.Start {
	return footprint.Start{Since: shapes, Number: number, Sink: c.observing, Coarse: c.opts.Shared != nil}
}

// record begins a recording for a request's computation, nil when nothing is observed. ctx
// is the operation's. Without q its key is not checked.
func (c *Cache) record(ctx context.Context, r *request, q *asked) (context.Context, *recording) {
	if c.observing == nil {
		return ctx, nil
	}
	rec := &recording{o: c.observing}
	start := c.startOf(r.shapes, r.arrived)
	if c.observing.keys != nil && q != nil {
		outside := ctx
		start.Check, start.Field = func() *footprint.KeyCheck { return c.check(outside, q) }, fieldPath
	}
	if q != nil && q.d.projections != nil {
		rec.projecting = &projecting{projections: q.d.projections}
		start.Projects = rec.projecting.of
	}
	ctx, rec.Recording = footprint.Begin(ctx, start, c.opts.Observe.Handles...)
	rec.Late = func() { r.refuseToStore(ReasonUnexplained) }
	return ctx, rec
}

// Enter implements witness.Fields.
func (rec *recording) Enter(*graphql.FieldContext) uint64 { return rec.Recording.Enter() }

// Leave implements witness.Fields.
func (rec *recording) Leave(fc *graphql.FieldContext, entered uint64, returned any) {
	if rec.projecting != nil && rec.projecting.refutes(fc) {
		rec.Unproject()
	}
	if len(rec.o.foreign) > 0 && rec.o.foreign[fieldName{fc.Object, fc.Field.Name}] {
		rec.elsewhere.Store(true)
		return
	}
	if fc.IsResolver && !rec.o.computed[fieldName{fc.Object, fc.Field.Name}] {
		leave := rec.Recording.Leave
		if root := fc.Parent; root == nil || root.Parent == nil && root.Field.Field == nil {
			leave = rec.Recording.LeaveRoot
		}
		leave(fc.Object+"."+fc.Field.Name, entered, returned)
	}
}

// stop ends a recording that end has not ended.
func (rec *recording) stop() {
	if rec != nil {
		rec.End() // does nothing the second time
	}
}

// seen is what the statements of a computation tell of its answer. The zero value is of a
// computation that was not observed.
type seen struct {
	// why says why the answer must not be stored, "" when it may be.
	why Reason
	// tags are what was read, shared the same for other instances, who do not know the
	// shapes that tags rely on.
	tags, shared []cascade.Tag
	// number is that of the last change which all that was read is known to show;
	// observed says that there is one.
	number   uint64
	observed bool
	// private says that the answer is for the same credentials only, convicted that the
	// operation's key was found to be incomplete by this computation.
	private, convicted bool
}

// end ends the recording, and says what becomes of the answer to an operation with these
// variables. unsaid is a field that should have said what it reads, "" for none. It may be
// called on nil.
func (rec *recording) end(d *document, vars map[string]any, unsaid string) (s seen) {
	if rec == nil {
		return s
	}
	fp, opts := rec.End(), &rec.o.c.opts.Observe
	rec.o.warnUncovered(d, rec.o.seen.read(d, vars, &fp))
	if opts.ReportOnly {
		return s
	}
	s.observed, s.number, s.tags, s.shared = true, fp.Number, fp.Tags, fp.Coarse
	s.private = fp.Verdict.Coincidental
	for i := range fp.Verdict.Convicted {
		s.convicted = s.convicted || fp.Verdict.Convicted[i].New
	}
	undeclared := d.Operation == nil || d.Operation.Anything != "" || unsaid != ""
	everything := opts.Everything && !rec.elsewhere.Load()
	switch {
	case len(fp.Verdict.Convicted) > 0:
		s.why = ReasonKey
	case fp.Uncommitted != "":
		s.why = ReasonUncommitted
	case undeclared && everything && len(fp.Unexplained) > 0:
		s.why = ReasonUnexplained
	case undeclared && everything && fp.Volatile != "" && d.Operation != nil && d.Operation.Policy.MaxAge < 0:
		s.why = ReasonVolatile
	}
	if fp.Unknown != "" || undeclared && !everything {
		s.tags = append(s.tags, footprint.AnyRow)
		s.shared = append(s.shared, footprint.AnyRow)
	}
	if opts.Cover == CoverTables && !undeclared && !d.Operation.HasAtRuntime() && fp.Unknown == "" && covers(d.Operation, &fp) {
		s.tags, s.shared = nil, nil
	}
	if fp.Unknown != "" {
		s.tags, s.shared = append(s.tags, cascade.Anything), append(s.shared, cascade.Anything)
	}
	return s
}

// covers reports whether an operation is declared to depend on every table that it was
// seen to read.
func covers(op *cascade.Operation, fp *footprint.Footprint) bool {
	tables, all := fp.Tables()
	declared := op.Tables()
	return all && !slices.ContainsFunc(tables, func(name string) bool { return !slices.Contains(declared, name) })
}

// based returns the number of the clock that an answer is based on, of one that was
// computed since token.
func (s *seen) based(token uint64) uint64 {
	if s.observed {
		return min(token, s.number)
	}
	return token
}

// add adds what was read to the tags of an answer.
func (s *seen) add(tags []cascade.Tag) []cascade.Tag {
	if len(s.tags) == 0 {
		return tags
	}
	return cascade.Merge(append(tags, s.tags...))
}

// others returns the tags with which other instances get the answer. What was read is
// named by tags there that rely on no shape; more are those of values.
func (s *seen) others(more, tags []cascade.Tag) []cascade.Tag {
	if len(s.shared)+len(more) == 0 {
		return tags
	}
	return cascade.Merge(append(append(slices.Clip(tags), s.shared...), more...))
}

// fields returns what a witness tells of fields, nil when nothing is recorded.
func (rec *recording) fields() witness.Fields {
	if rec == nil {
		return nil
	}
	return rec
}
