package cascade

import "errors"

// Options adjust how a schema's directives are read.
type Options struct {
	// Prefix is put before the names of our five directives, for schemas that use these
	// names for something else: "cache_" makes @view @cache_view. @cacheControl keeps its
	// name. Defaults to "".
	Prefix string
	// Infer lets the shape of the schema stand for directives that are missing, on types
	// with @view: a mutation without @writes writes the rows that it returns; if its name
	// begins with update, it changes the columns that its arguments name or its input
	// sets, and those in touched. A field without @reads that refers to one row reads
	// that row, and any other that returns rows reads the whole views of their types.
	//
	// It is wrong, and answers are stale until they expire, where a mutation changes more
	// than it returns: a counter of another row (addComment that also bumps
	// Post.commentCount), rows deleted along with one, a column that a trigger sets; and
	// where a field shows more than it returns: a plain field that is computed from
	// another view (a count, a latest date), a list whose order or membership depends on
	// one. Such fields and mutations need their directives. Defaults to false.
	Infer bool

	// PassiveDirectives are directives of the schema, by name, that change no value of
	// what they are on: @hasRole, or a @constraint that accepts or refuses. Of any other
	// directive of the schema's own on an argument, an input field, an input object or a
	// field, its code may make another value of what a client sends or a resolver
	// returns: then nothing is known of it, which drops more. Those of gqlgen's
	// configuration and of federation need not be named. Defaults to none.
	PassiveDirectives []string
	// ArgumentDirectives are directives on fields, by name, whose code changes the
	// arguments that the field's resolver gets. The schema does not tell them from
	// others. Defaults to none.
	ArgumentDirectives []string
	// ComparableScalars are scalars of the schema's own, by name, of which two values are
	// equal, for resolvers and the database, only if their text differs at most in the
	// case of letters, in punctuation, space and zeros at the beginning, or if they are
	// one number. Times with zones, encrypted ids and JSON are not. Values of others are
	// unknown. UUID, ULID, ObjectID, Int32, Int64, Uint, Uint32, Uint64 and Long need not
	// be named. Defaults to none.
	ComparableScalars []string
	// OpaqueKeys are views or types, by name, whose key has more spellings than that: one
	// that a resolver encrypts or signs anew each time. A change of one of their rows
	// then counts as one of each. Defaults to none.
	OpaqueKeys []string

	// Versioned are views or types, by name, whose changes are told by somebody, though no
	// mutation may write them: then not every mutation drops the answers that show
	// them.
	// Defaults to none.
	Versioned []string
	// DirectivesCovered names run-time directives that Lint need not mention: see
	// CodeRuntimeDirective. Nothing else looks at it. Defaults to none.
	DirectivesCovered []string
}

// A Fault is one thing wrong with a schema's cascade metadata.
type Fault struct {
	File         string // as gqlparser knows it
	Line, Column int    // from 1
	Message      string // what is wrong and what to do
}

// ErrDirectives is what every error of Compile wraps.
var ErrDirectives = errors.New("cascade: directives")
