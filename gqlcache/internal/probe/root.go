package probe

import (
	"context"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// A rootProbe reads the probe of an operation one root field at a time, in a server with
// interceptors of root fields: each right after
// gqlgen has resolved the field and all below it, inside of every interceptor that the
// server has around root fields. Such an interceptor may give models back to a pool, or
// unlock what they are guarded by, when the field has returned. Go values are not read
// after that.
//
//	root field a                                 another request
//	its resolver takes a model from the pool
//	the model's fields are read and marshaled
//	the probe reads the model's key: 1
//	the interceptor gives the model back
//	                                             takes the model, and writes key 2 to it
//	the answer is complete: key 1 is known
//
// The parts are joined when the operation has been executed, in the order of its answer.
type rootProbe struct {
	collect sync.Once
	// fields are the root fields of the probe, in the order in which gqlgen answers the
	// client's.
	fields []graphql.CollectedField
	// parts are the members of the probe's answer by response name, without braces. The
	// recorder's lock guards them.
	parts map[string][]byte
}

// root is the Recorder's middleware around root fields. It passes on to the server's own,
// and reads innermost.
func (rec *Recorder) root(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	field := graphql.GetRootFieldContext(ctx)
	if field == nil || len(field.Field.Selections) == 0 {
		return rec.roots(ctx, next)
	}
	// Here, when gqlgen has collected the client's fields and none of them is resolved:
	// resolvers may write to the variables, which decide on @skip and @include.
	rec.probed.collect.Do(rec.collectRoots)
	return rec.roots(ctx, func(ctx context.Context) graphql.Marshaler {
		m := next(ctx)
		rec.readRoot(ctx, field.Field.Alias)
		return m
	})
}

// collectRoots collects the root fields of the probe as gqlgen does. Without them the
// probe counts for nothing.
func (rec *Recorder) collectRoots() {
	defer func() { _ = recover() }() // CollectFields panics at variables that are no Booleans
	op := rec.plan.probe.Operation
	root := rec.plan.schema.Query
	if op.Operation == ast.Mutation {
		root = rec.plan.schema.Mutation
	}
	// As generated code has it: fragments may be on an interface of the root type.
	implementors := []string{root.Name}
	for _, def := range rec.plan.schema.GetImplements(root) {
		implementors = append(implementors, def.Name)
	}
	rec.probed.fields = graphql.CollectFields(rec.probeContext(op), op.SelectionSet, implementors)
}

// readRoot executes the part of the probe that belongs to one root field.
//
// A middleware with a time limit leaves its field to a goroutine that comes here late. It
// reads nothing once the recording has ended. Who comes here before, and has not read
// when the recording ends, leaves a part that is missing, and then the probe counts for
// nothing.
func (rec *Recorder) readRoot(ctx context.Context, alias string) {
	i := slices.IndexFunc(rec.probed.fields, func(f graphql.CollectedField) bool { return f.Alias == alias })
	if i < 0 || rec.useless() {
		return
	}
	field := *rec.probed.fields[i].Field
	field.SelectionSet, field.Directives = rec.probed.fields[i].Selections, nil
	one := *rec.plan.probe.Operation
	one.SelectionSet = ast.SelectionSet{&field}
	data := (&execution{Recorder: rec}).run(ctx, &one)
	if len(data) < len("{}") || data[0] != '{' {
		return
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.probed.parts[alias] = data[1 : len(data)-1]
}

// useless reports whether the probe would count for nothing.
func (rec *Recorder) useless() bool {
	rec.mu.RLock()
	defer rec.mu.RUnlock()
	return rec.stopped || rec.odd
}

// joined returns the probe's answer; nil when a part of it is missing.
func (rec *Recorder) joined() []byte {
	rec.mu.RLock()
	defer rec.mu.RUnlock()
	data := []byte{'{'}
	for _, f := range rec.probed.fields {
		if typ := rec.plan.schema.Types[f.Definition.Type.Name()]; typ == nil || typ.IsLeafType() {
			continue // of another field nothing may be read, and its object is one all the same
		}
		part, ok := rec.probed.parts[f.Alias]
		if !ok {
			return nil
		}
		if len(data) > 1 {
			data = append(data, ',')
		}
		data = append(data, part...)
	}
	return append(data, '}')
}
