// Package keycheck finds parts of a cache key that are missing.
//
// An argument of a statement comes from the request's key, from a row that an earlier
// statement of the same computation returned, or it is a constant. One that comes from
// elsewhere, a session that a middleware has put into the context for instance, makes an
// answer that two callers must not share.
//
// No single value proves anything. What is judged is a position: an argument of a statement
// of an operation. A [Checker] keeps, for each, the sources that have held its value in all
// computations so far. A position that no source is left of is convicted: the operation's
// answers are not stored. A position whose explanation fewer than two callers have confirmed
// may be explained by coincidence: the answer is for the same caller only.
//
// # What explains a value
//
//   - A variable, an element of a list of them or a field of an input object, a literal of
//     the document, the predicate or a part of Vary, or a token of these. Letter case, space
//     around it and the type make no difference. A text is also taken for base64, for a
//     cursor in base64 (of text, JSON or MessagePack, as ent's are), for Type:id, for its
//     digest (MD5, SHA-1, SHA-256), and for itself without separators; a number also for one
//     more or one less than it is, for a time, for a hundredth or another unit, and for the
//     product of two, as offsets are; a time also for a number, and for the beginning or the
//     end of its day, in UTC or in the zone of the process. A pattern of LIKE is explained
//     by what it looks for, a text of several words by sources of the words, a list by those
//     of its elements.
//   - A column of the rows that an earlier statement returned, or a part of an array or of
//     JSON in it. When few of a column's many
//     values are used, which ones says more than that they are there: it remains a
//     coincidence.
//   - A field of a computed value that was got before, as a column. The key under which it was
//     asked for is a place of its own: its parts must be explained, too.
//   - A constant: the same value under two callers.
//   - A part of the key that determines the value: a truth value, a name or a number with
//     few values, or the predicate, that came with the same value each time.
//
// A number, a truth value or a name is easily somebody's by chance: an explanation of one
// must have held when it changed, twice.
//
// Different calls of one statement within an operation may have different sources, at most
// six: more are not learned. What is learned is of one operation: in another the same statement may have its
// values from other variables. An operation that a client makes up is therefore unproven,
// and of no use against the others.
//
// # What it does not see
//
//   - Literals within a text, and which statements run, count for nothing beyond that two
//     callers have sent the text.
//   - What a resolver does in Go with rows: it may hide those of other users.
//   - Two callers who have the same value by chance: two users of one tenant, in a server
//     whose keys lack the tenant, make it a constant until a third has another one.
//   - Callers whom [Caller] does not tell apart are one.
//   - A clock that is rounded, or of which a week is subtracted, before its value changes.
//     Then it is convicted.
//   - A value computed in Go from a source in another way, a digest with a secret for
//     instance, when it has no other explanation: it is convicted though it is right.
//     Key.Known vouches for it.
//   - Answers that never miss: an answer that is shared already is not computed again.
//
// It imports nothing of this module, and of others xxhash.
//
// # Traps
//
//   - A computation that was more than the check looks at teaches nothing, and its answer is
//     for the same caller.
//   - What is forgotten for want of memory is unproven again, never proven. The tables may
//     drop anything at any time.
//   - Positions that one caller alone has made are kept apart from the others: whoever sends
//     new operations all the time makes nothing go that others have confirmed.
//   - A resolver that was left behind may report after End. Buffers are reused, a Fill is
//     not.
//   - A source that holds whatever comes must not be one: the set would never be empty. So
//     tokens of a predicate are told by their place, and short numbers are nothing else.
//   - What a value is computed from besides the part must be the same for everybody. A day
//     in any zone would explain one in the caller's own, of which two callers may have the
//     same: its answer would be the third's.
package keycheck
