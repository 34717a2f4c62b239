package gqlcache

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/vektah/gqlparser/v2/ast"
)

// How the cache learns which rows an answer shows, whatever its client selected:
//
//  1. The client's operation is executed as it is. Nothing is added to it: resolvers, directives, middlewares and
//     extensions see what they would see without the cache, and the bytes of the answer are gqlgen's.
//     A recorder around each field keeps what the resolvers of fields with objects return.
//  2. When that has ended, and before the answer is handed on, the probe of the operation (extractor.Probe) is
//     executed by the code that gqlgen has generated, with a response context of its own: fields with objects get
//     the values that were recorded, without their resolvers, directives or middlewares, and below them only keys
//     and paths are read. It runs on the request's own context, and has ended when the answer is handed on.
//  3. Of the server's own code nothing runs in it: hidden fields are read only where generated code reads a
//     field of a struct or a map, values of types with a marshaler of their own are not marshaled, and what
//     cannot be read is null, which means unknown. The exception are paths that @writes marks with resolve.
//  4. When anything is odd (an error, a value that was not recorded, or twice), the probe counts for nothing: the
//     client's answer alone is read, and rows whose keys it does not have are unknown.

// A recorder remembers what the resolvers of one execution returned for fields with objects.
type recorder struct {
	cache *Cache
	oc    *graphql.OperationContext
	next  graphql.FieldMiddleware
	doc   *document

	mu     sync.Mutex
	values map[string]recorded // by place
	buf    []byte
	// odd is set when something was returned that cannot be given a second time.
	odd     bool
	stopped bool
}

// A recorded value is what the resolver of a field with objects returned.
type recorded struct {
	value any
	// bare says that the field was selected under its own name, with neither arguments nor directives, so that the
	// field of that name on a hidden path is the same one.
	bare bool
}

// record makes the operation's fields pass by a recorder; nil when the answer alone tells all. Only the
// goroutine that owns the operation context may call it, while nothing executes the operation.
func (c *Cache) record(oc *graphql.OperationContext, d *document) *recorder {
	if d.probe == nil {
		return nil
	}
	rec := &recorder{cache: c, oc: oc, next: oc.ResolverMiddleware, doc: d, values: map[string]recorded{}}
	oc.ResolverMiddleware = rec.resolve
	return rec
}

// stop ends the recording. The recorder stays where it is, and passes on: a middleware may have left a goroutine
// behind, a time limit for instance, which goes on to resolve fields, and so to read the operation context.
func (rec *recorder) stop() {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.stopped = true
}

func (rec *recorder) resolve(ctx context.Context, next graphql.Resolver) (any, error) {
	res, err := rec.next(ctx, next)
	fc := graphql.GetFieldContext(ctx)
	if len(fc.Field.Selections) == 0 {
		return res, err
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.stopped {
		return res, err // the values are being read, by goroutines that take no lock
	}
	rec.buf = appendPlace(rec.buf[:0], fc)
	_, twice := rec.values[string(rec.buf)]
	switch {
	case err != nil, twice, !repeatable(res):
		// gqlgen resolves a field twice where it does not merge two nodes of one name, and writes one of them.
		rec.odd = true
	default:
		f := fc.Field.Field
		rec.values[string(rec.buf)] = recorded{res, f.Alias == f.Name && len(f.Arguments) == 0 && len(f.Directives) == 0}
	}
	return res, err
}

// appendPlace appends what tells a field from all others of an execution, in the reverse order of its path. A hidden
// field has the place of the field that it stands for.
func appendPlace(b []byte, fc *graphql.FieldContext) []byte {
	for ; fc != nil; fc = fc.Parent {
		switch {
		case fc.Index != nil:
			b = strconv.AppendInt(b, int64(*fc.Index), 10)
		case fc.Field.Field == nil:
			continue
		case extractor.IsHidden(fc.Field.Alias):
			b = append(b, fc.Field.Name...)
		default:
			b = append(b, fc.Field.Alias...)
		}
		b = append(b, '/')
	}
	return b
}

// read tells what an answer shows, when it has been computed. It does not change the answer. The error is the
// extractor's.
func (rec *recorder) read(ctx context.Context, d *document, resp *graphql.Response) (*extractor.Result, error) {
	if rec != nil && len(resp.Errors) == 0 {
		rec.stop()
		if res := rec.beside(ctx, d, resp.Data); res != nil {
			return res, nil
		}
	}
	return d.op.Extract.Walk(resp.Data)
}

// beside reads an answer with the help of the probe; nil when that is of none.
func (rec *recorder) beside(ctx context.Context, d *document, answer []byte) *extractor.Result {
	data := rec.probe(ctx)
	if data == nil {
		return nil
	}
	probe, err := d.op.Extract.Walk(data)
	if err != nil {
		return nil
	}
	res, disagreed, err := d.op.Extract.WalkBeside(answer, probe)
	if err != nil {
		return nil
	}
	if disagreed != nil {
		rec.cache.mistrust(ctx, disagreed.Name)
		return nil
	}
	return rec.cache.trusted(res)
}

// probe executes the probe and returns its answer; nil when it counts for nothing.
func (rec *recorder) probe(ctx context.Context) []byte {
	e := rec.cache.executables.Load()
	if rec.odd || len(rec.values) == 0 || e == nil || e.es == nil {
		return nil
	}
	s := &probing{recorder: rec, schema: rec.cache.schema.Load().schema, resolves: e.same && rec.doc.mayResolve && rec.cache.shadow == nil}
	if !s.resolves {
		return s.run(ctx, e.es)
	}
	ctx, cancel := context.WithTimeout(ctx, rec.cache.opts.PathTimeout)
	defer cancel()
	// A goroutine of its own, because a resolver may end it: runtime.Goexit is no panic.
	var data []byte
	var wg sync.WaitGroup
	wg.Go(func() { data = s.run(ctx, e.es) })
	wg.Wait()
	return data
}

// A probing is one execution of a probe.
type probing struct {
	*recorder
	schema *ast.Schema
	// resolves says that resolvers may run where the probe says so.
	resolves bool
	lost     atomic.Bool
}

func (s *probing) run(ctx context.Context, es graphql.ExecutableSchema) (data []byte) {
	defer func() {
		if recover() != nil {
			data = nil
		}
	}()
	oc := copyOperation(s.oc)
	oc.Doc, oc.Operation = s.doc.probe.Doc, s.doc.probe.Operation
	oc.ResolverMiddleware = s.resolve
	oc.RootResolverMiddleware = func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) }
	quiet := func(context.Context, any) error { return errRecomputing }
	oc.RecoverFunc = quiet
	ctx = graphql.WithOperationContext(ctx, oc)
	ctx = graphql.WithResponseContext(ctx, graphql.DefaultErrorPresenter, quiet)
	resp := es.Exec(ctx)(ctx)
	if resp == nil || s.lost.Load() || len(resp.Errors) > 0 || len(graphql.GetErrors(ctx)) > 0 {
		return nil
	}
	return resp.Data
}

func (s *probing) resolve(ctx context.Context, next graphql.Resolver) (any, error) {
	fc := graphql.GetFieldContext(ctx)
	typ := s.schema.Types[fc.Field.Definition.Type.Name()]
	switch {
	case typ == nil:
		return quietNull{}, nil
	case typ.IsLeafType():
		return s.nothing(fc, typ, s.leaf(ctx, fc, typ, next)), nil
	case extractor.IsHidden(fc.Field.Alias):
		return s.object(ctx, fc, next), nil
	}
	var room [128]byte
	// The recorder is stopped, so nobody writes to the values.
	res, ok := s.values[string(appendPlace(room[:0], fc))]
	if !ok {
		s.lost.Store(true)
	}
	if absent(res.value) {
		return quietNull{}, nil
	}
	return res.value, nil
}

// nothing returns nil for what is not known of a nullable field. A field may have the Go type any, and then
// gqlgen would give our null to the marshaler of its scalar.
func (s *probing) nothing(fc *graphql.FieldContext, typ *ast.Definition, v any) any {
	if _, unknown := v.(quietNull); !unknown || ownScalars[typ.Name] {
		return v
	}
	if on := s.schema.Types[fc.Object]; on != nil {
		if def := on.Fields.ForName(fc.Field.Name); def != nil && !def.Type.NonNull {
			return nil
		}
	}
	return v
}

// selected returns what the client's own field of this name returned, if it has selected one: its resolver has no
// need to run again.
func (s *probing) selected(fc *graphql.FieldContext) (any, bool) {
	var room [128]byte
	var res recorded
	// Each hidden field on the way has to be the client's: below item: other{owner{…}} an owner is another one than on the
	// path item.owner.
	for f := fc; f != nil; f = f.Parent {
		if f.Field.Field == nil || !extractor.IsHidden(f.Field.Alias) {
			continue
		}
		own := s.values[string(appendPlace(room[:0], f))]
		if !own.bare {
			return nil, false
		}
		if f == fc {
			res = own
		}
	}
	return res.value, true
}

// hidden returns the value of a hidden field, nil when it is not known.
func (s *probing) hidden(ctx context.Context, fc *graphql.FieldContext, next graphql.Resolver) any {
	var may, guarded bool
	if s.doc.mayResolve {
		may, guarded = s.doc.probe.MayResolve(fc.Field.Alias)
	}
	if !fc.IsMethod && !fc.IsResolver && !guarded {
		return quietly(func() (any, error) { return next(ctx) })
	}
	res, ok := s.selected(fc)
	switch {
	case ok:
		return res
	case may && s.resolves:
		return s.resolved(ctx, next)
	default:
		return nil
	}
}

// leaf reads a key, or the end of a path.
func (s *probing) leaf(ctx context.Context, fc *graphql.FieldContext, typ *ast.Definition, next graphql.Resolver) any {
	return shown(typ, s.hidden(ctx, fc, next))
}

// object reads an object, or a list of them, on a path.
func (s *probing) object(ctx context.Context, fc *graphql.FieldContext, next graphql.Resolver) any {
	res := s.hidden(ctx, fc, next)
	// A nil that gqlgen would find is a null that propagates: it never gets there.
	if absent(res) || anyAbsent(res) || !repeatable(res) {
		return quietNull{}
	}
	return res
}

// resolved runs a resolver that the owner allows, through all that the server has around its fields, which
// sees the operation of the client.
func (s *probing) resolved(ctx context.Context, next graphql.Resolver) any {
	ctx = graphql.WithOperationContext(ctx, s.oc)
	// Errors and extensions of the field stay here.
	ctx = graphql.WithFreshResponseContext(ctx)
	res := quietly(func() (any, error) { return s.next(ctx, next) })
	if len(graphql.GetErrors(ctx)) > 0 {
		return nil
	}
	return res
}

// quietly returns nil for everything that goes wrong.
func quietly(f func() (any, error)) any {
	res, err := safe.Call(f)
	if err != nil {
		return nil
	}
	return res
}
