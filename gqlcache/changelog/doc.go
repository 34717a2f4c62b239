// Package changelog is how the instances of a service tell each other what changed.
//
// The log numbers changes. An instance applies the records in the order of their numbers
// and knows, by a gap, when it has missed one; what it cannot have applied it must not
// serve. Two things together make that a promise:
//
//   - A lease. An instance serves cached entries only while it holds one, and it gets one
//     only after it has applied every record up to then. See Log.Fresh.
//   - An acknowledgement. Who publishes a change may wait until every other instance has
//     applied it, or holds no lease any more. See Level.
//
// A log may also announce a change before it is made, so that nobody is shown the old
// state after somebody has seen the new one: see Intender.
//
// Numbers belong to an epoch. Whenever the log may have lost something, it begins a new
// epoch, and nothing that was cached in an older one is served any more. Epochs grow.
//
// The package is the contract alone; redislog is the implementation on Redis.
package changelog
