package blog

import (
	"context"
	"strings"
)

// A Tenant names whose rows a session sees: all those with this text in their tenant
// column.
type Tenant string

// Admin sees the rows of all tenants and owns none.
const Admin Tenant = "*"

// Predicate is the row level security condition that a session of the tenant evaluates,
// in the canonical form that tells one tenant's answers from another's.
func (t Tenant) Predicate() string {
	if t == Admin {
		return "true"
	}
	return "tenant = '" + strings.ReplaceAll(string(t), "'", "''") + "'"
}

type tenantKey struct{}

// WithTenant returns a context that carries the tenant of a request.
func WithTenant(ctx context.Context, t Tenant) context.Context {
	return context.WithValue(ctx, tenantKey{}, t)
}

// TenantOf returns the tenant that the context carries, "" when it carries none.
func TenantOf(ctx context.Context) Tenant {
	t, _ := ctx.Value(tenantKey{}).(Tenant)
	return t
}
