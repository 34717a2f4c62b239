package testgraph

import (
	"context"
	"sync"
)

// Points are the places where resolvers can be counted, stopped and made to fail. A
// field's resolver passes "Type.field" before it touches the store, and "Type.field:done"
// afterwards.
type Points struct {
	mu      sync.Mutex
	calls   map[string]int
	hooks   map[string]func(context.Context) error
	answers map[string]func(context.Context) (any, error)
	latches map[string]*Latch
}

// Calls tells how often a point was reached.
func (p *Points) Calls(point string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[point]
}

// Total tells how often any point was reached: 0 for a request that ran no resolver.
func (p *Points) Total() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, c := range p.calls {
		n += c
	}
	return n
}

// On has a function called at a point; the resolver fails with its error. Nil takes it
// away.
func (p *Points) On(point string, hook func(context.Context) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hooks == nil {
		p.hooks = map[string]func(context.Context) error{}
	}
	p.hooks[point] = hook
}

// Answer has a function called at a point, whose result is the resolver's: the store is
// not asked. What it returns must be of the resolver's type, or nil.
func (p *Points) Answer(point string, answer func(context.Context) (any, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answers == nil {
		p.answers = map[string]func(context.Context) (any, error){}
	}
	p.answers[point] = answer
}

func (p *Points) answer(point string) func(context.Context) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answers[point]
}

// A Latch stops whoever reaches a point.
type Latch struct {
	// Reached is closed when somebody has come to the point.
	Reached chan struct{}
	hard    bool
	open    chan struct{}
	once    sync.Once
	arrive  sync.Once
}

// Release lets everybody pass, now and later.
func (l *Latch) Release() { l.once.Do(func() { close(l.open) }) }

// Block stops resolvers at a point until the latch is released or their request ends.
func (p *Points) Block(point string) *Latch { return p.block(point, false) }

// BlockHard stops resolvers at a point until the latch is released, whatever their
// context says.
func (p *Points) BlockHard(point string) *Latch { return p.block(point, true) }

func (p *Points) block(point string, hard bool) *Latch {
	l := &Latch{Reached: make(chan struct{}), open: make(chan struct{}), hard: hard}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.latches == nil {
		p.latches = map[string]*Latch{}
	}
	p.latches[point] = l
	return l
}

func (p *Points) reach(ctx context.Context, point string) error {
	p.mu.Lock()
	if p.calls == nil {
		p.calls = map[string]int{}
	}
	p.calls[point]++
	hook, latch := p.hooks[point], p.latches[point]
	p.mu.Unlock()
	if latch != nil {
		latch.arrive.Do(func() { close(latch.Reached) })
		if err := latch.wait(ctx); err != nil {
			return err
		}
	}
	if hook != nil {
		return hook(ctx)
	}
	return nil
}

func (l *Latch) wait(ctx context.Context) error {
	if l.hard {
		<-l.open
		return nil
	}
	select {
	case <-l.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
