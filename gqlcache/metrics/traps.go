// Traps, for who changes this package.
//
//   - Two counters of which one is a part of the other must not be subtracted to get the
//     rest: while both grow the difference can fall, and a scraper takes that for a
//     restart. Each part is counted for itself, and the total is the sum. The count of a
//     histogram is a sum as well.
//   - The name of an operation, kept as it is, keeps the text of its document.

package metrics
