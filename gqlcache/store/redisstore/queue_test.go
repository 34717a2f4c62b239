package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// stalled makes a store behind a Redis that does not answer, whose writer is busy with a
// first write.
func stalled(t *testing.T, opts redisstore.Options) (*redisstore.Store, *redistest.Proxy, *redistest.Server) {
	t.Helper()
	srv := redistest.Start(t)
	p := redistest.NewProxy(t, srv.Addr())
	client := redistest.Client(t, p.Addr())
	pipe := client.Pipeline() // pipelines have connections of their own
	pipe.Ping(t.Context())
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Delay(time.Hour)
	opts.Client, opts.DecodeMeta = client, decodeNumber
	s := newStore(t, opts)
	mustPut(t, s, "first", sample("first"))
	redistest.Eventually(t, "the writer to take the first write", func() bool { return commands(t, srv) > 0 })
	return s, p, srv
}

// commands returns how many SETs a server has seen.
func commands(t testing.TB, s *redistest.Server) int64 {
	t.Helper()
	c := redis.NewClient(s.Options())
	defer c.Close()
	stats, err := c.InfoMap(context.Background(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	_, _ = fmt.Sscanf(stats["Commandstats"]["cmdstat_set"], "calls=%d,", &n)
	return n
}

// TestQueued looks at entries that Redis has not taken yet.
func TestQueued(t *testing.T) {
	t.Parallel()
	s, _, _ := stalled(t, redisstore.Options{CloseTimeout: 10 * time.Millisecond})
	wantHit(t, s, "first", sample("first")) // being written
	mustPut(t, s, "k", sample("body"))
	wantHit(t, s, "k", sample("body"))
	older := sample("older")
	older.Version = 6
	mustPut(t, s, "k", older)
	wantHit(t, s, "k", sample("body"))
	mustPut(t, s, "k", sample("same version"))
	wantHit(t, s, "k", sample("same version"))

	if err := s.DeleteEntry(t.Context(), []byte("k"), older); err != nil {
		t.Fatal(err)
	}
	wantHit(t, s, "k", sample("same version"))
	if err := s.DeleteEntry(t.Context(), []byte("k"), sample("")); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, "k")
	mustPut(t, s, "k", sample("again"))
	wantHit(t, s, "k", sample("again"))
	if err := s.Delete(t.Context(), []byte("k")); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, "k")

	if err := s.DeleteEntry(t.Context(), []byte("first"), sample("")); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, "first")

	brief := sample("brief")
	brief.Expires = time.Now().Add(-1)
	mustPut(t, s, "k", brief)
	wantMiss(t, s, "k")
	if c := s.Counters(); c.Queued != 3 { // first, its deletion, k
		t.Errorf("%d queued, want 3", c.Queued)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := s.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Flush = %v, want the end of the context", err)
	}
}

// TestQueueBounds fills the queue by number and by bytes.
func TestQueueBounds(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		opts redisstore.Options
		body int
	}{
		{"entries", redisstore.Options{QueueEntries: 10}, 1},
		{"bytes", redisstore.Options{QueueBytes: 10_000}, 1000 - 44 - len("key 0") - 8},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.opts.CloseTimeout = 10 * time.Millisecond
			s, _, _ := stalled(t, row.opts)
			e := sample(string(make([]byte, row.body)))
			for i := range 10 {
				mustPut(t, s, fmt.Sprint("key ", i), e)
			}
			if err := s.Put(t.Context(), []byte("one more"), e); !errors.Is(err, redisstore.ErrDropped) {
				t.Errorf("Put = %v, want ErrDropped", err)
			}
			mustPut(t, s, "key 3", e) // in the place of another
			larger := sample(string(make([]byte, row.body+1)))
			if err := s.Put(t.Context(), []byte("key 3"), larger); row.name == "bytes" && !errors.Is(err, redisstore.ErrDropped) {
				t.Errorf("Put = %v, want ErrDropped", err)
			}
			if c := s.Counters(); c.Dropped == 0 || c.Queued != 11 {
				t.Errorf("figures %+v", c)
			}
			// Nobody answers, so Close loses what is queued, and says so.
			if err := s.Close(); !errors.Is(err, redisstore.ErrNotFlushed) {
				t.Errorf("Close = %v, want ErrNotFlushed", err)
			}
		})
	}
}

// TestCloseWritesTheQueue has a Redis that answers again just in time.
func TestCloseWritesTheQueue(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	p := redistest.NewProxy(t, srv.Addr())
	client := redistest.Client(t, p.Addr())
	p.Delay(20 * time.Millisecond)
	s := newStore(t, redisstore.Options{Client: client, OwnClient: true, CloseTimeout: patient})
	for i := range 200 {
		mustPut(t, s, fmt.Sprint(i), &store.Entry{Body: []byte("body")})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := srv.Client().DBSize(t.Context()).Val(); n != 200 {
		t.Errorf("%d entries in Redis, want 200", n)
	}
	if err := client.Ping(t.Context()).Err(); err == nil {
		t.Error("the client is still open")
	}
	if err := s.Put(t.Context(), []byte("k"), &store.Entry{}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Put = %v, want ErrClosed", err)
	}
}

// TestTimeInTheQueue counts: an entry must not live longer for having waited.
func TestTimeInTheQueue(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	p := redistest.NewProxy(t, srv.Addr())
	client := redistest.Client(t, p.Addr())
	s := newStore(t, redisstore.Options{Client: client})
	mustPut(t, s, "warm", &store.Entry{})
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Delay(2 * time.Second)
	mustPut(t, s, "first", &store.Entry{}) // keeps the writer busy
	redistest.Eventually(t, "the first write", func() bool { return commands(t, srv) == 2 })
	ends := time.Now().Add(time.Minute)
	mustPut(t, s, "k", &store.Entry{Expires: ends})
	dies := time.Now().Add(20 * time.Millisecond)
	mustPut(t, s, "dies", &store.Entry{Expires: dies})
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Heal()
	e, err := s.Get(t.Context(), []byte("k"))
	if err != nil || e.Expires.After(ends.Add(time.Second)) {
		t.Errorf("Get = %+v, %v; want an expiry of %v", e, err, ends)
	}
	wantMiss(t, s, "dies")
}
