package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/internal/trips/record"
)

// A stay is the time that a goroutine spends in a file, from one move to the next.
type stay struct {
	file  string
	calls []string // the functions and literals of the file that are entered meanwhile
}

// A trip is what a record comes to.
type trip struct {
	name   string
	calls  int
	across int
	funcs  map[string]bool
	files  map[string]bool
	// crossings counts the calls whose caller is in another file, by caller and function.
	crossings map[[2]string]int
	// stays has the stays of each goroutine, in the order in which the goroutines first
	// enter a function: how they take turns is chance.
	stays [][]stay
}

func (t trip) moves() (n int) {
	for _, stays := range t.stays {
		n += len(stays)
	}
	return n
}

// reentered is the number of moves that are not the first one to their file.
func (t trip) reentered() int { return t.moves() - len(t.files) }

// in is the number of files that are in a directory itself.
func (t trip) in(dir string) (n int) {
	for f := range t.files {
		if path.Dir(f) == dir {
			n++
		}
	}
	return n
}

// readTrips reads the records that a test has written, one after the other. With the name
// of a function, from, a trip is only what runs between its first entry and its end.
func readTrips(lines []byte, from string) ([]trip, error) {
	var out []trip
	for d := json.NewDecoder(bytes.NewReader(lines)); ; {
		var r record.Record
		if err := d.Decode(&r); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		if len(r.Events) == 0 {
			return nil, fmt.Errorf("trip %q enters no function", r.Name)
		}
		if from != "" {
			if r.Events = within(r.Events, from); r.Events == nil {
				continue
			}
		}
		out = append(out, count(r))
	}
}

// within returns the events from the first entry of a function to its end, those of other
// goroutines included. It returns nil where the function is not entered.
func within(events []record.Event, function string) []record.Event {
	first := slices.IndexFunc(events, func(e record.Event) bool { return e.Func == function && !e.Literal })
	if first < 0 {
		return nil
	}
	depth := map[uint64]int{}
	var out []record.Event
	for _, e := range events[first:] {
		if !e.End() {
			depth[e.Goroutine]++
		} else if depth[e.Goroutine]--; depth[e.Goroutine] < 0 {
			depth[e.Goroutine] = 0 // the end of what had been entered before
			continue
		}
		out = append(out, e)
		if e.End() && e.Goroutine == events[first].Goroutine && depth[e.Goroutine] == 0 {
			break
		}
	}
	return out
}

func count(r record.Record) trip {
	t := trip{name: r.Name, funcs: map[string]bool{}, files: map[string]bool{}, crossings: map[[2]string]int{}}
	var order []uint64
	byGoroutine := map[uint64][]record.Event{}
	for _, e := range r.Events {
		if byGoroutine[e.Goroutine] == nil {
			order = append(order, e.Goroutine)
		}
		byGoroutine[e.Goroutine] = append(byGoroutine[e.Goroutine], e)
	}
	for _, g := range order {
		t.walk(byGoroutine[g])
	}
	return t
}

// walk adds the events of one goroutine.
func (t *trip) walk(events []record.Event) {
	var stack []record.Event
	var stays []stay
	move := func(file string) {
		if len(stays) == 0 || stays[len(stays)-1].file != file {
			stays = append(stays, stay{file: file})
			t.files[file] = true
		}
	}
	for _, e := range events {
		if e.End() {
			stack = stack[:len(stack)-1]
			if len(stack) > 0 {
				move(stack[len(stack)-1].File)
			}
			continue
		}
		move(e.File)
		name := e.Func
		if e.Literal {
			name = "(in " + name + ")"
		} else {
			t.calls++
			t.funcs[e.File+" "+name] = true
			if len(stack) > 0 && stack[len(stack)-1].File != e.File {
				t.across++
				caller := stack[len(stack)-1]
				t.crossings[[2]string{caller.File + " " + caller.Func, e.File + " " + e.Func}]++
			}
		}
		last := &stays[len(stays)-1]
		last.calls = append(last.calls, name)
		stack = append(stack, e)
	}
	t.stays = append(t.stays, stays)
}

// table writes the trips as a table in Markdown. Files in dir itself are also counted
// apart.
func table(w io.Writer, dir string, trips []trip) error {
	var b strings.Builder
	fmt.Fprintf(&b, "| trip | calls | functions | files (in `%s/`) | calls across files | moves between files | left and re-entered |\n", dir)
	b.WriteString("|---|---|---|---|---|---|---|\n")
	for _, t := range trips {
		fmt.Fprintf(&b, "| %s | %d | %d | %d (%d) | %d | %d | %d |\n",
			t.name, t.calls, len(t.funcs), len(t.files), t.in(dir), t.across, t.moves(), t.reentered())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// list writes a trip file by file, with the functions that are entered in each, those of
// literals in parentheses. Then it writes how often the trip moves to each file, and which
// functions call which in another file.
func (t trip) list(w io.Writer) error {
	var b strings.Builder
	visits := map[string]int{}
	for i, stays := range t.stays {
		if len(t.stays) > 1 {
			fmt.Fprintf(&b, "goroutine %d\n", i+1)
		}
		for _, s := range stays {
			visits[s.file]++
			b.WriteString(strings.TrimRight(fmt.Sprintf("%-40s %s", s.file, strings.Join(s.calls, ", ")), " ") + "\n")
		}
	}
	b.WriteString("\nmoves to each file\n")
	for _, f := range slices.SortedFunc(maps.Keys(visits), func(a, b string) int {
		return cmp.Or(visits[b]-visits[a], strings.Compare(a, b))
	}) {
		fmt.Fprintf(&b, "%4d %s\n", visits[f], f)
	}
	b.WriteString("\ncalls across files\n")
	for _, c := range slices.SortedFunc(maps.Keys(t.crossings), func(a, b [2]string) int {
		return cmp.Or(t.crossings[b]-t.crossings[a], strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1]))
	}) {
		fmt.Fprintf(&b, "%4d %s → %s\n", t.crossings[c], c[0], c[1])
	}
	_, err := io.WriteString(w, b.String())
	return err
}
