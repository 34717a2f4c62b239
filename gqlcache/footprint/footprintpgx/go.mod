module github.com/cascadeql/cascadeql/gqlcache/footprint/footprintpgx

go 1.26.0

require (
	github.com/cascadeql/cascadeql v0.0.0
	github.com/jackc/pgx/v5 v5.13.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/text v0.41.0 // indirect
)

// In the repository, the cache beside it. Importers are not concerned: see CONTRIBUTING.md.
replace github.com/cascadeql/cascadeql => ../../..
