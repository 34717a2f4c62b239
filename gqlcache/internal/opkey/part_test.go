package opkey_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/internal/opkey"
)

// TestCutPart: it takes off what AppendPart has put on, and nothing else.
func TestCutPart(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a", strings.Repeat("x", 127), strings.Repeat("x", 128), strings.Repeat("x", 70_000)} {
		b := append(opkey.AppendPart(nil, text), "rest"...)
		part, rest, ok := opkey.CutPart(b)
		if !ok || string(part) != text || string(rest) != "rest" {
			t.Errorf("%d bytes: %d and %q, %v", len(text), len(part), rest, ok)
		}
	}
	for _, b := range [][]byte{nil, {1}, {5, 'a'}, {0xff}, bytes.Repeat([]byte{0xff}, 20)} {
		if part, rest, ok := opkey.CutPart(b); ok || part != nil || !bytes.Equal(rest, b) {
			t.Errorf("%v: %v, %v, %v", b, part, rest, ok)
		}
	}
}
