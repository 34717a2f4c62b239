package safe_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// broken is a handler that panics in one of its methods.
type broken struct {
	slog.Handler
	in string
}

func (b broken) Enabled(ctx context.Context, l slog.Level) bool {
	b.panics("Enabled")
	return b.Handler.Enabled(ctx, l)
}

func (b broken) Handle(ctx context.Context, r slog.Record) error {
	b.panics("Handle")
	return b.Handler.Handle(ctx, r)
}

func (b broken) WithAttrs(a []slog.Attr) slog.Handler {
	b.panics("WithAttrs")
	return broken{b.Handler.WithAttrs(a), b.in}
}

func (b broken) WithGroup(name string) slog.Handler {
	b.panics("WithGroup")
	return broken{b.Handler.WithGroup(name), b.in}
}

func (b broken) panics(in string) {
	if b.in == in {
		panic("broken")
	}
}

func TestLogger(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"", "level=WARN msg=hello g.a=1"},
		{"Enabled", ""},
		{"Handle", ""},
		{"WithAttrs", "level=WARN msg=hello"},
		{"WithGroup", "level=WARN msg=hello a=1"},
	} {
		t.Run(tt.in, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			l := safe.Logger(slog.New(broken{slog.NewTextHandler(&b, nil), tt.in}))
			l.WithGroup("g").With("a", 1).Warn("hello")
			if got := b.String(); (tt.want == "") != (got == "") || !strings.HasSuffix(strings.TrimSpace(got), tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
	safe.Logger(&slog.Logger{}).Warn("a logger without a handler")
}

func TestClock(t *testing.T) {
	t.Parallel()
	fail, failed := false, 0
	start := time.Now()
	now := safe.Clock(func() time.Time {
		if fail {
			panic("broken")
		}
		return time.Now().Add(-1000 * time.Hour)
	}, func(error) { failed++ })
	for _, fail = range []bool{false, true} {
		if d := now().Sub(start); d < -1000*time.Hour || d > -999*time.Hour {
			t.Errorf("it fails: %t: the time is %v off", fail, d)
		}
	}
	if failed != 1 {
		t.Errorf("told of %d failures", failed)
	}
	always := safe.Clock(func() time.Time { panic("broken") }, func(error) {})
	if d := always().Sub(start); d < 0 || d > time.Hour {
		t.Errorf("a clock that never works is %v off", d)
	}
}
