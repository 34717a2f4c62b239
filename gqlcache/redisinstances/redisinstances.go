// Package redisinstances connects the instances of a server over one Redis, in one call:
//
//	instances, err := redisinstances.Open(redisinstances.Options{URL: "redis://127.0.0.1:6379", Name: "shop-production"})
//	…
//	cache, err := gqlcache.New(gqlcache.Options{Instances: instances, …})
//
// It makes what gqlcache/changelog/redislog and gqlcache/store/redisstore make, with
// settings that suit most servers. Use these for what Options does not have.
package redisinstances

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
)

// Options say which Redis, and under which name. URL or Client, and Name, are required.
type Options struct {
	// URL is where Redis is: redis://user:password@host:6379/0, rediss:// or unix://. The
	// client made of it has the settings of redisstore.ClientOptions, and is closed with
	// the cache.
	URL string
	// Client talks to Redis, in place of URL: Sentinel, Cluster, or settings of your own.
	// See docs/operations.md for those that it needs. It stays the caller's to close,
	// after the cache.
	Client redis.UniversalClient
	// Name keeps services apart that share a Redis, and the environments of one. All
	// instances that work on the same data use the same one, whatever their version. It
	// is the log's Namespace and the store's Prefix: letters, digits and the characters
	// "._-", at most 64.
	Name string
	// Level says how long a mutation waits for other instances. Defaults to
	// changelog.Bounded.
	Level changelog.Level
	// FillLease is gqlcache.Instances.FillLease: how long a query waits at most for
	// another instance that is computing its answer. Less than 0 is never. Defaults to 2
	// s.
	FillLease time.Duration
	// Keys authenticate shared answers: see redisstore.Options.Keys. Defaults to none.
	Keys [][]byte
	// Logger gets lines about trouble with Redis. Defaults to slog.Default().
	Logger *slog.Logger
}

const defaultFillLease = 2 * time.Second

// Open makes the log of changes and the shared store, and returns them as options of the
// cache, which starts and closes them. It does not call Redis: one that is down keeps no
// server from starting. Fields that it leaves alone, RequireLease say, are the caller's to
// set. When New of the cache then refuses its options, close Log and Shared of the result.
// The error names every fault, and shows neither URL nor keys.
func Open(o Options) (gqlcache.Instances, error) {
	client, own, err := o.client()
	if err != nil {
		return gqlcache.Instances{}, err
	}
	log, faultOfLog := redislog.New(client, redislog.Options{Namespace: o.Name, Level: o.Level, Logger: o.Logger})
	shared, faultOfStore := redisstore.New(redisstore.Options{
		Client: client, OwnClient: own, Prefix: o.Name, DecodeMeta: gqlcache.DecodeMeta, Keys: o.Keys, Logger: o.Logger,
	})
	if err := errors.Join(faultOfLog, faultOfStore); err != nil {
		if shared != nil {
			err = errors.Join(err, shared.Close())
		} else if own {
			err = errors.Join(err, client.Close())
		}
		return gqlcache.Instances{}, fmt.Errorf("redisinstances: Name, Level and Keys must suit both the log and the store: %w", err)
	}
	i := gqlcache.Instances{Log: log, Shared: shared}
	switch {
	case o.FillLease > 0:
		i.FillLease = o.FillLease
	case o.FillLease == 0:
		i.FillLease = defaultFillLease
	}
	return i, nil
}

// client returns the client, and whether it is the store's to close.
func (o Options) client() (client redis.UniversalClient, own bool, err error) {
	var faults []error
	if o.Name == "" {
		faults = append(faults, errors.New("redisinstances: Name is not set; set it to a name that all instances working on the same data have in common, and nobody else who uses this Redis has, such as \"shop-production\""))
	}
	switch {
	case o.URL == "" && o.Client == nil:
		faults = append(faults, errors.New("redisinstances: neither URL nor Client is set; set one, URL to redis://127.0.0.1:6379, say"))
	case o.URL != "" && o.Client != nil:
		faults = append(faults, errors.New("redisinstances: URL and Client are both set; set one of them"))
	}
	if len(faults) > 0 {
		return nil, false, errors.Join(faults...)
	}
	if o.Client != nil {
		return o.Client, false, nil
	}
	options, err := redisstore.ClientOptions(o.URL)
	if err != nil {
		return nil, false, err
	}
	return redis.NewClient(options), true, nil
}
