// Package gqlcachetest compares a server with the cache to the same server without it, in
// tests of the server's own operations. It needs to know nothing of schema, annotations
// or options: whatever the cache breaks, an answer differs.
//
//	func TestCacheChangesNothing(t *testing.T) {
//		gqlcachetest.Compare(t,
//			func() http.Handler { return newServer(freshStore(t), nil) },
//			func() http.Handler { return newServer(freshStore(t), newCache(t)) },
//			[]gqlcachetest.Operation{
//				{Query: `query Feed { feed { id title } }`},
//				{Query: `mutation Rename($id: ID!, $title: String!) { rename(id: $id, title: $title) { id } }`,
//					Variables: map[string]any{"id": 1, "title": "New"}},
//			})
//	}
//
// Histories of operations are sent to both: each query by each caller twice, each
// mutation with all queries before and after it, random ones, and mutations with readers
// that ask while it runs, also between its answer and the end of its request. Bodies,
// status codes and headers are compared byte by byte. What differs is reported with its
// kind, the shortest history that shows it, and how to fix it.
//
// Operations that the server without the cache answers differently each time, because of
// a random order, a clock or ids of its own, are recognized first, named in the log, and
// not compared.
package gqlcachetest
