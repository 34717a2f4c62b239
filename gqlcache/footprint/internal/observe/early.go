package observe

import (
	"context"
	"sync"
)

type earlyKey struct{}

// EarlyKey is the key under which a context has an *Early.
var EarlyKey any = earlyKey{}

// An Early collects what is read on the context of a request or an operation before a
// computation of it begins, by a middleware or an extension: what the computation answers
// may be made of it. It belongs to every computation of the request. A statement on such a
// context is not one without a computation, whatever becomes of the request. The zero
// value collects nothing; Init readies it. Its methods are safe for concurrent use, but
// for Init.
type Early struct {
	start Start
	outer *Early
	once  sync.Once
	rec   *Recording // nil before the first statement
}

// Init readies an Early when a request, or an operation of it, arrives. start is that of
// its computations. It allocates nothing.
func (y *Early) Init(ctx context.Context, start Start) {
	y.start = start
	y.outer, _ = ctx.Value(EarlyKey).(*Early)
}

// recording returns what collects, made at the first use.
func (y *Early) recording() *Recording {
	y.once.Do(func() {
		r := &Recording{start: y.start}
		r.sum.number = y.start.Number
		reg.mu.Lock()
		y.rec = r
		reg.mu.Unlock()
	})
	return y.rec
}

// owner returns the recording that statements on a context belong to, nil when there is
// none.
func owner(ctx context.Context) *Recording {
	if r, ok := ctx.Value(recordingKey{}).(*Recording); ok {
		return r
	}
	if y, ok := ctx.Value(EarlyKey).(*Early); ok {
		return y.recording()
	}
	return nil
}

// takeEarly adds what was read before the recording began, and meanwhile beside it.
func (r *Recording) takeEarly() {
	for y := r.early; y != nil; y = y.outer {
		reg.mu.Lock()
		from := y.rec
		reg.mu.Unlock()
		if from != nil {
			r.takeAll(from)
		}
	}
}

// takeAround adds what the recordings around have read so far: see Start.Around.
func (r *Recording) takeAround() {
	if !r.start.Around {
		return
	}
	r.mu.Lock()
	own, orphans := r.sum.statements, r.sum.orphans
	r.mu.Unlock()
	for p := r.parent; p != nil; p = p.parent {
		r.takeAll(p)
	}
	r.mu.Lock()
	r.sum.statements, r.sum.orphans = own, orphans
	r.mu.Unlock()
}

// takeAll adds what another recording has. What that one's projections hide counts.
func (r *Recording) takeAll(from *Recording) {
	reg.mu.Lock()
	executions := append([]*Execution(nil), from.executions...)
	reg.mu.Unlock()
	from.mu.Lock()
	s := from.sum
	s.tags = append(append(s.tags[:0:0], s.tags...), s.hidden...)
	s.coarse = append(s.coarse[:0:0], s.coarse...)
	from.mu.Unlock()
	r.mu.Lock()
	r.sum.add(&s)
	r.mu.Unlock()
	for _, e := range executions {
		r.take(e)
	}
}
