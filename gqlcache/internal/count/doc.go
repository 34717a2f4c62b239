// Package count has counters of bounded size: of operations by name, and of durations.
// Its methods may be called concurrently.
//
// # Traps
//
//   - The name of an operation is a part of its document. A name that is kept as it is
//     keeps the document's whole text.
package count
