// Package record writes down which functions a request enters. internal/trips has every
// function of a copy of the code call Enter; code as it is in the tree never calls it, so
// Trip only runs a function.
package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
)

// FileVariable names the environment variable with the file to which Trip appends.
// Without it nothing is recorded.
const FileVariable = "CASCADEQL_TRIPS"

// An Event is the entry of a function, or its end.
type Event struct {
	Goroutine uint64 `json:"g"`
	// File and Func are empty when a function ends: it is the one that its goroutine has
	// entered last.
	File string `json:"file,omitempty"` // from the root of the module
	Func string `json:"func,omitempty"` // "New", "Cache.query"
	// Literal marks a function literal; Func is the declared function around it.
	Literal bool `json:"literal,omitempty"`
}

// End reports whether the event is the end of a function.
func (e Event) End() bool { return e.File == "" }

// A Record is one trip: the events of all goroutines in the order in which they came.
type Record struct {
	Name   string  `json:"name"`
	Events []Event `json:"events"`
}

// recording is a trip under way.
type recording struct {
	mu    sync.Mutex // protects all below
	ended bool
	left  map[uint64]bool // goroutines in Without
	Record
}

var current atomic.Pointer[recording]

// Trip runs a function and records what all goroutines of the process enter meanwhile. It
// is not for concurrent use. What goes on when the function returns is not recorded.
func Trip(name string, f func()) error {
	file := os.Getenv(FileVariable)
	if file == "" {
		f()
		return nil
	}
	r := &recording{Record: Record{Name: name}, left: map[uint64]bool{}}
	if !current.CompareAndSwap(nil, r) {
		return fmt.Errorf("record: trip %q begins within another one", name)
	}
	func() {
		defer r.end()
		f()
	}()
	return r.save(file)
}

func (r *recording) end() {
	current.Store(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}

func (r *recording) save(file string) (err error) {
	b, err := json.Marshal(r.Record)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if e := out.Close(); err == nil {
			err = e
		}
	}()
	_, err = out.Write(append(b, '\n'))
	return err
}

// Without runs a function within a trip whose calls on this goroutine are no part of it:
// a test that waits, by functions of the code, for what the trip does in the background.
func Without(f func()) {
	r := current.Load()
	if r == nil {
		f()
		return
	}
	g := goroutine()
	r.leave(g, true)
	defer r.leave(g, false)
	f()
}

func (r *recording) leave(g uint64, on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left[g] = on
}

// Enter records that a function begins, and returns what records its end: a function
// defers that first of all, so that it also runs when the function panics, or ends its
// goroutine.
func Enter(file, function string, literal bool) func() {
	r := current.Load()
	if r == nil {
		return nothing
	}
	g := goroutine()
	if !r.add(Event{Goroutine: g, File: file, Func: function, Literal: literal}) {
		return nothing
	}
	return func() { r.add(Event{Goroutine: g}) }
}

func nothing() {}

func (r *recording) add(e Event) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || r.left[e.Goroutine] {
		return false
	}
	r.Events = append(r.Events, e)
	return true
}

// goroutine returns the number of the goroutine, which the runtime tells nowhere but in
// stack traces.
func goroutine() uint64 {
	var buf [64]byte
	_, text, _ := bytes.Cut(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	number, _, _ := bytes.Cut(text, []byte(" "))
	n, _ := strconv.ParseUint(string(number), 10, 64)
	return n
}
