// Package opkey writes the parts of a cache key.
//
// Two requests share an entry exactly when their keys are equal byte for byte, so a key
// must be injective on everything that the answer depends on. That is never left to
// hashes or to a printer's taste: every part is written in a form that a reader could
// take apart again, with lengths before texts, counts before lists, and a byte that tells
// the kind before every value.
//
// How the parts make a key is said in package plans, which puts them together; what a
// part is, here:
//
//	part = length as a uvarint · bytes, [AppendPart]
//
// Counts are uvarints, too; names and texts are parts. Variables say where they end, so
// that what follows them begins at one place only. A normal form goes on to the end of
// its bytes: nothing may follow it.
//
// # Normal form
//
//	operation  = kind · variables · directives · selections · fragment*
//	variables  = count · (name · type · 0|1 default · directives)*, by name
//	directives = count · (name · arguments)*
//	arguments  = count · (name · value)*, by name
//	selections = count · (field | spread | inline)*
//	field      = 'f' · response name · name · arguments · directives · selections
//	spread     = 's' · number of the fragment, in order of first use · directives
//	inline     = 'i' · type condition · directives · selections
//	fragment   = 'F' · type condition · variables · directives · selections, in order of first use
//	value      = '$' name | 'i' text | 'd' text | 's' text | 'b' text | 'e' name | 'n'
//	           | 'l' count value* | 'o' count (name · value)*, by name
//
// What cannot change the data is left out: layout, comments, the order of arguments,
// input fields and variable definitions, the names of fragments and their order in the
// document, other operations and fragments that are not reached, whether a string was
// written as a block, and the operation's name, which is a part of the key by itself.
//
// What can change it is kept: the order of fields, which is the order of the answer's
// keys, aliases, the order of directives on one place, and the names of variables, which
// [AppendVariables] repeats. Fragments are written once each and not expanded, since
// expansion can be exponential; a document that uses fragments differs from one that does
// not, although the answers agree.
//
// # Variables
//
//	variables = count · (name · value)*, by name
//	value     = 'n' | 't' | 'f' | 's' text | '#' text of a json.Number
//	          | 'k' kind · 8 bytes, a Go number | 'l' count value* | 'L' a nil list
//	          | 'o' count (name · value)*, by name | 'O' a nil map
//
// Absent variables are absent, and thus differ from null. A list of one element differs
// from the element: coercion has made a list of it before, where the type asks for one.
// Lists of different Go element types are equal when their elements are.
//
// # Traps
//
//   - VariableValues of gqlparser writes into the maps that it is given.
//   - Coercion makes typed slices of single values in list positions, as []string and
//     [][]int64. They must be encoded like the lists that decoded JSON has.
package opkey
