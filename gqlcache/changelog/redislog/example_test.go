package redislog_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
)

// printer is a sink that has no cache.
type printer struct{}

func (printer) Apply(r changelog.Record)   { fmt.Println("changed:", r.Tags) }
func (printer) Flush(epoch, number uint64) { fmt.Println("everything before is void") }

func ExampleNew() {
	client := redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs:                 []string{"localhost:6379"},
		ContextTimeoutEnabled: true, // required
		MaxRetries:            1,
		DialerRetries:         1,
		DialTimeout:           500 * time.Millisecond,
	})
	changes, err := redislog.New(client, redislog.Options{Namespace: "shop", Level: changelog.Strong})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if err := changes.Start(ctx, printer{}); err != nil {
		log.Fatal(err)
	}
	receipt, err := changes.Publish(ctx, []tag.Tag{{Hash: 42, Mask: 1}}, false)
	if err != nil {
		log.Print(err) // kept, and pushed when the server is back
	}
	fmt.Println(receipt.Confirmed, receipt.Position())
	_ = changes.Close()
	_ = client.Close()
}
