package gqlcache

import (
	"fmt"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// planned returns a request for an operation of its own, and the plan of it.
func planned(text string) (*graphql.OperationContext, *document) {
	op := &ast.OperationDefinition{Operation: ast.Query}
	return &graphql.OperationContext{
		RawQuery: text, Operation: op,
		Doc: &ast.QueryDocument{Operations: ast.OperationList{op}, Position: &ast.Position{Src: &ast.Source{Input: text}}},
	}, &document{source: op}
}

// TestPlansInUseStay: plans that are in use outlive any number of those that come once.
func TestPlansInUseStay(t *testing.T) {
	t.Parallel()
	p := newPlanCache(100 << 10)
	var used []*ast.OperationDefinition
	for i := range 20 {
		oc, d := planned(fmt.Sprint("used ", i))
		p.add(oc, d)
		used = append(used, oc.Operation)
	}
	for i := range 2000 {
		oc, d := planned(fmt.Sprint("once ", i))
		p.add(oc, d)
		for j, op := range used {
			if p.get(op) == nil {
				t.Fatalf("plan %d is gone after %d others", j, i)
			}
		}
	}
}

// TestPlanForgetsCopies: a server that parses a text for each request leaves the last plan of it only, and the
// figures fall to zero with the last plan.
func TestPlanForgetsCopies(t *testing.T) {
	t.Parallel()
	p := newPlanCache(1 << 20)
	first, d := planned("text")
	if p.add(first, d) {
		t.Error("the first plan counts as a repetition")
	}
	second, d2 := planned("text")
	if !p.add(second, d2) {
		t.Error("the second plan of a text counts as the first")
	}
	if p.get(first.Operation) != nil || p.get(second.Operation) != d2 {
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

// TestPlanOfLargeTextAtSecondSight: a large plan is kept when its text comes again, a huge one never.
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
			p := newPlanCache(limit)
			text := string(make([]byte, tt.bytes))
			for i := 1; i < 4; i++ {
				oc, d := planned(text)
				p.add(oc, d)
				if kept := p.get(oc.Operation) == d; kept != (i >= tt.times) {
					t.Errorf("time %d: kept: %t", i, kept)
				}
			}
		})
	}
}
