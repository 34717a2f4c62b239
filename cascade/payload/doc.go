// Package payload builds GraphQL Cascade payloads of what a mutation has changed.
//
// The file payload.graphql beside it has the types of the specification, version 0.1, to
// be added to a schema. gqlgen generates Go types for them, which [Build] fills:
//
//	updates, err := payload.Build[graph.CascadeUpdates](payload.Report{
//		Changes: []payload.Change{payload.Updated("User", user.ID, user), payload.Deleted("Post", id)},
//	})
//
// The cache reads such payloads of mutations by itself, whatever the client selects of
// them: what they list is dropped beside what the mutation is declared to write.
package payload
