package cascade

import (
	_ "embed" // the directives' declarations
	"strings"
)

//go:embed directives.graphql
var directivesSDL string

//go:embed cachecontrol.graphql
var cacheControlSDL string

// The names of our directives, without prefix.
const (
	dirView      = "view"
	dirDependsOn = "dependsOn"
	dirReads     = "reads"
	dirWrites    = "writes"
	dirCache     = "cacheControl"
)

// SDL returns the declarations of @view, @dependsOn, @reads and @writes, their names
// prefixed, as text to add to a schema. The prefix must be the one in [Options].
func SDL(prefix string) string {
	return strings.ReplaceAll(directivesSDL, "\ndirective @", "\ndirective @"+prefix)
}

// CacheControlSDL returns the declaration of @cacheControl and its enum, for schemas that
// have none.
func CacheControlSDL() string { return cacheControlSDL }

// Config returns the lines of gqlgen.yml that keep gqlgen from generating run-time code
// for the directives. The cache reads them from the schema; resolvers never see them.
func Config(prefix string) string {
	var b strings.Builder
	b.WriteString("directives:\n")
	for _, name := range []string{dirView, dirDependsOn, dirReads, dirWrites} {
		b.WriteString("  " + prefix + name + ": {skip_runtime: true}\n")
	}
	b.WriteString("  " + dirCache + ": {skip_runtime: true}\n")
	return b.String()
}
