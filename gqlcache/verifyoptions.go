package gqlcache

import "time"

// VerifyOptions configure verify mode: a sample of hits is recomputed in the background, under the same
// predicate, and compared with what was served. Where the two differ although nothing says that a change
// came in between, an annotation of the schema is wrong, or something was changed that the cache was not told
// of: it is counted, logged and kept for Cache.VerifyStats, with the mutations since whose annotations may lack
// an edge.
//
// A recomputation runs the resolvers of the query once more, or twice where the answers differ, beside the
// request and after it has been answered: with the request's context values, but neither its cancellation nor its
// response. Options.Predicate and Vary are asked again then, to see that the caller would still get the same
// entry. What the context holds must allow that: a framework that gives its context of one request to the next
// one has to put a copy there, else the recomputation sees another caller. Nobody is shown what it gives, and
// nothing of it is stored; errors and timeouts count as skipped, so that resolvers which need something that ends
// with the request (a transaction, a connection) cannot be verified this way. Hits of requests behind
// Cache.HoldUntilCommit are skipped, and all hits of a cache that several servers have. Hooks of extensions that
// were added after the cache do not run: an extension there that changes answers makes every recomputation
// differ, so add the cache last.
type VerifyOptions struct {
	// Rate is the fraction of hits that are recomputed, from 0 to 1. 0.001 finds what is wrong for
	// long, and costs a thousandth of the computations that the cache saves. Defaults to 0, none.
	Rate float64
	// Timeout bounds one recomputation, and the wait for mutations that were running meanwhile. Close waits
	// for a recomputation as long at most. Defaults to 10 seconds.
	Timeout time.Duration
	// Concurrency is how many hits are recomputed at a time; further ones are skipped. A resolver that
	// does not obey its context holds its place. Defaults to 2.
	Concurrency int
	// Grace is how long an answer that differs is left alone before it is recomputed once more: longer
	// than a change takes from its commit until this cache is told, by other instances, or by programs that
	// call Invalidate. Changes made by mutations of this instance are waited for in any case. Defaults to 1
	// second.
	Grace time.Duration
}

func (o VerifyOptions) validate(fault func(format string, args ...any)) {
	if !(o.Rate >= 0 && o.Rate <= 1) { // nor NaN
		fault("Verify.Rate is %v; it must be from 0 to 1", o.Rate)
	}
	if o.Timeout < 0 || o.Grace < 0 {
		fault("Verify.Timeout and Verify.Grace are %v and %v; they must be positive", o.Timeout, o.Grace)
	}
	if o.Concurrency < 0 {
		fault("Verify.Concurrency is %d; it must be positive", o.Concurrency)
	}
}
