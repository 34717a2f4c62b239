package rowtag

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// The bounds of what clients can make: each event publishes a tag for each shape of its
// table.
const (
	maxShapesOfTable = 64
	maxShapes        = 512
	maxTerms         = 4
	maxCombinations  = 64
	// maxValues bounds the values of a single column.
	maxValues = 4 * maxCombinations
)

// generation counts the shapes of the process. A shape's birth is its number. registering
// guards all registrations, or two shapes of two tables could get one number, and a reader
// that has seen the first would rely on the second, which no writer knows yet.
var (
	generation  atomic.Uint64
	registering sync.Mutex
)

// Generation is the number of the newest shape.
//
// A read may rely on a shape only if it was known to every writer whose change the read
// may lack. since is what Generation returned before the request read the clock's number,
// and before any snapshot that the request reads from was opened:
//
//   - A writer commits, makes its tags without shape s, and is published as n. A reader
//     whose since includes s arrived after s was registered, so after the writer's tags
//     were made, so after its commit: it sees the change.
//   - A reader opens a snapshot. A writer commits and makes its tags without s. The
//     reader's next statement registers s, and reads the old state: s is younger than the
//     snapshot, so the read depends on the whole table, and the writer's tags meet it.
//
// A writer makes its tags after its commit. Before, it could make them without s; a reader
// registers s, a second one arrives and reads the old state relying on s; the writer
// commits, and reaches neither.
func Generation() uint64 { return generation.Load() }

// Shapes are those of all tables of one catalog. They may be used concurrently. Another
// catalog has others: a change of the catalog drops every answer.
type Shapes struct {
	handle string
	total  atomic.Int64
	tables map[*catalog.Table]*tableShapes
	byHash map[uint64]*tableShapes
	full   atomic.Bool // a shape was refused since the last sweep
	swept  time.Duration
	sweeps bool // swept is set
	evicts sync.Mutex
}

// tableShapes are those of one table.
type tableShapes struct {
	table   *catalog.Table
	hash    uint64
	columns []uint64 // hashes of the columns' names
	list    atomic.Pointer[[]*shape]
}

// A shape is a set of columns that some read compares.
type shape struct {
	columns []int
	order   int // the column that pages are ordered by, -1 without
	grams   int // a column that is searched, -1 without
	born    uint64
	hash    uint64
	// used says that a read has asked for it since the last sweep, retired that none relies
	// on it any more: see Retire.
	used, retired atomic.Bool
}

// NewShapes returns the shapes of a catalog: none yet. handle is the name of the handle.
func NewShapes(handle string, c *catalog.Catalog) *Shapes {
	s := &Shapes{handle: handle, tables: make(map[*catalog.Table]*tableShapes, len(c.Tables)), byHash: make(map[uint64]*tableShapes, len(c.Tables))}
	for _, t := range c.Tables {
		if s.tables[t] != nil {
			continue // a partition's name stands for its root
		}
		ts := &tableShapes{table: t, hash: s.TableHash(t.Name)}
		for i := range t.Columns {
			ts.columns = append(ts.columns, columnHash(t.Columns[i].Name))
		}
		s.tables[t], s.byHash[ts.hash] = ts, ts
	}
	return s
}

// TableHash identifies a table by its name, the same in all processes.
func (s *Shapes) TableHash(name string) uint64 {
	return mix(mix(xxhash.Sum64String(s.handle)+'t') + xxhash.Sum64String(name))
}

// Table returns the table with a hash, nil when the catalog has none.
func (s *Shapes) Table(hash uint64) *catalog.Table {
	if ts := s.byHash[hash]; ts != nil {
		return ts.table
	}
	return nil
}

// Knows reports whether a table is one of the catalog's.
func (s *Shapes) Knows(t *catalog.Table) bool { return s.tables[t] != nil }

// Full reports whether a shape was refused since the last sweep.
func (s *Shapes) Full() bool { return s.full.Load() }

func columnHash(name string) uint64 { return mix(xxhash.Sum64String(name) + 'c') }

func (t *tableShapes) all() []*shape {
	if p := t.list.Load(); p != nil {
		return *p
	}
	return nil
}

func (t *tableShapes) find(columns []int, order, grams int) *shape {
	for _, s := range t.all() {
		if s.order == order && s.grams == grams && slices.Equal(s.columns, columns) && !s.retired.Load() {
			return s
		}
	}
	return nil
}

// touch notes that a read asks for the shape. It may be called on nil.
func (s *shape) touch() *shape {
	if s != nil && !s.used.Load() {
		s.used.Store(true)
	}
	return s
}

// need returns the shape with these columns, which it registers when there is none. Where
// there is no room, it is the largest known one with some of these columns, and nil where
// there is none.
func (s *Shapes) need(t *tableShapes, columns []int, order, grams int) *shape {
	if found := t.find(columns, order, grams); found != nil {
		return found.touch()
	}
	registering.Lock()
	defer registering.Unlock()
	if found := t.find(columns, order, grams); found != nil {
		return found.touch()
	}
	list := t.all()
	if len(list) >= maxShapesOfTable || s.total.Load() >= maxShapes {
		s.full.Store(true)
		return largest(list, columns).touch()
	}
	born := generation.Load() + 1
	one := &shape{columns: slices.Clone(columns), order: order, grams: grams, born: born, hash: t.shapeHash(columns, order, grams)}
	one.used.Store(true)
	next := append(slices.Clone(list), one)
	t.list.Store(&next) // before generation: who has read it finds the shape in the list
	s.total.Add(1)
	generation.Store(born)
	return one
}

// largest returns the shape with most of the columns, and no others.
func largest(list []*shape, columns []int) (best *shape) {
	for _, s := range list {
		if s.order >= 0 || s.grams >= 0 || s.retired.Load() || best != nil && len(s.columns) <= len(best.columns) {
			continue
		}
		if !slices.ContainsFunc(s.columns, func(c int) bool { return !slices.Contains(columns, c) }) {
			best = s
		}
	}
	return best
}

// shapeHash identifies a shape by names. Its columns are summed up, so that their numbers
// do not matter.
func (t *tableShapes) shapeHash(columns []int, order, grams int) uint64 {
	sum := uint64(0)
	for _, c := range columns {
		sum += mix(t.columns[c] + 's')
	}
	if order >= 0 {
		sum += mix(t.columns[order] + 'w')
	}
	if grams >= 0 {
		sum += mix(t.columns[grams] + 'g')
	}
	return mix(t.hash + sum)
}

// tableTag is that of the reads that rely on no shape.
func (t *tableShapes) tableTag(home Home) uint64 { return mix(t.hash + uint64(home)) }

// A setHash adds up what is known: a home, and see with.
type setHash uint64

// with adds a value of a column.
func (h setHash) with(column uint64, v Value) setHash {
	return h + setHash(mix(mix(column+'v')+uint64(v)))
}

// tag returns the hash of the tag.
func (h setHash) tag(s *shape) uint64 { return mix(s.hash + uint64(h)) }

// gramTag is the hash of the tag of a gram, "" for a text that is not known.
func (s *shape) gramTag(home Home, gram string) uint64 {
	return mix(s.hash + uint64(home) + xxhash.Sum64String(gram))
}
