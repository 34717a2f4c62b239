package redisstore_test

import (
	"context"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"

	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/gqlcache/store/storetest"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

func TestMain(m *testing.M) {
	logging.Disable() // go-redis writes a line to stderr for each connection that fails
	redistest.WaitInParallel(4)
	goleak.VerifyTestMain(m)
}

// patient is a timeout that a busy machine does not reach.
const patient = 10 * time.Second

// newStore makes a store that is closed with the test. Its reads and writes wait long,
// unless the options say otherwise.
func newStore(t testing.TB, opts redisstore.Options) *redisstore.Store {
	t.Helper()
	if opts.ReadTimeout == 0 {
		opts.ReadTimeout = patient
	}
	if opts.WriteTimeout == 0 {
		opts.WriteTimeout = patient
	}
	if opts.Prefix == "" {
		opts.Prefix = "gqlc"
	}
	s, err := redisstore.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// flushed is a store behind a queue whose figures are those of an empty one.
type flushed struct{ *redisstore.Store }

func (s flushed) Stats() store.Stats {
	_ = s.Flush(context.Background())
	return s.Store.Stats()
}

func TestConformance(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client()
	var stores atomic.Int64
	for name, write := range map[string]redisstore.Policy{"behind": redisstore.Behind, "through": redisstore.Through} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T, o storetest.Options) store.Store {
				t.Helper()
				if o.Clock != nil || o.MaxBytes+int64(o.MaxEntries+o.MaxEntryBytes) > 0 {
					return nil // time and memory are Redis's own
				}
				return flushed{newStore(t, redisstore.Options{
					Client: client, Prefix: fmt.Sprint("suite", stores.Add(1)), Write: write, CompressAbove: 4,
				})}
			}, storetest.LastPutWins, storetest.UnknownHoldings)
		})
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	client := redistest.Client(t, "127.0.0.1:1")
	rows := []struct {
		name string
		opts redisstore.Options
		want []string // what the error names; none: no error
	}{
		{"least", redisstore.Options{Client: client, Prefix: "a"}, nil},
		{"nothing", redisstore.Options{}, []string{"Client is nil", "Prefix is not set", "shop-production"}},
		{"brace in prefix", redisstore.Options{Client: client, Prefix: "a{b"}, []string{"Prefix"}},
		{"pattern in prefix", redisstore.Options{Client: client, Prefix: "a*"}, []string{"Prefix"}},
		{"long prefix", redisstore.Options{Client: client, Prefix: strings.Repeat("p", 201)}, []string{"Prefix"}},
		{"prefix with colons", redisstore.Options{Client: client, Prefix: "app:prod/eu-1"}, nil},
		{"unknown policy", redisstore.Options{Client: client, Write: 7}, []string{"Write is 7"}},
		{"no room", redisstore.Options{Client: client, MaxEntryBytes: 10}, []string{"MaxEntryBytes is 10"}},
		{"all negative", redisstore.Options{
			Client: client, CompressAbove: -1, MaxEntryBytes: -1, ReadTimeout: -1, WriteTimeout: -1, CloseTimeout: -1,
			QueueEntries: -1, QueueBytes: -1, MaxCalls: -1, BreakAfter: -1, CoolDown: -1,
		}, []string{"CompressAbove", "MaxEntryBytes", "ReadTimeout", "WriteTimeout", "CloseTimeout", "QueueEntries", "QueueBytes", "MaxCalls", "BreakAfter", "CoolDown"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s, err := redisstore.New(row.opts)
			if (err != nil) != (len(row.want) > 0) || (s == nil) != (err != nil) {
				t.Fatalf("New = %v, %v", s, err)
			}
			if s != nil {
				_ = s.Close()
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func TestClientOptions(t *testing.T) {
	t.Parallel()
	o, err := redisstore.ClientOptions("redis://me:secret@host:7000/3?dial_timeout=5s")
	if err != nil {
		t.Fatal(err)
	}
	if o.Addr != "host:7000" || o.Username != "me" || o.Password != "secret" || o.DB != 3 || o.DialTimeout != 5*time.Second ||
		o.MaxRetries != -1 || o.DialerRetries != 1 || !o.ContextTimeoutEnabled {
		t.Errorf("options %+v", o)
	}
	for _, bad := range []string{
		"", "host:6379", "http://me:secret@host", "redis://me:se cret@host", "redis://me:secret@host:port/0",
		"redis://me:secret@host/secret", "redis://me:secret@host/0?secret=1", "redis://me:%zzsecret@host",
	} {
		if o, err := redisstore.ClientOptions(bad); err == nil || o != nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("ClientOptions(%q) = %v, %v", bad, o, err)
		}
	}
}

// number is a Meta that takes eight bytes.
type number uint64

func (n number) AppendBinary(b []byte) ([]byte, error) {
	return binary.BigEndian.AppendUint64(b, uint64(n)), nil
}

func decodeNumber(b []byte) (encoding.BinaryAppender, error) {
	if len(b) != 8 {
		return nil, errors.New("no number")
	}
	return number(binary.BigEndian.Uint64(b)), nil
}

// failing is a Meta that cannot be written.
type failing struct{}

var errFailing = errors.New("cannot be written")

func (failing) AppendBinary(b []byte) ([]byte, error) { return b, errFailing }

// sample is an entry that fills every part of a value.
func sample(body string) *store.Entry {
	return &store.Entry{Body: []byte(body), Version: 7, Size: 500, Meta: number(99), Expires: time.Now().Add(time.Hour)}
}

func mustPut(t testing.TB, s store.Store, key string, e *store.Entry) {
	t.Helper()
	if err := s.Put(t.Context(), []byte(key), e); err != nil {
		t.Fatalf("Put(%q): %v", key, err)
	}
}

// wantHit checks the body and the Meta of what a key holds.
func wantHit(t testing.TB, s store.Store, key string, want *store.Entry) *store.Entry {
	t.Helper()
	e, err := s.Get(t.Context(), []byte(key))
	if err != nil {
		t.Fatalf("Get(%q): %v", key, err)
	}
	if string(e.Body) != string(want.Body) || e.Meta != want.Meta || e.Version != want.Version || e.Size != want.Size {
		t.Fatalf("Get(%q) = %+v, want %+v", key, e, want)
	}
	return e
}

func wantMiss(t testing.TB, s store.Store, key string) {
	t.Helper()
	if e, err := s.Get(t.Context(), []byte(key)); !errors.Is(err, store.ErrMiss) || e != nil {
		t.Fatalf("Get(%q) = %+v, %v; want a miss", key, e, err)
	}
}

// TestSharedByProcesses has two stores of one prefix, one that compresses and one that
// does not.
func TestSharedByProcesses(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	one := newStore(t, redisstore.Options{Client: srv.Client(), Write: redisstore.Through, DecodeMeta: decodeNumber, CompressAbove: 100})
	two := newStore(t, redisstore.Options{Client: srv.Client(), Write: redisstore.Through, DecodeMeta: decodeNumber})
	other := newStore(t, redisstore.Options{Client: srv.Client(), Write: redisstore.Through, DecodeMeta: decodeNumber, Prefix: "gqlc2"})
	for i, body := range []string{"", "short", strings.Repeat("compressible ", 1000)} {
		key := fmt.Sprint("key ", i)
		mustPut(t, one, key, sample(body))
		wantHit(t, two, key, sample(body))
		mustPut(t, two, key, sample(body+"!"))
		wantHit(t, one, key, sample(body+"!"))
		wantMiss(t, other, key)
	}
	mustPut(t, other, "key 0", sample("theirs"))
	if err := one.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, two, "key 0")
	wantHit(t, other, "key 0", sample("theirs"))
}

// TestNothingElseIsTouched looks at the keys of the server itself.
func TestNothingElseIsTouched(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client()
	foreign := []string{"gqlc", "gqlc:q", "gqlc:q:plain", "gqlc:queue:{x}", "xgqlc:q:{x}", "gqlc2:q:{x}"}
	for _, k := range foreign {
		if err := client.Set(t.Context(), k, "theirs", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	s := newStore(t, redisstore.Options{Client: client, Write: redisstore.Through})
	mustPut(t, s, "a", &store.Entry{})
	mustPut(t, s, "b", &store.Entry{})
	n := 0
	for range s.All(t.Context()) {
		n++
	}
	if st := s.Counters(); n != 2 || st.Corrupt != 0 {
		t.Errorf("All yields %d entries, %+v", n, st)
	}
	if keys, err := client.Keys(t.Context(), "gqlc:q:{*}").Result(); err != nil || len(keys) != 2 {
		t.Errorf("keys %q, %v; want two with a hash tag", keys, err)
	}
	if err := s.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := client.DBSize(t.Context()).Result(); err != nil || got != int64(len(foreign)) {
		t.Errorf("%d keys after Clear, %v; want the %d of others", got, err, len(foreign))
	}
}

func TestExpiryIsRediss(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]redisstore.Policy{"behind": redisstore.Behind, "through": redisstore.Through} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := redistest.Start(t)
			// The reader's clock is an hour behind: it must not matter.
			late := func() time.Time { return time.Now().Add(-time.Hour) }
			writer := newStore(t, redisstore.Options{Client: srv.Client(), Write: write})
			reader := newStore(t, redisstore.Options{Client: srv.Client(), Clock: late})
			put := func(key string, ttl time.Duration) {
				mustPut(t, writer, key, &store.Entry{Expires: time.Now().Add(ttl)})
				if err := writer.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			put("k", time.Minute)
			for range 3 {
				before := late()
				e, err := reader.Get(t.Context(), []byte("k"))
				if err != nil {
					t.Fatal(err)
				}
				if left := e.Expires.Sub(before); left > time.Minute || left < time.Minute-patient {
					t.Errorf("%v left, want a little less than a minute", left)
				}
			}
			put("brief", 50*time.Millisecond)
			redistest.Eventually(t, "the end of an entry", func() bool {
				_, err := reader.Get(t.Context(), []byte("brief"))
				return errors.Is(err, store.ErrMiss)
			})
			mustPut(t, writer, "k", &store.Entry{Expires: time.Now().Add(-1)})
			wantMiss(t, writer, "k")
			if err := writer.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantMiss(t, reader, "k")
			mustPut(t, writer, "never", &store.Entry{})
			if e, err := writer.Get(t.Context(), []byte("never")); err != nil || !e.Expires.IsZero() {
				t.Errorf("Get = %+v, %v; want no expiry", e, err)
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	const limit = 10_000
	s := newStore(t, redisstore.Options{Client: srv.Client(), Write: redisstore.Through, MaxEntryBytes: limit, CompressAbove: 1})
	key := "key"
	room := limit - 44 - len(key)
	mustPut(t, s, key, &store.Entry{Body: make([]byte, room)})
	if err := s.Put(t.Context(), []byte(key), &store.Entry{Body: make([]byte, room+1)}); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("Put = %v, want ErrTooLarge: what compresses well is large for readers all the same", err)
	}
	if e, err := s.Get(t.Context(), []byte(key)); err != nil || len(e.Body) != room {
		t.Errorf("Get = %v, %v; the entry before must stay", e, err)
	}
	if st := s.Stats(); st.Refused != 1 || st.Puts != 1 {
		t.Errorf("figures %+v", st)
	}
	// One who allows more writes what this store must not read.
	for name, above := range map[string]int{"plain": 0, "compressed": 1} {
		more := newStore(t, redisstore.Options{Client: srv.Client(), Write: redisstore.Through, CompressAbove: above})
		mustPut(t, more, name, &store.Entry{Body: make([]byte, room+1)})
		wantMiss(t, s, name)
	}
	if c := s.Counters(); c.Corrupt != 2 {
		t.Errorf("figures %+v, want 2 corrupt", c)
	}
}

func TestMetaThatFails(t *testing.T) {
	t.Parallel()
	s := newStore(t, redisstore.Options{Client: redistest.Start(t).Client()})
	if err := s.Put(t.Context(), []byte("k"), &store.Entry{Meta: failing{}}); !errors.Is(err, errFailing) {
		t.Errorf("Put = %v, want the error of Meta", err)
	}
	wantMiss(t, s, "k")
}

func TestDeleteEntryIsByVersion(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]redisstore.Policy{"behind": redisstore.Behind, "through": redisstore.Through} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := redistest.Start(t).Client()
			s := newStore(t, redisstore.Options{Client: client, Write: write, DecodeMeta: decodeNumber})
			mustPut(t, s, "k", sample("body"))
			if err := s.DeleteEntry(t.Context(), []byte("k"), &store.Entry{Version: 6}); err != nil {
				t.Fatal(err)
			}
			_ = s.Flush(t.Context())
			wantHit(t, s, "k", sample("body"))
			if err := s.DeleteEntry(t.Context(), []byte("k"), &store.Entry{Version: 7}); err != nil {
				t.Fatal(err)
			}
			wantMiss(t, s, "k")
			_ = s.Flush(t.Context())
			wantMiss(t, s, "k")
			if n := client.DBSize(t.Context()).Val(); n != 0 {
				t.Errorf("%d keys left", n)
			}
			if st := s.Stats(); st.Deletes != 1 {
				t.Errorf("%d deletes, want 1", st.Deletes)
			}
		})
	}
}

// TestCluster uses a server that is a cluster of one: it refuses commands whose keys are
// in different slots, and scripts that hide their keys.
func TestCluster(t *testing.T) {
	t.Parallel()
	_, bus, _ := net.SplitHostPort(redistest.FreeAddr(t)) // by default it is 10000 above the other, which may be none
	srv := redistest.Start(t, "--cluster-enabled", "yes", "--cluster-port", bus)
	node := srv.Client()
	if err := node.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	redistest.Eventually(t, "the cluster", func() bool {
		return strings.Contains(node.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
	})
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{srv.Addr()}})
	t.Cleanup(func() { _ = client.Close() })
	s := newStore(t, redisstore.Options{Client: client, DecodeMeta: decodeNumber})
	for i := range 300 {
		mustPut(t, s, fmt.Sprint(i), sample(fmt.Sprint(i)))
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	slots := map[int64]bool{}
	for _, k := range node.Keys(t.Context(), "*").Val() {
		slots[node.ClusterKeySlot(t.Context(), k).Val()] = true
	}
	if len(slots) < 250 {
		t.Errorf("300 entries are in %d slots", len(slots))
	}
	seen := 0
	for k, e := range s.All(t.Context()) {
		if string(k) != string(e.Body) {
			t.Errorf("%q holds %q", k, e.Body)
		}
		seen++
	}
	if err := s.DeleteEntry(t.Context(), []byte("5"), sample("5")); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, "5")
	if err := s.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := s.Counters(); seen != 300 || c.WriteErrors+c.ReadErrors+c.Corrupt > 0 || node.DBSize(t.Context()).Val() != 0 {
		t.Errorf("saw %d entries, %+v, %d left", seen, c, node.DBSize(t.Context()).Val())
	}
}
