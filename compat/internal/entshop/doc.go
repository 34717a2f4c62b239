// Package entshop is a gqlgen server on ent and SQLite, whose mutations run in transactions that entgql's
// Transactioner commits after the resolvers.
package entshop

//go:generate go tool gqlgen generate --config gqlgen.yml
