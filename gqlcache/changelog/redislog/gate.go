package redislog

import "sync/atomic"

// A gate stops a test's log at points.
type gate struct {
	stop atomic.Pointer[func(point string)]
}

// pass calls the test's function, if there is one, which may hold up its caller.
func (g *gate) pass(point string) {
	if stop := g.stop.Load(); stop != nil {
		(*stop)(point)
	}
}
