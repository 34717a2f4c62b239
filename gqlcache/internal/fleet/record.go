package fleet

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// Records that instances with another schema can read, too.
//
// The tags of a record mean something only to instances that derive them in the same way:
// the mark says how. A record also names the views that the change has reached, by hashes
// of their names, which no schema decides. An instance with another mark drops what
// depends on those views, whole and in all partitions, and what its own schema derives
// from them. These hold, each with a test that breaks when it does:
//
//  1. Whatever a record may change is under a view that it names, or it names something
//     that is no view of anybody's, so that a foreign reader drops everything.
//  2. A reader drops everything if a name is no view of its own.
//  3. A view of the reader that the publisher's schema does not have is dropped by every
//     foreign record: the publisher could not have named it. A reader that does not know
//     which views a publisher has drops everything.
//  4. An entry that depends on a view in any way has a tag that a change of the whole
//     view, made outside all partitions, publishes (TestWholeViewsReach in package
//     cascade).
//
// A record begins with
//
//	mark · {namesMark, sum of the publisher's view names} · {build, names<<32 | list} · names, list, two to a tag
//
// and may go on with the words of changes of rows, which no schema decides:
//
//	{rowsMark, how many} · words
//
// and with those of texts, of which each instance makes its own tags, as AppendText writes
// them:
//
//	{textsMark, how many} · words
//
// where build is not 0 in a change made inside a partition whose name only this build can
// tell, and the list, of all view names of the publisher, is in one record of each
// introduceEvery: a reader that has seen it knows the sum.

// namesMark tells the second tag of such a record from a tag of anything else.
const namesMark = 0x317365_6d616e_7677 // "wvnames1", little endian

// rowsMark tells the words of rows from the tags of a record.
const rowsMark = 0x317377_6f7265_6474 // "tderows1", little endian

// textsMark tells the words of texts.
const textsMark = 0x317374_786574_7764 // "dwtexts1", little endian

// introduceEvery is how often a record lists all views of its publisher. An instance that
// has just started, and has not seen the list of a schema that is not its own, drops
// everything with each of its records until it has.
const introduceEvery = 30 * time.Second

// maxPublishers bounds the sets of views that are remembered. Deployments have two or
// three.
const maxPublishers = 16

// Record returns the tags of a record for a change made outside all partitions, or in a
// partition whose name every instance of this schema can tell. Nothing of it is kept.
func (s *Schema) Record(ch Change) []tag.Tag { return s.record(ch, 0, false) }

// record is Record for a partition that only a build knows, unless that is 0. Introduce
// says that all views are to be listed.
func (s *Schema) record(ch Change, build uint64, introduce bool) []tag.Tag {
	tags := ch.Tags
	var names []uint64
	for _, t := range tags {
		if t.Hash == s.cfg.Unnamed {
			names = append(names, t.Hash) // the name of no view
		} else if v, ok := s.reached[t.Hash]; ok {
			names = append(names, v.Name)
		}
	}
	named := len(names)
	if introduce {
		names = append(names, s.names...)
	}
	out := make([]tag.Tag, 0, 3+(len(names)+1)/2+1+len(ch.Rows)+1+len(ch.Texts)+len(tags))
	out = append(out, s.cfg.Mark, tag.Tag{Hash: namesMark, Mask: s.sum},
		tag.Tag{Hash: build, Mask: uint64(named)<<32 | uint64(len(names)-named)})
	for i := 0; i < len(names); i += 2 {
		pair := tag.Tag{Hash: names[i]}
		if i+1 < len(names) {
			pair.Mask = names[i+1]
		}
		out = append(out, pair)
	}
	if len(ch.Rows) > 0 {
		out = append(append(out, tag.Tag{Hash: rowsMark, Mask: uint64(len(ch.Rows))}), ch.Rows...)
	}
	if len(ch.Texts) > 0 {
		out = append(append(out, tag.Tag{Hash: textsMark, Mask: uint64(len(ch.Texts))}), ch.Texts...)
	}
	return append(out, tags...)
}

// recorded returns the tags of a record for a change that was made, or is announced,
// here.
func (f *Fleet) recorded(ch Change) []tag.Tag {
	build := uint64(0)
	if f.cfg.OwnPartitions {
		build = f.build
	}
	return f.cfg.Schema().record(ch, build, f.introduced.due(f.age()))
}

// namedRecord is a record of some publisher, taken apart.
type namedRecord struct {
	mark        tag.Tag
	sum, build  uint64
	names, list []uint64
	rows, texts []tag.Tag
	tags        []tag.Tag
}

// parseRecord takes a record's tags apart. It returns false when they are in no form that
// is known here.
func parseRecord(tags []tag.Tag) (r namedRecord, ok bool) {
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
	if r.rows, r.tags, ok = cutWords(r.tags, rowsMark); !ok {
		return r, false
	}
	r.texts, r.tags, ok = cutWords(r.tags, textsMark)
	return r, ok
}

// cutWords takes the words behind a mark off the front of tags, if the mark is there.
func cutWords(tags []tag.Tag, mark uint64) (words, rest []tag.Tag, ok bool) {
	if len(tags) == 0 || tags[0].Hash != mark {
		return nil, tags, true
	}
	n := tags[0].Mask
	if n >= uint64(len(tags)) {
		return nil, nil, false
	}
	return tags[1 : n+1], tags[n+1:], true
}

// nextRecord returns where the second of several records begins whose tags were joined, 0
// when there is one.
func nextRecord(tags []tag.Tag) int {
	for i := 1; i+1 < len(tags); i++ {
		if tags[i] == tags[0] && tags[i+1].Hash == namesMark {
			return i
		}
	}
	return 0
}

// readable returns the tags that a record's change has here. It returns false when
// everything may have changed.
func (f *Fleet) readable(r changelog.Record) ([]tag.Tag, bool) {
	if r.All {
		return nil, false
	}
	if second := nextRecord(r.Tags); second > 0 {
		first, ok := f.readable(changelog.Record{Tags: r.Tags[:second]})
		if !ok {
			return nil, false
		}
		rest, ok := f.readable(changelog.Record{Tags: r.Tags[second:]})
		return slices.Concat(first, rest), ok
	}
	s := f.cfg.Schema()
	rec, ok := parseRecord(r.Tags)
	if !ok {
		if len(r.Tags) > 1 && r.Tags[1].Hash == namesMark { // a part of one
			return nil, false
		}
		// A program that publishes by hand may leave the names out: only instances of its
		// schema can read the record then.
		tags, own := s.signed(r.Tags)
		if !own {
			f.Counts.Foreign.Add(1)
		}
		return tags, own
	}
	switch {
	case rec.mark == s.cfg.Mark && (rec.build == 0 || rec.build == f.build):
	case rec.mark == s.cfg.Mark:
		texts, known := ReadTexts(rec.texts)
		if !known || slices.ContainsFunc(texts, func(t Text) bool { return t.Kind == Tenant }) {
			return nil, false // it may call its tenants by other names
		}
		rec.tags = s.inAllPartitions(rec)
	default:
		f.Counts.Foreign.Add(1)
		if len(rec.tags)+len(rec.names) > 0 || len(rec.rows) == 0 {
			if rec.tags, ok = f.translate(s, rec); !ok {
				return nil, false
			}
		}
	}
	return f.reach(Change{Tags: rec.tags, Rows: rec.rows, Texts: rec.texts})
}

// translate returns the tags of the views that a foreign record names.
func (f *Fleet) translate(s *Schema, rec namedRecord) ([]tag.Tag, bool) {
	publisher, ok := f.publishers.views(rec)
	if rec.sum == s.sum {
		publisher, ok = s.names, true
	}
	if !ok || len(rec.names) == 0 {
		return nil, false
	}
	var changed []uint64
	for _, name := range rec.names {
		if _, known := s.named[name]; !known {
			return nil, false
		}
		changed = append(changed, name)
	}
	for _, name := range s.names {
		if _, has := slices.BinarySearch(publisher, name); !has {
			changed = append(changed, name)
		}
	}
	return s.cfg.Whole(nil, changed), true
}

// inAllPartitions returns the tags of a change whose partition another build named. Its
// tags are right but for that: what it says of partitioned views is taken for a change in
// all partitions.
func (s *Schema) inAllPartitions(rec namedRecord) []tag.Tag {
	var changed []uint64
	for _, name := range rec.names {
		if v, ok := s.named[name]; ok && v.Partitioned {
			changed = append(changed, name)
		}
	}
	if len(changed) == 0 {
		return rec.tags
	}
	return s.cfg.Whole(slices.Clone(rec.tags), changed)
}

// publishers remembers the views of other schemas, by the sum of their names.
type publishers struct {
	mu    sync.Mutex // protects bySum
	bySum map[uint64][]uint64
}

// views returns the sorted view names of a record's publisher, which it learns from a
// record that lists them.
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
func (i *introductions) due(age time.Duration) bool {
	last := i.last.Load()
	return (last == 0 || age >= time.Duration(last)+introduceEvery) && i.last.CompareAndSwap(last, max(1, int64(age)))
}
