package redisstore_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

func secret(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

// TestKeys: which stores take what others have put.
func TestKeys(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client()
	for _, row := range []struct {
		name          string
		writer, reads [][]byte
		taken         bool
		above         int
	}{
		{"one key", [][]byte{secret(1)}, [][]byte{secret(1)}, true, 0},
		{"one key, compressed", [][]byte{secret(1)}, [][]byte{secret(1)}, true, 10},
		{"the reader knows the next one", [][]byte{secret(1)}, [][]byte{secret(1), secret(2)}, true, 0},
		{"the writer uses the next one", [][]byte{secret(2), secret(1)}, [][]byte{secret(1), secret(2)}, true, 0},
		{"the writer uses the next one too early", [][]byte{secret(2), secret(1)}, [][]byte{secret(1)}, false, 0},
		{"another key", [][]byte{secret(2)}, [][]byte{secret(1)}, false, 0},
		{"the writer has none", nil, [][]byte{secret(1)}, false, 0},
		{"the reader has none", [][]byte{secret(1)}, nil, false, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			prefix := strings.ReplaceAll(row.name, " ", "-")
			o := redisstore.Options{Client: client, Prefix: prefix, Write: redisstore.Through, CompressAbove: row.above}
			o.Keys = row.writer
			w := newStore(t, o)
			o.Keys = row.reads
			r := newStore(t, o)
			body := bytes.Repeat([]byte("body "), 40)
			if err := w.Put(t.Context(), []byte("k"), &store.Entry{Body: body, Expires: time.Now().Add(time.Minute), Version: 1}); err != nil {
				t.Fatal(err)
			}
			e, err := r.Get(t.Context(), []byte("k"))
			if row.taken {
				if err != nil || !bytes.Equal(e.Body, body) {
					t.Errorf("%v, %v", e, err)
				}
				return
			}
			if !errors.Is(err, store.ErrMiss) || r.Counters().Corrupt != 1 {
				t.Errorf("%v, %v, counters %+v", e, err, r.Counters())
			}
		})
	}
}

// TestEachBitWithKeys: no bit of a value may differ, its checksum put right or not, nor
// may it be under another prefix.
func TestEachBitWithKeys(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client()
	o := redisstore.Options{Client: client, Prefix: "one", Write: redisstore.Through, Keys: [][]byte{secret(7)}}
	s := newStore(t, o)
	key := []byte("k")
	if err := s.Put(t.Context(), key, &store.Entry{Body: []byte(`{"a":1}`), Expires: time.Now().Add(time.Hour), Version: 9}); err != nil {
		t.Fatal(err)
	}
	at := client.Keys(t.Context(), "one:q:*").Val()[0]
	value := []byte(client.Get(t.Context(), at).Val())
	ttl := client.PTTL(t.Context(), at).Val()
	for i := range value {
		for _, reseal := range []bool{false, true} {
			edited := bytes.Clone(value)
			edited[i] ^= 1
			if reseal {
				sealed(edited[:len(edited)-32])
			}
			if bytes.Equal(edited, value) {
				continue
			}
			client.Set(t.Context(), at, edited, ttl)
			if e, err := s.Get(t.Context(), key); !errors.Is(err, store.ErrMiss) {
				t.Errorf("byte %d changed: %v, %v", i, e, err)
			}
		}
	}
	client.Set(t.Context(), at, value, ttl)
	if _, err := s.Get(t.Context(), key); err != nil {
		t.Errorf("the value itself: %v", err)
	}
	o.Prefix = "two"
	other := newStore(t, o)
	client.Set(t.Context(), strings.Replace(at, "one:", "two:", 1), value, ttl)
	if e, err := other.Get(t.Context(), key); !errors.Is(err, store.ErrMiss) {
		t.Errorf("under another prefix: %v, %v", e, err)
	}
}

func TestKeysThatAreTooShort(t *testing.T) {
	t.Parallel()
	_, err := redisstore.New(redisstore.Options{Client: redistest.Client(t, redistest.FreeAddr(t)), Prefix: "a", Keys: [][]byte{secret(1), []byte("short")}})
	if err == nil || !strings.Contains(err.Error(), "Keys[1] has 5 bytes") || strings.Contains(err.Error(), "short") {
		t.Errorf("New: %v", err)
	}
}
