package analysis

import (
	"sync"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// Definitions are the queries of views and policies that were parsed. A tree is not
// changed once it was parsed. When there are too many all are forgotten, so their number
// is bounded for any number of catalogs.
var definitions struct {
	sync.Mutex
	queries map[definitionKey]definitionTree
	bytes   int
}

type definitionKey struct {
	dialect catalog.Dialect
	text    string
}

type definitionTree struct {
	query *sqlparse.Query
	err   error
}

const maxDefinitionBytes = 1 << 20

// definition parses the query of a view, once.
func definition(d catalog.Dialect, text string) (*sqlparse.Query, error) {
	key := definitionKey{d, text}
	definitions.Lock()
	defer definitions.Unlock()
	if t, ok := definitions.queries[key]; ok {
		return t.query, t.err
	}
	q, err := sqlparse.ParseQueryDialect(text, dialectOf(d))
	if len(text) > maxDefinitionBytes/4 {
		return q, err
	}
	if definitions.queries == nil || definitions.bytes+len(text) > maxDefinitionBytes {
		definitions.queries, definitions.bytes = map[definitionKey]definitionTree{}, 0
	}
	definitions.queries[key] = definitionTree{q, err}
	definitions.bytes += len(text)
	return q, err
}
