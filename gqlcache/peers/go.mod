module github.com/cascadeql/cascadeql/gqlcache/peers

go 1.26.0

require (
	github.com/cascadeql/cascadeql v0.0.0
	github.com/maypok86/otter/v2 v2.4.0
	github.com/vektah/gqlparser/v2 v2.5.23
	github.com/viccon/sturdyc v1.1.5
)

require (
	github.com/99designs/gqlgen v0.17.67 // indirect
	github.com/agnivade/levenshtein v1.2.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/go-viper/mapstructure/v2 v2.2.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/gorilla/websocket v1.5.0 // indirect
	github.com/hashicorp/golang-lru/v2 v2.0.7 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/sosodev/duration v1.3.1 // indirect
)

replace github.com/cascadeql/cascadeql => ../..
