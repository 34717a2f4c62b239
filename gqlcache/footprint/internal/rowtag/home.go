package rowtag

import (
	"github.com/cespare/xxhash/v2"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// A Home is the schema that rows of an Ambiguous table are of: see catalog.Table. Zero is
// one that is not known, and that of tables which one schema has.
//
// Who reads rows of a known home subscribes to the tags of that home, and to one tag of the
// table that stands for changes of rows whose home is not known. Who reads rows of unknown
// homes subscribes to the tags without a home. A change publishes the tags without a home,
// and with them those of its home or, if that is not known, the one tag of the table:
//
//	                   reads of home A    of home B    of unknown homes
//	changes in A       tags of A          -            tags without
//	of unknown homes   the one tag        the one tag  tags without
//
// A row never moves from one schema to another, unless the definitions change, which drops
// everything.
type Home uint64

// HomeOf returns that of a schema, the same in all processes.
func HomeOf(schema string) Home { return Home(mix(xxhash.Sum64String(schema)+'h') | 1) }

// strayTag stands for changes of rows whose home is not known.
func (t *tableShapes) strayTag() uint64 { return mix(t.hash + 'y') }

// stray adds the tag by which a read of rows of a home hears of changes whose home is not
// known.
func (t *tableShapes) stray(dst []tag.Tag, home Home) []tag.Tag {
	if home == 0 {
		return dst
	}
	one := tag.Tag{Hash: t.strayTag(), Mask: catalog.All}
	for i := len(dst) - 1; i >= max(0, len(dst)-maxNear); i-- {
		if dst[i] == one {
			return dst
		}
	}
	return append(dst, one)
}

// maxNear is how far back a tag is looked for that each shown row would add again.
const maxNear = 64

// homes calls f for the home of the event and for reads of unknown homes.
func (e *Event) homes(f func(Home)) {
	f(0)
	if e.Home != 0 {
		f(e.Home)
	}
}
