package inspector

import (
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
)

// Seen returns what the watch has seen, with the events of its log after that number.
// While nobody watches it has the views and no figures.
func (i *Inspector) Seen(since uint64) watch.Snapshot {
	var views []*cascade.View
	if st := i.config.Schema(); st != nil {
		views = st.Plan.Views()
	}
	if i.watch != nil {
		return i.watch.Snapshot(since, views)
	}
	none := []uint64{}
	idle := watch.Snapshot{
		Series:     inspect.Series{StepMS: 1000, End: i.config.Now().UnixMilli(), Hits: none, Misses: none, Bypasses: none, Invalidations: none},
		Operations: []inspect.OpStats{}, Views: []inspect.ViewStats{}, Log: []inspect.LogEvent{},
	}
	for _, v := range views {
		idle.Views = append(idle.Views, inspect.ViewStats{Name: v.Name, DependsOn: namesOf(v.DependsOn()), Dependents: namesOf(v.Dependents())})
	}
	return idle
}

func namesOf(views []*cascade.View) []string {
	names := []string{}
	for _, v := range views {
		names = append(names, v.Name)
	}
	return names
}
