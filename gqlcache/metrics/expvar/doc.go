// Package cacheexpvar shows a cache's figures with expvar, the standard library's way: as
// one variable, a JSON object with the members of docs/metrics.md.
//
//	expvar.Publish("gqlcache", cacheexpvar.Var(cache))
//
// The package expvar serves all variables at /debug/vars of http.DefaultServeMux. Names
// of operations are among the figures: serve it to operators only.
package cacheexpvar
