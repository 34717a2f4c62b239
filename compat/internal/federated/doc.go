// Package federated is a subgraph of Apollo's federation, version 2.
package federated

//go:generate go tool gqlgen generate --config gqlgen.yml
