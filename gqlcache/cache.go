package gqlcache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/count"
	"github.com/cascadeql/cascadeql/gqlcache/internal/edge"
	"github.com/cascadeql/cascadeql/gqlcache/internal/engine"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/flight"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/memo"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/probe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/verify"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/memstore"
	"github.com/cascadeql/cascadeql/schemahash"
	"github.com/vektah/gqlparser/v2/ast"
)

// A Cache is a gqlgen handler extension that caches resolved operations. Its methods are
// safe for concurrent use. One Cache serves one schema. New makes a Cache; the zero one
// cannot be added to a server.
//
// Invariants, each with a test that breaks when it does:
//
//  1. An entry is found only under the bytes of its whole key: operation, variables,
//     predicate, schema and Vary parts.
//  2. An entry carries the clock number read before its resolvers started. It is served
//     only if no change applied since names one of its tags.
//  3. A mutation's changes are applied before its response is handed on, whatever became
//     of it.
//  4. Nothing that goes wrong in here changes a response: the request bypasses the cache
//     instead.
type Cache struct {
	opts   Options
	store  store.Store
	clock  *clock.Clock
	engine *engine.Engine
	fleet  *fleet.Fleet // the other instances
	// observing is nil when no statements are observed.
	observing *observing
	flights   flight.Group[*filled]
	// begun counts the computations of answers, and of values.
	begun  atomic.Uint64
	values computedValues
	plans  *plans.Plans
	counts counters
	// names are those of operations that answers were stored for.
	names knownNames
	// valueNames are those of keys that values were kept under.
	valueNames knownNames
	// operations are the counters by name.
	operations count.Operations
	schema     atomic.Pointer[schemaState]
	prober     *probe.Prober

	inspector *inspector.Inspector
	started   time.Time

	joinOnce  sync.Once
	closeOnce sync.Once
	closed    chan struct{}
	// versions are by name the views of Options.Versions.
	versions  map[string]*versionedView
	swept     sync.WaitGroup
	once      *safe.Once       // logs each kind of trouble once
	shield    safe.Shield      // around what is done only for those who look at the cache
	verify    *verify.Verifier // nil when Options.Verify and Options.Shadow are off
	serving   serving
	shadow    *shadower // nil when Options.Shadow is off
	roots     rootWitness
	commits   commitWarnings
	met       met
	callers   graphql.Cache[*callerWatch] // by operation
	differing differing
	// writing is how many mutations run.
	writing atomic.Int64
	// transports is how many transports were made that send answers as they are kept, and
	// requests what they remember.
	transports atomic.Int32
	post       passedBy
	requests   *memo.Memo[*question]
	vary       []string // of answers to GET
	front      *front   // nil when there is nothing to do for caches in front
	// hears says that some directive of Options.ClientPolicies counts.
	hears     bool
	hitStatus []string // the Cache-Status of a hit, nil when there is to be none
}

// schemaState is what the cache knows of the schema, set once.
type schemaState struct {
	*plans.Schema
	// records is what the tags in records of Options.Log mean.
	records *fleet.Schema
	// edge is what they mean for caches in front; nil without any.
	edge  *edge.Schema
	since time.Time // for those who look at the cache
	// keepsExpired says that some answers are held after they have expired: the options or
	// the schema say so.
	keepsExpired bool
	// headers are the header fields that the schema's vary names.
	headers []string
}

func (c *Cache) newSchemaState(s *plans.Schema, queryFields []string) *schemaState {
	st := &schemaState{Schema: s, records: recordsOf(s.Mark, s.Plan), since: c.opts.Now(), headers: canonical(s.Plan.Vary())}
	st.keepsExpired = c.opts.beyond() > 0 || s.Plan.HasStale()
	if c.front != nil {
		st.edge = edgeSchema(s.Plan, queryFields)
	}
	return st
}

func (st *schemaState) serves(hash schemahash.Hash) error {
	if st.Hash != hash {
		return fmt.Errorf("%w: the cache already serves another schema; make one cache for each", ErrOptions)
	}
	return nil
}

// New makes a cache. The error lists everything that is wrong with the options, and with
// the schema's directives when Options.Schema is set; it wraps ErrOptions or
// cascade.ErrDirectives. Call Close when the server is done.
func New(opts Options) (*Cache, error) {
	foreign := opts.Now != nil
	opts = opts.withDefaults()
	opts.knowBuild(fleet.Executable)
	faults := []error{opts.validate()}
	opts.Logger = safe.Logger(opts.Logger)
	once := &safe.Once{Log: opts.Logger}
	if foreign {
		// It is asked on requests' goroutines and on some of the cache's own, where a
		// panic would end the process.
		opts.Now = safe.Clock(opts.Now, func(err error) {
			once.Warn("now", "gqlcache: Options.Now failed, so the system's clock counts", err)
		})
	}
	c := &Cache{
		opts:   opts,
		clock:  clock.New(clock.Options{}),
		closed: make(chan struct{}),

		once: once,
		shield: safe.Shield{Failed: func(err error) {
			once.Warn("watch", "gqlcache: the inspector failed, so what it shows is incomplete", err)
		}},
		callers:  lru.New[*callerWatch](watchedCallers),
		started:  opts.Now(),
		vary:     varyOf(&opts.HTTP),
		requests: memo.New[*question](opts.MaxRequestBytes),
	}
	c.hitStatus, c.hears = opts.HTTP.hitStatus(), opts.ClientPolicies.hears()
	c.met.directives.Covered = opts.DirectivesCovered
	c.plans = plans.New(plans.Config{
		MaxBytes: opts.MaxPlanBytes, TTL: opts.TTL, OneRowOnly: opts.OneRowOnly,
		Directives: &c.met.directives, Operations: &c.operations, Once: once,
	})
	c.front = c.newFront()
	c.inspector = c.newInspector()
	if opts.Verify.Rate > 0 || opts.Shadow {
		c.verify = c.newVerifier(opts.Verify) // in shadow mode it knows which mutations run
	}
	if opts.Shadow {
		c.shadow = &shadower{found: verify.NewShadow(c.verify, OperationOther, c.shield)}
	}
	c.prober = c.newProber()
	if opts.Schema != nil {
		faults = append(faults, c.useSchema(opts.Schema))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	c.store = opts.Store
	if c.store == nil || opts.Shadow { // what is compared is in nobody else's store
		bounds := memstore.Options{MaxBytes: opts.MaxBytes, MaxEntries: opts.MaxEntries}
		if foreign {
			bounds.Clock = opts.Now
		}
		mem, err := memstore.New(bounds)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOptions, err)
		}
		c.store = mem
	}
	c.engine = engine.New(engine.Config{
		Store: c.store, Clock: c.clock, MaxBytes: opts.MaxBytes, MaxBody: opts.MaxEntryBytes, Now: opts.Now,
		Failed: func(call string, err error) { once.Warn(call, "gqlcache: the store failed: "+call, err) },
	})
	c.observing = c.newObserving()
	c.fleet = c.newFleet()
	c.observing.attach()
	if c.schema.Load() != nil {
		if err := c.join(); err != nil {
			c.abandon()
			return nil, err
		}
	}
	c.warnOfOpenInspector()
	c.opts.warnOfSmall()
	if c.front.purges() {
		c.swept.Go(func() { c.front.purger.Run(c.closed) })
	}
	c.askVersions()
	c.swept.Go(func() { c.engine.SweepUntil(c.closed, opts.SweepInterval) })
	return c, nil
}

// abandon ends what New has begun when it fails. Stores and the log of the options stay as
// they are: they are the caller's, who may try again.
func (c *Cache) abandon() {
	close(c.closed)
	c.inspector.Close()
	c.observing.close()
	c.verify.Close()
	if c.store != c.opts.Store {
		_ = safe.Do(c.store.Close)
	}
}

// queryFields returns the names of the fields of the query type.
func queryFields(s *ast.Schema) (names []string) {
	if s.Query != nil {
		for _, f := range s.Query.Fields {
			names = append(names, f.Name)
		}
	}
	return names
}

// useSchema compiles the schema's directives. A second schema must mean the same as the
// first.
func (c *Cache) useSchema(s *ast.Schema) error {
	hash := schemahash.Sum(s)
	if st := c.schema.Load(); st != nil {
		return st.serves(hash)
	}
	compiled, err := plans.Compile(s, hash, c.opts.cascade(), c.opts.PartitionVersion)
	if err != nil {
		return err
	}
	if err := errors.Join(c.opts.refuseUnknownCallers(compiled.Plan), c.opts.refuseUnknownDirectives(s), c.opts.Observe.refuseUnknownFields(s)); err != nil {
		return err
	}
	if !c.schema.CompareAndSwap(nil, c.newSchemaState(compiled, queryFields(s))) {
		return c.schema.Load().serves(hash) // another server was faster
	}
	return nil
}

// join starts the log, once: when the schema is known, without which records mean
// nothing, and when nothing can fail any more that would leave it running.
func (c *Cache) join() (err error) {
	c.joinOnce.Do(func() {
		if err = c.fleet.Start(); err != nil {
			err = fmt.Errorf("%w: Log: %w", ErrOptions, err)
		}
	})
	return err
}

// Close stops the sweeper and Options.Verify, purges what caches in front still have,
// leaves the log, so that no other instance waits for this one, and closes the stores;
// the error is what they say. Requests that come later bypass the cache. Closing twice is
// no error.
func (c *Cache) Close() error {
	if c.unmade() {
		return nil
	}
	var err error
	c.closeOnce.Do(func() {
		close(c.closed)
		c.inspector.Close()
		c.observing.close()
		c.swept.Wait()
		c.verify.Close()
		err = errors.Join(c.fleet.Leave(), safe.Do(c.store.Close))
		if c.shadow != nil && c.opts.Store != nil {
			err = errors.Join(err, safe.Do(c.opts.Store.Close))
		}
		err = errors.Join(err, c.fleet.CloseStore())
	})
	return err
}

// errUnmade is what the methods of a cache say that is nil, or the zero Cache.
var errUnmade = errors.New("gqlcache: this Cache was not made by New")

// unmade reports whether a cache is of no use, because New has not made it.
func (c *Cache) unmade() bool { return c == nil || c.closed == nil }

// mustBeMade panics where a server is put together, and there is no error to return.
func (c *Cache) mustBeMade() {
	if c.unmade() {
		panic(errUnmade) // a server that is put together with it could not work
	}
}

// orBackground returns the context, or one that never ends in place of none.
func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// Sweep removes the entries that can never be served again, and forgets the tags that
// nothing depends on any more. It looks at every entry, without holding up requests; the
// cache does so by itself every Options.SweepInterval, and whenever a quarter of
// Options.MaxBytes was stored. It returns ErrClosed after Close, and the context's error
// when dead entries are left because it ended.
func (c *Cache) Sweep(ctx context.Context) (SweepReport, error) {
	if c.unmade() {
		return SweepReport{}, errUnmade
	}
	ctx = orBackground(ctx)
	if c.isClosed() {
		return SweepReport{}, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return SweepReport{}, err
	}
	return SweepReport(c.engine.Sweep(ctx, c.closed)), ctx.Err()
}
