// Package hostile is a server that notices what a cache does behind its back: its
// marshalers, directives, resolvers and middlewares count their calls, and its Go values
// are of the kinds that gqlgen turns into nulls that propagate.
package hostile

//go:generate go tool gqlgen generate
