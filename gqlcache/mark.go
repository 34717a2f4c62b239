package gqlcache

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/schemahash"
)

// tagsVersion is part of every mark. It changes when the same schema gives other tags.
const tagsVersion = 3

// markOf returns the tag that names the meaning of tags: the schema with its directives,
// and the rest that they are derived from. The build is no part of it: a deployment that
// changes none of these keeps its answers.
func (o Options) markOf(schema schemahash.Hash, plan *cascade.Plan) cascade.Tag {
	h := sha256.New()
	fmt.Fprintf(h, "%d %#v %q ", tagsVersion, o.cascade(), o.PartitionVersion)
	h.Write(schema[:])
	h.Write(plan.AppendLayout(nil))
	sum := h.Sum(nil)
	return cascade.Tag{Hash: binary.LittleEndian.Uint64(sum), Mask: binary.LittleEndian.Uint64(sum[8:])}
}

// recordsOf returns the meaning of tags in records, under a plan with the mark.
func recordsOf(mark cascade.Tag, plan *cascade.Plan) *fleet.Schema {
	cfg := fleet.SchemaConfig{Mark: mark, Unnamed: cascade.Unnamed.Hash}
	byName := map[uint64]*cascade.View{}
	for _, v := range plan.Views() {
		byName[v.NameHash()] = v
		cfg.Views = append(cfg.Views, fleet.View{Name: v.NameHash(), Reached: v.ReachedTag(), Partitioned: v.Partitioned})
	}
	cfg.Whole = func(tags []cascade.Tag, names []uint64) []cascade.Tag {
		var views []*cascade.View
		for _, name := range names {
			views = append(views, byName[name])
		}
		return plan.Publish(tags, cascade.WholeViews(views), cascade.Partition{})
	}
	return fleet.NewSchema(cfg)
}
