// Package testgraph is a gqlgen server of odd shapes over a store in memory, for the
// tests of the cache. Its resolvers stop at named points, where a test may count, block,
// fail or panic.
package testgraph

//go:generate go tool gqlgen generate
