package gqlcache

import "github.com/cascadeql/cascadeql/cascade"

// cascade returns the options that say how the directives of a schema are read. All of them are in the
// mark: they decide what tags mean.
func (o Options) cascade() cascade.Options {
	return cascade.Options{
		Prefix: o.DirectivePrefix, Infer: o.Infer,
		PassiveDirectives: o.PassiveDirectives, ArgumentDirectives: o.ArgumentDirectives,
		ComparableScalars: o.ComparableScalars, OpaqueKeys: o.OpaqueKeys,
	}
}
