// Traps, for who changes this package.
//
//   - gqlgen caches collected fields by the address of a selection set: a new set is
//     never shared between nodes.
//   - gqlgen does not merge nodes whose parents are unrelated interfaces, and writes only
//     the first one. So each node carries its key itself.
//   - A custom directive on one node may apply to another's id of the same name. Whether
//     the client's own key is used is decided for each position.
//   - An injected key of an interface or a union comes first in its object: the walk
//     knows the concrete type by it. __typename takes the place of a key that cannot be
//     read.
//   - PossibleTypes of gqlparser holds interfaces and input objects, too. Filter what
//     GetPossibleTypes returns by the kind.

package extractor
