// Package extractor tells which objects a GraphQL response holds, whatever the client
// chose to select.
//
// Prepare copies an operation and adds hidden fields to the copy: one key field per
// selection of rows whose key the client did not select in a form that can be relied on.
// Executing the copy yields a response with hidden members; Operation.Walk reads it once,
// reports every object with its concrete type and key, and cuts the hidden members out,
// so that the client receives the bytes it would have received anyway.
//
// Hidden members are recognized by their alias, which starts with a nonce of this process
// (see Nonce). Data cannot imitate them: a walk looks at member names only where the
// operation selects fields, and Prepare refuses operations whose aliases contain the
// nonce. A hidden field that fails must not change the response: whoever executes the
// copy guards fields for which IsHidden is true, so that a failure writes null and
// reports no error. A null key means that the row is not known.
//
// CanonicalID and CanonicalValue bring the spellings of one key together. ParseCascade
// reads the change reports of GraphQL Cascade.
package extractor
