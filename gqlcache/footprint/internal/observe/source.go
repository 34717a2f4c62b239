package observe

import (
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// defaults are the functions of the packages below.
func (o *Options) defaults() {
	if o.analyze == nil {
		o.analyze = analysis.Analyze
	}
	if o.read == nil {
		o.read = catalog.Read
	}
	if o.version == nil {
		o.version = catalog.ReadVersion
	}
	if o.connection == nil {
		o.connection = catalog.ReadConnection
	}
	if o.temporary == nil {
		o.temporary = catalog.ReadTemporary
	}
}
