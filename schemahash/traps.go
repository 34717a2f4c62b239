// Traps, for who changes this package.
//
//   - gqlparser's prelude is known by its source's name. BuiltIn alone does not identify
//     it: plugins generate sources that have it set.

package schemahash
