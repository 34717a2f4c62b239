// Package plans has the knowledge of an operation before it runs: its plan, the key of
// its answers, the mark of its schema's tags, and the reason why it bypasses the cache.
//
// It may import the compiler of the directives (package cascade), the extractor,
// schemahash, opkey and the leaves count, reason and safe. It imports neither the
// cache nor engine, clock, a store, gqlgen or net/http: it takes a text, a document and
// an operation, and who asks is a Scope that the caller has evaluated.
//
// # Locks
//
// cache.mu protects the plans by text and their order; a plan that was used is found
// without it. Directives.adding is held while a server's directives are added. Neither is
// held while the other is taken, nor while a function of the owner's runs.
//
// # Traps
//
//   - The text of a document does not tell its operation: an extension may rewrite it. A
//     plan is used only for the operation pointer that it was made from, and only the
//     client's operation is planned.
//   - A document that a query cache shares may be changed in place by an extension, for
//     one request: equal pointers do not say that nothing has changed.
//   - A resolver may change the variables: an input that is bound to a map is the very
//     map of them. What is told from them afterwards is told from a copy.
//   - A node of a document keeps the whole document, with its text: each position points
//     to the source. A string that is a part of the document, a name or a literal key,
//     keeps its text, too. Clone what is kept longer than a request.
//   - gqlgen runs the directives of an object type on each field that returns the type.
//     Directives of an interface's field do not run at all. The fields of the server's
//     DirectiveRoot say which directives run.
//   - ArgumentMap of gqlparser, of fields and of directives, panics on integers that do
//     not fit.
package plans
