package memo_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/internal/memo"
	"github.com/cascadeql/cascadeql/internal/allocs"
)

// TestMemo: a value is found by its text, until there is another one.
func TestMemo(t *testing.T) {
	t.Parallel()
	m := memo.New[*int](1 << 20)
	one, two := 1, 2
	if m.Find([]byte("a")) != nil {
		t.Error("found what was not kept")
	}
	m.Keep("a", &one, 8)
	m.Keep("b", &one, 8)
	m.Keep("b", &two, 8)
	if m.Find([]byte("a")) != &one || m.Find([]byte("b")) != &two || m.Find([]byte("")) != nil || m.Find(nil) != nil {
		t.Error("wrong values")
	}
}

func TestFindDoesNotAllocate(t *testing.T) { //nolint:paralleltest // allocs.PerRun
	m, one, text := memo.New[*int](1<<20), 1, []byte("a")
	m.Keep("a", &one, 8)
	if n := allocs.PerRun(100, func() { m.Find(text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestAgain: a text comes again when it came before.
func TestAgain(t *testing.T) {
	t.Parallel()
	m := memo.New[int](1 << 20)
	for i := range 1000 {
		text := fmt.Appendf(nil, "text %d", i)
		if first, second := m.Again(text), m.Again(text); first || !second {
			t.Errorf("%s: %v, %v", text, first, second)
		}
	}
}

// TestBound: what is kept has at most the bytes that it may have.
func TestBound(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{-1, 0, 1 << 10, 1 << 16} {
		m, pad := memo.New[int](limit), strings.Repeat("x", 100)
		var texts []string
		for i := range 2000 {
			texts = append(texts, fmt.Sprint(i, pad))
			m.Keep(texts[i], i+1, 100)
		}
		var kept int64
		for _, text := range texts {
			if m.Find([]byte(text)) != 0 {
				kept += int64(len(text)) + 100
			}
		}
		if kept > max(0, limit) || limit == 1<<16 && kept < limit/8 {
			t.Errorf("%d bytes are kept of %d", kept, limit)
		}
	}
}
