package main

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/example/internal/blog"
)

// naive is a cache as one would write it first, for the tests that must find it wrong:
// answers by query text, variables and tenant, an index from ids and type names to
// answers, and deletion through the index. What a computation in progress has read nobody
// remembers, so it stores old answers after the deletion.
type naive struct {
	mu      sync.Mutex
	answers map[string]json.RawMessage
	index   map[string]map[string]bool // id or type name to keys
}

func newNaive() *naive {
	return &naive{answers: map[string]json.RawMessage{}, index: map[string]map[string]bool{}}
}

// ExtensionName implements graphql.HandlerExtension.
func (*naive) ExtensionName() string { return "Naive" }

// Validate implements graphql.HandlerExtension.
func (*naive) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptResponse implements graphql.ResponseInterceptor.
func (n *naive) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	oc := graphql.GetOperationContext(ctx)
	if oc.Operation == nil {
		return next(ctx)
	}
	vars, _ := json.Marshal(oc.Variables)
	if oc.Operation.Operation == ast.Mutation {
		resp := next(ctx)
		n.drop(naiveNames(oc, vars, resp))
		return resp
	}
	key := string(blog.TenantOf(ctx)) + "\n" + oc.RawQuery + "\n" + oc.OperationName + "\n" + string(vars)
	n.mu.Lock()
	data, ok := n.answers[key]
	n.mu.Unlock()
	if ok {
		return &graphql.Response{Data: data}
	}
	resp := next(ctx)
	if resp != nil && len(resp.Errors) == 0 && len(graphql.GetErrors(ctx)) == 0 {
		n.put(key, resp.Data, naiveNames(oc, vars, resp))
	}
	return resp
}

func (n *naive) put(key string, data json.RawMessage, names []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers[key] = data
	for _, name := range names {
		if n.index[name] == nil {
			n.index[name] = map[string]bool{}
		}
		n.index[name][key] = true
	}
}

func (n *naive) drop(names []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range names {
		for key := range n.index[name] {
			delete(n.answers, key)
		}
		delete(n.index, name)
	}
}

// naiveNames are the ids in a request and its answer, and the types of the lists it
// selects.
func naiveNames(oc *graphql.OperationContext, vars []byte, resp *graphql.Response) []string {
	list := anyUUID.FindAllString(oc.RawQuery+string(vars), -1)
	if resp != nil {
		list = append(list, anyUUID.FindAllString(string(resp.Data), -1)...)
	}
	for _, s := range oc.Operation.SelectionSet {
		if f, ok := s.(*ast.Field); ok && f.Definition != nil {
			list = append(list, f.Definition.Type.Name())
		}
	}
	return list
}
