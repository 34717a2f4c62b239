// Package orms is one gqlgen server over four ways to talk to a database: ent, GORM, bun,
// and code like that which sqlc generates. Its schema has no directives: what answers
// depend on, and what mutations change, is taken from the statements.
package orms

//go:generate go tool gqlgen generate --config gqlgen.yml
