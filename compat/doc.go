// Package compat tests the cache in servers as people build them: with the real packages, each with and
// without the cache, byte by byte. It has no code of its own.
//
//   - internal/shop and internal/federated are servers, internal/entshop one on ent and SQLite;
//   - internal/orms is a server without directives on ent, GORM, bun, and statements by hand;
//   - internal/twin sends a request to both servers and compares, and checks gqlgen's contract: no
//     resolver runs before or after its request, and its context is the request's own;
//   - the tests of a cache in front start a varnishd, and are skipped without one;
//   - floor is a module of its own, with the oldest gqlgen that is supported.
//
// Most tests run in bubbles of testing/synctest, where a time out takes no time and "everybody waits"
// can be waited for.
package compat
