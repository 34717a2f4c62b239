package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/memstore"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/gqlcache/store/tiered"
)

// A Redis that is not there costs a miss, and the tier in memory goes on.
func Example() {
	options, err := redisstore.ClientOptions("redis://user:password@127.0.0.1:1/0")
	if err != nil {
		fmt.Println(err)
		return
	}
	shared, err := redisstore.New(redisstore.Options{
		Client: redis.NewClient(options), OwnClient: true, Prefix: "shop",
		CompressAbove: 4 << 10, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	memory, err := memstore.New(memstore.Options{MaxBytes: 64 << 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := tiered.New(tiered.Options{
		Tiers: []tiered.Tier{
			{Name: "memory", Store: memory, TTLFactor: 0.5},
			{Name: "redis", Store: shared, Outside: true},
		},
		// The cache proves here that nothing which the entry depends on has changed.
		Adopt: func(_ []byte, e *store.Entry) (*store.Entry, bool) { return e, true },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()

	ctx := context.Background()
	_, err = s.Get(ctx, []byte("key"))
	fmt.Println("miss:", errors.Is(err, store.ErrMiss))
	if err := s.Put(ctx, []byte("key"), &store.Entry{Body: []byte("answer")}); err != nil {
		fmt.Println(err)
	}
	e, err := s.Get(ctx, []byte("key"))
	fmt.Println(string(e.Body), err)
	// Output:
	// miss: true
	// answer <nil>
}
