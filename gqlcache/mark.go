package gqlcache

import (
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
)

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
