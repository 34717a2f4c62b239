package probe

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/vektah/gqlparser/v2/ast"
)

// Config is what a Prober needs of its cache.
type Config struct {
	// Timeout bounds the execution of a probe in which resolvers run.
	Timeout time.Duration
	// NoResolvers keeps resolvers from running, also where the schema allows it.
	NoResolvers bool
	// Distrusted is called once for each type whose rows turn out to be shown under other
	// keys than their Go values have. It drops all answers and may block. From before the
	// call on, no keys of Go values of the type count.
	Distrusted func(ctx context.Context, typ string)
}

// A Prober reads the rows of answers for one cache. Its methods may be called
// concurrently.
type Prober struct {
	config Config
	// code is set before the first operation.
	code atomic.Pointer[executables]
	// distrusted are the types whose keys are not read from Go values; nil is none.
	distrusted atomic.Pointer[map[string]bool]
}

// New returns a Prober that executes nothing until Serves is called.
func New(config Config) *Prober { return &Prober{config: config} }

// A Plan is the probe of one operation. It is immutable.
type Plan struct {
	probe  *extractor.Probe
	schema *ast.Schema
	// mayResolve says that resolvers may run in it.
	mayResolve bool
}

// Plan returns what to execute beside an operation: nil when nothing has to be, or when
// it cannot be. runs reports whether a directive of the schema's runs code of the
// server's.
func (p *Prober) Plan(op *extractor.Operation, schema *ast.Schema, runs func(directive string) bool) *Plan {
	e := p.code.Load()
	if e == nil || e.es == nil {
		return nil
	}
	probe := op.Probe(runs)
	if probe == nil {
		return nil
	}
	return &Plan{probe: probe, schema: schema, mayResolve: probe.Resolves()}
}

// Size estimates the memory that a plan keeps alive, in bytes. It may be called on nil.
func (p *Plan) Size() int {
	if p == nil {
		return 0
	}
	return extractor.DocumentSize(p.probe.Doc)
}
