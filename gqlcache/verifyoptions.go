package gqlcache

import (
	"context"
	"time"
)

// VerifyOptions configure verify mode: a sample of hits is recomputed in the background,
// under the same predicate, and compared with what was served. Where the two differ
// although nothing says that a change came in between, an annotation of the schema is
// wrong, or something was changed that the cache was not told of: it is counted, logged
// and kept for Cache.VerifyStats, with the mutations since whose annotations may lack an
// edge. So is a hit whose recomputation fails: the server would have answered with an
// error.
//
// A recomputation runs the resolvers of the query again, two or three times where the
// answers differ, after the request has been answered. It never runs them on the
// request's context: frameworks give what that holds to the next request, whose caller
// resolvers would see. Set Context or WithoutValues; New refuses a Rate without one of
// them. Options.Predicate, Vary and Partition are asked again, on the very context that
// the resolvers get, before and after they run: unless they give what they gave for the
// hit, it is skipped. Nobody is shown what a recomputation gives, nothing of it is
// stored, and reports have no values in them.
//
// Hits wait for a place, as many as memory allows; those that are not judged are counted
// by reason in inspect.Verify.SkippedBy. All hits of a cache that several servers have
// are skipped. Hooks of extensions that were added after the cache do not run: an
// extension there that changes answers makes every recomputation differ, so add the cache
// last.
type VerifyOptions struct {
	// Rate is the fraction of hits that are recomputed, from 0 to 1. 0.001 finds what is
	// wrong for long, and costs a thousandth of the computations that the cache saves. An
	// entry is recomputed once at a time. Defaults to 0, none.
	Rate float64
	// Context returns the context that a hit is recomputed on. It is called for each
	// sampled hit while its request is alive, with the request's context, from the
	// request's goroutine, which waits. What it returns must outlive the request: a
	// context of the server with copies of what resolvers, Predicate, Vary and Partition
	// look at, such as the user, and loaders and a connection of its own; never the
	// request's gin.Context, ResponseWriter, transaction or loaders, and nothing that
	// context.WithoutCancel makes of a context which holds one. On an error the hit is
	// skipped. The operation need not be copied. Defaults to none.
	Context func(ctx context.Context) (context.Context, error)
	// WithoutValues recomputes hits on a context without values, but the operation with
	// the request's headers, in place of Context: for servers whose resolvers, Predicate,
	// Vary and Partition look at nothing else. Defaults to false.
	WithoutValues bool
	// Timeout bounds one recomputation, and the wait for mutations that were running
	// meanwhile. Close waits for a recomputation as long at most. Defaults to 10 seconds.
	Timeout time.Duration
	// Concurrency is how many hits are recomputed at a time; up to 1,000 more wait. A
	// resolver that does not obey its context holds its place. Defaults to 2.
	Concurrency int
	// Grace is how long an answer that differs is left alone before it is judged: longer
	// than a change takes from its commit until this cache is told, by other instances,
	// or by programs that call Invalidate. Changes made by mutations of this instance are
	// waited for in any case. Hits that wait for it hold no place. Defaults to 1 second.
	Grace time.Duration
}

func (o VerifyOptions) validate(fault func(format string, args ...any)) {
	if !(o.Rate >= 0 && o.Rate <= 1) { // nor NaN
		fault("Verify.Rate is %v; it must be from 0 to 1", o.Rate)
	}
	if o.Rate > 0 && o.Context == nil && !o.WithoutValues {
		fault("Verify.Rate is %v, and neither Verify.Context nor Verify.WithoutValues is set: a hit is recomputed after its request has ended, so set Context to a function that returns a context which outlives the request, with copies of what resolvers look at, or WithoutValues if they look at nothing but the operation and its headers", o.Rate)
	}
	if o.Context != nil && o.WithoutValues {
		fault("Verify.Context and Verify.WithoutValues are both set; set one of them")
	}
	if o.Timeout < 0 || o.Grace < 0 {
		fault("Verify.Timeout and Verify.Grace are %v and %v; they must be positive", o.Timeout, o.Grace)
	}
	if o.Concurrency < 0 {
		fault("Verify.Concurrency is %d; it must be positive", o.Concurrency)
	}
}
