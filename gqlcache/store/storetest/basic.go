package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

func testMiss(t *testing.T, s *suite) {
	s.wantMiss(t, "absent")
	s.wantMiss(t, "")
	if st := s.Stats(); st.Misses != 2 || st.Hits != 0 {
		t.Errorf("%d hits and %d misses, want 0 and 2", st.Hits, st.Misses)
	}
}

func testPutAndGet(t *testing.T, s *suite) {
	e := entry("body", 7)
	s.put(t, "k", e)
	s.want(t, "k", e)
	s.want(t, "k", e)
	empty := &store.Entry{Meta: meta(1)}
	s.put(t, "empty", empty)
	s.want(t, "empty", empty)
	if st := s.Stats(); st.Hits != 3 || st.Puts != 2 {
		t.Errorf("%d hits and %d puts, want 3 and 2", st.Hits, st.Puts)
	}
}

// testKeysApart uses keys that are prefixes of each other, differ in one byte, or look
// like the separators and the patterns that a store may use itself.
func testKeysApart(t *testing.T, s *suite) {
	long := strings.Repeat("k", 100_000)
	keys := []string{
		"", "\x00", "\x00\x00", "a", "aa", "a\x00", "a\x00b", "a:b", "a*", "*", "a?", "[a]", "{a}", "{a}:b",
		"A", "\xff", "\xff\xfe", "é", "e\u0301", "tenant-1", "tenant-10", "tenant-1\n", " ", long, long + "k",
		string(binaryKey(0)), string(binaryKey(1)),
	}
	for i, k := range keys {
		s.put(t, k, entry(fmt.Sprint("body of ", i), uint64(i)))
	}
	for i, k := range keys {
		s.want(t, k, entry(fmt.Sprint("body of ", i), uint64(i)))
	}
	s.wantHeld(t, int64(len(keys)), int64(100*len(keys)))
	for i, k := range keys {
		noError(t, s.Delete(t.Context(), []byte(k)))
		s.wantMiss(t, k)
		for j, other := range keys[i+1:] {
			s.want(t, other, entry(fmt.Sprint("body of ", i+1+j), uint64(i+1+j)))
		}
	}
}

func binaryKey(last byte) []byte {
	key := make([]byte, 0, 258)
	for i := range 257 {
		key = append(key, byte(i))
	}
	return append(key, last)
}

func testKeyBufferReused(t *testing.T, s *suite) {
	key := []byte("first")
	e := entry("one", 1)
	noError(t, s.Put(t.Context(), key, e))
	copy(key, "other")
	s.want(t, "first", e)
	s.wantMiss(t, "other")

	noError(t, s.Put(t.Context(), key, entry("two", 1)))
	copy(key, "first")
	got, err := s.Get(t.Context(), key)
	noError(t, err)
	copy(key, "xxxxx")
	if string(got.Body) != "one" {
		t.Errorf("body %q after the key changed, want %q", got.Body, "one")
	}
	noError(t, s.Delete(t.Context(), []byte("first")))
	s.want(t, "other", entry("two", 1))
}

func testVersions(t *testing.T, s *suite) {
	older, newer, same := entry("older", 4), entry("newer", 5), entry("same", 5)
	s.put(t, "k", newer)
	if !s.has(LastPutWins) {
		s.put(t, "k", older)
		s.want(t, "k", newer)
		if st := s.Stats(); st.Puts != 1 {
			t.Errorf("%d puts, want 1: a younger entry kept the other out", st.Puts)
		}
	}
	s.put(t, "k", same)
	s.want(t, "k", same)
	s.put(t, "k", entry("newest", 6))
	s.want(t, "k", entry("newest", 6))
	s.wantHeld(t, 1, 100)
	s.wantBalance(t, 2)
}

func testDelete(t *testing.T, s *suite) {
	noError(t, s.Delete(t.Context(), []byte("absent")))
	s.put(t, "a", entry("a", 9))
	s.put(t, "b", entry("b", 1))
	noError(t, s.Delete(t.Context(), []byte("a")))
	s.wantMiss(t, "a")
	s.want(t, "b", entry("b", 1))
	// Counted now: a store that writes later may find that a put has replaced the deletion.
	if st := s.Stats(); st.Deletes != 1 {
		t.Errorf("%d deletes, want 1", st.Deletes)
	}
	// A deleted entry leaves no version behind.
	s.put(t, "a", entry("a again", 1))
	s.want(t, "a", entry("a again", 1))
}

func testDeleteEntry(t *testing.T, s *suite) {
	s.put(t, "k", entry("one", 1))
	one := s.want(t, "k", entry("one", 1))
	s.put(t, "k", entry("two", 2))
	noError(t, s.DeleteEntry(t.Context(), []byte("k"), one))
	two := s.want(t, "k", entry("two", 2))
	noError(t, s.DeleteEntry(t.Context(), []byte("absent"), two))
	noError(t, s.DeleteEntry(t.Context(), []byte("k"), two))
	s.wantMiss(t, "k")
	s.wantHeld(t, 0, 0)
	s.wantBalance(t, 1)
}

func testClose(t *testing.T, s *suite) {
	s.put(t, "k", entry("body", 1))
	held := s.want(t, "k", entry("body", 1))
	noError(t, s.Close())
	noError(t, s.Close())
	ctx, key := t.Context(), []byte("k")
	_, err := s.Get(ctx, key)
	for name, err := range map[string]error{
		"Get":         err,
		"Put":         s.Put(ctx, key, entry("body", 2)),
		"Delete":      s.Delete(ctx, key),
		"DeleteEntry": s.DeleteEntry(ctx, key, held),
		"Clear":       s.Clear(ctx),
	} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", name, err)
		}
	}
	for k := range s.All(ctx) {
		t.Errorf("All yields %q after Close", k)
	}
	if st := s.Stats(); st.Puts != 1 || st.Hits != 1 {
		t.Errorf("the figures are lost: %+v", st)
	}
}
