package watch_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
	"github.com/cascadeql/cascadeql/internal/allocs"
)

func always() bool { return true }

// put stores an entry that lives for ever.
func put(r *watch.Recorder, key string, op *watch.Operation, born uint64, tags ...cascade.Tag) {
	r.Stored(key, func() watch.Entry { return watch.Entry{Op: op, Tags: tags, Born: born, Size: 10, Live: always} })
}

// Clients choose names, documents and variables; none of it may grow what is held.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	limits := watch.Limits{Entries: 300, Tags: 2000, Removals: 200, Operations: 20, Views: 10, Log: 5, Nodes: 3}
	r := watch.New(watch.Options{Limits: limits})
	defer r.Close()
	r.Watch()
	long := strings.Repeat("x", 10_000)
	for i := range 5000 {
		op := watch.NewOperation(fmt.Sprint(i, long), fmt.Sprint(i, long), []string{fmt.Sprint("view", i%50)})
		var tags []cascade.Tag
		for j := range 1 + i%600 {
			tags = append(tags, cascade.Tag{Hash: uint64(i*j + j), Mask: 1})
		}
		key := fmt.Sprint("key", i)
		put(r, key, op, 0, tags...)
		r.Missed(r.Mark(), []byte(key), watch.Nothing) // evicted: makes a removal
		put(r, key, op, 0, tags...)
		r.Served([]byte(key), op, 0)
		r.Count(op, watch.Miss)
		if i%100 == 0 {
			changed := tags[:1]
			r.Begin(watch.Change{Cause: inspect.Cause{Kind: "mutation", Name: op.Name()}, Tags: changed}).Done(1, 0)
			r.Begin(watch.Change{Tags: changed}) // never done
			if err := r.Check(); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := r.Sizes()
	if got.Entries > limits.Entries || got.Entries == 0 || got.Slots > limits.Tags || got.Buckets > limits.Tags || got.Removals > limits.Removals ||
		got.Operations > limits.Operations || got.Views > limits.Views+1 || got.Log > limits.Log || got.Refs > 8*limits.Tags {
		t.Errorf("holds %+v, limits %+v", got, limits)
	}
	s := r.Snapshot(0, nil)
	if len(s.Operations) != limits.Operations+1 || s.Operations[limits.Operations].Name != "(other)" || s.Left == 0 {
		t.Errorf("%d operations, %d entries left out", len(s.Operations), s.Left)
	}
	var hits, misses uint64
	for _, o := range s.Operations {
		hits += o.Hits
		misses += o.Misses
		if len(o.Name) > 130 || len(o.Hash) > 70 {
			t.Errorf("a name of %d bytes, a hash of %d", len(o.Name), len(o.Hash))
		}
	}
	if hits != 5000 || misses != 5000 {
		t.Errorf("operations have %d hits and %d misses, want 5000 each", hits, misses)
	}
}

// Whoever mutates chooses names, keys and how many rows there are: the log stays small
// enough to be sent, and its newest event is there.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	r := watch.New(watch.Options{})
	defer r.Close()
	r.Watch()
	long := strings.Repeat("<", 1<<16)
	var ids []string
	for i := range 1000 {
		ids = append(ids, fmt.Sprint(i, long))
	}
	wide := &cascade.Trace{}
	for range 200 {
		wide.Nodes = append(wide.Nodes, cascade.TraceNode{View: view("v"), Events: []cascade.Event{{Rows: ids}}})
	}
	op := watch.NewOperation("List", "1", nil)
	for i := range 300 {
		tag := cascade.Tag{Hash: uint64(i + 1)}
		put(r, fmt.Sprint(i), op, 0, tag)
		c := watch.Change{Cause: inspect.Cause{Kind: "mutation", Name: long}, Tags: []cascade.Tag{tag}, Trace: wide}
		if i%2 == 1 {
			c = watch.Change{Cause: inspect.Cause{Kind: "peer", Name: long}, Everything: long}
		}
		r.Begin(c).Done(uint64(i+1), 0)
		if why := r.Missed(r.Mark(), []byte(fmt.Sprint(i)), watch.Nothing); len(why.Message) > 500 {
			t.Fatalf("a reason of %d bytes", len(why.Message))
		}
	}
	s := r.Snapshot(0, nil)
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 1<<20 {
		t.Errorf("a snapshot of %d bytes", len(b))
	}
	if n := len(s.Log); n < 2 || s.Log[n-1].Seq != s.LogNext {
		t.Errorf("%d events in the log", n)
	}
}

// However large the last change is, it is told.
func TestOneEventIsKept(t *testing.T) {
	t.Parallel()
	r := watch.New(watch.Options{Limits: watch.Limits{LogBytes: 1}})
	defer r.Close()
	r.Watch()
	for i := range 3 {
		r.Begin(watch.Change{Cause: inspect.Cause{Kind: "manual", Name: fmt.Sprint(i)}, Everything: "test"}).Done(uint64(i+1), 0)
	}
	if log := r.Snapshot(0, nil).Log; len(log) != 1 || log[0].Cause.Name != "2" {
		t.Errorf("log %+v", log)
	}
}

// A flood of made-up operations does not push out those that are used.
func TestUsedOperationsStay(t *testing.T) {
	t.Parallel()
	r := watch.New(watch.Options{Limits: watch.Limits{Operations: 5}})
	defer r.Close()
	r.Watch()
	used := watch.NewOperation("Used", "1", nil)
	for range 3 {
		r.Count(used, watch.Miss)
	}
	for i := range 1000 {
		r.Count(watch.NewOperation(fmt.Sprint("Made up ", i), "", nil), watch.Miss)
	}
	if first := r.Snapshot(0, nil).Operations[0]; first.Name != "Used" || first.Misses != 3 {
		t.Errorf("first is %+v", first)
	}
}

// When nobody watches any more, all that was noted is gone, without another call of the
// recorder.
func TestLapse(t *testing.T) {
	t.Parallel()
	held := func(r *watch.Recorder) weak.Pointer[[1 << 16]byte] {
		value := new([1 << 16]byte)
		op := watch.NewOperation("List", "1", nil)
		r.Stored("a", func() watch.Entry {
			return watch.Entry{Op: op, Tags: []cascade.Tag{{Hash: 1}}, Live: func() bool { return value[0] == 0 }}
		})
		return weak.Make(value)
	}
	synctest.Test(t, func(t *testing.T) {
		r := watch.New(watch.Options{})
		r.Watch()
		w := held(r)
		runtime.GC()
		if r.Sizes().Entries != 1 || w.Value() == nil {
			t.Fatal("the entry is not held")
		}
		<-time.After(29 * time.Second)
		r.Watch()
		<-time.After(29 * time.Second)
		if !r.Watching() {
			t.Error("off 29 s after the last request")
		}
		<-time.After(3 * time.Second)
		if r.Watching() {
			t.Error("on 32 s after the last request")
		}
		runtime.GC()
		if w.Value() != nil {
			t.Error("what a session held is still held")
		}
		if w := held(r); r.Sizes() != (watch.Sizes{}) {
			t.Errorf("noted while nobody watches: %+v, %v", r.Sizes(), w.Value() != nil)
		}
		r.Watch()
		if got := r.Missed(r.Mark(), []byte("a"), watch.Nothing); got.Code != "miss" {
			t.Errorf("of a key of the session before: %+v", got)
		}
		if got := r.Missed(r.Mark(), []byte("b"), watch.Nothing); got.Code != "cold" {
			t.Errorf("of a key never stored: %+v", got)
		}
		r.Close()
		r.Watch()
		if r.Watching() {
			t.Error("on after Close")
		}
	})
}

// The recorder's clock decides, not that of its timer.
func TestLapseByTheCacheClock(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	r := watch.New(watch.Options{Now: func() time.Time { return now }, For: time.Minute})
	defer r.Close()
	r.Watch()
	put(r, "a", watch.NewOperation("List", "1", nil), 0)
	now = now.Add(time.Minute)
	put(r, "b", watch.NewOperation("List", "1", nil), 0)
	if r.Watching() || r.Sizes() != (watch.Sizes{}) {
		t.Errorf("watching %v, holds %+v", r.Watching(), r.Sizes())
	}
}

func TestUnwatchedAllocatesNothing(t *testing.T) {
	r := watch.New(watch.Options{})
	key, op := []byte("a key of some length"), watch.NewOperation("List", "1", nil)
	name := string(key)
	tags := []cascade.Tag{{Hash: 1}}
	n := allocs.PerRun(100, func() {
		m := r.Mark()
		r.Missed(m, key, watch.Nothing)
		r.Served(key, op, 0)
		r.Count(op, watch.Miss)
		r.Stored(name, func() watch.Entry { return watch.Entry{Op: op, Tags: tags, Live: always} })
		r.Begin(watch.Change{Tags: tags}).Done(1, 0)
		r.Applied("", tags, "", 1)
	})
	if n != 0 {
		t.Errorf("%v allocations while nobody watches", n)
	}
}

// Everything at once; what is left must be whole.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	r := watch.New(watch.Options{Limits: watch.Limits{Entries: 40, Removals: 20, Operations: 5, Tags: 200, Log: 10}})
	defer r.Close()
	r.Watch()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 1500 {
				key := []byte(fmt.Sprint("key", (i*7+g)%60))
				op := watch.NewOperation(fmt.Sprint("op", i%8), "", []string{"v", "w"})
				tags := []cascade.Tag{{Hash: uint64(i % 11), Mask: 1}, {Hash: uint64(i % 7), Mask: 2}}
				parts := []inspect.KeyPart{{Name: "predicate", Fingerprint: fmt.Sprint(i % 3)}}
				m := r.Mark()
				switch (i + g) % 8 {
				case 0, 1, 2:
					r.Stored(string(key), func() watch.Entry {
						return watch.Entry{Op: op, Parts: parts, Tags: tags, Born: uint64(i), Size: i % 5, Live: always}
					})
				case 3:
					r.Missed(m, key, watch.Found(i%3))
					r.Nearest(key, op, parts)
				case 4:
					r.Served(key, op, 0)
				case 5:
					c := watch.Change{Tags: tags, Cleared: i%3 == 0}
					if i%5 == 0 {
						c = watch.Change{Everything: "test", Cleared: true}
					}
					p := r.Begin(c)
					r.Applied("", tags, c.Everything, uint64(i))
					inv := p.Done(uint64(i), 0)
					if inv != nil && inv.Cascade.Nodes[0].Evicted != inv.Evicted.Entries {
						t.Errorf("%+v", inv)
					}
				case 6:
					r.Count(op, watch.Bypass)
					r.Watch()
				case 7:
					r.Snapshot(uint64(i), nil)
				}
			}
		})
	}
	wg.Wait()
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	if got := r.Sizes(); got.Pending != 0 || got.Entries == 0 {
		t.Errorf("holds %+v", got)
	}
}

func TestIndex(t *testing.T) {
	t.Parallel()
	one := func(hash uint64) []cascade.Tag { return []cascade.Tag{{Hash: hash}} }
	fall := func(d *desk, hash uint64) int {
		return d.Begin(watch.Change{Tags: one(hash)}).Done(9, 0).Evicted.Entries
	}
	rows := []struct {
		name string
		do   func(d *desk) int
		want int
	}{
		{"the entry used last stays", func(d *desk) int {
			for i := range 12 {
				put(d.Recorder, fmt.Sprint(i), list, 0, one(uint64(i+1))...)
				d.Served([]byte("0"), list, 0)
			}
			return d.Sizes().Entries*10 + fall(d, 1)
		}, 101},
		{"an entry with too many tags is left out", func(d *desk) int {
			put(d.Recorder, "a", list, 0, make([]cascade.Tag, 26)...)
			return d.Sizes().Entries*10 + int(d.Snapshot(0, nil).Left)
		}, 1},
		{"an older answer does not replace a younger one", func(d *desk) int {
			put(d.Recorder, "a", list, 5, one(1)...)
			put(d.Recorder, "a", list, 3, one(2)...)
			return fall(d, 2)*10 + fall(d, 1)
		}, 1},
		{"an answer that is dead on arrival is left out", func(d *desk) int {
			d.Stored("a", func() watch.Entry { return watch.Entry{Op: list, Live: func() bool { return false }} })
			return d.Sizes().Entries
		}, 0},
		{"a bucket shrinks", func(d *desk) int {
			for i := range 10 {
				put(d.Recorder, fmt.Sprint(i), list, uint64(i), one(1)...)
			}
			d.Begin(watch.Change{Tags: one(1)}).Done(9, 0)
			return max(8, d.Sizes().Refs) // room for one, of ten
		}, 8},
		{"a view counts once for a change", func(d *desk) int {
			tr := &cascade.Trace{Nodes: []cascade.TraceNode{{View: view("v")}, {View: view("v"), Derived: true}}}
			d.Begin(watch.Change{Trace: tr}).Done(1, 0)
			return int(d.Snapshot(0, nil).Views[0].Invalidations)
		}, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, watch.Options{Limits: watch.Limits{Entries: 10, Tags: 100}})
			if got := row.do(d); got != row.want {
				t.Errorf("got %d, want %d", got, row.want)
			}
			if err := d.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is served after all is not missing for the reason of before.
func TestServedEndsAReason(t *testing.T) {
	t.Parallel()
	d := newDesk(t, watch.Options{})
	put(d.Recorder, "a", list, 0)
	if why := d.Missed(d.Mark(), []byte("a"), watch.Nothing); why.Code != "evicted" {
		t.Fatalf("%+v", why)
	}
	d.Served([]byte("a"), list, 0)
	if why := d.Missed(d.Mark(), []byte("a"), watch.Nothing); why.Code != "miss" {
		t.Errorf("%+v", why)
	}
}
