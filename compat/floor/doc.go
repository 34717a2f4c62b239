// Package floor is a server of the oldest gqlgen that the cache supports.
package floor

//go:generate go tool gqlgen generate --config gqlgen.yml
