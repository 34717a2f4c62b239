// Package inspector says what happened, to those who may ask: extensions.cache, Explain,
// snapshots and warnings.
//
// It knows neither gqlgen nor HTTP nor the store: who may ask is decided before, and what
// became of an operation comes as values. So it decides nothing: a cache without it
// serves the same answers.
//
// # Invariants
//
//  1. Nobody can check a guess of a variable or a predicate against what is shown:
//     fingerprints are keyed with a secret of this process.
//  2. Whatever goes wrong in here, a panic included, changes no answer and no change.
//     Where code of this package runs between a change and its application, it runs
//     behind the Shield.
//  3. While nobody watches and nobody has asked, an operation costs no more than a look
//     whether that is so.
//
// # Locks
//
// That of the samples is a leaf. Those of the watch are in package watch.
//
// # Traps
//
//   - A Look that has missed ends before the answer is stored: the watch takes out what
//     it remembers under the key.
package inspector
