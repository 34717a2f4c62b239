package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
)

// joinPatience is how long a start waits to be taken in by the other instances. A server
// that cannot reach Redis starts all the same: it answers from the database, and refuses
// mutations.
const joinPatience = 5 * time.Second

// A cluster is what several instances of the server share: Redis, as a second tier of the
// cache and as the log of what changed.
type cluster struct {
	client redis.UniversalClient
	log    *redislog.Log
	store  *redisstore.Store
}

// newCluster connects an instance over the database of that name to the others over the
// same one.
func newCluster(url, database string) (*cluster, error) {
	opts, err := redisstore.ClientOptions(url)
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	client := redis.NewClient(opts)
	// The contract leaves no grace period: a mutation is acknowledged when no instance
	// can show what was before it.
	log, err := redislog.New(client, redislog.Options{Namespace: database, Level: changelog.Strong})
	if err != nil {
		return nil, err
	}
	shared, err := redisstore.New(redisstore.Options{
		Client: client, Prefix: "gqlc-" + database, DecodeMeta: gqlcache.DecodeMeta,
	})
	if err != nil {
		return nil, err
	}
	return &cluster{client, log, shared}, nil
}

// join waits until the instance may serve cached answers and write.
func (c *cluster) join(ctx context.Context, out io.Writer) {
	ctx, cancel := context.WithTimeout(ctx, joinPatience)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for !c.log.Fresh() {
		select {
		case <-ctx.Done():
			fmt.Fprintln(out, "Redis has not answered yet: until it does, nothing is cached and mutations are refused")
			return
		case <-poll.C:
		}
	}
}
