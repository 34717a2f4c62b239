package blog

import (
	"context"
	"regexp"
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

// A statement is SQL as a tenant and as the administrator send it. Its first parameter is
// the tenant.
type statement struct{ tenant, admin string }

var visible = regexp.MustCompile(`(\+?\w+)\.VISIBLE`)

// sql makes a statement of text in which p.VISIBLE stands for the predicate on the rows
// of p. A plus before it keeps SQLite from using the tenant's index where another one is
// better.
func sql(text string) statement {
	return statement{
		tenant: visible.ReplaceAllString(text, "$1.tenant = ?1"),
		admin:  visible.ReplaceAllString(text, "true"),
	}
}

func (s statement) text(t Tenant) string {
	if t == Admin {
		return s.admin
	}
	return s.tenant
}
