package inspector

import (
	"container/list"
	"crypto/sha256"
	"strings"
	"sync"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

const (
	maxSamples = 1000 // entries of which the rows are remembered
	// MaxRows bounds the rows that are remembered of an entry.
	MaxRows  = 20
	maxRowID = 80
)

// sample is what is remembered, of some entries, for explanations: the rows that the
// answer shows. It is found by a hash of the key, and does not hold the entry: keys have
// the client's variables in them, entries the tags of an answer, and of neither is there
// a bound on 1,000 but the store's own.
type sample struct {
	key   string
	entry any
	rows  []inspect.Row
	count int
}

// samples are those that were used last.
type samples struct {
	mu    sync.Mutex
	byKey map[string]*list.Element
	used  list.List // of *sample, the one used last first
}

// keep remembers a sample, in place of that of the same key.
func (s *samples) keep(x *sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.byKey[x.key]; old != nil {
		old.Value = x
		s.used.MoveToFront(old)
		return
	}
	if s.byKey == nil {
		s.byKey = map[string]*list.Element{}
	}
	s.byKey[x.key] = s.used.PushFront(x)
	if len(s.byKey) > maxSamples {
		last := s.used.Back()
		delete(s.byKey, s.used.Remove(last).(*sample).key)
	}
}

// of returns the sample of a key, nil for none.
func (s *samples) of(key string) *sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.byKey[key]
	if at == nil {
		return nil
	}
	s.used.MoveToFront(at)
	return at.Value.(*sample)
}

// Sample remembers rows that the answer of an entry shows, and how many these are in all.
// entry is compared with that of an Answer, and should not hold the entry in memory: a
// weak pointer does not.
func (i *Inspector) Sample(key string, entry any, rows func() ([]cascade.Row, int)) {
	defer i.shield.Recover()
	x := &sample{key: sampleKey(key), entry: entry, rows: []inspect.Row{}}
	var shown []cascade.Row
	shown, x.count = rows()
	for _, row := range shown {
		if len(row.Key) > maxRowID {
			row.Key = row.Key[:maxRowID] + "…"
		}
		x.rows = append(x.rows, inspect.Row{View: row.View.Name, ID: strings.ToValidUTF8(row.Key, "")})
	}
	i.samples.keep(x)
}

func sampleKey[T ~string | ~[]byte](key T) string {
	sum := sha256.Sum256([]byte(key))
	return string(sum[:])
}

// recall adds the rows that an entry's answer shows, where they are remembered.
func (i *Inspector) recall(x *inspect.Extension, key []byte, entry any) {
	if x.Dependencies == nil {
		return
	}
	if known := i.samples.of(sampleKey(key)); known != nil && known.entry == entry {
		x.Dependencies.RowCount = known.count
		if !i.config.HideIDs {
			x.Dependencies.Rows = known.rows
		}
	}
}
