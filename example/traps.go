// Traps, for who changes this package.
//
//   - The namespace is a name inside of the database. A Redis that outlives the database
//     file must not serve its answers to another file.
//   - A read snapshot belongs to a root field, not to the HTTP request.
//   - COMMIT does not obey the request's context. If it did, it could report a
//     cancellation after it has committed.
//   - Package expvar registers a handler and its variables for the whole process. Tests
//     run several servers in one process, so serveVars writes the variables itself.

package main
