package gqlcache_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
)

// TestStatsHaveJSONNames: each exported field of the figures has a name in JSON, its own in
// the inspector's style, and one that says so where it is in nanoseconds.
func TestStatsHaveJSONNames(t *testing.T) {
	t.Parallel()
	var fields int
	var check func(of reflect.Type)
	check = func(of reflect.Type) {
		for f := range of.Fields() {
			typ := f.Type
			for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
				typ = typ.Elem()
			}
			if f.Anonymous {
				check(typ) // its fields are ours
				continue
			}
			fields++
			want := jsonName(f.Name)
			if typ == reflect.TypeFor[time.Duration]() {
				want += "Ns"
			}
			if got, _, _ := strings.Cut(f.Tag.Get("json"), ","); got != want {
				t.Errorf("%v.%s is %q in JSON, want %q", of, f.Name, got, want)
			}
			if own := typ.Kind() == reflect.Struct && strings.Contains(typ.PkgPath(), "gqlcache"); own && typ != reflect.TypeFor[changelog.Position]() {
				check(typ)
			}
		}
	}
	for _, of := range []reflect.Type{
		reflect.TypeFor[gqlcache.Stats](), reflect.TypeFor[gqlcache.OperationStats](), reflect.TypeFor[gqlcache.ComputedStats](), reflect.TypeFor[gqlcache.VersionStats](),
		reflect.TypeFor[gqlcache.Health](), reflect.TypeFor[store.Stats](), reflect.TypeFor[redisstore.Counters](),
	} {
		check(of)
	}
	if fields < 100 {
		t.Errorf("%d fields", fields)
	}
}

// jsonName is the name of a field with its first word in lower case.
func jsonName(field string) string {
	runes := []rune(field)
	for i := range runes {
		if i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		if !unicode.IsUpper(runes[i]) {
			break
		}
		runes[i] = unicode.ToLower(runes[i])
	}
	return string(runes)
}

// TestStatsAsJSON: the figures of a cache can be written as JSON, and what is one text is
// one.
func TestStatsAsJSON(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 1)
	r.all[0].want("MISS", "Ann", readAnn)
	text, err := json.Marshal(map[string]any{
		"stats": r.all[0].cache.Stats(), "operations": r.all[0].cache.OperationStats(),
		"redis": redisstore.Counters{Breaker: redisstore.Open}, "at": changelog.Position{Epoch: 7, Number: 3},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Stats struct {
			Misses       uint64
			Tiers        []inspect.Tier
			Log          struct{ Applied string }
			FillDuration struct {
				Count    uint64
				BoundsNs []int64
			}
		}
		Operations []struct{ Name string }
		Redis      struct{ Breaker string }
		At         string
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	tier := func(x inspect.Tier) string { return x.Name }
	s := got.Stats
	if s.Misses != 1 || len(s.Tiers) != 2 || !slices.ContainsFunc(s.Tiers, func(x inspect.Tier) bool { return tier(x) == "memory" && x.Entries == 1 }) ||
		s.FillDuration.Count != 1 || !slices.Contains(s.FillDuration.BoundsNs, int64(time.Second)) || !strings.Contains(s.Log.Applied, ":") {
		t.Errorf("%s", text)
	}
	if len(got.Operations) != 1 || got.Operations[0].Name == "" || got.Redis.Breaker != "open" || got.At != "7:3" {
		t.Errorf("%s", text)
	}
}

// TestInFlight: a computation counts while it runs, and those who wait for it do not.
func TestInFlight(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	latch := r.rows.Block("Query.user")
	first := a.begin(readAnn)
	receive(t, latch.Reached, "the computation")
	if n := a.cache.Stats().InFlight; n != 1 {
		t.Errorf("%d computations run, want 1", n)
	}
	latch.Release()
	first.wait(t)
	b.want("HIT shared", "Ann", readAnn)
	for name, i := range map[string]*instance{"a": a, "b": b} {
		if s := i.cache.Stats(); s.InFlight != 0 || s.SharedGetDuration.Count != 1 {
			t.Errorf("%s: %d computations run, and %d looks into the shared store", name, s.InFlight, s.SharedGetDuration.Count)
		}
	}
}
