// Traps, for who changes this package.
//
//   - otter bounds a number or a weight. The weight of an entry is at least MaxBytes /
//     MaxEntries, so that both bounds hold.
//   - otter takes an expiry of zero for "as before": an expired entry is never written.
//   - A goroutine of otter's own reads the clock, too.

package memstore
