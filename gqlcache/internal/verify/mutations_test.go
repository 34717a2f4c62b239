package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/cascadeql/cascadeql/cascade"
)

func (l *mutations) names(born uint64) string {
	var list []string
	for _, m := range l.appliedAfter(born) {
		list = append(list, m.name)
	}
	return strings.Join(list, " ")
}

// happen is a mutation that is over, as of a number, with so many events.
func (l *mutations) happen(name string, number uint64, events int) {
	m := l.begin(time.Time{}, name, nil)
	m.Record(make([]cascade.Event, events))
	l.end(m, number)
}

func TestMutationsAppliedAfter(t *testing.T) {
	t.Parallel()
	var l mutations
	l.happen("before", 4, 1)
	l.happen("at", 5, 1)
	l.happen("nothing-at", 5, 0)
	running := l.begin(time.Time{}, "running", nil)
	l.happen("after", 6, 1)
	for _, row := range []struct {
		born uint64
		want string
	}{
		{3, "after nothing-at at before"},
		{5, "after nothing-at"},
		{6, ""},
	} {
		if got := l.names(row.born); got != row.want {
			t.Errorf("since %d: %q, want %q", row.born, got, row.want)
		}
	}
	l.end(running, 7)
	if got := l.names(6); got != "running" {
		t.Errorf("since 6: %q", got)
	}
}

func TestMutationsAreBounded(t *testing.T) {
	t.Parallel()
	var l mutations
	for i := range maxMutations + 3 {
		l.happen(fmt.Sprint(i), uint64(i+1), 1)
	}
	got := strings.Fields(l.names(0))
	if len(got) != maxMutations || got[0] != fmt.Sprint(maxMutations+2) || got[maxMutations-1] != "3" {
		t.Errorf("%d mutations, from %s to %s", len(got), got[0], got[len(got)-1])
	}
	m := l.begin(time.Time{}, "wide", nil)
	rows := strings.Fields(strings.Repeat("row ", maxRows+1))
	m.Record([]cascade.Event{{Rows: rows}, {Rows: rows[:1]}})
	l.end(m, 10_000)
	e := l.appliedAfter(9_999)[0].events
	if len(e[0].Rows) != maxRows || !e[0].All || len(e[1].Rows) != 1 || e[1].All {
		t.Errorf("%d rows, all %v; %d rows, all %v", len(e[0].Rows), e[0].All, len(e[1].Rows), e[1].All)
	}
}

// TestMutationsAreSmall: whoever mutates chooses names, keys, values, and how many of
// them there are.
func TestMutationsAreSmall(t *testing.T) {
	t.Parallel()
	var l mutations
	long := strings.Repeat("x", 1<<20)
	m := l.begin(time.Time{}, long, make([]cascade.Writer, 10_000))
	views := []*cascade.View{{Name: "a"}, {Name: "b"}}
	values := cascade.Known{
		{Column: "long", Values: []cascade.Value{cascade.ValueOf(long)}},
		{Column: "short", Values: []cascade.Value{cascade.ValueOf("x"), cascade.Null}},
		{Column: "many", Values: make([]cascade.Value, maxValues+1)},
	}
	var events []cascade.Event
	for i := range 10_000 {
		events = append(events, cascade.Event{View: views[i%2], Rows: []string{"short", long}, Old: values, New: values})
	}
	m.Record(events[:10])
	m.Record(events[10:])
	l.end(m, 1)
	got := l.appliedAfter(0)[0]
	if len(got.name) > 2*maxText || len(got.writers) != maxWriters || len(got.events) != maxEvents+len(views) {
		t.Errorf("a name of %d bytes, %d fields, %d events", len(got.name), len(got.writers), len(got.events))
	}
	for i, e := range got.events {
		if i >= maxEvents {
			if !e.All || e.View != views[i%2] || e.Columns != cascade.AllColumns {
				t.Errorf("event %d: %+v, want all of a view", i, e)
			}
			continue
		}
		if strings.Join(e.Rows, " ") != "short" || !e.All {
			t.Fatalf("%d rows, all %v", len(e.Rows), e.All)
		}
		for _, k := range []cascade.Known{e.Old, e.New} {
			if len(k) != 1 || k[0].Column != "short" {
				t.Fatalf("values of %d columns", len(k))
			}
		}
	}
	if len(events[0].Rows) != 2 || len(values) != 3 || values[0].Column != "long" {
		t.Error("the mutation's own events were changed")
	}
}

func TestMutationsAreWaitedFor(t *testing.T) {
	t.Parallel()
	var l mutations
	if err := waitFor(t.Context(), l.runningNow()); err != nil {
		t.Errorf("nothing is running: %v", err)
	}
	m := l.begin(time.Time{}, "running", nil)
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan error)
	go func() { got <- waitFor(ctx, []*Mutation{m}) }()
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("waitFor = %v while one is running", err)
	}
	go func() { got <- waitFor(t.Context(), []*Mutation{m}) }()
	l.end(m, 1)
	if err := <-got; err != nil {
		t.Errorf("waitFor = %v", err)
	}
}

// TestMutationsKeepNoDocuments: a key and a value are kept, not the documents that they
// are a part of.
func TestMutationsKeepNoDocuments(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 1000) + "key value"
	key, value := text[1000:1003], text[1004:]
	kept := bounded(&cascade.Event{
		Rows: []string{key}, New: cascade.Known{{Column: "c", Values: []cascade.Value{cascade.ValueOf(value)}}},
	})
	if kept.Rows[0] != key || unsafe.StringData(kept.Rows[0]) == unsafe.StringData(key) {
		t.Error("the key is a part of the document")
	}
	if v := kept.New[0].Values[0].String(); v != value || unsafe.StringData(v) == unsafe.StringData(value) {
		t.Error("the value is a part of the document")
	}
}

// TestMutationsAreBoundedInBytes: however many rows with long keys the mutations of a
// client name, what is remembered of them has a bound, and every view that they wrote is
// named.
func TestMutationsAreBoundedInBytes(t *testing.T) {
	t.Parallel()
	var l mutations
	view := &cascade.View{Name: "View"}
	events := make([]cascade.Event, maxEvents)
	for j := range events {
		events[j].View = view
		for k := range maxRows {
			events[j].Rows = append(events[j].Rows, fmt.Sprintf("%0*d", maxText, k))
		}
	}
	for i := range maxMutations + 10 {
		m := l.begin(time.Time{}, "m", nil)
		m.Record(events)
		l.end(m, uint64(i+1))
		if len(m.events) == 0 || l.bytes > maxEventBytes+maxRows*4*maxText {
			t.Fatalf("mutation %d: %d events, %d bytes", i, len(m.events), l.bytes)
		}
	}
	sum := 0
	for _, m := range l.past {
		sum += m.bytes
	}
	if sum != l.bytes || sum < maxEventBytes/2 {
		t.Errorf("%d bytes, and %d by sum", l.bytes, sum)
	}
}
