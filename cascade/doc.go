// Package cascade turns the directives of a GraphQL schema into a [Plan]: which rows
// every query field reads, which rows every mutation writes, and which views are derived
// from which.
//
// [SDL] holds the declarations of the directives and [Config] the lines for gqlgen.yml;
// [Compile] checks every use of them and reports all faults at once, each with its place
// and what to do.
//
// # Views
//
// A view is a named set of rows: a table, a database view, an index. A type's rows come
// from its view, and wherever a view is named, the name of a type stands for the view of
// that type.
//
//	type Post @view(name: "v_post", columns: ["author.id", "tenant_id"], touched: ["version"]) { … }
//	extend schema @view(name: "v_post_tag", columns: ["post_id", "tag_id"])
//
// A type with a field id has a view of its own name even without @view. Only @view
// promises that its plain scalar and enum fields are columns of the row; computed ones
// need @reads. On an interface, @view holds for every possible type that has none itself.
// A type with several @view directives has the first as its primary one.
//
// # Columns
//
// A column is a field of the view's type (status), a path of fields that ends at a scalar
// or an enum (author.id), or a name declared in columns, for what no field shows
// (tenant_id). Columns in touched change with every write. Views declared on the schema
// have no fields: their columns are names.
//
// # Paths, constants and terms
//
// A path starts at args (the field's arguments), parent (the object that has the field,
// in @reads) or result (what the mutation returned, in @writes). It ends at a scalar or
// an enum and flattens lists: args.input.authorId, parent.author.id, result.posts.id.
// What the client has not selected of a path is read where its fields are plain: fields
// of Go structs and maps, without a resolver, a method, an argument or a directive that
// runs, and scalars that need no marshaler of the server's. The rest is not known, which
// widens what is read or written. A @writes with resolve: true lets resolvers run on its
// result paths, after the mutation's own and through all field middlewares, and the
// answer waits for them. A constant is 'text' (with a quote in it doubled), a number,
// true, false or null.
//
// A term compares a column with a path or a constant: status = 'PUBLISHED', author.id =
// args.by. The name of an argument alone stands for itself: authorId is authorId =
// args.authorId. In reads a term may also say title contains args.term, for a search in
// which at most the case of letters, accents, space around the term and the characters of
// LIKE make a difference; one that ignores punctuation, knows word stems or finds words
// apart names its columns in using. The terms of one list are joined by and; a list as
// operand means any of its elements; in where, an operand that is absent, null or an
// empty list makes its term true or, with a column that may be null, selects the rows
// without a value; an empty text may be one or none. Values that some server takes for
// one are one: those that differ in letter case, accents, punctuation, space and zeros at
// the beginning, and spellings of one number. A column for which others are equal too
// (word stems, sounds) belongs in using, not in a term. Values of scalars of the schema's
// own, and what a directive may change, are not compared: see [Options].
//
// # Reads, writes, dependencies
//
//	type Query {
//	  post(id: ID!): Post                        # inferred: row "args.id", for types with @view
//	  node(id: ID!): Node @reads(view: "Node", row: "args.id")
//	  feed: [Post!]! @reads(view: "Post", where: ["status = 'PUBLISHED'"], using: [])
//	}
//	type Mutation {
//	  updatePost(id: ID!, input: PostInput!): Post!
//	    @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["args.input"])
//	}
//	type AuthorStats @view(name: "v_author_stats", key: "authorId")
//	    @dependsOn(on: "Post", key: "author.id", using: ["status"]) { … }
//
// A read is one row, the rows that match terms, or the whole view; using lists the
// columns that decide it beyond those of its terms. A list that shows the first rows only
// says so with limit and offset, and with appends if created rows come last: then rows
// that it does not show matter less. With order, a resolver may tell where it ends. A
// write names the rows by key or by the values they had before, the values they have
// afterwards, and with UPDATE the columns that change; an argument path in fields stands
// for the input fields that a request sets or that have a default, where authorId stands
// for author.id too. A CREATE without row creates exactly the rows of its view that the
// mutation returns, if it returns any. A field without @reads reads anything, a mutation
// without @writes writes anything. A field with @reads(atRuntime: true) reads what its
// resolvers say, or anything where one has said nothing: see [Operation.SaysAtRuntime]. A dependency maps a row of the other view to the row
// whose key is the value of a column, or to all rows; views must not depend on
// themselves.
//
// # Policy
//
// @cacheControl is Apollo's: the lowest maxAge of an operation wins, and types seen
// through interfaces and unions count. An operation is public only when every part of it
// says so. Beyond Apollo's arguments, sMaxAge is how long shared caches may show an old
// answer, which every part has to say; staleWhileRevalidate is in place of the cache's
// option; vary names header fields, of which all those count that any part names.
package cascade
