// Package shop is a gqlgen server as people build them: ids as Go ints, inputs with Omittable, embedded
// structs, nil pointers and zero times, scalars bound to functions, loaders per request, batch resolvers,
// a directive for roles, uploads, subscriptions, in the follow-schema layout.
//
// What depends on the HTTP stack around it is in [Env]. [Gates] hold resolvers back.
package shop

//go:generate go tool gqlgen generate --config gqlgen.yml
