package observe

import "context"

// The bounds of what a registry remembers of requests before an operation of theirs begins:
// how many requests, and how many statements of each.
const (
	maxBefore           = 4096
	maxBeforeStatements = 32
)

// A before has the statements that were sent on the context of an HTTP request which has
// no Early: of a middleware in a server without Cache.Handler, or of another handler.
//
//	middleware: SELECT role FROM users WHERE id = 1, with r.Context()
//	gqlgen:     an operation begins, on a context with values of its own
//	resolver:   looks at the role, and sends a statement of its own
//
// Nothing else says that the answer depends on the user's row: the middleware's statement has
// ended when the recording begins. So each recording on a context of the request gets the
// statements, as one that overlapped. Contexts are of one request if they have the same
// channel Done: values do not change it. One with a deadline of its own has another channel,
// and is not found.
type before struct {
	executions []*Execution
	more       bool // there were more than are remembered
}

// A Requester is a Sink that tells which HTTP request a context belongs to, by its channel
// Done, which must be closed when the request has ended; nil for none.
type Requester interface {
	Request(ctx context.Context) <-chan struct{}
}

// requestOf returns what the sinks know of a context.
func (o *Observer) requestOf(ctx context.Context) <-chan struct{} {
	for _, a := range o.attached() {
		if request := a.request(ctx); request != nil {
			return request
		}
	}
	return nil
}

func (a *attachment) request(ctx context.Context) <-chan struct{} {
	if q, ok := a.sink.(Requester); ok {
		return q.Request(ctx)
	}
	return nil
}

// keep remembers a statement that came without a recording. It reports whether it did, and
// whether it was the first of its request: then forget is to be called when that has ended.
// REQUIRES: g.mu is held.
func (g *registry) keep(e *Execution, request <-chan struct{}) (kept, first bool) {
	b := g.before[request]
	switch {
	case b == nil && len(g.before) >= maxBefore:
		g.crowded = true
		return false, false
	case b == nil:
		if g.before == nil {
			g.before = map[<-chan struct{}]*before{}
		}
		b = &before{}
		g.before[request] = b
		first = true
	case len(b.executions) >= maxBeforeStatements:
		b.more = true
		return false, false
	}
	b.executions = append(b.executions, e)
	return true, first
}

// forget is called when a request has ended. What a request without room has sent is not
// known until all that run have ended.
func (g *registry) forget(request <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.before, request)
	if len(g.before) == 0 {
		g.before, g.crowded = nil, false
	}
}

// takeBefore gives a recording that begins the statements of its request. REQUIRES: g.mu is
// held.
func (g *registry) takeBefore(r *Recording, request <-chan struct{}) {
	if request == nil || len(g.before) == 0 {
		return
	}
	b := g.before[request]
	if b == nil {
		r.missed = r.missed || g.crowded
		return
	}
	for _, e := range b.executions {
		if r.watches(e.s.o) {
			r.add(e)
		}
	}
	r.missed = r.missed || b.more
}
