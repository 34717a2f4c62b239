package keycheck

import (
	"database/sql/driver"
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// TestMemory has a client that sends new operations all the time: memory is bounded, and
// what others have confirmed remains.
func TestMemory(t *testing.T) {
	const most = 1 << 20
	c := newChecker(Options{MaxBytes: most})
	of := func(i int) fill { return by(i, vars{"id": fmt.Sprint("u", i)}, arg(users, fmt.Sprint("u", i))) }
	bad := func(i int) fill {
		f := by(i, nil, arg(posts, fmt.Sprint("u", i)))
		f.key.Document = 1
		return f
	}
	for i := range 2 {
		of(i).run(c)
		bad(i).run(c)
	}
	before := heap()
	for i := range 50_000 {
		f := by(1, vars{"a": "A", "b": i, "c": "C"}, argAt("", posts, 1, "X"), argAt("", posts, 2, fmt.Sprint(i)), argAt("", posts, 3, "A"))
		f.key.Document = uint64(i) + 10
		f.run(c)
	}
	grown := heap() - before
	t.Logf("%d bytes for %d", grown, most)
	if grown > most {
		t.Errorf("%d bytes for %d", grown, most)
	}
	runtime.KeepAlive(c)
	for _, x := range []struct{ bytes, limit int }{
		{c.mu.fresh.bytes, c.mu.fresh.limit}, {c.mu.settled.bytes, c.mu.settled.limit}, {c.mu.pairs.bytes, c.mu.pairs.limit},
	} {
		if x.bytes > x.limit || x.bytes < 0 {
			t.Errorf("%d of %d bytes", x.bytes, x.limit)
		}
	}
	if g := grade(of(7).run(c)); g != shared {
		t.Errorf("what two callers have confirmed is %s", g)
	}
	if g := grade(bad(7).run(c)); g != refused {
		t.Errorf("what was convicted is %s", g)
	}
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestForgotten: what is lost for want of memory is unproven again, never proven.
func TestForgotten(t *testing.T) {
	c := newChecker(Options{MaxBytes: 8 << 10})
	for i := range 3000 {
		f := by(i%2, nil, argAt("", posts, 1, fmt.Sprint("u", i%2)), argAt("", posts, 2, "X"))
		f.key.Document = uint64(i / 2 % 700)
		if g := grade(f.run(c)); g == shared {
			t.Fatalf("computation %d is shared", i)
		}
	}
}

// TestTable: what is asked for stays, and what is not goes.
func TestTable(t *testing.T) {
	size := func(*int) int { return 52 }
	x := table[int]{limit: 2000} // a generation holds ten
	for i := range 100 {
		v := i
		x.put(uint64(i), &v, 52)
		if p := x.get(0, size); p == nil || *p != 0 {
			t.Fatalf("0 is gone after %d", i)
		}
		if n := x.len(); n > 20 {
			t.Fatalf("%d entries", n)
		}
	}
	if x.get(50, size) != nil {
		t.Error("50 is there")
	}
	x.remove(0, 52)
	x.remove(99, 52)
	if x.get(0, size) != nil || x.get(99, size) != nil {
		t.Error("removed, and there")
	}
	x.clear()
	if x.len() != 0 || x.bytes != 0 {
		t.Error("not empty")
	}
}

// TestIndex: an index is as good as a map, in each epoch.
func TestIndex(t *testing.T) {
	var x index
	for epoch := range 5 {
		x.empty()
		if epoch == 3 {
			x.epoch = 1<<32 - 1 // the next one is the first again
		}
		for i := range uint64(300) {
			h := i % 100 << 60 >> 58 // collisions
			h |= i % 100
			if !x.add(h, uint32(i)) || x.add(h, uint32(i)) {
				t.Fatal("added twice, or not")
			}
		}
		for i := range uint64(100) {
			h := i<<60>>58 | i
			got := x.all(nil, h)
			if _, ok := x.first(h); !ok || len(got)%3 != 0 || len(got) == 0 {
				t.Fatalf("epoch %d: %d has %v", epoch, i, got)
			}
		}
		if _, ok := x.first(12345678); ok {
			t.Fatal("a stranger")
		}
	}
}

// TestConcurrent has many goroutines report to one computation, and others judge their own
// at the same time.
func TestConcurrent(t *testing.T) {
	c := newChecker(Options{MaxBytes: 64 << 10})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 50 {
				f := c.Begin(Key{Document: uint64(i % 5), Caller: Caller(g), Variables: vars{"id": fmt.Sprint("u", i)}})
				var inner sync.WaitGroup
				for r := range 4 {
					inner.Go(func() {
						id := fmt.Sprintf("p%d-%d", i, r)
						f.Row("posts", 7, []driver.Value{id, int64(r)})
						f.Argument("posts.author", users, 8, 1, 1, id)
						f.Argument("", users, 9, 1, 1, fmt.Sprint("u", i))
						f.Setting("role", "app")
						f.Literal(uint64(i))
					})
				}
				if i%3 > 0 {
					inner.Wait()
				}
				if v := f.End(); len(v.Convicted) > 0 {
					t.Errorf("refused: %+v", v)
				}
				inner.Wait()
			}
		})
	}
	wg.Wait()
}

// FuzzValues: no value makes the check panic, and one that is a variable is explained.
func FuzzValues(f *testing.F) {
	for _, s := range []string{"", "a", "-007.50", "{1,2}", `["a"]`, "VXNlcjp1MQ==", "%go\\%", "2026-03-01T12:00:00Z", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "+.0", "-", "0.", "É"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := newChecker(Options{})
		for i := range 4 {
			f := by(i, vars{"x": s, "y": []any{s, []byte(s)}}, arg(users, s), argAt("", users, 2, []byte(s)), row(posts, s, []byte(s)),
				argAt("", users, 3, fmt.Sprint(s, i%2)), setting(s, s))
			f.key.Predicate, f.key.Vary, f.key.Literals = s, []string{s}, []any{s}
			v := f.run(c)
			for _, p := range v.Convicted {
				if p.Ordinal != 3 {
					t.Errorf("%q: %+v", s, p)
				}
			}
		}
	})
}
