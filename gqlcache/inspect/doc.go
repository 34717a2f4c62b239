// Package inspect has the types of what a cache tells about itself: extensions.cache,
// with which a response tells what the cache did for it, and the Snapshot that the
// playground panel shows. They are the JSON of version 1, described by
// extension.schema.json beside this file.
//
// Fields are added within a version; one whose meaning changes makes a new version.
// Readers ignore fields that they do not know. Times are milliseconds since 1970,
// durations have their unit in their names. Nothing in here contains a predicate: keys
// and their parts appear as fingerprints.
package inspect
