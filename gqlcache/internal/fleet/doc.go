// Package fleet tells the other instances of a server what changed, and hears what they
// changed.
//
// A Fleet stands between the clock of this process on one side, and the change log and
// the store of shared answers on the other. The cache announces a change before it is
// made, if Options.Intent says so, and publishes the change afterwards. A record of the
// log goes to the history and to the clock. A cache without a log has a Fleet, too: its
// methods then serve one process.
//
// # Order of steps
//
// Each of these pairs is in one function, so that no caller can turn it around:
//
//   - The place in the log is read before the clock's number: [Fleet.Place].
//   - The lease is looked at before the number from which on others may be joined:
//     [Fleet.Arrive].
//   - The lease is looked at, then the token is taken, then the shared store is asked,
//     then the answer's validity is looked at: [Fleet.TakeOver].
//   - The history learns of a record before the clock does: [Sink.Apply].
//
// Three more are the caller's. A token is caught up with, [Fleet.CatchUp], before
// [Fleet.Arrive]. The lease, [Fleet.Fresh], is looked at before the validity
// of an entry of this instance. A change is applied before its announcement is settled:
// [Fleet.Settle].
//
// # Imports
//
// The package knows neither operations nor requests. A [Schema] tells it which views
// there are. It must not import package gqlcache, the engine, the watch, cascade, gqlgen
// or net/http.
//
// # Locks
//
// The mutexes of publishers, lookLimit and windows are leaves. The mutex of later is held
// while Config.Background is called, and while the log is called once Background runs
// nothing any more. The announcements of an intentSink belong to the log's goroutine and
// have no lock. No lock is held while a store is asked.
//
// # Traps
//
//   - Code decides the names of partitions, so no schema tells when they change. Without
//     Options.PartitionVersion a record made inside a partition carries its build, and
//     another build takes it for one outside all partitions.
//   - A token ahead of the log is not necessarily forged: the look may have failed, or an
//     epoch begun. It is absent only when the log was asked, in the token's own epoch,
//     and has not got there.
//   - An answer computed for a token that is not reached may be shared only by requests
//     that arrived before its computation began. The clock's number does not move while
//     the change is not applied here, so it cannot order them: they wait for a window of
//     real time.
//   - A tier of the process among the shared ones outlives a change in the others. Its
//     entry is refused, and the next tier asked (store.Sieve), or every instance would
//     compute an answer that one has stored already.
//   - A log that was out of reach joins the changes that it could not take into one
//     record: each of them has names, and a build, of its own.
//   - The history does not learn of announcements: the clock refuses a shared entry that
//     an open one names, and the history refuses it for the change itself.
package fleet
