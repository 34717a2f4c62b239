package values

import (
	"iter"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Other is the name under which values are counted that have none of their own.
	Other = "(other)"

	// maxNames and maxName, in bytes, bound the number of time series elsewhere: a program
	// may make names of what clients send.
	maxNames = 200
	maxName  = 100
)

// Figures are those of the values under keys of one name.
type Figures struct {
	Hits, Shared, Misses, Joined, Abandoned, Fills, Stale, Failures atomic.Uint64
	// FillTime is how long the fills took altogether, in nanoseconds.
	FillTime atomic.Int64
	// usual is how long the slowest of the recent fills took: a maximum that decays.
	usual atomic.Int64

	mu                  sync.Mutex // protects the maps
	bypassed, notStored map[string]uint64
}

// usualDecay is how many shorter fills let the maximum fall to some third of what it was.
const usualDecay = 128

// Filled notes how long a function took that has returned a value.
func (f *Figures) Filled(took time.Duration) {
	f.Fills.Add(1)
	f.FillTime.Add(int64(took))
	old := f.usual.Load()
	if n := int64(took); n >= old {
		f.usual.Store(n)
	} else {
		f.usual.Store(old - (old-n)/usualDecay)
	}
}

// Usual is how long the slowest of the recent fills took, 0 when that is not known.
func (f *Figures) Usual() time.Duration { return time.Duration(f.usual.Load()) }

// Bypass counts a call that was not looked up, by reason.
func (f *Figures) Bypass(why string) { f.count(&f.bypassed, why) }

// Refuse counts a value that was not stored, by reason.
func (f *Figures) Refuse(why string) { f.count(&f.notStored, why) }

func (f *Figures) count(m *map[string]uint64, why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if *m == nil {
		*m = map[string]uint64{}
	}
	(*m)[why]++
}

// Reasons returns the figures by reason. The maps are the caller's.
func (f *Figures) Reasons() (bypassed, notStored map[string]uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.bypassed), maps.Clone(f.notStored)
}

// Names has the figures of all names. The zero value is ready to use.
type Names struct {
	mu    sync.RWMutex // protects the map
	names map[string]*Figures
	other Figures
}

// Of returns the figures of a name.
func (n *Names) Of(name string) *Figures {
	n.mu.RLock()
	f := n.names[name]
	n.mu.RUnlock()
	if f != nil {
		return f
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if f = n.names[name]; f != nil {
		return f
	}
	if len(n.names) >= maxNames || len(name) > maxName {
		return &n.other
	}
	if n.names == nil {
		n.names = map[string]*Figures{}
	}
	f = &Figures{}
	n.names[strings.Clone(name)] = f
	return f
}

// All ranges over the figures of all names, in no order. It holds a lock: the loop must
// not call Of.
func (n *Names) All() iter.Seq2[string, *Figures] {
	return func(yield func(string, *Figures) bool) {
		n.mu.RLock()
		defer n.mu.RUnlock()
		for name, f := range n.names {
			if !yield(name, f) {
				return
			}
		}
		yield(Other, &n.other)
	}
}
