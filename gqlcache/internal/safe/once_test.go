package safe_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

func TestOnce(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	o := &safe.Once{Log: slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))}
	for range 2 {
		o.Warn("a", "first", errors.New("boom"))
		o.WarnWith("b", "second", slog.Int("n", 1))
	}
	want := `level=WARN msg=first error=boom further="counted, not logged"
level=WARN msg=second n=1 further="counted, not logged"
`
	if got := b.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, strings.TrimSpace(want))
	}
}
