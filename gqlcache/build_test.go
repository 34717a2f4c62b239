package gqlcache_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// TestDefaultBuild: what a cache calls its build, when it needs one. Tests have no
// revision.
func TestDefaultBuild(t *testing.T) {
	t.Parallel()
	known := func() (string, error) { return "digest", nil }
	unknown := func() (string, error) { return "", errors.New("no such file") }
	log := newFakeLog().join(changelog.Bounded)
	shared := gqlcache.Options{Instances: gqlcache.Instances{Log: log, Shared: &fakeShared{sharedEntries: newSharedEntries()}}}
	given := shared
	given.Build = "mine"
	partitioned := gqlcache.Options{Instances: gqlcache.Instances{Log: log}, Partition: func(context.Context) string { return "a" }}
	for _, row := range []struct {
		name       string
		o          gqlcache.Options
		executable func() (string, error)
		want       string // is in it
		refused    bool
	}{
		{"shared", shared, known, "executable digest", false},
		{"shared, and nothing is known", shared, unknown, "", true},
		{"given", given, unknown, "mine", false},
		{"partitions over a log", partitioned, known, "executable digest", false},
		{"partitions over a log, and nothing is known", partitioned, unknown, "", false},
		{"a log alone", gqlcache.Options{Instances: gqlcache.Instances{Log: log}}, func() (string, error) { t.Error("it was read"); return "", nil }, "", false},
		{"one process", gqlcache.Options{}, func() (string, error) { t.Error("it was read"); return "", nil }, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			build, err := gqlcache.BuildOf(row.o, row.executable)
			if !strings.Contains(build, row.want) || (row.want == "") != (build == "") {
				t.Errorf("build %q, want %q", build, row.want)
			}
			if refused := err != nil && strings.Contains(err.Error(), "Build is not set"); refused != row.refused {
				t.Errorf("options: %v", err)
			}
		})
	}
	other, err := gqlcache.BuildOf(shared, func() (string, error) { return "other", nil })
	if build, _ := gqlcache.BuildOf(shared, known); err != nil || build == other {
		t.Errorf("two programs are %q and %q, %v", build, other, err)
	}
}
