package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// compared are the servers of other projects, by the name of their file in the folder of
// -compare.
var compared = map[string]string{
	"yoga":      "GraphQL Yoga, response cache",
	"apollo":    "Apollo Server, response cache",
	"mercurius": "mercurius, mercurius-cache",
}

// startCompared starts the servers in the folder that -compare names. They have the
// answers of the uncached server as data.
func (b *bench) startCompared(ctx context.Context) error {
	if b.compare == "" {
		return nil
	}
	data, err := b.uncached.answer(slices.Max(slices.Collect(maps.Keys(limits))))
	if err != nil {
		return err
	}
	file := filepath.Join(b.dir, "feed.json")
	if err := os.WriteFile(file, data.body, 0o600); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(compared)) {
		p, err := start(ctx, "node", filepath.Join(b.compare, name+".mjs"), file)
		if err != nil {
			return fmt.Errorf("%w; is everything installed? see %s", err, filepath.Join(b.compare, "README.md"))
		}
		t, err := b.connect(ctx, &target{kind: kind{name: name, label: compared[name]}, process: p, foreign: true})
		if err != nil {
			return err
		}
		b.targets = append(b.targets, t)
	}
	return nil
}
