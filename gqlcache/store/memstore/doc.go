// Package memstore holds entries in the memory of one process, bounded in bytes and in
// number, with otter deciding what to evict.
//
// Both bounds at once: otter bounds either a number or a weight. With MaxBytes and
// MaxEntries, an entry weighs its Size but at least MaxBytes/MaxEntries, so that the
// weights of MaxEntries entries always reach MaxBytes. Entries smaller than that floor
// are charged for it when room is counted; Stats.Bytes stays the sum of the sizes.
//
// The bounds hold whenever no Put is running; each Put that runs can exceed them by its
// own entry.
package memstore
