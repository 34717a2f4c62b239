package main

import (
	"io"
	"net/http"

	"github.com/cascadeql/cascadeql/example/internal/blog"
)

const tenantHeader = "X-Tenant"

// requireTenant places the tenant of a request in its context and refuses requests
// without one, so that no resolver ever runs without. A real server would take the tenant
// from a verified token.
func requireTenant(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tenant := r.Header.Get(tenantHeader)
		if tenant == "" && r.Method != http.MethodOptions {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"errors":[{"message":"the header `+tenantHeader+` is missing"}],"data":null}`)
			return
		}
		next.ServeHTTP(w, r.WithContext(blog.WithTenant(r.Context(), blog.Tenant(tenant))))
	})
}
