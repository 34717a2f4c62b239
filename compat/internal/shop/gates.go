package shop

import (
	"context"
	"sync"
)

// Gates hold resolvers back. The zero value holds nobody.
type Gates struct {
	mu     sync.Mutex
	closed map[string]chan struct{}
	all    []chan struct{} // that were ever closed
	traps  map[string]bool
	counts map[string]int
	moved  chan struct{} // closed when a count grows; nil while nobody awaits it
}

// Close makes whoever passes the gate from now on wait, until open is called.
func (g *Gates) Close(name string) (open func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed == nil {
		g.closed = map[string]chan struct{}{}
	}
	c := make(chan struct{})
	g.closed[name] = c
	g.all = append(g.all, c)
	return sync.OnceFunc(func() {
		g.mu.Lock()
		if g.closed[name] == c {
			delete(g.closed, name)
		}
		select {
		case <-c: // by OpenAll
		default:
			close(c)
		}
		g.mu.Unlock()
	})
}

// Trap makes the next one who passes the gate wait, and nobody else.
func (g *Gates) Trap(name string) (open func()) {
	open = g.Close(name)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.traps == nil {
		g.traps = map[string]bool{}
	}
	g.traps[name] = true
	return open
}

// OpenAll lets everybody through, now and later.
func (g *Gates) OpenAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.all {
		select {
		case <-c:
		default:
			close(c)
		}
	}
	g.closed, g.all = nil, nil
}

// Await returns when so many have come to a gate.
func (g *Gates) Await(name string, n int) {
	for {
		g.mu.Lock()
		if g.counts[name] >= n {
			g.mu.Unlock()
			return
		}
		if g.moved == nil {
			g.moved = make(chan struct{})
		}
		moved := g.moved
		g.mu.Unlock()
		<-moved
	}
}

// Count returns how many have come to a gate so far.
func (g *Gates) Count(name string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.counts[name]
}

// pass waits at a gate. It returns the context's error if that ends first.
func (g *Gates) pass(ctx context.Context, name string) error {
	g.mu.Lock()
	if g.counts == nil {
		g.counts = map[string]int{}
	}
	g.counts[name]++
	if g.moved != nil {
		close(g.moved)
		g.moved = nil
	}
	c := g.closed[name]
	if g.traps[name] {
		delete(g.traps, name)
		delete(g.closed, name)
	}
	g.mu.Unlock()
	if c == nil {
		return nil
	}
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
