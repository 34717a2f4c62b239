// Example is a multi-tenant blog: a gqlgen server over SQLite, set up as one for
// production is.
//
//	go run ./example
//
// Without any environment it serves demo data from a temporary database on 127.0.0.1:8080
// and prints what to try. The environment variables are those of [config]: with
// DATABASE_URL it is over PostgreSQL, whose row-level-security policies keep the tenants
// apart.
package main

//go:generate go tool gqlgen generate
