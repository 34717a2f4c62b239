package gqlcache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/vektah/gqlparser/v2/ast"
)

// Options configure a Cache. The zero value is a cache in memory for a schema of which
// all is PUBLIC; other servers set Predicate or Callers, and start with nothing else.
type Options struct {
	// Schema lets New report faults in the schema's directives. Without it they are found
	// when the cache is added to a server, where gqlgen panics with them. Defaults to the
	// server's schema.
	Schema *ast.Schema

	// Predicate tells everything about the caller that an answer, or a permission check
	// on the way to it, depends on: who asks, with which roles, in which tenant, under
	// which row-level-security condition. On a hit no resolver, directive or middleware
	// of a field runs, so what they would look at must be in it, or in Vary. It is called
	// for every query that is not public, with the context that the innermost extension
	// has, may be called concurrently, and costs what it costs on every hit. When it
	// returns an error or an empty Predicate, or panics, the request bypasses the cache.
	// Answers are shared between requests with equal predicates only. It has no default:
	// see Callers.
	Predicate func(ctx context.Context) (Predicate, error)
	// Callers says that there is no Predicate because there is nothing to tell:
	// AllSeeTheSame. A server whose schema has queries that are not PUBLIC starts with
	// one of the two only. Defaults to neither.
	Callers Callers
	// DirectivesCovered names the schema's own run-time directives, without the @, that
	// the cache may ignore: all that they look at beside arguments and data is in
	// Predicate or Vary, or they look at nothing else. Operations that select a field, or
	// pass an argument, with another one bypass the cache, since a directive that refuses
	// one caller does not run when the answer comes from the cache. Defaults to none.
	DirectivesCovered []string
	// FieldHooksCovered says of the server's field and root-field interceptors
	// (AroundFields, say) what DirectivesCovered says of directives. The cache cannot see
	// what they do, and warns of them without it. Defaults to false.
	FieldHooksCovered bool
	// Partition names the tenant that a request belongs to: a change made in one drops,
	// in views marked partitioned, no other tenant's answers. "" is outside all
	// partitions: an administrator, whose changes reach everybody. It must be a function
	// of the predicate: requests with one predicate are in one partition. Answers without
	// a predicate hear of all changes. Defaults to none: changes reach all.
	Partition func(ctx context.Context) string
	// Vary adds what else the answers depend on, such as the language of the request.
	// Requests share answers only when all parts are equal. Defaults to none.
	Vary func(ctx context.Context) []string

	// Enabled says whether a query may be looked up and stored. Mutations invalidate
	// whatever it says. Defaults to always.
	Enabled func(ctx context.Context) bool
	// Policy says how a query uses the cache, where WithPolicy does not: with Refresh it is
	// computed anew, say. The context is the operation's: graphql.GetOperationContext
	// names it. It is asked for each query, may be called concurrently, and when it panics
	// the request bypasses the cache. In shadow mode it is not asked. Defaults to
	// CacheFirst, always.
	Policy func(ctx context.Context) Policy
	// ClientPolicies says which directives of a request's Cache-Control count. The zero
	// value hears none.
	ClientPolicies ClientPolicies
	// OneRowOnly keeps only answers with at most one row: lists change with every row of
	// theirs. Leave it alone unless lists are large and hardly ever asked for twice.
	// Defaults to false.
	OneRowOnly bool

	// TTL bounds the age of answers whose @cacheControl says nothing: it is how long a
	// change that the cache cannot see, made by another program, may stay hidden.
	// Defaults to 5 minutes.
	TTL time.Duration
	// OnlyHinted keeps only answers of which somebody has said how long they may be kept:
	// @cacheControl(maxAge:) in the schema of each root field and each field that returns
	// objects, or a resolver with MaxAge. Values of Compute and Put need the option TTL,
	// or MaxAge. Others are computed for each request, but for those that ask at the same
	// time. It is for servers whose data other programs change, and whose owners want to
	// name each answer that may be old. Defaults to false.
	OnlyHinted bool
	// Jitter shortens each TTL by a random part of up to this fraction, so that answers
	// stored together do not expire together. Defaults to 0.1; negative is none.
	Jitter float64

	// EarlyRefresh has a hit computed anew before its entry expires, so that a crowd does
	// not wait for the answer when it has: the shorter the time left is, and the longer
	// the answer took to compute, the likelier (XFetch, Vattani, Chierichetti and
	// Lowenstein 2015). The request that draws it computes on its own context, as a miss
	// would, while the others go on hitting, and its answer replaces the entry. When
	// computing fails, the request has the entry's answer, as a hit would: Stats.Hidden
	// counts that, and the first failure is logged. It is the factor β: 1 is usual, more
	// is earlier. In shadow mode, for operations that resolvers run, for answers of other
	// instances, and for values, which have StaleFor, it does nothing. Defaults to 0, never.
	EarlyRefresh float64
	// StaleIfError is how long after it has expired an answer is still served when
	// computing it anew fails: the answer would have errors, or no data. Then no client
	// sees that error, nor the data beside it: Stats.Hidden counts it, and the first one
	// is logged. No change that the cache knows of has reached such an answer; one that
	// it cannot see stays hidden for TTL, or the age in the schema, and this time at
	// most. The request that asks still waits for its own computation, as on any miss.
	// Entries take memory for this time longer. It does nothing in shadow mode, for
	// operations that resolvers run, for requests that have ended, or that a resolver has
	// kept from being stored. Other instances' answers are not taken over once they have
	// expired. Defaults to 0, never.
	StaleIfError time.Duration
	// StaleWhileRevalidate is how long after it has expired an answer is still served
	// while another request computes it anew, so that a crowd does not wait for it. The
	// request that finds it first computes it, on its own context, and waits: nothing is
	// computed as somebody else, or when nobody asks. When its answer cannot be shared,
	// because computing has failed, say, the others go on with the older one for two
	// seconds before the next of them computes. As with StaleIfError, no change that the
	// cache knows of has reached such an answer, entries take memory for longer, and it
	// does nothing in shadow mode and for operations that resolvers run. Defaults to 0:
	// they wait.
	StaleWhileRevalidate time.Duration

	// Limits bound the memory that the cache takes. The zero value has the defaults.
	Limits
	// Store holds the entries. The cache closes it. Defaults to one in memory.
	Store store.Store

	// Observe has the cache learn from SQL statements what answers depend on and what
	// changes. The zero value observes nothing.
	Observe Observe

	// HTTP says what clients and HTTP caches are told of answers that Cache.Transport's
	// transports send. The zero value lets nobody keep an answer without asking again.
	HTTP HTTP

	// Instances has what several instances of a server need, one of which is this. The
	// zero value is one process.
	Instances

	// Versions tell by view, or by type, the version of rows that change without a report:
	// tables that a warehouse loads, for instance. Any difference is a change of the whole
	// view, and so is each time that a version cannot be told. Such a change drops the
	// answers that show a view which no mutation writes, in place of every mutation. Defaults
	// to none.
	Versions map[string]VersionSource

	// Refused are codes of errors, extensions.code, with which only such root fields of
	// mutations fail as have written nothing: such a field drops nothing. It is the error
	// that directive, middleware or resolver returned, whatever an error presenter makes
	// of it. Without it a field that was entered and failed drops what it is declared to
	// write, unless a directive has said Refused. StaleIfError hides no error with such a
	// code, as clients see it. Defaults to none.
	Refused []string
	// Writes names extensions (ExtensionName) and directives that write by themselves, or
	// answer with what was written before: a rate limit that counts in a table which the
	// schema shows, an audit log, a replay by idempotency key. The fields that they run
	// for, all in the case of an extension, never count as refused. Defaults to none: a
	// root field of a mutation whose resolver was not run, and which shows null, wrote
	// nothing.
	Writes []string

	// SweepInterval is how often dead entries are looked for: invalidation marks and
	// enumerates nothing, so they stay in memory until they are replaced, evicted or
	// swept. They are also looked for whenever a quarter of MaxBytes was stored. Defaults
	// to 1 minute; negative is only then.
	SweepInterval time.Duration
	// PathTimeout is the deadline of the context of resolvers that run only to learn
	// which rows a mutation changed, where its @writes allows that with resolve. The
	// answer waits until they return, and rows that they did not tell by then count as
	// unknown, which drops more. Defaults to 1 second.
	PathTimeout time.Duration

	// DirectivePrefix is put before the names of our directives in the schema: see
	// cascade.Options. Defaults to "".
	DirectivePrefix string
	// Infer lets the shape of the schema stand for missing @reads and @writes. It is
	// wrong where a mutation changes more than it returns, or a field shows more than it
	// returns, and then answers are stale: read the documentation of cascade.Options
	// first. Defaults to false.
	Infer bool
	// PassiveDirectives, ArgumentDirectives, ComparableScalars and OpaqueKeys say which
	// values in the schema are what they seem: see cascade.Options and docs/values.md.
	// Default to none.
	PassiveDirectives, ArgumentDirectives, ComparableScalars, OpaqueKeys []string

	// Inspector lets clients see what the cache does. Defaults to nobody.
	Inspector Inspector
	// Verify has a part of the hits recomputed in the background and compared with what
	// was served: see VerifyOptions. Defaults to none.
	Verify VerifyOptions
	// Shadow answers every request as a server without the cache would, and reports what
	// the cache would have answered: look up, compute, compare, serve what was computed.
	// Nothing is shared, no request waits for another, no hidden field runs a resolver,
	// and the answers that are compared are in memory of their own, as much as MaxBytes;
	// Store and Shared are not used. Mutations are applied and told to the log, but
	// neither refused nor announced, and do not wait for it: RequireLease, Tokens and
	// Intent do nothing, and other instances learn of a change a moment after its
	// acknowledgement. Hits that would have been stale, another caller's, or of
	// operations that differ from themselves are counted by operation: see
	// Cache.ShadowStats. Reports name operations and paths, and have digests in place of
	// answers and callers. A request costs a look-up and a comparison more. It cannot be
	// combined with Verify.Rate. Defaults to false.
	Shadow bool
	// Tracer is told when a look-up, a computation or an invalidation begins and ends;
	// metrics/otel has one for OpenTelemetry. It is given names of operations and
	// reasons, never keys, predicates or rows. Without it a request pays nothing.
	// Defaults to none.
	Tracer Tracer
	// Logger gets what the cache has to say. Nothing is logged per request. Defaults to
	// slog.Default().
	Logger *slog.Logger
	// Now is the clock of ages and TTLs. Defaults to time.Now.
	Now func() time.Time
}

// Limits are the bounds of a cache, a part of Options. Leave them alone until Cache.Stats
// shows evictions, or the process has less memory than they allow.
type Limits struct {
	// MaxBytes bounds the memory of all entries, with the tags that they depend on, and
	// MaxEntries their number, in the default Store. A tag counts for each entry that has
	// it. Tags of entries that are gone may take another quarter of MaxBytes for a while:
	// see Stats.TagBytes. MaxEntryBytes bounds the body of one, and its key, in any. Default
	// to 64 MiB, 100,000 and 1 MiB, or to MaxBytes if that is less.
	MaxBytes      int64
	MaxEntries    int
	MaxEntryBytes int
	// MaxPlanBytes bounds the memory of what is remembered of operations: what they
	// depend on, and their documents, which clients choose. An operation whose plan takes
	// more than 1/64 of it is remembered when it comes a second time, one with more than
	// 1/4 never: then each request works it out anew, which takes about as long as to
	// parse and validate it. See Stats.PlanBytes. Defaults to 32 MiB.
	MaxPlanBytes int64
	// MaxRequestBytes bounds the memory of the requests that transports made by
	// Cache.Transport remember, so that they need not decode them again. Requests are
	// remembered when they come a second time. Defaults to 16 MiB.
	MaxRequestBytes int64
}

// Instances are the options of a cache that is one of several, a part of Options. A
// server of one process leaves all of it alone. Nothing of it works without Log.
type Instances struct {
	// Log is the numbered log through which several instances of the server tell each
	// other what changed; redislog.New makes one. The cache starts it when it knows the
	// schema, and closes it. Queries bypass the cache while it is not fresh. Defaults to
	// none: one process.
	Log changelog.Log
	// Shared is a store that the instances have in common, such as redisstore: an answer
	// that one has computed serves all, and so does a value of Compute. Several, the fastest first, are one with package
	// tiered. It needs Log. The cache closes it. Defaults to none.
	Shared store.Store
	// Build names what decides answers and is neither request nor data: the code, and its
	// configuration. Instances share answers in Shared with others of the same Build
	// only, so each deployment starts with an empty shared store; changes reach all
	// builds. Set it where configuration decides answers, to the version and what was
	// configured: the default does not know it. What differs from caller to caller
	// belongs to Predicate or Vary. Defaults to the revision, and whether it was
	// modified, with a SHA-256 of the executable, which is read once; where it cannot be
	// read, to a revision that was not modified. Only Shared, and Partition with a Log,
	// ask for it: New refuses Shared when neither is known.
	Build string
	// PartitionVersion says what the names mean that Partition returns. Change it when
	// Partition begins to name tenants in another way: instances with another version
	// then hear each other's changes by whole views. While it is empty, instances of
	// another Build hear changes in partitioned views like that. Defaults to "".
	PartitionVersion string
	// FillLease is how long a query waits at most for another instance that is computing
	// its answer, so that one which nobody has yet is computed once, not once in each
	// instance. It is for operations that take much longer than a few trips to Shared: a
	// query that Shared has no answer for makes two more. When the wait is over, the
	// instance computes for itself; so it does when Shared fails. Answers that cannot be
	// stored make their queries wait for nothing. It holds for Compute, too, where the
	// value may be in Shared, and for ComputeAll, where Shared is a store.BatchLeaser, but not
	// within a function of either. Shared must be a store.Leaser. Defaults to 0, never.
	FillLease time.Duration
	// PromoteEvery is how many answers are taken over from Shared to one that is also kept
	// in this process. 2 and more keep its memory for what is asked for again and again: a
	// client that asks for everything once replaces one entry in so many. The requests
	// between make a trip to Shared each. Answers that this instance computes are kept in
	// any case. Defaults to 1, every answer.
	PromoteEvery int
	// RequireLease refuses mutations, before they run, while this instance is cut off
	// from the log: what it changed then would stay hidden from the others. It waits a
	// while for the log to come back. Mutations are answered with an error. Defaults to
	// false: they run, and their answers say that others may not know.
	RequireLease bool
	// CommitWait is how long a commit outside of mutations, another HTTP handler's or a
	// job's, waits at most until other instances know what a handle of Options.Observe
	// has seen it change. They learn of it in any case. After a wait in vain the next
	// commits wait for nothing until the log answers in time again. Defaults to 50
	// milliseconds.
	CommitWait time.Duration
	// Tokens adds extensions.cache.token to the answers of mutations. A client that sends
	// it back in the header X-Gqlcache-Token gets, from any instance, answers that show
	// its change. Without Tokens the header is not looked at; nor is a value that no
	// instance has given. Defaults to false.
	Tokens bool

	// Intent makes reads linearizable. Without it, two readers may see a change come and
	// go in the time between its commit and the mutation's answer: one computes and sees
	// it, a later one gets the answer from the cache that was stored before. With it a
	// mutation drops, before its resolvers run, all that its declared writes may change,
	// and until it is applied such answers are computed by each request for itself,
	// neither served from the cache nor stored. It costs hits: what only the answer tells
	// counts as unknown, a mutation that fails has dropped as much as one that succeeds,
	// and an undeclared one stops the cache while it runs. Not announced is what is known
	// to resolvers only: changes reported with Touch, Report and Invalidate, and what the
	// parts of a deferred answer write.
	//
	// With Log, which must be a changelog.Intender, it holds over all instances; all must
	// have set it. A mutation is announced to all before it runs, and waits for those
	// that hold a lease: some two trips to the log more for each mutation. One that
	// cannot be announced is refused, as with RequireLease. What an instance was about to
	// change when it died is dropped everywhere some seconds later, and not served from
	// the cache until then; a mutation of an instance that stands still, or is cut off,
	// for longer than that before its commit is as one without Intent
	// (redislog.Options.IntentTTL). What is declared needs no level then that waits for
	// others after the change; what is not announced does. Defaults to false.
	Intent bool
}

// Predicate is everything about a caller that answers and permission checks depend on.
type Predicate struct {
	// Text has it in a canonical form: "user 2, admin", or the row-level-security
	// condition as it was evaluated, `tenant_id = '5f…'`. Equal texts must mean equal
	// sight and equal rights. Empty: unknown.
	Text string
	// Reads names the views whose rows decide whether the condition holds, such as a
	// membership table, so that their changes drop the answers computed under it. A
	// column of a view that the condition compares, as "v_post.status", makes the view's
	// answers depend on that column.
	Reads []string
}

// withDefaults returns a copy with every default filled in.
func (o Options) withDefaults() Options {
	setDefault(&o.TTL, 5*time.Minute)
	setDefault(&o.Jitter, 0.1)
	setDefault(&o.MaxBytes, 64<<20)
	setDefault(&o.MaxEntries, 100_000)
	setDefault(&o.MaxEntryBytes, int(max(0, min(1<<20, o.MaxBytes))))
	setDefault(&o.MaxPlanBytes, 32<<20)
	setDefault(&o.MaxRequestBytes, 16<<20)
	setDefault(&o.HTTP.CompressAfter, 2)
	setDefault(&o.HTTP.Edge.Delimiter, " ")
	setDefault(&o.HTTP.Edge.InFlight, 10*time.Second)
	setDefault(&o.ClientPolicies.RefreshInterval, time.Second)
	setDefault(&o.SweepInterval, time.Minute)
	setDefault(&o.PathTimeout, time.Second)
	setDefault(&o.CommitWait, 50*time.Millisecond)
	setDefault(&o.Inspector.Instance, newInstance())
	setDefault(&o.Verify.Timeout, 10*time.Second)
	setDefault(&o.Verify.Concurrency, 2)
	setDefault(&o.Verify.Grace, time.Second)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func setDefault[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// validate reports every fault of options that have their defaults.
func (o Options) validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	o.validateCallers(fault)
	if o.TTL < 0 {
		fault("TTL is %v; it must be positive", o.TTL)
	}
	if o.Jitter >= 1 {
		fault("Jitter is %v; it must be below 1", o.Jitter)
	}
	if !(o.EarlyRefresh >= 0) || math.IsInf(o.EarlyRefresh, 1) { // nor NaN
		fault("EarlyRefresh is %v; it must not be negative, and have an end", o.EarlyRefresh)
	}
	if o.StaleIfError < 0 || o.StaleWhileRevalidate < 0 {
		fault("StaleIfError and StaleWhileRevalidate are %v and %v; neither may be negative", o.StaleIfError, o.StaleWhileRevalidate)
	}
	if o.MaxBytes < 0 || o.MaxEntries < 0 || o.MaxEntryBytes < 0 {
		fault("MaxBytes, MaxEntries and MaxEntryBytes are %d, %d and %d; none may be negative", o.MaxBytes, o.MaxEntries, o.MaxEntryBytes)
	}
	if int64(o.MaxEntryBytes) > o.MaxBytes {
		fault("MaxEntryBytes %d is more than MaxBytes %d", o.MaxEntryBytes, o.MaxBytes)
	}
	if o.MaxPlanBytes < 0 {
		fault("MaxPlanBytes is %d; it must not be negative", o.MaxPlanBytes)
	}
	if o.MaxRequestBytes < 0 {
		fault("MaxRequestBytes is %d; it must not be negative", o.MaxRequestBytes)
	}
	if o.Log == nil && (o.Shared != nil || o.RequireLease || o.Tokens) {
		fault("Shared, RequireLease and Tokens need Log, which is not set; make one with redislog.New")
	}
	if o.Shared != nil && o.Build == "" {
		fault("Build is not set, and neither the executable nor its revision can be read; set Build to what names this version of the program and its configuration, or a corrected program would serve the answers of the one before")
	}
	if _, ok := o.Log.(changelog.Intender); o.Log != nil && o.Intent && !ok {
		fault("Intent needs a Log that is a changelog.Intender, such as redislog; without, its level says what other instances may show")
	}
	if o.PromoteEvery < 0 || o.PromoteEvery > 0 && o.Shared == nil {
		fault("PromoteEvery is %d; it must be 1 or more, or 0 for 1, and needs a Shared", o.PromoteEvery)
	}
	if _, ok := o.Shared.(store.Leaser); o.FillLease < 0 || o.FillLease > 0 && !ok {
		fault("FillLease is %v; it must not be negative, and needs a Shared that is a store.Leaser, such as redisstore", o.FillLease)
	}
	if o.Inspector.Allow == nil && o.Inspector.Actions != nil {
		fault("Inspector.Actions is set and Inspector.Allow is not, so nobody could act; set Allow to who may look")
	}
	if slices.Contains(o.Refused, "") || slices.Contains(o.Writes, "") {
		fault("Refused or Writes has an empty name; take it out")
	}
	if o.PathTimeout < 0 {
		fault("PathTimeout is %v; it must be positive", o.PathTimeout)
	}
	if o.CommitWait < 0 {
		fault("CommitWait is %v; it must be positive", o.CommitWait)
	}
	o.Observe.validate(fault)
	validateVersions(o.Versions, fault)
	o.HTTP.validate(fault)
	o.ClientPolicies.validate(fault, o.beyond())
	o.Verify.validate(fault)
	if o.Shadow && o.Verify.Rate > 0 {
		fault("Shadow and Verify.Rate are both set; in shadow mode there are no hits to recompute, and it finds what Verify would: set one of them")
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrOptions, errors.Join(faults...))
}

// knowBuild sets Build where it is needed and not given. executable returns the digest of
// the running program.
func (o *Options) knowBuild(executable func() (string, error)) {
	if o.Build == "" && o.Log != nil && (o.Shared != nil || o.Partition != nil) {
		o.Build = fleet.BuildOf(executable)
	}
}

// cascade returns the options that say how the directives of a schema are read. All of
// them are in the mark: they decide what tags mean.
func (o Options) cascade() cascade.Options {
	return cascade.Options{
		Prefix: o.DirectivePrefix, Infer: o.Infer,
		PassiveDirectives: o.PassiveDirectives, ArgumentDirectives: o.ArgumentDirectives,
		ComparableScalars: o.ComparableScalars, OpaqueKeys: o.OpaqueKeys,
		Versioned: slices.Sorted(maps.Keys(o.Versions)),
	}
}
