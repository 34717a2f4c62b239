package main

import (
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/internal/trips/record"
)

// sample is a module whose trips can be counted by hand.
var sample = map[string]string{
	"go.mod": "module example.org/sample\n\ngo 1.24\n",
	"sample/api.go": `package sample

import "example.org/sample/part"

// One calls two functions of another file, one of them twice.
func One() int { return square(2) + square(3) + part.Part{}.Half(4) }

// Twice hands a literal to another file, which calls it twice.
func Twice() (n int) {
	twice(func() { n += one() })
	return n
}

func one() int { return 1 }

// Panics survives a panic that comes from another file.
func Panics() {
	defer func() { _ = recover() }()
	fails()
	one()
}

// Apart waits for a function on a goroutine of its own.
func Apart() {
	done := make(chan struct{})
	go leaves(done)
	<-done
	one()
}
`,
	"sample/other.go": `package sample

import "runtime"

func square(n int) int { return n * n }

func twice(f func()) { f(); f() }

func fails() { panics() }

func panics() { panic("on purpose") }

func leaves(done chan struct{}) {
	defer close(done)
	exits()
}

func exits() { runtime.Goexit() }
`,
	"part/part.go": `package part

type Part struct{}

func (Part) Half(n int) int { return n / 2 }
`,
	"sample/sample_test.go": `package sample_test

import (
	"testing"

	"example.org/sample/internal/trips/record"
	"example.org/sample/sample"
)

func TestTrips(t *testing.T) {
	for _, trip := range []struct {
		name string
		run  func()
	}{
		{"one", func() { sample.One() }},
		{"twice", func() { sample.Twice() }},
		{"panics", sample.Panics},
		{"apart", sample.Apart},
		{"without", func() {
			sample.One()
			record.Without(func() { sample.One() })
		}},
	} {
		if err := record.Trip(trip.name, trip.run); err != nil {
			t.Fatal(err)
		}
	}
	sample.One() // no part of a trip
}
`,
}

// TestSample counts the trips of a module that were counted by hand.
func TestSample(t *testing.T) {
	t.Parallel()
	trips := tripsOf(t, sample)
	rows := []struct {
		name                                            string
		calls, funcs, files, in, across, moves, reenter int
	}{
		// api › other › api › other › api › part › api
		{"one", 4, 3, 3, 2, 3, 7, 4},
		// api › other › api (the literal, one) › other › api › other › api
		{"twice", 4, 3, 2, 2, 1, 7, 5},
		// api › other (fails, panics) › api (the deferred literal); one is not reached
		{"panics", 3, 3, 2, 2, 1, 3, 1},
		// api, and on the other goroutine: other (leaves, exits)
		{"apart", 4, 4, 2, 2, 0, 2, 0},
		{"without", 4, 3, 3, 2, 3, 7, 4},
	}
	if len(trips) != len(rows) {
		t.Fatalf("%d trips, want %d", len(trips), len(rows))
	}
	for i, want := range rows {
		got := trips[i]
		if got.name != want.name || got.calls != want.calls || len(got.funcs) != want.funcs || len(got.files) != want.files ||
			got.in("sample") != want.in || got.across != want.across || got.moves() != want.moves || got.reentered() != want.reenter {
			t.Errorf("%s: %d calls of %d functions in %d files, %d of them in sample, %d across, %d moves, %d to a file again; want %+v",
				got.name, got.calls, len(got.funcs), len(got.files), got.in("sample"), got.across, got.moves(), got.reentered(), want)
		}
	}
	var list strings.Builder
	if err := trips[1].list(&list); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(list.String(), "\n")
	for i := range lines {
		lines[i] = strings.Join(strings.Fields(lines[i]), " ")
	}
	want := "sample/api.go Twice|sample/other.go twice|sample/api.go (in Twice), one|sample/other.go|" +
		"sample/api.go (in Twice), one|sample/other.go|sample/api.go||moves to each file|4 sample/api.go|3 sample/other.go||" +
		"calls across files|1 sample/api.go Twice → sample/other.go twice|"
	if got := strings.Join(lines, "|"); got != want {
		t.Errorf("listed\n%s, want\n%s", got, want)
	}
	var rowsOut strings.Builder
	if err := table(&rowsOut, "sample", trips[:1]); err != nil {
		t.Fatal(err)
	}
	if row := "| one | 4 | 3 | 3 (2) | 3 | 7 | 4 |\n"; !strings.HasSuffix(rowsOut.String(), "|\n"+row) {
		t.Errorf("table\n%s lacks %s", rowsOut.String(), row)
	}
}

// TestWithin: a trip from a function on is what runs until it ends, on all goroutines.
func TestWithin(t *testing.T) {
	t.Parallel()
	in := func(g uint64, function string) record.Event {
		return record.Event{Goroutine: g, File: "a.go", Func: function}
	}
	out := func(g uint64) record.Event { return record.Event{Goroutine: g} }
	literal := record.Event{Goroutine: 1, File: "a.go", Func: "f", Literal: true}
	events := []record.Event{
		in(1, "before"), in(2, "elsewhere"), literal, out(1),
		in(1, "f"), in(1, "f"), out(1), in(2, "beside"), out(2), out(2), out(1),
		in(1, "after"), out(1), out(1),
	}
	want := []record.Event{in(1, "f"), in(1, "f"), out(1), in(2, "beside"), out(2), out(1)}
	if got := within(events, "f"); !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	if got := within(events, "g"); got != nil {
		t.Errorf("events %v of a function that is not entered", got)
	}
}

// TestNoTrips: a test that makes no trip, or one that enters no function, is an error.
func TestNoTrips(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"makes no trip":      `func TestTrips(*testing.T) {}`,
		"enters no function": `func TestTrips(*testing.T) { record.Trip("idle", func() {}) }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, map[string]string{
				"go.mod":         sample["go.mod"],
				"idle/a.go":      "package idle\n",
				"idle/a_test.go": "package idle\n\nimport (\n\t\"example.org/sample/internal/trips/record\"\n\t\"testing\"\n)\n\nvar _ = record.Trip\n\n" + body + "\n",
			})
			if _, err := makeTrips(dir, "idle", "^TestTrips$", ""); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("error %v, want one that it %s", err, name)
			}
		})
	}
}

// TestInstrument: lines keep their numbers, and each function begins with its entry.
func TestInstrument(t *testing.T) {
	t.Parallel()
	const src = `// Package p is documented.
package p // and remarked on

type pair[K comparable, V any] struct{}

func (*pair[K, V]) get() { _ = func() {} }

func external()

var f = func() int { return 1 }
`
	got, err := instrument("p/p.go", "example.org/record", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	const want = `// Package p is documented.
package p; import tripsRecord "example.org/record" // and remarked on

type pair[K comparable, V any] struct{}

func (*pair[K, V]) get() { defer tripsRecord.Enter("p/p.go", "pair.get", false)(); _ = func() { defer tripsRecord.Enter("p/p.go", "pair.get", true)();} }

func external()

var f = func() int { defer tripsRecord.Enter("p/p.go", "a variable", true)(); return 1 }
`
	if string(got) != want {
		t.Errorf("instrumented\n%s, want\n%s", got, want)
	}
	if _, err := format.Source(got); err != nil {
		t.Error(err)
	}
	const empty = "package p\n\nconst C = 1\n"
	if got, err := instrument("p/p.go", "example.org/record", []byte(empty)); err != nil || string(got) != empty {
		t.Errorf("a file without functions becomes %q, %v", got, err)
	}
	if _, err := instrument("p/p.go", "example.org/record", []byte("package")); err == nil {
		t.Error("a file that does not parse is instrumented")
	}
}

func tripsOf(t *testing.T, files map[string]string) []trip {
	t.Helper()
	trips, err := makeTrips(write(t, files), "sample", "^TestTrips$", "")
	if err != nil {
		t.Fatal(err)
	}
	return trips
}

// write writes a module into a directory of its own.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
