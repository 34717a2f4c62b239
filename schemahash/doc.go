// Package schemahash gives a schema a content hash: equal for schemas that mean the same,
// different as soon as an answer, a validation or a directive could differ.
//
// Not part of the meaning, and therefore not of the hash: files and their names,
// descriptions, comments, layout, whether something was said in a definition or in an
// extension of it, and the order of definitions, fields, arguments, enum values, union
// members, interfaces, directive locations and members of input objects. Applications of
// different directives on one node have no order either; those of one repeatable
// directive keep theirs.
//
// Everything else counts, with its spelling: a directive argument that repeats its
// default differs from one that is left out, and 1.0 differs from 1.00. Telling apart too
// much costs a cold cache after a deployment; telling apart too little would serve
// answers of another schema.
//
// The built-in scalars, introspection types and directives that gqlparser adds to every
// schema are left out, so that a new version of it does not change hashes. What a schema
// says about them (an extension of a built-in type, its own definition of @deprecated)
// counts.
package schemahash
