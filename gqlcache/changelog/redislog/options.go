package redislog

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// Options configure a Log. Only Namespace is required.
type Options struct {
	// Namespace keeps services apart that share a Redis, and the environments of one:
	// "shop-production". All instances that work on the same data use the same one,
	// whatever their version: instances that do not hear each other serve what is stale.
	// Letters, digits and the characters "._-", at most 64. It has no default: two
	// services under one name would be given each other's answers and changes.
	// redisstore's Prefix may be the same name.
	Namespace string
	// Level says how long Publish waits for other instances. Defaults to
	// changelog.Bounded.
	Level changelog.Level
	// TTL is how long a lease lasts. It bounds how stale an instance can be that does not
	// answer, how long a strong publication waits for it, and for how long after the
	// first start, or the loss of the server's memory, entries are not served. It is
	// renewed three times as often. From 100 ms to a minute, and the same for all
	// instances; while they differ, the longest is waited for. Defaults to 1.5 s.
	TTL time.Duration
	// IntentTTL is for how long nobody stands by an announced change before it counts as
	// made, because the instance that announced it is dead, stands still or is cut off:
	// see changelog.Intender. It must be half as long again as such a pause may be
	// between a mutation's announcement and its commit, and a TTL longer; a mutation may
	// take any time. What a dead instance has announced is not cached for so long, and
	// nothing is after the first start, or the loss of the server's memory. It counts
	// with sinks that know announcements, and must be the same for all instances. At
	// least twice the TTL and at most an hour. Defaults to 10 s, or four times the TTL if
	// that is more.
	IntentTTL time.Duration
	// AckBudget is how long a bounded publication waits for the others; at most TTL.
	// Defaults to 50 ms, or TTL if that is less.
	AckBudget time.Duration
	// MaxLen is about how many records the server keeps. An entry older than the log is a
	// miss, so there should be as many as changes are made in an entry's lifetime. A
	// record of 3 tags takes some 80 bytes. At least 100. Defaults to 100,000.
	MaxLen int
	// Instance is a label of this instance in log lines and records, such as the name of
	// its host. The same characters as in Namespace. The name under which it is a member
	// is the label and a random number, see Log.Instance: two processes may have one
	// label. Defaults to none.
	Instance string
	// Logger gets one record when a trouble begins and one when it is over. Neither tags
	// nor passwords are in them. Defaults to slog.Default.
	Logger *slog.Logger
	// OnEvent is called when something happens that a metric or a test may want to know.
	// It must return soon, and may not call the log. Defaults to nothing.
	OnEvent func(Event)
}

const (
	defaultTTL    = 1500 * time.Millisecond
	defaultBudget = 50 * time.Millisecond
	defaultMaxLen = 100_000

	defaultIntentTTL = 10 * time.Second

	longestTTL       = time.Minute
	longestIntentTTL = time.Hour
)

var name = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func (o Options) withDefaults() Options {
	if o.Level == 0 {
		o.Level = changelog.Bounded
	}
	if o.TTL == 0 {
		o.TTL = defaultTTL
	}
	if o.IntentTTL == 0 {
		o.IntentTTL = min(max(defaultIntentTTL, 4*o.TTL), longestIntentTTL)
	}
	if o.AckBudget == 0 {
		o.AckBudget = min(defaultBudget, o.TTL)
	}
	if o.MaxLen == 0 {
		o.MaxLen = defaultMaxLen
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.OnEvent == nil {
		o.OnEvent = func(Event) {}
	}
	return o
}

// validate reports all faults. REQUIRES: defaults are filled in.
func (o Options) validate(client redis.UniversalClient) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("redislog: "+format, args...)) }
	if o.Namespace == "" {
		fault("Namespace is not set; set it to a name that all instances working on the same data have in common, and nobody else who uses this Redis has, such as \"shop-production\"")
	} else if !name.MatchString(o.Namespace) {
		fault("Namespace: %q is not 1 to 64 letters, digits, dots, dashes and underscores", o.Namespace)
	}
	if o.Instance != "" && !name.MatchString(o.Instance) {
		fault("Instance: %q is not 1 to 64 letters, digits, dots, dashes and underscores", o.Instance)
	}
	if o.Level > changelog.Strong {
		fault("Level: %d is none", o.Level)
	}
	if o.TTL < 100*time.Millisecond || o.TTL > longestTTL {
		fault("TTL: %v is not between 100ms and 1m", o.TTL)
	}
	if o.IntentTTL < 2*min(o.TTL, longestTTL) || o.IntentTTL > longestIntentTTL {
		fault("IntentTTL: %v is not between twice the TTL of %v and 1h", o.IntentTTL, o.TTL)
	}
	if o.AckBudget < 0 || o.AckBudget > o.TTL {
		fault("AckBudget: %v is not between 0 and the TTL of %v", o.AckBudget, o.TTL)
	}
	if o.MaxLen < 100 {
		fault("MaxLen: %d is less than 100", o.MaxLen)
	}
	if err := validateClient(client); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// validateClient refuses what cannot keep the promise: a client that ignores deadlines
// would hold up renewals, and with them everything, for as long as its own timeouts and
// retries take.
func validateClient(client redis.UniversalClient) error {
	var obeys bool
	switch c := client.(type) {
	case *redis.Client:
		if c == nil {
			return errors.New("redislog: the client is nil")
		}
		obeys = c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		if c == nil {
			return errors.New("redislog: the client is nil")
		}
		obeys = c.Options().ContextTimeoutEnabled
		// A replica that is behind does not know of the last member yet: nobody would
		// wait for it.
		if c.Options().ReadOnly || c.Options().RouteByLatency || c.Options().RouteRandomly {
			return errors.New("redislog: the client reads from replicas: unset ReadOnly, RouteByLatency and RouteRandomly in its options")
		}
	case nil:
		return errors.New("redislog: the client is nil")
	default:
		return fmt.Errorf("redislog: a client of type %T: use *redis.Client, also for Sentinel, or *redis.ClusterClient", client)
	}
	if !obeys {
		return errors.New("redislog: the client ignores deadlines: set ContextTimeoutEnabled in its options")
	}
	return nil
}
