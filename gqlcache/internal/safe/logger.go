package safe

import (
	"context"
	"log/slog"
)

// Logger returns a logger that writes what l does, and drops the lines at which l panics.
// It blocks as l does.
func Logger(l *slog.Logger) *slog.Logger { return slog.New(handler{l.Handler()}) }

// A handler hands on to another one, which may be nil.
type handler struct{ to slog.Handler }

// Enabled implements slog.Handler.
func (h handler) Enabled(ctx context.Context, level slog.Level) (ok bool) {
	defer recovered(func() { ok = false })
	return h.to.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, r slog.Record) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return h.to.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) (with slog.Handler) {
	defer recovered(func() { with = h })
	return handler{h.to.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) (with slog.Handler) {
	defer recovered(func() { with = h })
	return handler{h.to.WithGroup(name)}
}

// recovered is deferred, and calls f if there was a panic.
func recovered(f func()) {
	if recover() != nil {
		f()
	}
}
