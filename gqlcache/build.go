package gqlcache

import "github.com/cascadeql/cascadeql/gqlcache/internal/fleet"

// knowBuild sets Build where it is needed and not given. executable returns the digest of
// the running program.
func (o *Options) knowBuild(executable func() (string, error)) {
	if o.Build == "" && o.Log != nil && (o.Shared != nil || o.Partition != nil) {
		o.Build = fleet.BuildOf(executable)
	}
}
