package redisinstances_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/gqlcache/redisinstances"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestOpen: two instances share their answers and hear each other's changes, over a URL
// and over a client, and the client is closed by whom the documentation says.
func TestOpen(t *testing.T) {
	t.Parallel()
	srv, rows := redistest.Start(t), testgraph.NewStore()
	client := srv.Client()
	ask := func(o redisinstances.Options) (*gqlcache.Cache, func(document string) string) {
		o.Name, o.Level = "shop", changelog.Strong
		instances, err := redisinstances.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		cache, err := gqlcache.New(gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Instances: instances})
		if err != nil {
			t.Fatal(err)
		}
		h := testgraph.NewServer(rows, cache)
		redistest.Eventually(t, "the lease", func() bool { return cache.Stats().Log.Fresh })
		return cache, func(document string) string {
			return string(testgraph.Ask(t, h, document, map[string]any{"id": testgraph.Ann}).Data)
		}
	}
	a, askA := ask(redisinstances.Options{URL: "redis://" + srv.Addr()})
	b, askB := ask(redisinstances.Options{Client: client, FillLease: time.Second})
	const read = `query($id:ID!){user(id:$id){name}}`
	before := askA(read)
	redistest.Eventually(t, "the entry", func() bool { return len(client.Keys(t.Context(), "shop:q:*").Val()) == 1 })
	if got := askB(read); got != before || b.Stats().SharedHits != 1 {
		t.Errorf("%s, %+v", got, b.Stats())
	}
	askB(`mutation($id:ID!){renameUser(id:$id,name:"New")}`)
	if got := askA(read); !strings.Contains(got, "New") {
		t.Errorf("%s after a change", got)
	}
	for _, c := range []*gqlcache.Cache{a, b} {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Errorf("the caller's client: %v", err)
	}
}

func TestOpenDefaults(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ set, want time.Duration }{{0, 2 * time.Second}, {-1, 0}, {time.Minute, time.Minute}} {
		i, err := redisinstances.Open(redisinstances.Options{URL: "redis://127.0.0.1:1", Name: "shop", FillLease: row.set})
		if err != nil || i.Log == nil || i.Shared == nil || i.FillLease != row.want {
			t.Fatalf("%v: %+v, %v", row.set, i, err)
		}
		_ = i.Log.Close()
		if err := i.Shared.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestOpenRefuses: every fault is named with what to do, none shows a password, and
// nothing is left open.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	const url = "redis://user:hunter2@127.0.0.1:1"
	client := redistest.Client(t, "127.0.0.1:1")
	for _, row := range []struct {
		name string
		o    redisinstances.Options
		want []string
	}{
		{"nothing", redisinstances.Options{}, []string{"Name is not set", "neither URL nor Client"}},
		{"both", redisinstances.Options{URL: url, Client: client, Name: "shop"}, []string{"both set"}},
		{"no URL of Redis", redisinstances.Options{URL: "http://user:hunter2@example.com", Name: "shop"}, []string{"redis://"}},
		{"a name with spaces", redisinstances.Options{URL: url, Name: "my shop"}, []string{"redislog: ", "Namespace", "Prefix"}},
		{"a name for the store only", redisinstances.Options{URL: url, Name: "shop/a"}, []string{"Namespace"}},
		{"unknown level", redisinstances.Options{URL: url, Name: "shop", Level: 9}, []string{"Level"}},
		{"short keys", redisinstances.Options{Client: client, Name: "shop", Keys: [][]byte{[]byte("hunter2")}}, []string{"Keys"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			i, err := redisinstances.Open(row.o)
			if err == nil || i.Log != nil || i.Shared != nil {
				t.Fatalf("%+v, %v", i, err)
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q tells a secret", err)
			}
		})
	}
}

func ExampleOpen() {
	instances, err := redisinstances.Open(redisinstances.Options{
		URL: "redis://127.0.0.1:1", Name: "shop-production", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	instances.RequireLease = true // refuse mutations while Redis is away
	cache, err := gqlcache.New(gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Instances: instances})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("serves without Redis, from the database:", cache.Health(context.Background()).Serving)
	fmt.Println(cache.Close())
	// Output:
	// serves without Redis, from the database: true
	// <nil>
}
