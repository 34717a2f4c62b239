package flight

import (
	"log/slog"
	"runtime/debug"
)

// stack is the stack of a panic in progress.
func stack() []byte { return debug.Stack() }

func (g *Group[T]) reportOrphan(f *flight[T]) {
	if g.OrphanPanic != nil {
		g.OrphanPanic(f.key, f.value, f.stack)
		return
	}
	slog.Error("flight: panic in a computation whose caller is gone", "panic", f.value, "stack", string(f.stack))
}
