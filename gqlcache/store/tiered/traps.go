// Traps, for who changes this package.
//
//   - A tier of the process outlives a change in the tiers that others share. GetIf asks
//     the next tier when an entry is not proven, and moves no such entry up.
//   - Writers go from the slowest tier to the fastest and count after each. A move up
//     that has seen the count change takes its entry back. See moves.

package tiered
