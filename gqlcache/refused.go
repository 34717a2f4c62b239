package gqlcache

import (
	"github.com/99designs/gqlgen/graphql"
)

type rootState struct{}

func (r *request) guardRoots(oc *graphql.OperationContext) {}
func (r *request) unwritten(oc *graphql.OperationContext, d *document, resp *graphql.Response) map[string]bool {
	return nil
}
func (c *Cache) warnOfTransaction(ctx any) {}
