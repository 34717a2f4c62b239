package gqlcache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// A VersionSource tells the version of a view's rows.
type VersionSource struct {
	// Of returns the version, such as the number or the time of the last load. It must
	// tell the state that resolvers read from then on: of the same database, and not of a
	// copy that is ahead of theirs. It is called on a goroutine of its own, never for a
	// request, and not again before it has returned. Its context ends before the next call
	// is due, and with the cache. An error, a panic and a call that takes longer than Every
	// count as a change.
	Of func(ctx context.Context) (string, error)
	// Every is the time from one call to the next: so long, and for as long as a call
	// takes, an answer may be older than the rows. Defaults to 10 seconds.
	Every time.Duration
}

// VersionStats are the figures of one source of Options.Versions.
type VersionStats struct {
	// Asked counts the calls, Failed those without a version, Changed the changes that were
	// told.
	Asked   uint64 `json:"asked"`
	Failed  uint64 `json:"failed"`
	Changed uint64 `json:"changed"`
	// Age is the time since the last call began that told a version; since the cache was
	// made, as long as none has.
	Age time.Duration `json:"ageNs"`
}

const defaultVersionEvery = 10 * time.Second

func validateVersions(sources map[string]VersionSource, fault func(string, ...any)) {
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		if sources[name].Of == nil {
			fault("Versions[%q].Of is not set; set it to a function that returns the version", name)
		}
		if every := sources[name].Every; every < 0 {
			fault("Versions[%q].Every is %v; it must be positive", name, every)
		}
	}
}

// A versionedView asks for the version of one view.
//
// Invariant: from the moment when a version is told that is another than the one before,
// nothing that was computed before that moment is served. Rows that a computation reads
// later are at least as new as that version. What was computed after the rows changed and
// before the version was told is dropped as well.
type versionedView struct {
	VersionSource

	cache *Cache
	name  string
	// version is the last one that was told, if known is set. Both are run's.
	version string
	known   bool

	asked, failed, changed atomic.Uint64
	answered               atomic.Pointer[time.Time]
}

// askVersions starts to ask for versions, until the cache is closed.
func (c *Cache) askVersions() {
	c.versions = map[string]*versionedView{}
	for name, source := range c.opts.Versions {
		v := &versionedView{VersionSource: source, cache: c, name: name}
		if v.Every == 0 {
			v.Every = defaultVersionEvery
		}
		v.answered.Store(&c.started)
		c.versions[name] = v
		c.swept.Go(v.run)
	}
}

// VersionStats returns the figures of Options.Versions, by the names that it has. It does
// not wait for a source. They are a part of Stats.
func (c *Cache) VersionStats() map[string]VersionStats {
	if c.unmade() {
		return nil
	}
	stats := make(map[string]VersionStats, len(c.versions))
	for name, v := range c.versions {
		stats[name] = VersionStats{
			Asked: v.asked.Load(), Failed: v.failed.Load(), Changed: v.changed.Load(),
			Age: max(0, c.opts.Now().Sub(*v.answered.Load())),
		}
	}
	return stats
}

// A toldVersion is what a call of a source has said.
type toldVersion struct {
	version string
	begun   time.Time
	err     error
}

var (
	errVersionLate  = errors.New("the source has not answered within Every")
	errVersionEnded = errors.New("the source has ended its goroutine")
)

// run asks once in each Every. A call that does not come back is not made a second time:
// its view changes once in each Every instead.
func (v *versionedView) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // the context of calls that are running ends with the cache
		select {
		case <-v.cache.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	tick := time.NewTicker(v.Every)
	defer tick.Stop()
	pending := v.ask(ctx)
	for {
		select {
		case <-v.cache.closed:
			return
		case told, ok := <-pending:
			if !ok {
				told.err = errVersionEnded
			}
			pending = nil
			v.hear(ctx, told)
		case <-tick.C:
			if pending == nil {
				pending = v.ask(ctx)
				continue
			}
			v.hear(ctx, toldVersion{err: errVersionLate})
		}
	}
}

// ask calls the source. The channel is closed without a value when the call has ended its
// goroutine.
func (v *versionedView) ask(ctx context.Context) <-chan toldVersion {
	v.asked.Add(1)
	told := make(chan toldVersion, 1)
	go func() {
		defer close(told)
		ctx, cancel := context.WithTimeout(ctx, v.Every-v.Every/10) // before the next call is due
		defer cancel()
		begun := v.cache.opts.Now()
		version, err := safe.Call(func() (string, error) { return v.Of(ctx) })
		told <- toldVersion{version, begun, err}
	}()
	return told
}

// hear makes a change of what a source has said, or has not.
func (v *versionedView) hear(ctx context.Context, told toldVersion) {
	if v.cache.isClosed() {
		return
	}
	same := told.err == nil && v.known && told.version == v.version
	if told.err != nil {
		v.failed.Add(1)
		v.cache.once.Warn("version "+v.name, "gqlcache: Options.Versions failed, so the answers of a view are dropped each time that its version cannot be told: "+v.name, told.err)
	} else {
		v.version, v.known = told.version, true
		v.answered.Store(&told.begun)
	}
	if same {
		return
	}
	v.changed.Add(1)
	_, err := v.cache.invalidate(ctx, inspect.Cause{Kind: causeManual, Name: "version of " + v.name}, View(v.name))
	if err != nil && !errors.Is(err, ErrNoSchema) && !errors.Is(err, ErrClosed) { // without a schema there are no answers
		v.cache.once.Warn("version change "+v.name, "gqlcache: other instances learn later of a change that Options.Versions has told", fmt.Errorf("%s: %w", v.name, err))
	}
}
