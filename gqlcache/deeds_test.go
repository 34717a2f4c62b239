package gqlcache

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

func (l *deeds) names(born uint64) string {
	var list []string
	for _, d := range l.since(born) {
		list = append(list, d.name)
	}
	return strings.Join(list, " ")
}

// happen is a mutation that is over, as of a number, with so many events.
func (l *deeds) happen(name string, number uint64, events int) {
	d := l.begin(time.Time{}, name, nil)
	d.did(make([]cascade.Event, events))
	l.end(d, number)
}

func TestDeedsSince(t *testing.T) {
	t.Parallel()
	var l deeds
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

func TestDeedsAreBounded(t *testing.T) {
	t.Parallel()
	var l deeds
	for i := range maxDeeds + 3 {
		l.happen(fmt.Sprint(i), uint64(i+1), 1)
	}
	got := strings.Fields(l.names(0))
	if len(got) != maxDeeds || got[0] != fmt.Sprint(maxDeeds+2) || got[maxDeeds-1] != "3" {
		t.Errorf("%d deeds, from %s to %s", len(got), got[0], got[len(got)-1])
	}
	d := l.begin(time.Time{}, "wide", nil)
	rows := strings.Fields(strings.Repeat("row ", maxDeedRows+1))
	d.did([]cascade.Event{{Rows: rows}, {Rows: rows[:1]}})
	l.end(d, 10_000)
	e := l.since(9_999)[0].events
	if len(e[0].Rows) != maxDeedRows || !e[0].All || len(e[1].Rows) != 1 || e[1].All {
		t.Errorf("%d rows, all %v; %d rows, all %v", len(e[0].Rows), e[0].All, len(e[1].Rows), e[1].All)
	}
}

// TestDeedsAreSmall: whoever mutates chooses names, keys, values, and how many of them there are.
func TestDeedsAreSmall(t *testing.T) {
	t.Parallel()
	var l deeds
	long := strings.Repeat("x", 1<<20)
	d := l.begin(time.Time{}, long, make([]cascade.Writer, 10_000))
	views := []*cascade.View{{Name: "a"}, {Name: "b"}}
	values := cascade.Known{
		{Column: "long", Values: []cascade.Value{cascade.ValueOf(long)}},
		{Column: "short", Values: []cascade.Value{cascade.ValueOf("x"), cascade.Null}},
		{Column: "many", Values: make([]cascade.Value, maxDeedValues+1)},
	}
	var events []cascade.Event
	for i := range 10_000 {
		events = append(events, cascade.Event{View: views[i%2], Rows: []string{"short", long}, Old: values, New: values})
	}
	d.did(events[:10])
	d.did(events[10:])
	l.end(d, 1)
	got := l.since(0)[0]
	if len(got.name) > 2*maxDeedText || len(got.writers) != maxDeedWriters || len(got.events) != maxDeedEvents+len(views) {
		t.Errorf("a name of %d bytes, %d fields, %d events", len(got.name), len(got.writers), len(got.events))
	}
	for i, e := range got.events {
		if i >= maxDeedEvents {
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

func TestDeedsSettle(t *testing.T) {
	t.Parallel()
	var l deeds
	if err := l.settled(t.Context()); err != nil {
		t.Errorf("nothing is running: %v", err)
	}
	d := l.begin(time.Time{}, "running", nil)
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan error)
	go func() { got <- l.settled(ctx) }()
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("settled = %v while one is running", err)
	}
	go func() { got <- l.settled(t.Context()) }()
	l.end(d, 1)
	if err := <-got; err != nil {
		t.Errorf("settled = %v", err)
	}
}

// TestDeedsKeepNoDocuments: a key and a value are kept, not the documents that they are a part of.
func TestDeedsKeepNoDocuments(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 1000) + "key value"
	key, value := text[1000:1003], text[1004:]
	kept := remembered(&cascade.Event{
		Rows: []string{key}, New: cascade.Known{{Column: "c", Values: []cascade.Value{cascade.ValueOf(value)}}},
	})
	if kept.Rows[0] != key || unsafe.StringData(kept.Rows[0]) == unsafe.StringData(key) {
		t.Error("the key is a part of the document")
	}
	if v := kept.New[0].Values[0].String(); v != value || unsafe.StringData(v) == unsafe.StringData(value) {
		t.Error("the value is a part of the document")
	}
}

// TestDeedsAreBoundedInBytes: however many rows with long keys the mutations of a client name, what is remembered
// of them has a bound, and every view that they wrote is named.
func TestDeedsAreBoundedInBytes(t *testing.T) {
	t.Parallel()
	var l deeds
	view := &cascade.View{Name: "View"}
	events := make([]cascade.Event, maxDeedEvents)
	for j := range events {
		events[j].View = view
		for k := range maxDeedRows {
			events[j].Rows = append(events[j].Rows, fmt.Sprintf("%0*d", maxDeedText, k))
		}
	}
	for i := range maxDeeds + 10 {
		d := l.begin(time.Time{}, "m", nil)
		d.did(events)
		l.end(d, uint64(i+1))
		if len(d.events) == 0 || l.bytes > maxDeedBytes+maxDeedRows*4*maxDeedText {
			t.Fatalf("mutation %d: %d events, %d bytes", i, len(d.events), l.bytes)
		}
	}
	sum := 0
	for _, d := range l.past {
		sum += d.bytes
	}
	if sum != l.bytes || sum < maxDeedBytes/2 {
		t.Errorf("%d bytes, and %d by sum", l.bytes, sum)
	}
}
