package observe

import (
	"context"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// defaults are the functions of the packages below.
func (o *Options) defaults() {
	if o.analyze == nil {
		o.analyze = func(*catalog.Catalog, string) *analysis.Statement {
			return &analysis.Statement{Unknown: "no analysis yet"}
		}
	}
	if o.read == nil {
		o.read = func(context.Context, catalog.Dialect, catalog.Query) (*catalog.Catalog, error) { return nil, nil }
	}
	if o.version == nil {
		o.version = func(context.Context, catalog.Dialect, catalog.Query) (v [32]byte, err error) { return v, nil }
	}
}
