package clock

import (
	"fmt"
	"runtime"
	"testing"
)

func benchTags(n int, first uint64) []Tag {
	tags := make([]Tag, n)
	for i := range tags {
		tags[i] = Tag{Hash: (first + uint64(i)) * 0x9e3779b97f4a7c15, Mask: 1 << (i % 3)}
	}
	return tags
}

func benchFinish(b *testing.B, c *Clock, tags []Tag) *Stamp {
	b.Helper()
	s, ok := c.Finish(c.Begin(), tags)
	if !ok {
		b.Fatal("refused")
	}
	return s
}

func BenchmarkValid(b *testing.B) {
	c := New(Options{})
	s := benchFinish(b, c, benchTags(20, 1))
	b.ReportAllocs()
	for b.Loop() {
		if !c.Valid(s) {
			b.Fatal("dead")
		}
	}
}

func BenchmarkWalk(b *testing.B) {
	for _, n := range []int{5, 20, 100} {
		b.Run(fmt.Sprintf("tags=%d", n), func(b *testing.B) {
			c := New(Options{})
			s := benchFinish(b, c, benchTags(n, 1))
			b.ReportAllocs()
			for b.Loop() {
				if !c.walk(s, c.Seq()) {
					b.Fatal("dead")
				}
			}
		})
	}
}

func BenchmarkApply(b *testing.B) {
	for _, live := range []int{1_000, 100_000} {
		c := New(Options{})
		stamps := make([]*Stamp, live)
		for i := range stamps {
			// Every stamp depends on what is changed, and on something of its own.
			stamps[i] = benchFinish(b, c, append(benchTags(10, 1), benchTags(5, uint64(1000+5*i))...))
		}
		for _, n := range []int{1, 10, 100} {
			b.Run(fmt.Sprintf("live=%d/tags=%d", live, n), func(b *testing.B) {
				tags := benchTags(n, 1)
				b.ReportAllocs()
				for b.Loop() {
					c.Apply(tags)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/tag")
			})
		}
		runtime.KeepAlive(stamps)
	}
}

func BenchmarkFinish(b *testing.B) {
	for _, n := range []int{20, 100} {
		b.Run(fmt.Sprintf("tags=%d", n), func(b *testing.B) {
			c := New(Options{})
			tags := benchTags(n, 1)
			scratch := make([]Tag, n)
			b.ReportAllocs()
			for b.Loop() {
				copy(scratch, tags)
				benchFinish(b, c, scratch)
			}
		})
	}
}

// BenchmarkMemory reports what a stamp of 20 tags costs, cells and their index included:
// with the same tags in all stamps, and with tags of its own.
func BenchmarkMemory(b *testing.B) {
	for name, step := range map[string]uint64{"shared": 0, "unique": 20} {
		b.Run(name, func(b *testing.B) {
			const count = 20_000
			var perStamp float64
			for b.Loop() {
				c := New(Options{})
				stamps := make([]*Stamp, count)
				before := heap()
				for i := range stamps {
					stamps[i] = benchFinish(b, c, benchTags(20, 1+uint64(i)*step))
				}
				perStamp = float64(heap()-before) / count
				runtime.KeepAlive(stamps)
				runtime.KeepAlive(c)
			}
			b.ReportMetric(perStamp, "B/stamp")
			b.ReportMetric(perStamp/20, "B/tag")
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
