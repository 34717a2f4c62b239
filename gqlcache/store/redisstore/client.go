package redisstore

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/redis/go-redis/v9"
)

// ClientOptions reads a URL such as redis://user:password@host:6379/0, rediss:// or
// unix:// into client options that suit a cache, which would rather miss than wait: one
// attempt, a second to connect, and contexts that are obeyed. What the URL sets as a
// parameter stays. The error says what is wrong without showing the URL, whose password
// it may hold.
func ClientOptions(rawURL string) (*redis.Options, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("redisstore: the Redis URL cannot be read; special characters of a password must be escaped (%40 for @)")
	}
	switch u.Scheme {
	case "redis", "rediss", "unix":
	default:
		return nil, errors.New("redisstore: the Redis URL must begin with redis://, rediss:// or unix://")
	}
	o, err := redis.ParseURL(rawURL)
	if err != nil {
		return nil, fmt.Errorf("redisstore: the Redis URL for %q is wrong in its path (a database number) or its parameters", u.Host)
	}
	o.ContextTimeoutEnabled = true
	orElse(&o.MaxRetries, -1)
	orElse(&o.DialerRetries, 1)
	orElse(&o.DialTimeout, time.Second)
	return o, nil
}
