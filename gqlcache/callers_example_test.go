package gqlcache_test

import (
	"errors"
	"fmt"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/rolegraph"
)

// A server whose queries are not all PUBLIC starts when its owner has said who sees what.
func ExampleAllSeeTheSame() {
	schema := (&rolegraph.Server{}).Executable().Schema()
	_, err := gqlcache.New(gqlcache.Options{Schema: schema})
	fmt.Println(errors.Is(err, gqlcache.ErrOptions))

	cache, err := gqlcache.New(gqlcache.Options{
		Schema:  schema,
		Callers: gqlcache.AllSeeTheSame,
		// It looks at its argument only. Operations with the schema's other directives
		// bypass the cache.
		DirectivesCovered: []string{"audited"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer closeCache(cache)
	fmt.Println("started")
	// Output:
	// true
	// started
}
