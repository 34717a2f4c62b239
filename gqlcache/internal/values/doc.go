// Package values has what is kept of the values that a program computes under keys which
// it builds itself: their keys, whether their types survive being encoded, what they
// depend on, and their figures.
//
// It knows no GraphQL, no store and no clock.
//
// # Invariants
//
//  1. Two keys have the same bytes only if name, tenant, arguments and scope are equal.
//     An argument that has no such bytes makes the whole key invalid.
//  2. A Sum never loses a tag. Beyond its bound it says that it is full, and what it
//     belongs to is not stored.
//  3. A value that is kept as it is holds no memory that its owner may change, unless the
//     owner has said that nobody changes it: see Plain.
//
// # Traps
//
//   - Key is passed by value, and copies may share the memory of a long key. Nothing
//     appends to that memory in place.
//   - Arg must not let its value escape: a hit would allocate for each argument. It looks
//     at kinds and calls no method of the value.
package values
