// Package history remembers which tags recent records of the change log named, so that an
// instance can tell whether an entry that another one stored is still true.
//
// # Traps
//
//   - The history must learn of a record before the clock does. Package fleet calls Note
//     in that order, see its Sink.
//   - The history does not learn of intents. An intent that expires is settled by a
//     record that counts as the change. Were it only forgotten, shared entries from
//     before it would be proven again.
package history
