package cascade

import "errors"

// Options adjust how a schema's directives are read.
type Options struct {
	// Prefix is put before the names of our five directives, for schemas that use these names for
	// something else: "cache_" makes @view @cache_view. @cacheControl keeps its name.
	// Defaults to "".
	Prefix string
	// Infer lets the shape of the schema stand for directives that are missing, on types with @view: a
	// mutation without @writes writes the rows that it returns; if its name begins with update, it
	// changes the columns that its arguments name or its input sets, and those in touched. A field
	// without @reads that refers to one row reads that row, and any other that returns rows reads the
	// whole views of their types.
	//
	// It is wrong, and answers are stale until they expire, where a mutation changes more than it
	// returns: a counter of another row (addComment that also bumps Post.commentCount), rows deleted along
	// with one, a column that a trigger sets; and where a field shows more than it returns: a plain field
	// that is computed from another view (a count, a latest date), a list whose order or membership depends on
	// one. Such fields and mutations need their directives. Defaults to false.
	Infer bool
	// DirectivesCovered names run-time directives that Lint need not mention: see CodeRuntimeDirective. Nothing else
	// looks at it. Defaults to none.
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
