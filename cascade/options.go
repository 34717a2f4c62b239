package cascade

import "errors"

// Options adjust how a schema's directives are read.
type Options struct {
	// Prefix is put before the names of our five directives, for schemas that use these names for
	// something else: "cache_" makes @view @cache_view. @cacheControl keeps its name.
	// Defaults to "".
	Prefix string
}

// A Fault is one thing wrong with a schema's cascade metadata.
type Fault struct {
	File         string // as gqlparser knows it
	Line, Column int    // from 1
	Message      string // what is wrong and what to do
}

// ErrDirectives is what every error of Compile wraps.
var ErrDirectives = errors.New("cascade: directives")
