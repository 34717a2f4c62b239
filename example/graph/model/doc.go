// Package model has the Go types of the GraphQL schema. The rows are those of package
// blog, each with the group of rows that it was read with, see [Group].
package model
