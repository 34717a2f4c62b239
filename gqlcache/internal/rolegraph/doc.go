// Package rolegraph is a server whose schema has run-time directives that refuse or mask
// per caller, as most servers have them.
package rolegraph

//go:generate go tool gqlgen generate
