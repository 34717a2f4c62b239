package watch_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
)

const (
	benchEntries = 10_000
	benchTags    = 24
)

func benchTagsOf(i int) []cascade.Tag {
	tags := make([]cascade.Tag, benchTags)
	for j := range tags {
		tags[j] = cascade.Tag{Hash: uint64(1000 + i*benchTags + j), Mask: 1}
	}
	tags[0] = cascade.Tag{Hash: 1, Mask: 1 << (i % 60)} // of the whole view, as all entries have it
	return tags
}

// watched is a full recorder and the keys of its entries.
func watched(b *testing.B) (*watch.Recorder, []string, [][]cascade.Tag) {
	b.Helper()
	r := watch.New(watch.Options{For: time.Hour})
	b.Cleanup(r.Close)
	r.Watch()
	keys, tags := make([]string, benchEntries), make([][]cascade.Tag, benchEntries)
	for i := range keys {
		keys[i], tags[i] = fmt.Sprintf("%0150d", i), benchTagsOf(i)
		put(r, keys[i], list, 0, tags[i]...)
	}
	return r, keys, tags
}

func BenchmarkUnwatched(b *testing.B) {
	r := watch.New(watch.Options{})
	key := []byte(fmt.Sprintf("%0150d", 1))
	name, tags := string(key), benchTagsOf(1)
	b.Run("Watching", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Watching()
		}
	})
	b.Run("Hit", func(b *testing.B) { // all that a hit calls
		b.ReportAllocs()
		for b.Loop() {
			r.Mark()
			r.Served(key, list, 0)
		}
	})
	b.Run("Stored", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Stored(name, func() watch.Entry { return watch.Entry{Op: list, Tags: tags, Live: always} })
		}
	})
	b.Run("Change", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Begin(watch.Change{Tags: tags}).Done(1, 0)
		}
	})
}

func BenchmarkWatched(b *testing.B) {
	b.Run("Served", func(b *testing.B) {
		r, keys, _ := watched(b)
		key := []byte(keys[0])
		b.ReportAllocs()
		for b.Loop() {
			r.Mark()
			r.Served(key, list, 0)
		}
	})
	b.Run("Stored", func(b *testing.B) { // in the place of another
		r, keys, tags := watched(b)
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			put(r, keys[i%benchEntries], list, 0, tags[i%benchEntries]...)
			i++
		}
	})
	b.Run("Missed", func(b *testing.B) {
		r, _, _ := watched(b)
		key := []byte("never stored")
		b.ReportAllocs()
		for b.Loop() {
			r.Missed(r.Mark(), key, watch.Nothing)
		}
	})
	cause := inspect.Cause{Kind: "mutation", Name: "Edit"}
	b.Run("ChangeOfOne", func(b *testing.B) { // and the entry is stored again
		r, keys, tags := watched(b)
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			r.Begin(watch.Change{Cause: cause, Tags: tags[i%benchEntries][1:2]}).Done(1, 0)
			put(r, keys[i%benchEntries], list, 0, tags[i%benchEntries]...)
			i++
		}
	})
	b.Run("ChangeOfNone", func(b *testing.B) {
		r, _, _ := watched(b)
		none := []cascade.Tag{{Hash: 2}}
		b.ReportAllocs()
		for b.Loop() {
			r.Begin(watch.Change{Cause: cause, Tags: none}).Done(1, 0)
		}
	})
	b.Run("Snapshot", func(b *testing.B) {
		r, _, _ := watched(b)
		b.ReportAllocs()
		for b.Loop() {
			r.Snapshot(0, nil)
		}
	})
}

// BenchmarkFlush drops all 10,000 entries at once.
func BenchmarkFlush(b *testing.B) {
	r, keys, tags := watched(b)
	b.ReportAllocs()
	for b.Loop() {
		r.Begin(watch.Change{Everything: "bench"}).Done(1, 0)
		b.StopTimer()
		for i := range keys {
			put(r, keys[i], list, 0, tags[i]...)
		}
		b.StartTimer()
	}
}
