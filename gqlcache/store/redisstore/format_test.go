package redisstore

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// testFormat is the format of a store that compresses from a length on, and refuses any
// Meta that begins with x.
func testFormat(compressAbove int) *format {
	opts := Options{CompressAbove: compressAbove, MaxEntryBytes: 64 << 10}.withDefaults()
	opts.DecodeMeta = func(b []byte) (encoding.BinaryAppender, error) {
		if len(b) > 0 && b[0] == 'x' {
			return nil, errors.New("refused")
		}
		return Encoded(b), nil
	}
	return newFormat(opts)
}

// TestEachBit flips each bit of a value, and cuts it at each length: none is accepted.
func TestEachBit(t *testing.T) {
	t.Parallel()
	for name, above := range map[string]int{"plain": 0, "compressed": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testFormat(above)
			e := &store.Entry{Body: []byte(strings.Repeat("body ", 20)), Version: 3, Size: 9, Meta: Encoded("meta")}
			key := []byte("key")
			value, err := s.encode(key, e, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.entry(value, key, time.Minute, time.Now()); err != nil {
				t.Fatal(err)
			}
			for bit := range 8 * len(value) {
				value[bit/8] ^= 1 << (bit % 8)
				if e, err := s.entry(value, key, time.Minute, time.Now()); err == nil || e != nil {
					t.Errorf("accepted with bit %d of byte %d flipped", bit%8, bit/8)
				}
				value[bit/8] ^= 1 << (bit % 8)
			}
			for n := range value {
				if _, err := s.entry(value[:n:n], key, time.Minute, time.Now()); err == nil {
					t.Errorf("accepted when cut to %d bytes", n)
				}
			}
		})
	}
}

func TestCompression(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 5000)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	rows := []struct {
		name  string
		body  []byte
		above int
		want  bool
	}{
		{"off", bytes.Repeat([]byte("a"), 5000), 0, false},
		{"below", bytes.Repeat([]byte("a"), 99), 100, false},
		{"at", bytes.Repeat([]byte("a"), 100), 100, true},
		{"noise", noise, 100, false},
		{"empty", nil, 1, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := testFormat(row.above)
			value, err := s.encode([]byte("k"), &store.Entry{Body: row.body}, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := value[3]&flagZstd != 0; got != row.want || got && len(value) >= len(row.body) {
				t.Errorf("compressed is %v with %d of %d bytes, want %v", got, len(value), len(row.body), row.want)
			}
			e, err := s.entry(value, []byte("k"), noExpiry, time.Now())
			if err != nil || !bytes.Equal(e.Body, row.body) {
				t.Errorf("read back %d bytes, %v", len(e.Body), err)
			}
		})
	}
	t.Run("length that does not match", func(t *testing.T) {
		t.Parallel()
		s := testFormat(1)
		for _, announced := range []uint32{999, 1001, 60_000} {
			value, err := s.encode([]byte("k"), &store.Entry{Body: bytes.Repeat([]byte("a"), 1000)}, 0)
			if err != nil {
				t.Fatal(err)
			}
			binary.BigEndian.PutUint32(value[40:], announced)
			binary.BigEndian.PutUint32(value[crcAt:], checksum(value))
			if _, err := s.decode(value); !errors.Is(err, errBody) {
				t.Errorf("%d announced: %v, want errBody", announced, err)
			}
		}
	})
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	asked := time.Unix(1000, 0)
	rows := []struct {
		name      string
		ttl, left time.Duration
		want      time.Duration // from asked; -1 is never
		err       error
	}{
		{"as put", time.Minute, 40 * time.Second, 40*time.Second - time.Millisecond, nil},
		{"just put", time.Minute, time.Minute, time.Minute - time.Millisecond, nil},
		{"for ever", 0, noExpiry, -1, nil},
		{"predecessor had longer", time.Minute, time.Hour, time.Minute - time.Millisecond, nil},
		{"predecessor was for ever", time.Minute, noExpiry, 0, errAge},
		{"no predecessor", time.Minute, noKey, time.Minute, nil},
		{"no predecessor, for ever", 0, noKey, -1, nil},
		{"given an expiry by hand", 0, time.Minute, time.Minute - time.Millisecond, nil},
		{"in its last millisecond", time.Minute, 0, -time.Millisecond, nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := expiry(row.ttl, row.left, asked)
			if !errors.Is(err, row.err) {
				t.Fatalf("error %v, want %v", err, row.err)
			}
			switch {
			case err != nil:
			case row.want == -1:
				if !got.IsZero() {
					t.Errorf("expires %v, want never", got)
				}
			case !got.Equal(asked.Add(row.want)):
				t.Errorf("expires %v after, want %v", got.Sub(asked), row.want)
			}
		})
	}
}

func TestFaultsTellNothing(t *testing.T) {
	t.Parallel()
	secret := errors.New(`redis: can't parse "secret"`)
	err := fault("get", secret)
	if !errors.Is(err, secret) || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "protocol") {
		t.Errorf("fault %q", err)
	}
	if got := diagnose(errors.New("secret")); got != "the call failed" {
		t.Errorf("diagnose = %q", got)
	}
}

// FuzzDecode decodes anything. What is accepted must be what encode would write.
func FuzzDecode(f *testing.F) {
	plain, squeezed := testFormat(0), testFormat(1)
	for _, e := range []*store.Entry{
		{}, {Body: []byte("body"), Version: 1, Size: 2, Meta: Encoded("meta")}, {Meta: Encoded("")},
		{Body: bytes.Repeat([]byte("body "), 100), Meta: Encoded("x")},
	} {
		for _, s := range []*format{plain, squeezed} {
			value, err := s.encode([]byte("key"), e, time.Minute)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(value, true)
			f.Add(value[:len(value)-1], true)
		}
	}
	f.Fuzz(func(t *testing.T, value []byte, seal bool) {
		if seal && len(value) >= headerLen { // else nearly nothing gets past the checksum
			value = bytes.Clone(value)
			value[0], value[1], value[2] = 'g', 'c', layout
			binary.BigEndian.PutUint32(value[crcAt:], checksum(value))
		}
		r, err := plain.decode(value)
		if err != nil {
			return
		}
		if len(r.key)+len(r.meta)+len(r.body) > plain.maxBytes {
			t.Fatalf("%d bytes of a value of %d", len(r.key)+len(r.meta)+len(r.body), len(value))
		}
		e, err := plain.fromRecord(r, time.Minute, time.Unix(0, 0))
		if err != nil || value[3]&flagZstd != 0 {
			return
		}
		again, err := plain.encode(r.key, e, r.ttl)
		if err != nil || !bytes.Equal(again, value) {
			t.Fatalf("written again: %x, %v; was %x", again, err, value)
		}
	})
}

func BenchmarkEncode(b *testing.B) { benchFormat(b, true) }
func BenchmarkDecode(b *testing.B) { benchFormat(b, false) }

func benchFormat(b *testing.B, encode bool) {
	b.Helper()
	body := []byte(strings.Repeat(`{"id":"0b5f2a","title":"some title","author":{"name":"somebody"}},`, 32))
	for name, above := range map[string]int{"2KiB": 0, "2KiB-zstd": 1} {
		b.Run(name, func(b *testing.B) {
			s, key := testFormat(above), bytes.Repeat([]byte("k"), 150)
			e := &store.Entry{Body: body, Meta: Encoded(bytes.Repeat([]byte("t"), 80))}
			value, err := s.encode(key, e, time.Minute)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ReportMetric(float64(len(value)), "bytes")
			for b.Loop() {
				if encode {
					_, _ = s.encode(key, e, time.Minute)
				} else {
					_, _ = s.entry(value, key, time.Minute, time.Time{})
				}
			}
			b.ReportMetric(float64(len(value)), "bytes")
		})
	}
}
