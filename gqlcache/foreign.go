package gqlcache

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// Records that instances with another schema can read, too.
//
// The tags of a record mean something only to who derives them in the same way: the mark says how. A record
// also names the views that the change has reached, by hashes of their names, which no schema decides. An
// instance with another mark drops what depends on those views, whole and in all partitions, and what its own
// schema derives from them. These hold, each with a test that breaks when it does:
//
//  1. Whatever a record may change is under a view that it names, or it names something that is no view of
//     anybody's, so that a foreign reader drops everything.
//  2. A reader drops everything if a name is no view of its own.
//  3. A view of the reader that the publisher's schema does not have is dropped by every foreign record: the
//     publisher could not have named it. Who does not know which views a publisher has drops everything.
//  4. An entry that depends on a view in any way has a tag that a change of the whole view, made outside all
//     partitions, publishes (TestWholeViewsReach in package cascade).
//
// A record begins with
//
//	mark · {namesMark, sum of the publisher's view names} · {build, names<<32 | list} · names, list, two to a tag
//
// where build is not 0 in a change made inside a partition whose name only this build can tell, and the list,
// of all view names of the publisher, is in one record of each introduceEvery: who has seen it knows the sum.

// namesMark tells the second tag of such a record from a tag of anything else.
const namesMark = 0x317365_6d616e_7677 // "wvnames1", little endian

// introduceEvery is how often a record lists all views of its publisher. An instance that has just started, and
// has not seen the list of a schema that is not its own, drops everything with each of its records until it has.
const introduceEvery = 30 * time.Second

// maxPublishers bounds the sets of views that are remembered. Deployments have two or three.
const maxPublishers = 16

// viewNames is what a schema's views are called in records.
type viewNames struct {
	reached map[uint64]*cascade.View // by the tag that each of their changes publishes
	named   map[uint64]*cascade.View // by the hash of their name
	all     []uint64                 // hashes of all names, sorted
	sum     uint64                   // of all
}

func viewNamesOf(p *cascade.Plan) *viewNames {
	n := &viewNames{reached: map[uint64]*cascade.View{}, named: map[uint64]*cascade.View{}}
	for _, v := range p.Views() {
		n.reached[v.ReachedTag()], n.named[v.NameHash()] = v, v
		n.all = append(n.all, v.NameHash())
	}
	slices.Sort(n.all)
	n.sum = sumOf(n.all)
	return n
}

func sumOf(names []uint64) uint64 {
	b := make([]byte, 0, 8*len(names))
	for _, n := range names {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:])
}

// record returns the tags of a record for a change, which are not kept. build is that of the change's partition,
// 0 when every instance of this schema can tell its tags; introduce says that all views are to be listed.
func (st *schemaState) record(tags []cascade.Tag, build uint64, introduce bool) []cascade.Tag {
	var names []uint64
	for _, t := range tags {
		if t.Hash == cascade.Unnamed.Hash {
			names = append(names, t.Hash) // the name of no view
		} else if v := st.names.reached[t.Hash]; v != nil {
			names = append(names, v.NameHash())
		}
	}
	named := len(names)
	if introduce {
		names = append(names, st.names.all...)
	}
	out := make([]cascade.Tag, 0, 3+(len(names)+1)/2+len(tags))
	out = append(out, st.Mark, cascade.Tag{Hash: namesMark, Mask: st.names.sum},
		cascade.Tag{Hash: build, Mask: uint64(named)<<32 | uint64(len(names)-named)})
	for i := 0; i < len(names); i += 2 {
		pair := cascade.Tag{Hash: names[i]}
		if i+1 < len(names) {
			pair.Mask = names[i+1]
		}
		out = append(out, pair)
	}
	return append(out, tags...)
}

// namedRecord is a record of some publisher, taken apart.
type namedRecord struct {
	mark        cascade.Tag
	sum, build  uint64
	names, list []uint64
	tags        []cascade.Tag
}

// parseRecord takes a record's tags apart; false when they are in no form that is known here.
func parseRecord(tags []cascade.Tag) (r namedRecord, ok bool) {
	if len(tags) < 3 || tags[1].Hash != namesMark {
		return r, false
	}
	r.mark, r.sum, r.build = tags[0], tags[1].Mask, tags[2].Hash
	named, listed := tags[2].Mask>>32, tags[2].Mask&(1<<32-1)
	rest := tags[3:]
	pairs := (named + listed + 1) / 2
	if pairs > uint64(len(rest)) {
		return r, false
	}
	words := make([]uint64, 0, 2*pairs)
	for _, t := range rest[:pairs] {
		words = append(words, t.Hash, t.Mask)
	}
	r.names, r.list, r.tags = words[:named], words[named:named+listed], rest[pairs:]
	return r, true
}

// nextRecord returns where the second of several records begins whose tags were joined, 0 when there is one.
func nextRecord(tags []cascade.Tag) int {
	for i := 1; i+1 < len(tags); i++ {
		if tags[i] == tags[0] && tags[i+1].Hash == namesMark {
			return i
		}
	}
	return 0
}

// readable returns the tags that a record's change has here; false when everything may have changed.
func (c *Cache) readable(r changelog.Record) ([]cascade.Tag, bool) {
	if r.All {
		return nil, false
	}
	if second := nextRecord(r.Tags); second > 0 {
		// A log that was out of reach joins the changes that it could not take. Each has names, and a build, of its own.
		first, ok := c.readable(changelog.Record{Tags: r.Tags[:second]})
		if !ok {
			return nil, false
		}
		rest, ok := c.readable(changelog.Record{Tags: r.Tags[second:]})
		return slices.Concat(first, rest), ok
	}
	st := c.schema.Load()
	said, ok := parseRecord(r.Tags)
	if !ok {
		// A program that publishes by hand may leave the names out: only instances of its schema can read it then.
		tags, own := st.signed(r.Tags)
		if !own {
			c.counts.foreign.Add(1)
		}
		return tags, own
	}
	if said.mark == st.Mark {
		if said.build != 0 && said.build != st.build {
			return st.inAllPartitions(said), true
		}
		return said.tags, true
	}
	c.counts.foreign.Add(1)
	return c.translate(st, said)
}

// translate returns the tags of the views that a foreign record names.
func (c *Cache) translate(st *schemaState, said namedRecord) ([]cascade.Tag, bool) {
	publisher, ok := c.publishers.views(said)
	if said.sum == st.names.sum {
		publisher, ok = st.names.all, true
	}
	if !ok || len(said.names) == 0 {
		return nil, false
	}
	var views []*cascade.View
	for _, name := range said.names {
		v := st.names.named[name]
		if v == nil {
			return nil, false
		}
		views = append(views, v)
	}
	for _, name := range st.names.all {
		if _, has := slices.BinarySearch(publisher, name); !has {
			views = append(views, st.names.named[name])
		}
	}
	return st.Plan.Publish(nil, cascade.WholeViews(views), cascade.Partition{}), true
}

// inAllPartitions returns the tags of a change whose partition another build named. Its tags are right but for
// that: what it says of partitioned views is taken for a change in all partitions.
func (st *schemaState) inAllPartitions(said namedRecord) []cascade.Tag {
	var views []*cascade.View
	for _, name := range said.names {
		if v := st.names.named[name]; v != nil && v.Partitioned {
			views = append(views, v)
		}
	}
	if len(views) == 0 {
		return said.tags
	}
	return st.Plan.Publish(slices.Clone(said.tags), cascade.WholeViews(views), cascade.Partition{})
}

// fleetState is what a cache needs to live with other instances.
type fleetState struct {
	born       time.Time // for what is to be measured by a clock that runs
	publishers publishers
	introduced introductions
	looks      lookLimit
	windows    anewAnswers
	buildKey   []byte // begins keys in Options.Shared
}

// publishers remembers the views of other schemas, by the sum of their names.
type publishers struct {
	mu    sync.Mutex // protects bySum
	bySum map[uint64][]uint64
}

// views returns the sorted view names of a record's publisher, which it learns from a record that lists them.
func (p *publishers) views(r namedRecord) ([]uint64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(r.list) > 0 && slices.IsSorted(r.list) && sumOf(r.list) == r.sum {
		if len(p.bySum) >= maxPublishers {
			clear(p.bySum)
		}
		if p.bySum == nil {
			p.bySum = map[uint64][]uint64{}
		}
		p.bySum[r.sum] = slices.Clone(r.list)
	}
	views, ok := p.bySum[r.sum]
	return views, ok
}

// introductions says when this instance lists its views in a record.
type introductions struct{ last atomic.Int64 }

// due reports whether the record at hand is to list them, for one caller at a time.
func (i *introductions) due(since time.Duration) bool {
	last := i.last.Load()
	return (last == 0 || since >= time.Duration(last)+introduceEvery) && i.last.CompareAndSwap(last, max(1, int64(since)))
}

// recorded returns the tags of a record for a change that was made, or is announced, here.
func (c *Cache) recorded(tags []cascade.Tag) []cascade.Tag {
	st := c.schema.Load()
	build := uint64(0)
	if c.opts.Partition != nil && c.opts.PartitionVersion == "" {
		build = st.build
	}
	return st.record(tags, build, c.introduced.due(time.Since(c.born)))
}
