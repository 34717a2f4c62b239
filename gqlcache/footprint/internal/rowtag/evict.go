package rowtag

import (
	"slices"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// Where the set of shapes is full, shapes that no read has asked for are taken out of it.
// Writers publish no tags for a shape that is out, so no answer may rely on it. There are
// three steps:
//
//  1. Retire marks the shapes. From here on no read relies on them; writers go on with them.
//  2. The caller publishes the tags that Retire has returned, to every cache. Each read that
//     relies on one of the shapes has one of them.
//  3. Remove takes them out.
//
// A read that relies on a shape has looked it up before step 1, so its number is smaller
// than that of step 2: its answer is dropped, or refused when it is about to be stored. A
// writer that lacks the shape made its tags after step 3. In another order:
//
//   - Removed before it is published: W lacks the shape, commits and is acknowledged; an
//     answer that relies on the shape is served until the publication.
//   - Published before it is retired: R arrives after the publication and relies on the
//     shape, which is removed; W lacks it.
//
// A shape with the same columns that is registered later is a new one: reads rely on it
// from its own birth on. Other processes have no part in this: they have shapes of their
// own, and what they write travels as events.

// sweepEvery is the time after which a shape that nobody has asked for is taken out. A hit
// asks for no shape: the answers that rely on one that is taken out are computed once more.
const sweepEvery = 5 * time.Minute

// Retired are shapes on their way out.
type Retired struct {
	list []*shape
	// strays are the tables, of several schemas each, that they are of.
	strays []*tableShapes
}

// Retire returns the shapes that no read has asked for since the last sweep, and the tags
// by which the answers that rely on them are dropped. There are none unless a shape was
// refused and the last sweep is long ago. now is a time since some moment. After it, Remove
// must be called.
func (s *Shapes) Retire(now time.Duration) (r Retired, tags []tag.Tag) {
	s.evicts.Lock()
	defer s.evicts.Unlock()
	if !s.full.Load() || s.sweeps && now-s.swept < sweepEvery {
		return r, nil
	}
	s.swept, s.sweeps = now, true
	s.full.Store(false)
	crowded := s.total.Load() >= maxShapes
	for _, t := range s.tables {
		if list := t.all(); crowded || len(list) >= maxShapesOfTable {
			n := len(r.list)
			r.retire(list, func(sh *shape) bool { return !sh.used.Swap(false) })
			if len(r.list) > n && t.table.Ambiguous {
				r.strays = append(r.strays, t)
			}
		}
	}
	return r, r.tags()
}

// retire marks those of the shapes that nobody needs.
func (r *Retired) retire(list []*shape, idle func(*shape) bool) {
	for _, sh := range list {
		if !sh.retired.Load() && idle(sh) {
			sh.retired.Store(true)
			r.list = append(r.list, sh)
		}
	}
}

// tags returns one of the tags that each read has which relies on one of the shapes. Those
// of a known home have the stray tag of the table.
func (r *Retired) tags() (tags []tag.Tag) {
	for _, t := range r.strays {
		tags = append(tags, tag.Tag{Hash: t.strayTag(), Mask: catalog.All})
	}
	for _, sh := range r.list {
		switch hash := setHash(0).tag(sh); {
		case sh.grams >= 0:
			tags = append(tags, tag.Tag{Hash: sh.gramTag(0, ""), Mask: catalog.All})
		case sh.order >= 0 && len(sh.columns) == 0: // the page of a whole table
			tags = append(tags, tag.Tag{Hash: placeTag(anyPlace, hash, 0, 0), Mask: catalog.All})
		default:
			tags = append(tags, tag.Tag{Hash: hash, Mask: catalog.All})
		}
	}
	return tags
}

// Remove takes the shapes out. Their tags must have been published.
func (s *Shapes) Remove(r Retired) {
	registering.Lock()
	defer registering.Unlock()
	for _, t := range s.tables {
		list := t.all()
		kept := slices.DeleteFunc(slices.Clone(list), func(sh *shape) bool { return slices.Contains(r.list, sh) })
		if len(kept) < len(list) {
			s.total.Add(int64(len(kept) - len(list)))
			t.list.Store(&kept)
		}
	}
}
