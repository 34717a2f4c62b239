// Traps, for who changes this package.
//
//   - Some microseconds lie between an answer and its commit. Readers run inside of the
//     response's first Write, where that gap is open.
//   - An answer that a reader got while a mutation ran may be a leak. It is evidence for
//     "stale" only after the plain server has given it.
//   - A cache that several servers have does not know whose resolvers made an entry: it
//     does not verify hits.

package gqlcachetest
