package gqlcache

import (
	"context"
	"fmt"

	"github.com/cascadeql/cascadeql/gqlcache/internal/probe"
)

func (c *Cache) newProber() *probe.Prober {
	return probe.New(probe.Config{Timeout: c.opts.PathTimeout, NoResolvers: c.opts.Shadow, Distrusted: c.dropDistrusted})
}

// dropDistrusted drops all answers, once for each type whose rows are shown under other
// keys than their Go values have: some may have been stored under the wrong keys.
func (c *Cache) dropDistrusted(ctx context.Context, typ string) {
	c.once.Warn("keys of "+typ, "gqlcache: a type's rows are shown under other keys than their Go values, so those that clients do not select are unknown, which drops more",
		fmt.Errorf("type %s", typ)) //nolint:err113 // for the log
	if err := c.Clear(context.WithoutCancel(ctx)); err != nil {
		c.once.Warn("keys", "gqlcache: what was stored under other keys could not be dropped everywhere", err)
	}
}
