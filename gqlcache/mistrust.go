package gqlcache

import (
	"context"
	"fmt"
	"maps"

	"github.com/cascadeql/cascadeql/extractor"
)

// mistrust notes that rows of a type are shown under other keys than the Go values that gqlgen's code reads:
// the scalar is bound to functions that translate, or a middleware does. From here on only keys in answers
// count for the type. What was stored before may have been stored under the wrong keys, so it falls.
//
// The set grows before the cache is cleared. The other way round an answer that was read with the wrong key
// could be based on the cleared clock.
func (c *Cache) mistrust(ctx context.Context, typ string) {
	for {
		old := c.mistrusted.Load()
		next := map[string]bool{typ: true}
		if old != nil {
			if (*old)[typ] {
				return
			}
			maps.Copy(next, *old)
		}
		if c.mistrusted.CompareAndSwap(old, &next) {
			break
		}
	}
	c.once.Warn("keys of "+typ, "gqlcache: a type's rows are shown under other keys than their Go values, so those that clients do not select are unknown, which drops more",
		fmt.Errorf("type %s", typ)) //nolint:err113 // for the log
	if err := c.Clear(context.WithoutCancel(ctx)); err != nil {
		c.once.Warn("keys", "gqlcache: what was stored under other keys could not be dropped everywhere", err)
	}
}

// trusted takes keys that are not to be trusted out of what was read with the help of a probe; nil when an
// object has one.
func (c *Cache) trusted(res *extractor.Result) *extractor.Result {
	set := c.mistrusted.Load()
	if set == nil {
		return res
	}
	for i := range res.Objects {
		if sel := res.Objects[i].Selection; sel != nil && (*set)[sel.Object.Name] {
			return nil
		}
	}
	return res
}
