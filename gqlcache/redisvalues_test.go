package gqlcache_test

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// newPatientRig makes two instances that a busy machine does not keep from their leases
// and entries.
func newPatientRig(t *testing.T, lease time.Duration) *redisRig {
	t.Helper()
	r := newRedisRig(t)
	for range 2 {
		r.add(nodeSpec{level: changelog.Strong, ttl: lease, readTimeout: 10 * time.Second})
	}
	r.untilFresh()
	return r
}

// entries are the keys and values of the shared store.
func (r *redisRig) entries(t *testing.T) map[string][]byte {
	t.Helper()
	found, err := r.admin.Keys(t.Context(), "gqlc:q:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, key := range found {
		if all[key], err = r.admin.Get(t.Context(), key).Bytes(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// sealed gives the value of an entry the checksum that its bytes call for.
func sealed(v []byte) []byte {
	table := crc32.MakeTable(crc32.Castagnoli)
	binary.BigEndian.PutUint32(v[4:], crc32.Update(crc32.Update(0, table, v[:4]), table, v[8:]))
	return v
}

// metaOf is what the cache has attached to the value of an entry.
func metaOf(v []byte) []byte { return v[44+binary.BigEndian.Uint32(v[32:]):] }

// TestForeignValues: what others have put where entries are, a later version of this
// program included, is no answer. It is a miss, is counted, is told once for each kind,
// and the answer that is computed takes its place.
func TestForeignValues(t *testing.T) { //nolint:tparallel // its parts count the same store's figures
	t.Parallel()
	p := newPatientRig(t, 10*time.Second)
	edit := func(change func([]byte) []byte) func(string, []byte) error {
		return func(key string, v []byte) error {
			return p.admin.Set(t.Context(), key, change(v), time.Minute).Err()
		}
	}
	earlier := map[string]bool{} // keys of the rows before
	for n, row := range []struct {
		name   string
		plant  func(key string, value []byte) error
		logged string // none: it is a good value of another instance
	}{
		{"another program's text", edit(func([]byte) []byte { return []byte(`{"some":"json that is longer than the header of a value is"}`) }), "no value of this package"},
		{"cut off", edit(func(v []byte) []byte { return v[:len(v)-1] }), "checksum does not match"},
		{"a bit of the body", edit(func(v []byte) []byte { v[len(v)-1] ^= 1; return v }), "checksum does not match"},
		{"a bit of the place in the log", edit(func(v []byte) []byte { metaOf(v)[9] ^= 1; return v }), "checksum does not match"},
		{"a later version of the store", edit(func(v []byte) []byte { v[2]++; return sealed(v) }), "of an unknown layout"},
		{"a later version of the cache", edit(func(v []byte) []byte { metaOf(v)[0]++; return sealed(v) }), "meta cannot be decoded"},
		{"half a tag", edit(func(v []byte) []byte {
			binary.BigEndian.PutUint32(v[36:], binary.BigEndian.Uint32(v[36:])-8)
			binary.BigEndian.PutUint32(v[40:], binary.BigEndian.Uint32(v[40:])+8)
			return sealed(v)
		}), "meta cannot be decoded"},
		{"an absurd number of tags", edit(func(v []byte) []byte {
			binary.BigEndian.PutUint32(v[36:], 1<<32-1)
			return sealed(v)
		}), "larger than MaxEntryBytes"},
		{"the entry of another key", func(key string, v []byte) error {
			v[44] ^= 1
			return p.admin.Set(t.Context(), key, sealed(v), time.Minute).Err()
		}, "belongs to another key"},
		{"its age is lost", func(key string, _ []byte) error { return p.admin.Persist(t.Context(), key).Err() }, "its age was changed"},
		{"huge", edit(func([]byte) []byte { return make([]byte, 3<<20) }), "larger than MaxEntryBytes"},
		{"a list", func(key string, _ []byte) error {
			if err := p.admin.Del(t.Context(), key).Err(); err != nil {
				return err
			}
			return p.admin.LPush(t.Context(), key, "x").Err()
		}, "holds something that is no string"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := p.nodes[1].shared.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			for key := range p.entries(t) { // of the row before
				if err := p.admin.Del(t.Context(), key).Err(); err != nil {
					t.Fatal(err)
				}
			}
			const operations = 3
			query := func(i int) string { return fmt.Sprintf("{counter(id:1){value} x%d_%d:__typename}", n, i) }
			eventually(t, "leases", func() bool { return p.nodes[0].log.Fresh() && p.nodes[1].log.Fresh() })
			var want [operations]string
			for i := range want {
				want[i] = string(p.nodes[0].run(t, query(i), nil).Data)
			}
			if err := p.nodes[0].shared.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			planted := p.entries(t)
			for key := range planted {
				if earlier[key] { // a write of the row before that was given up, and came late
					delete(planted, key)
				}
				earlier[key] = true
			}
			if len(planted) != operations {
				t.Fatalf("%d entries, want %d; %+v", len(planted), operations, p.nodes[0].cache.Stats())
			}
			for key, value := range planted {
				if err := row.plant(key, value); err != nil {
					t.Fatal(err)
				}
			}
			before, hits, told := p.nodes[1].shared.Counters(), p.nodes[1].cache.Stats().SharedHits, strings.Count(p.lines[1].String(), row.logged)
			for i, want := range want {
				if got := string(p.nodes[1].run(t, query(i), nil).Data); got != want {
					t.Errorf("answer %s, want %s", got, want)
				}
			}
			after := p.nodes[1].shared.Counters()
			if got := after.Corrupt - before.Corrupt; got != operations || p.nodes[1].cache.Stats().SharedHits != hits {
				t.Errorf("%d are counted of %d, %d were served", got, operations, p.nodes[1].cache.Stats().SharedHits-hits)
			}
			if got := strings.Count(p.lines[1].String(), row.logged); got != max(told, 1) {
				t.Errorf("%d lines with %q, want one", got, row.logged)
			}
		})
	}
	for _, payload := range []string{"counter", "{", "json"} {
		if strings.Contains(p.lines[1].String(), payload) {
			t.Errorf("%q was logged:\n%s", payload, p.lines[1])
		}
	}
	if st := p.nodes[1].cache.Stats(); st.Hits != 0 || st.Misses == 0 {
		t.Errorf("figures %+v", st)
	}
}

// TestHugeAnswers: what is too large for the shared store is kept in this process, what
// is too large for that is not kept. Either is counted, and both are answered.
func TestHugeAnswers(t *testing.T) {
	t.Parallel()
	p := newPatientRig(t, 10*time.Second)
	const limit = 1 << 20 // of both
	const query = "query($t:String){echo(text:$t)}"
	ask := func(n *node, size int) {
		t.Helper()
		empty := len(n.run(t, query, map[string]any{"t": ""}).Data)
		if got := len(n.run(t, query, map[string]any{"t": strings.Repeat("x", size-empty)}).Data); got != size {
			t.Errorf("an answer of %d bytes, want %d", got, size)
		}
	}
	ask(p.nodes[0], limit)
	if err := p.nodes[0].shared.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := p.nodes[0].shared.Stats().Refused; got != 1 {
		t.Errorf("%d refused by the shared store, want one: a value is larger than its body; %+v", got, p.nodes[0].cache.Stats())
	}
	hits := p.nodes[0].cache.Stats().Hits
	ask(p.nodes[0], limit)
	if got := p.nodes[0].cache.Stats().Hits - hits; got != 2 {
		t.Errorf("%d hits, want 2: the answer fits here", got)
	}
	ask(p.nodes[0], limit+1)
	st := p.nodes[0].cache.Stats()
	if st.NotStored[gqlcache.ReasonTooLarge] != 1 || st.StoreErrors != 0 {
		t.Errorf("figures %+v", st)
	}
	if got := len(p.entries(t)); got != 1 {
		t.Errorf("%d shared entries, want the small one alone", got)
	}
}

// TestForeignLog: the keys of the log hold what somebody else has put there, or what a
// later version has. Requests are answered, nothing stale among them, and one line tells.
func TestForeignLog(t *testing.T) {
	t.Parallel()
	const control, stream = "{gqlc:main}:c", "{gqlc:main}:log"
	taken := func(key string) func(*testing.T, *redisRig) {
		return func(t *testing.T, p *redisRig) {
			t.Helper()
			if err := p.admin.Set(t.Context(), key, "somebody else's", 0).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	record := func(payload string) func(*testing.T, *redisRig) {
		return func(t *testing.T, p *redisRig) {
			t.Helper()
			n, err := p.admin.HIncrBy(t.Context(), control, "s", 1).Result()
			if err != nil {
				t.Fatal(err)
			}
			if err := p.admin.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, ID: fmt.Sprintf("%d-0", n), Values: []any{"t", payload, "o", "x"}}).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, row := range []struct {
		name   string
		plant  func(*testing.T, *redisRig)
		logged string
		stops  bool // leases, until the key is gone
		flush  bool
	}{
		{"control key", taken(control), "trouble: Redis does not renew the lease", true, false},
		{"log", taken(stream), "trouble: the log cannot be read", false, false},
		{"a record of a later version", record("\x09 later"), "trouble: a record is of no known kind", false, true},
		{"half a tag", record("\x01half"), "trouble: a record is of no known kind", false, true},
		{"an empty record", record(""), "trouble: a record is of no known kind", false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := newPatientRig(t, patientLease)
			reads := func(value int) {
				t.Helper()
				for _, n := range []*node{p.nodes[0], p.nodes[1]} {
					if got, want := string(n.run(t, readCounter, nil).Data), fmt.Sprintf(`{"counter":{"value":%d}}`, value); got != want {
						t.Errorf("answer %s, want %s", got, want)
					}
				}
			}
			reads(11)
			flushes := p.nodes[1].log.Stats().Flushes
			// A busy machine has such a trouble of its own, before and afterwards.
			lines := func() int { return strings.Count(p.lines[1].String(), row.logged) }
			before := lines()
			row.plant(t, p)
			eventually(t, "a log line", func() bool { reads(11); return lines() > before })
			if row.stops {
				eventually(t, "the end of the lease", func() bool { reads(11); return !p.nodes[1].log.Fresh() })
				if p.nodes[1].cache.Stats().Bypassed[gqlcache.ReasonLease] == 0 {
					reads(11)
				}
				if st := p.nodes[1].cache.Stats(); st.Bypassed[gqlcache.ReasonLease] == 0 {
					t.Errorf("no bypass is counted: %+v", st.Bypassed)
				}
			}
			if got := p.nodes[1].log.Stats().Flushes; row.flush && got == flushes {
				t.Error("nothing was flushed")
			}
			// Flagged or not, a mutation is answered, and seen here at once.
			p.nodes[1].run(t, "mutation{setCounter(id:1,value:12){value}}", nil)
			if got := string(p.nodes[1].run(t, readCounter, nil).Data); got != `{"counter":{"value":12}}` {
				t.Errorf("answer %s after the mutation", got)
			}
			if got := lines() - before; got != 1 {
				t.Errorf("%d lines with %q, want one:\n%s", got, row.logged, p.lines[1])
			}
			if !row.flush {
				if err := p.admin.Del(t.Context(), control, stream).Err(); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, "both to cache and to agree", func() bool {
				if !p.nodes[0].log.Fresh() || !p.nodes[1].log.Fresh() || p.nodes[1].log.Stats().Pending > 0 || !p.nodes[0].log.Applied().Reached(p.nodes[1].log.Applied()) {
					return false
				}
				reads(12)
				hits := p.nodes[0].cache.Stats().Hits
				reads(12)
				return p.nodes[0].cache.Stats().Hits > hits
			})
			if strings.Contains(p.lines[1].String(), "somebody else") {
				t.Errorf("a foreign value was logged:\n%s", p.lines[1])
			}
		})
	}
}
