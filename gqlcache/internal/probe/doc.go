// Package probe reads which rows an answer shows, whatever its client selected:
//
//  1. The client's operation is executed as it is. Nothing is added to it: resolvers,
//     directives, middlewares and extensions see what they would see without the cache,
//     and the bytes of the answer are gqlgen's. A [Recorder] around each field keeps what
//     the resolvers of fields with objects return.
//  2. When the operation has been executed, its probe (extractor.Probe) is executed by
//     the code that gqlgen has generated, on the request's own context, with a response
//     context of its own: fields with objects get the values that were recorded, without
//     their resolvers, directives or middlewares, and below them only keys and paths are
//     read. In a server with interceptors of root fields it is executed one root field at
//     a time, inside of all of these, when the field has been resolved (rootProbe); not
//     so a probe that may run resolvers. It has ended when the answer is handed on, but
//     for the part of a root field that an interceptor has left to another goroutine.
//  3. Of the server's own code nothing runs in it: hidden fields are read only where
//     generated code reads a field of a struct or a map, values of types with a marshaler
//     of their own are not marshaled, and what cannot be read is null, which means
//     unknown. The exception are paths that @writes marks with resolve.
//  4. When anything is odd (an error, a value that was not recorded, or twice), the probe
//     counts for nothing: the client's answer alone is read, and rows whose keys it does
//     not have are unknown.
//
// It may import extractor and internal/safe of this module. It knows gqlgen, because it
// drives the code that gqlgen has generated. It knows no keys, tags or entries: [Config]
// has what it needs of the cache.
//
// # Locks
//
// A [Recorder] has one. It is held over no resolver, no marshaler and no execution. A
// [Prober] has none: its sets are replaced whole.
//
// # Traps
//
//   - Before v0.17.85 gqlgen's generated code takes a value of the cache's own in a
//     resolver's place for an error: a hidden field that has none would make its parent
//     null. compat/floor holds that version.
//   - gqlgen reads OperationContext.ResolverMiddleware at execution: it is swapped by the
//     goroutine that executes the operation, before it does, and never put back: what a
//     middleware has left behind may read it. Operation and Doc stay the client's:
//     extensions keep the pointer.
//   - The probe gets the values that resolvers returned, by place. A value that marshals
//     itself would do so twice, a field that was resolved twice has two values, and
//     arguments would be evaluated again, their directives with them: all of these make
//     the probe count for nothing. It has no arguments for that reason.
//   - An ExecutableSchema around gqlgen's may count or act: only gqlgen's own code is
//     executed a second time.
//   - A field of Go type any takes every value for its own, our null included: unknown
//     values of nullable fields are nil there.
//   - gqlgen's null is compared by identity; a private marshaler that writes null does
//     not propagate. A nil uuid.UUID becomes the null that does.
//   - Interceptors of root fields may give models back to a pool, or unlock them, when
//     the field has returned. In a server that has some, values that resolvers return are
//     read once more before that: innermost around the root field, one at a time. Then
//     models that several root fields share must not be written to while one of them is
//     resolved. A probe that may run resolvers reads values at the operation's end, and
//     so wrong ones where an interceptor has given them back.
//   - A guarded field's children and marshaler get the context that was given to next: a
//     context that ends when next returns fails them.
//   - Loaders share work between fields: the context of an allowed resolver ends only
//     when no field of the client's is resolved any more.
//   - The probe has a response context of its own. Never call AddError or GetExtensions
//     on one that a flight still uses.
//   - Stats of an operation context holds a map that extensions write to. CopyOperation
//     leaves it out.
package probe
