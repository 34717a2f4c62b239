package probe

import (
	"context"
	"maps"

	"github.com/cascadeql/cascadeql/extractor"
)

// distrust adds a type to those whose rows are shown under other keys than the Go values
// that gqlgen's code reads: the scalar is bound to functions that translate, or a
// middleware does. From here on only keys in answers count for the type.
// Config.Distrusted drops what was stored before, which may be under the wrong keys.
//
// The set grows before the cache is cleared. The other way round an answer that was read
// with the wrong key could be based on the cleared clock.
func (p *Prober) distrust(ctx context.Context, typ string) {
	for {
		old := p.distrusted.Load()
		next := map[string]bool{typ: true}
		if old != nil {
			if (*old)[typ] {
				return
			}
			maps.Copy(next, *old)
		}
		if p.distrusted.CompareAndSwap(old, &next) {
			break
		}
	}
	p.config.Distrusted(ctx, typ)
}

// trusted takes keys that are not to be trusted out of what was read with the help of a
// probe; nil when an object has one.
func (p *Prober) trusted(res *extractor.Result) *extractor.Result {
	set := p.distrusted.Load()
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
