package redisstore_test

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// sealed gives a value the checksum of what it holds now, so that only the rules behind
// the checksum can refuse it.
func sealed(v []byte) []byte {
	table := crc32.MakeTable(crc32.Castagnoli)
	binary.BigEndian.PutUint32(v[4:], crc32.Update(crc32.Update(0, table, v[:4]), table, v[8:]))
	return v
}

// TestCorrupt plants each kind of wrong value at the key of an entry. All of them are
// misses, counted, and replaced by the next put.
func TestCorrupt(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client()
	u32 := func(at int, n uint32) func([]byte) []byte {
		return func(v []byte) []byte { binary.BigEndian.PutUint32(v[at:], n); return sealed(v) }
	}
	u64 := func(at int, n uint64) func([]byte) []byte {
		return func(v []byte) []byte { binary.BigEndian.PutUint64(v[at:], n); return sealed(v) }
	}
	set := func(at int, b byte) func([]byte) []byte {
		return func(v []byte) []byte { v[at] = b; return sealed(v) }
	}
	const meta, keyLen = 44, 3 // "key" comes before
	rows := []struct {
		name   string
		change func([]byte) []byte
	}{
		{"empty", func([]byte) []byte { return nil }},
		{"foreign", func([]byte) []byte { return []byte(`{"some":"json, longer than the header of a value is"}`) }},
		{"one byte short", func(v []byte) []byte { return v[:len(v)-1] }},
		{"header only", func(v []byte) []byte { return v[:44] }},
		{"half a header", func(v []byte) []byte { return v[:20] }},
		{"one byte more", func(v []byte) []byte { return append(v, 0) }},
		{"one byte more, sealed", func(v []byte) []byte { return sealed(append(v, 0)) }},
		{"one byte short, sealed", func(v []byte) []byte { return sealed(v[:len(v)-1]) }},
		{"body", func(v []byte) []byte { v[len(v)-1] ^= 1; return v }},
		{"meta", func(v []byte) []byte { v[meta+keyLen] ^= 1; return v }},
		{"version", func(v []byte) []byte { v[8] ^= 1; return v }},
		{"age", func(v []byte) []byte { v[23] ^= 1; return v }},
		{"size", func(v []byte) []byte { v[31] ^= 1; return v }},
		{"checksum", func(v []byte) []byte { v[4] ^= 1; return v }},
		{"a later layout, sealed", set(2, 2)},
		{"an unknown flag, sealed", set(3, 0x82)},
		{"says compressed, sealed", set(3, 3)},
		{"says no meta, sealed", set(3, 0)},
		{"absurd length of the key, sealed", u32(32, 1<<32-1)},
		{"absurd length of meta, sealed", u32(36, 1<<32-1)},
		{"absurd length of the body, sealed", u32(40, 1<<32-1)},
		{"lengths that wrap around, sealed", func(v []byte) []byte {
			binary.BigEndian.PutUint32(v[32:], 1<<31)
			binary.BigEndian.PutUint32(v[36:], 1<<31)
			return sealed(v)
		}},
		{"absurd size, sealed", u64(24, 1<<63)},
		{"absurd age, sealed", u64(16, 1<<63)},
		{"meta that is none, sealed", func(v []byte) []byte {
			binary.BigEndian.PutUint32(v[36:], 7)
			binary.BigEndian.PutUint32(v[40:], 5)
			return sealed(v)
		}},
		{"another key, sealed", func(v []byte) []byte { v[44] = 'K'; return sealed(v) }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			prefix := "corrupt-" + strings.NewReplacer(" ", "-").Replace(row.name)
			s := newStore(t, redisstore.Options{Client: client, Prefix: prefix, Write: redisstore.Through, DecodeMeta: decodeNumber})
			mustPut(t, s, "key", sample("body"))
			at := only(t, client, prefix)
			value, err := client.Get(t.Context(), at).Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if string(sealed(append([]byte(nil), value...))) != string(value) {
				t.Fatal("the test reckons another checksum")
			}
			if err := client.Set(t.Context(), at, row.change(value), time.Hour).Err(); err != nil {
				t.Fatal(err)
			}
			wantMiss(t, s, "key")
			for k := range s.All(t.Context()) {
				t.Errorf("All yields %q", k)
			}
			if c := s.Counters(); c.Corrupt != 2 || c.ReadErrors != 0 {
				t.Errorf("figures %+v, want 2 corrupt", c)
			}
			mustPut(t, s, "key", sample("again"))
			wantHit(t, s, "key", sample("again"))
		})
	}
}

// only returns the one key below a prefix.
func only(t *testing.T, client *redis.Client, prefix string) string {
	t.Helper()
	keys, err := client.Keys(t.Context(), prefix+":*").Result()
	if err != nil || len(keys) != 1 {
		t.Fatalf("keys %q, %v; want one", keys, err)
	}
	return keys[0]
}

// TestMoved has a sound value at the wrong place, and one whose age was taken away or
// shortened.
func TestMoved(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client()
	s := newStore(t, redisstore.Options{Client: client, Write: redisstore.Through, DecodeMeta: decodeNumber})
	mustPut(t, s, "theirs", sample("theirs"))
	theirs := only(t, client, "gqlc")
	mustPut(t, s, "mine", sample("mine"))
	var mine string
	for _, k := range client.Keys(t.Context(), "*").Val() {
		if k != theirs {
			mine = k
		}
	}
	if err := client.Copy(t.Context(), theirs, mine, 0, true).Err(); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, "mine")
	n := 0
	for k := range s.All(t.Context()) {
		if n++; string(k) != "theirs" {
			t.Errorf("All yields %q", k)
		}
	}
	if c := s.Counters(); n != 1 || c.Corrupt != 2 {
		t.Errorf("All yields %d, figures %+v", n, c)
	}
	if err := client.Persist(t.Context(), theirs).Err(); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, "theirs") // it would live for ever
	if err := client.Expire(t.Context(), theirs, time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	if e := wantHit(t, s, "theirs", sample("theirs")); time.Until(e.Expires) > time.Minute {
		t.Errorf("expires in %v, Redis says a minute", time.Until(e.Expires))
	}
	if err := client.Expire(t.Context(), theirs, 100*time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	if e := wantHit(t, s, "theirs", sample("theirs")); time.Until(e.Expires) > time.Hour {
		t.Errorf("expires in %v, it was put for an hour", time.Until(e.Expires))
	}
}

func TestWrongType(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client()
	s := newStore(t, redisstore.Options{Client: client, Write: redisstore.Through, DecodeMeta: decodeNumber, BreakAfter: 1})
	mustPut(t, s, "k", sample("body"))
	at := only(t, client, "gqlc")
	client.Del(t.Context(), at)
	if err := client.RPush(t.Context(), at, "a", "b").Err(); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, "k")
	if err := s.DeleteEntry(t.Context(), []byte("k"), sample("body")); err != nil {
		t.Errorf("DeleteEntry = %v", err)
	}
	for k := range s.All(t.Context()) {
		t.Errorf("All yields %q", k)
	}
	if c := s.Counters(); c.Corrupt != 2 || c.Opened != 0 {
		t.Errorf("figures %+v", c)
	}
	mustPut(t, s, "k", sample("again"))
	wantHit(t, s, "k", sample("again"))
	client.Del(t.Context(), at)
	client.RPush(t.Context(), at, "a")
	if err := s.Delete(t.Context(), []byte("k")); err != nil {
		t.Errorf("Delete = %v", err)
	}
	if n := client.Exists(t.Context(), at).Val(); n != 0 {
		t.Error("Delete left what was there")
	}
}

// TestHugeForeignValue has a value at our key of which no more than the limit may be
// read.
func TestHugeForeignValue(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client()
	s := newStore(t, redisstore.Options{Client: client, Write: redisstore.Through})
	mustPut(t, s, "k", &store.Entry{})
	at := only(t, client, "gqlc")
	patient := redistest.Options(server.Addr())
	patient.ReadTimeout = time.Minute // a busy machine needs seconds to clear so much memory
	large := redis.NewClient(patient)
	defer func() { _ = large.Close() }()
	if err := large.SetRange(t.Context(), at, 200<<20, "end").Err(); err != nil {
		t.Fatal(err)
	}
	before := sent(t, client)
	wantMiss(t, s, "k")
	if n := sent(t, client) - before; n > 2<<20 {
		t.Errorf("Redis has sent %d bytes", n)
	}
	if c := s.Counters(); c.Corrupt != 1 {
		t.Errorf("figures %+v", c)
	}
}

// sent returns how much a server has sent, in bytes.
func sent(t *testing.T, client *redis.Client) int64 {
	t.Helper()
	info, err := client.InfoMap(t.Context(), "stats").Result()
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	for _, c := range info["Stats"]["total_net_output_bytes"] {
		n = n*10 + int64(c-'0')
	}
	return n
}
