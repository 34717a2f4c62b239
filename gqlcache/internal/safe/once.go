package safe

import (
	"log/slog"
	"sync"
)

// A Once logs each kind of trouble once: a program that logs per request hides what it
// says. Its methods may be called concurrently.
type Once struct {
	// Log gets the lines. It is set before the first call.
	Log  *slog.Logger
	seen sync.Map
}

// Warn logs a message and its error, unless a line of the same kind was logged before.
func (o *Once) Warn(kind, msg string, err error) {
	o.WarnWith(kind, msg, "error", err)
}

// WarnWith is Warn with attributes, as in slog, in place of an error.
func (o *Once) WarnWith(kind, msg string, attrs ...any) {
	if _, loaded := o.seen.LoadOrStore(kind, true); !loaded {
		o.Log.Warn(msg, append(attrs, "further", "counted, not logged")...)
	}
}
