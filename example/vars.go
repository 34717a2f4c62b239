package main

import (
	"expvar"
	"fmt"
	"net/http"

	"github.com/cascadeql/cascadeql/gqlcache"
	cacheexpvar "github.com/cascadeql/cascadeql/gqlcache/metrics/expvar"
)

// serveVars writes what expvar's own handler does, with the figures of the cache as the
// variable gqlcache. Nothing is published: that would be for the whole process, and tests
// have several servers in one. Without a cache the variable is missing.
func serveVars(cache *gqlcache.Cache) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		separator := "{\n"
		write := func(v expvar.KeyValue) {
			fmt.Fprintf(w, "%s%q: %s", separator, v.Key, v.Value)
			separator = ",\n"
		}
		if cache != nil {
			write(expvar.KeyValue{Key: "gqlcache", Value: cacheexpvar.Var(cache)})
		}
		expvar.Do(write)
		fmt.Fprint(w, "\n}\n")
	}
}
