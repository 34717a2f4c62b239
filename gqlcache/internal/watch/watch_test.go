package watch_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
)

// A desk is a recorder that is on, with a clock that stands still.
type desk struct {
	*watch.Recorder
	now time.Time
}

func newDesk(t testing.TB, opts watch.Options) *desk {
	t.Helper()
	d := &desk{now: time.Unix(1e9, 0)}
	opts.Now = func() time.Time { return d.now }
	d.Recorder = watch.New(opts)
	d.Watch()
	t.Cleanup(d.Close)
	return d
}

var list, one = watch.NewOperation("List", "1", []string{"post"}), watch.NewOperation("One", "2", []string{"post", "user"})

func view(name string) *cascade.View { return &cascade.View{Name: name} }

func TestReasons(t *testing.T) {
	t.Parallel()
	tag := cascade.Tag{Hash: 1, Mask: 1}
	live := true
	store := func(d *desk) {
		d.Stored("a", func() watch.Entry {
			return watch.Entry{Op: list, Tags: []cascade.Tag{tag}, Born: 5, Expires: d.now.Add(10 * time.Second), Live: func() bool { return live }}
		})
	}
	change := func(d *desk, c watch.Change) { d.Begin(c).Done(6, 0) }
	edit := watch.Change{Cause: inspect.Cause{Kind: "mutation", Name: "EditPost"}, Tags: []cascade.Tag{tag}}
	wipe := watch.Change{Cause: inspect.Cause{Kind: "manual", Name: "Clear"}, Everything: "cleared", Cleared: true}
	rows := []struct {
		name  string
		do    func(d *desk)
		found watch.Found
		want  string
	}{
		{"never stored", func(*desk) {}, watch.Nothing, "cold 0: No answer was ever stored under this key in this process."},
		{"never stored, and the store failed", func(*desk) {}, watch.Unsure, "miss 0: No answer is stored under this key. What became of an earlier one, if there was any, is not known."},
		{"expired", func(d *desk) { store(d); d.now = d.now.Add(10 * time.Second) }, watch.Nothing, "expired 0: The stored answer's time to live was over."},
		{"evicted", store, watch.Nothing, "evicted 0: The store gave up the answer to make room."},
		{"reached by a change", func(d *desk) { store(d); change(d, edit) }, watch.Nothing, "invalidated 1: Dropped by the mutation EditPost."},
		{"found dead, and the change is known", func(d *desk) { store(d); change(d, edit) }, watch.Dead, "invalidated 1: Dropped by the mutation EditPost."},
		{"found dead, and no change was told", store, watch.Dead, "invalidated 0: A change has dropped the stored answer; which one is not known."},
		{"a change after it expired", func(d *desk) {
			store(d)
			d.now = d.now.Add(9500 * time.Millisecond)
			d.Snapshot(0, nil) // looks for what has expired, and not again within a second
			d.now = d.now.Add(500 * time.Millisecond)
			if inv := d.Begin(edit).Done(6, 0); inv.Evicted.Entries != 0 {
				t.Errorf("fell after it expired: %+v", inv.Evicted)
			}
		}, watch.Nothing, "expired 0: The stored answer's time to live was over."},
		{"cleared", func(d *desk) { store(d); change(d, wipe) }, watch.Nothing, "cleared 1: Removed by Clear."},
		{"a change of another instance", func(d *desk) { store(d); d.Applied("b", edit.Tags, "", 6) }, watch.Nothing, "invalidated 1: Dropped by a change in another instance."},
		{"a change that does not meet its columns", func(d *desk) {
			store(d)
			change(d, watch.Change{Tags: []cascade.Tag{{Hash: 1, Mask: 2}}})
		}, watch.Nothing, "evicted 0: The store gave up the answer to make room."},
		{"a change before its computation", func(d *desk) { store(d); d.Begin(edit).Done(5, 0) }, watch.Nothing, "evicted 0: The store gave up the answer to make room."},
		{"while a change is being told", func(d *desk) { store(d); d.Begin(wipe) }, watch.Nothing, "miss 0: No answer is stored under this key. What became of an earlier one, if there was any, is not known."},
		{"a change without a name", func(d *desk) {
			store(d)
			change(d, watch.Change{Cause: inspect.Cause{Kind: "mutation"}, Everything: "undeclared"})
		}, watch.Nothing, "invalidated 1: Dropped by the mutation (anonymous)."},
		{"one that a resolver reported", func(d *desk) {
			store(d)
			change(d, watch.Change{Cause: inspect.Cause{Kind: "resolver", Name: "Feed"}, Everything: "touched"})
		}, watch.Nothing, "invalidated 1: Dropped by a change that a resolver reported in Feed."},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, watch.Options{})
			row.do(d)
			for range 2 { // asking changes nothing
				why := d.Missed(d.Mark(), []byte("a"), row.found)
				if got := fmt.Sprintf("%s %d: %s", why.Code, why.Seq, why.Message); got != row.want {
					t.Errorf("got %s, want %s", got, row.want)
				}
			}
		})
	}
}

// What another request stores between a lookup and its miss says nothing of the lookup.
func TestMissedOvertaken(t *testing.T) {
	t.Parallel()
	d := newDesk(t, watch.Options{})
	m := d.Mark()
	put(d.Recorder, "a", list, 0)
	if why := d.Missed(m, []byte("a"), watch.Nothing); why.Code != "miss" {
		t.Errorf("stored meanwhile: %+v", why)
	}
	m = d.Mark()
	put(d.Recorder, "a", list, 0, cascade.Tag{Hash: 1})
	d.Begin(watch.Change{Tags: []cascade.Tag{{Hash: 1}}}).Done(1, 0)
	if why := d.Missed(m, []byte("a"), watch.Nothing); why.Code != "miss" {
		t.Errorf("stored and dropped meanwhile: %+v", why)
	}
	m = d.Mark()
	d.now = d.now.Add(time.Minute)
	d.Watch()
	put(d.Recorder, "a", list, 0)
	if why := d.Missed(m, []byte("a"), watch.Nothing); why.Code != "miss" {
		t.Errorf("looked up in another session: %+v", why)
	}
	if why := d.Missed(watch.Mark{}, []byte("a"), watch.Nothing); why.Code != "miss" {
		t.Errorf("looked up before somebody watched: %+v", why)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	parts := func(variables, predicate string) []inspect.KeyPart {
		return []inspect.KeyPart{{Name: "operation", Fingerprint: "o"}, {Name: "variables", Fingerprint: variables}, {Name: "predicate", Fingerprint: predicate}}
	}
	stored := func(d *desk, key string, op *watch.Operation, p []inspect.KeyPart) {
		d.Stored(key, func() watch.Entry { return watch.Entry{Op: op, Parts: p, Live: always} })
	}
	rows := []struct {
		name string
		do   func(d *desk)
		want string // parts changed; none for no entry
	}{
		{"no entry", func(*desk) {}, "none"},
		{"another operation", func(d *desk) { stored(d, "b", one, parts("v", "p")) }, "none"},
		{"its own key", func(d *desk) { stored(d, "a", list, parts("v", "p")) }, "none"},
		{"one part differs", func(d *desk) { stored(d, "b", list, parts("w", "p")) }, "variables"},
		{"the most equal parts", func(d *desk) {
			stored(d, "b", list, parts("v", "q"))
			stored(d, "c", list, parts("w", "q"))
		}, "predicate"},
		{"of several the youngest", func(d *desk) {
			stored(d, "b", list, parts("v", "q"))
			stored(d, "c", list, parts("w", "p"))
		}, "variables"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, watch.Options{})
			row.do(d)
			asked := parts("v", "p")
			got := "none"
			if d.Nearest([]byte("a"), list, asked) {
				var changed []string
				for _, p := range asked {
					if p.Changed {
						changed = append(changed, p.Name)
					}
				}
				got = strings.Join(changed, " ")
			}
			if got != row.want {
				t.Errorf("changed: %s, want %s", got, row.want)
			}
		})
	}
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	d := newDesk(t, watch.Options{})
	tag := cascade.Tag{Hash: 1}
	d.Stored("a", func() watch.Entry {
		return watch.Entry{Op: list, Parts: []inspect.KeyPart{{Name: "predicate", Fingerprint: "p"}}, Tags: []cascade.Tag{tag}, Size: 7, Cost: 50 * time.Millisecond, Live: always}
	})
	d.Served([]byte("a"), list, 10*time.Millisecond)
	if hit := d.Served([]byte("a"), list, time.Second); hit != (watch.Hit{Entry: 2}) {
		t.Errorf("a hit that saved nothing: %+v", hit)
	}
	d.now = d.now.Add(time.Second)
	d.Served([]byte("stored before"), one, 0)
	d.Count(one, watch.Miss)
	d.Count(one, watch.Collapsed)
	d.Count(one, watch.Bypass)
	d.Count(nil, watch.Bypass)
	d.now = d.now.Add(time.Second)
	s := d.Snapshot(0, []*cascade.View{view("stats"), view("post")})
	want := watch.Snapshot{
		WatchingSince: 1e12, Saved: 40 * time.Millisecond,
		Series: inspect.Series{StepMS: 1000, End: 1e12 + 3000, Hits: []uint64{2, 1, 0}, Misses: []uint64{0, 2, 0}, Bypasses: []uint64{0, 2, 0}, Invalidations: []uint64{0, 0, 0}},
		Operations: []inspect.OpStats{
			{Name: "One", Hash: "2", Hits: 1, Misses: 2, Bypasses: 1, Views: []string{"post", "user"}},
			{Name: "List", Hash: "1", Hits: 2, Entries: 1, Bytes: 7, SavedMS: 40, Views: []string{"post"}},
		},
		Views: []inspect.ViewStats{
			{Name: "stats", DependsOn: []string{}, Dependents: []string{}},
			{Name: "post", Entries: 1, Hits: 3, Misses: 2, DependsOn: []string{}, Dependents: []string{}},
			{Name: "user", Hits: 1, Misses: 2, DependsOn: []string{}, Dependents: []string{}},
		},
		Log: []inspect.LogEvent{}, Predicates: 1, Entries: 1, Bytes: 7,
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
	d.Begin(watch.Change{Cause: inspect.Cause{Kind: "mutation", Name: "Edit"}, Tags: []cascade.Tag{tag},
		Trace: &cascade.Trace{Nodes: []cascade.TraceNode{{View: view("stats")}, {View: view("post"), Tags: []cascade.Tag{tag}}}}}).Done(1, 0)
	s = d.Snapshot(0, nil)
	last := &inspect.LastInvalidation{Seq: 1, At: d.now.UnixMilli(), Cause: "the mutation Edit"}
	if o := s.Operations[1]; o.Entries != 0 || o.Bytes != 0 || !reflect.DeepEqual(o.LastInvalidation, last) {
		t.Errorf("operation after a change: %+v", o)
	}
	for _, v := range s.Views {
		if n := uint64(strings.Count("stats post", v.Name)); v.Invalidations != n || (n > 0) != reflect.DeepEqual(v.LastInvalidation, last) {
			t.Errorf("view after a change: %+v", v)
		}
	}
	if s.Predicates != 0 || s.LogNext != 1 || s.Series.Invalidations[2] != 1 {
		t.Errorf("after a change: %+v", s)
	}
}

func TestLogCursor(t *testing.T) {
	t.Parallel()
	d := newDesk(t, watch.Options{Limits: watch.Limits{Log: 3}})
	first := d.Begin(watch.Change{Cause: inspect.Cause{Name: "0"}})
	for i := range 5 {
		d.Begin(watch.Change{Cause: inspect.Cause{Name: fmt.Sprint(i + 1)}}).Done(uint64(i), 0)
	}
	first.Done(9, 0) // applied last
	rows := []struct {
		since uint64
		want  string
	}{{0, "4 5 0"}, {3, "4 5 0"}, {4, "5 0"}, {6, ""}, {7, "4 5 0"}} // 7 is of another process
	for _, row := range rows {
		s := d.Snapshot(row.since, nil)
		var got []string
		for _, e := range s.Log {
			got = append(got, e.Cause.Name)
		}
		if strings.Join(got, " ") != row.want || s.LogNext != 6 {
			t.Errorf("after %d: %v, next %d; want %s", row.since, got, s.LogNext, row.want)
		}
	}
	d.now = d.now.Add(time.Hour)
	if s := d.Snapshot(0, []*cascade.View{view("post")}); s.WatchingSince != 0 || s.LogNext != 6 || len(s.Log) != 0 || len(s.Views) != 1 || len(s.Series.Hits) != 1 {
		t.Errorf("while nobody watches: %+v", s)
	}
	d.Watch()
	if inv := d.Begin(watch.Change{}).Done(1, 0); inv.Seq != 7 {
		t.Errorf("the next session's log begins with %d", inv.Seq)
	}
}

// A series of any age has the last two minutes.
func TestSeries(t *testing.T) {
	t.Parallel()
	d := newDesk(t, watch.Options{For: time.Hour})
	for range 130 {
		d.Count(list, watch.Miss)
		d.now = d.now.Add(time.Second)
	}
	got := d.Snapshot(0, nil).Series
	if len(got.Misses) != 120 || got.End != d.now.UnixMilli()+1000 || slices.Contains(got.Misses[:119], 0) || got.Misses[119] != 0 {
		t.Errorf("%+v", got)
	}
	d.now = d.now.Add(10 * time.Minute)
	d.Count(list, watch.Miss)
	d.now = d.now.Add(-time.Minute) // a clock set back
	d.Count(list, watch.Miss)
	if got := d.Snapshot(0, nil).Series; len(got.Misses) != 120 || got.Misses[119] != 2 || slices.Max(got.Misses[:119]) != 0 {
		t.Errorf("after a silence: %+v", got)
	}
}
