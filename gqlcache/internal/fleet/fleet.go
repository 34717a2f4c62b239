package fleet

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/count"
	"github.com/cascadeql/cascadeql/gqlcache/internal/history"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A Config is a Fleet's part of the cache.
type Config struct {
	// Log connects the instances. Nil is one process.
	Log changelog.Log
	// Shared holds answers for all instances. Nil is none. It needs Log.
	Shared store.Store
	// Build names the program and its configuration. Answers are shared within a build
	// only. "" is a build like no other in records.
	Build string
	// OwnPartitions says that instances of another build may give the partitions other
	// names, so that records carry the build.
	OwnPartitions bool
	// FillLease is how long Lead waits at most. 0 is never.
	FillLease time.Duration
	// NeedsLease says that a mutation runs only with a lease.
	NeedsLease bool
	// Intents says that the log's announcements are heard. Log is a changelog.Intender
	// then.
	Intents bool

	// Clock is the process's.
	Clock *clock.Clock
	// Finish is Clock.Finish, with the cache's bookkeeping.
	Finish func(token clock.Token, tags []tag.Tag) (*clock.Stamp, bool)
	// Schema returns what tags mean in this instance. It is called when Start was, and
	// for changes that have tags.
	Schema func() *Schema
	// Rows appends, to tags that it may not change, those that words of rows have in this
	// instance now: see Change. It returns false when they may reach everything. Nil is
	// an instance for which all words do.
	Rows func(tags, words []tag.Tag) ([]tag.Tag, bool)
	// Texts appends, to tags that it may not change, those that texts have in this
	// instance now. It returns false when they may reach everything. Nil is an instance
	// for which all texts do.
	Texts func(tags []tag.Tag, texts []Text) ([]tag.Tag, bool)
	// Heard is called after a record was applied, on a goroutine of the log's. Everything
	// says why the record reached everything, "" when it did not. Number is the clock's.
	// Heard may keep the tags, and must not panic.
	Heard func(origin string, tags []tag.Tag, everything string, number uint64)
	// Background runs a function beside the requests, and returns false if it runs
	// nothing any more. When it is set, the log learns of changes there, in their order,
	// and mutations wait for nothing. With nil, Publish publishes a change before it
	// returns.
	Background func(func()) bool
	// Once logs each kind of trouble once.
	Once *safe.Once
	// Closed is closed when the cache is.
	Closed <-chan struct{}
}

// A Fleet is one instance's side of all. Its methods may be called concurrently.
type Fleet struct {
	// Counts are the counters.
	Counts Counts

	cfg     Config
	history *history.Table // of the log's records; nil without a log
	// born is when the fleet was made: times are told since then, by a clock that only
	// runs.
	born       time.Time
	prefix     []byte // of keys in the shared store
	build      uint64 // in records
	publishers publishers
	introduced introductions
	looks      lookLimit
	windows    windows
	later      later
	ahead      ahead
}

// Counts count since a Fleet was made.
type Counts struct {
	// SharedHits are answers taken over from the shared store, but for those of which who
	// took them wanted no count. SharedDead are those found there that could not be proven
	// true, or did not fit, SharedErrors failures of that store.
	SharedHits, SharedDead, SharedErrors atomic.Uint64
	// LeaseWaits are waits of Lead in vain.
	LeaseWaits atomic.Uint64
	// LogErrors are changes that did not reach the log at first, Unconfirmed those that
	// other instances had perhaps not applied when they were acknowledged.
	LogErrors, Unconfirmed atomic.Uint64
	// Foreign are records of instances with another schema.
	Foreign atomic.Uint64
	// SharedGets are how long reads of the shared store took.
	SharedGets count.Durations
	// Waits are how long changes that the log has taken waited for other instances.
	Waits count.Durations
}

// New makes the instance's side. It starts nothing.
func New(cfg Config) *Fleet {
	f := &Fleet{cfg: cfg, born: time.Now(), prefix: keyPrefix(cfg.Build), build: recordBuild(cfg.Build)}
	if cfg.Log != nil {
		f.history = history.New(history.DefaultTags)
	}
	return f
}

// Start joins the others, once, when the schema is known: records mean nothing without
// it. It does not wait for them. The error is the log's.
func (f *Fleet) Start() error {
	if f.cfg.Log == nil {
		return nil
	}
	var s changelog.Sink = Sink{f: f}
	if f.cfg.Intents {
		s = intentSink{Sink{f: f}, map[changelog.Position]*clock.Intent{}}
	}
	return safe.Do(func() error { return f.cfg.Log.Start(context.Background(), s) })
}

// Leave closes the log, so that no other instance waits for this one.
func (f *Fleet) Leave() error {
	if f.cfg.Log == nil {
		return nil
	}
	return safe.Do(f.cfg.Log.Close)
}

// CloseStore closes the shared store.
func (f *Fleet) CloseStore() error {
	if f.cfg.Shared == nil {
		return nil
	}
	return safe.Do(f.cfg.Shared.Close)
}

// LogStats returns the figures of the log: none without one, zero ones when the log
// panics.
func (f *Fleet) LogStats() *changelog.Stats {
	if f.cfg.Log == nil {
		return nil
	}
	st, _ := safe.Call(func() (changelog.Stats, error) { return f.cfg.Log.Stats(), nil })
	return &st
}

// age is how long ago the fleet was made.
func (f *Fleet) age() time.Duration { return time.Since(f.born) }
