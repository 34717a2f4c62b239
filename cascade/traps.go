// Traps, for who changes this package.
//
//   - A read subscribes to every subset of its terms. An event publishes one tag for each
//     combination of the values that it knows. Never expand both sides.
//   - A report narrows the change of exactly its row: "08" may be another row than "8".
//     All spellings are asked whether a report may be about several fields' rows, and
//     whether it drops a row that it does not list.
//   - A class is no equality: 1.5 meets 15 and 1.50, which do not meet each other.
//     Nothing may be deduplicated by its class.
//   - Go code has names of its own for the values of an enum. A reported value that the
//     schema does not have is unknown.
//   - Directives on fields see FieldContext.Args and may change them. The schema does not
//     say which do: Options.ArgumentDirectives does.
//   - gqlparser applies the defaults of arguments, but not those of input fields: the
//     plan does, in outcome.go.
//   - ArgumentMap of gqlparser panics on integers that do not fit: input.go evaluates
//     arguments instead.
//   - PossibleTypes of gqlparser holds interfaces and input objects, too: the method
//     objects of the compiler leaves them out.
//   - gqlparser's column of a string is one too far: it is that of the first character
//     after the quote. See valueStart.
//   - A where-read whose terms have no value looks up the shape of exactly the terms that
//     are left. Nobody publishes a shape that is not listed: such a read widens to the
//     view.
//   - A shape's mask cannot know the columns that a predicate consults. A tag for "some
//     row was updated" exists for them.
//   - A derived event leaves its partition when the view that it follows from is not
//     partitioned.
//   - The tag of a named row is not partitioned. Those of lists, unknown rows and shapes
//     are.
//   - A null to-one field hides the key of the row that may appear: it depends on the
//     rows that come into its view.
//   - The key of a type is that of its first view. Its other views may have another key.
//   - A read that leaves out vanished adds the columns that put a row in the set to the
//     mask of that row. A shown row that leaves by an update is heard there. A known move
//     publishes vanished at the old values and existence at the new ones.
//   - ShownUntil on a list that is shorter than its limit makes stale answers: the next
//     row would be shown there.
//   - Grams of text that looks like a UUID are not comparable, because canonical text is
//     not what was written: the read widens. So does a term of fewer than three letters.
//   - A DELETE of unknown rows drops every answer that shows any row of the view. Rows
//     prevents it.
//   - Reports are steps: two moves of one column join. Unchanged from one root field says
//     nothing of another's write.
//   - Columns get bits in schema order. Instances that share a log must load type
//     extensions in the same order.

package cascade
