// The cache with the oldest gqlgen that it supports: generated code and run time of that version.
module github.com/cascadeql/cascadeql/compat/floor

go 1.26.0

// In the repository, the cache beside it. Importers are not concerned: see CONTRIBUTING.md.
replace (
	github.com/cascadeql/cascadeql => ../..
	github.com/cascadeql/cascadeql/compat => ..
)

// The versions that the root requires. compat requires the newest.
replace (
	github.com/99designs/gqlgen => github.com/99designs/gqlgen v0.17.67
	github.com/vektah/gqlparser/v2 => github.com/vektah/gqlparser/v2 v2.5.23
)

require (
	github.com/99designs/gqlgen v0.17.98
	github.com/cascadeql/cascadeql v0.0.0
	github.com/cascadeql/cascadeql/compat v0.0.0
	github.com/vektah/gqlparser/v2 v2.5.64
)

require (
	github.com/agnivade/levenshtein v1.2.2 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/cpuguy83/go-md2man/v2 v2.0.5 // indirect
	github.com/go-viper/mapstructure/v2 v2.5.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/gorilla/websocket v1.5.0 // indirect
	github.com/hashicorp/golang-lru/v2 v2.0.7 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/maypok86/otter/v2 v2.4.0 // indirect
	github.com/russross/blackfriday/v2 v2.1.0 // indirect
	github.com/sosodev/duration v1.4.0 // indirect
	github.com/urfave/cli/v2 v2.27.6 // indirect
	github.com/xrash/smetrics v0.0.0-20240521201337-686a1a2994c1 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

tool github.com/99designs/gqlgen
