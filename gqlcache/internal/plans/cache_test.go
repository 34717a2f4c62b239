package plans

import (
	"fmt"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// planned returns an operation of its own, and a plan of it.
func planned(text string) (*Source, *Plan) {
	op := &ast.OperationDefinition{Operation: ast.Query}
	doc := &ast.QueryDocument{Operations: ast.OperationList{op}, Position: &ast.Position{Src: &ast.Source{Input: text}}}
	s := NewSource(text, doc, op)
	return &s, &Plan{Definition: op, shape: s.shape}
}

// TestPlansInUseStay: plans that are in use outlive any number of those that come once.
func TestPlansInUseStay(t *testing.T) {
	t.Parallel()
	p := newCache(100 << 10)
	var used []*Source
	for i := range 20 {
		source, d := planned(fmt.Sprint("used ", i))
		p.add(source, d, 0)
		used = append(used, source)
	}
	for i := range 2000 {
		source, d := planned(fmt.Sprint("once ", i))
		p.add(source, d, 0)
		for j, op := range used {
			if p.get(op) == nil {
				t.Fatalf("plan %d is gone after %d others", j, i)
			}
		}
	}
}

// TestPlanForgetsCopies: a server that parses a text for each request leaves the last
// plan of it only, and the figures fall to zero with the last plan.
func TestPlanForgetsCopies(t *testing.T) {
	t.Parallel()
	p := newCache(1 << 20)
	first, d := planned("text")
	if p.add(first, d, 0) {
		t.Error("the first plan counts as a repetition")
	}
	second, d2 := planned("text")
	if !p.add(second, d2, 0) {
		t.Error("the second plan of a text counts as the first")
	}
	if p.get(first) != nil || p.get(second) != d2 {
		t.Error("the wrong plan is kept")
	}
	if n, bytes := p.figures(); n != 1 || bytes <= 0 {
		t.Errorf("%d plans, %d bytes", n, bytes)
	}
	p.mu.Lock()
	p.remove(p.mu.oldest)
	left, listed := p.mu.bytes, p.mu.oldest != nil || p.mu.newest != nil
	p.mu.Unlock()
	if left != 0 || listed {
		t.Errorf("%d bytes are left of nothing", left)
	}
}

// TestPlanOfLargeTextAtSecondSight: a large plan is kept when its text comes again, a
// huge one never.
func TestPlanOfLargeTextAtSecondSight(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	for _, tt := range []struct {
		name  string
		bytes int
		times int // after which it is kept
	}{{"small", limit / 200, 1}, {"large", limit / 20, 2}, {"huge", limit / 2, 4}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newCache(limit)
			text := string(make([]byte, tt.bytes))
			for i := 1; i < 4; i++ {
				source, d := planned(text)
				p.add(source, d, 0)
				if kept := p.get(source) == d; kept != (i >= tt.times) {
					t.Errorf("time %d: kept: %t", i, kept)
				}
			}
		})
	}
}

// TestWeightBeside: what the owner keeps beside a plan counts, and makes a plan too
// large.
func TestWeightBeside(t *testing.T) {
	t.Parallel()
	p := newCache(1 << 20)
	source, d := planned("text")
	p.add(source, d, 0)
	_, alone := p.figures()
	p.add(source, d, 1000)
	if _, bytes := p.figures(); bytes != alone+1000 {
		t.Errorf("%d bytes, %d of them alone", bytes, alone)
	}
	p.add(source, d, 1<<20)
	if n, bytes := p.figures(); n != 0 || bytes != 0 {
		t.Errorf("%d plans of %d bytes", n, bytes)
	}
}
