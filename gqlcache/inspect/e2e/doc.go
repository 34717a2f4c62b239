// Package e2e holds what the cache writes into extensions.cache, and what it is asked
// there, against extension.schema.json, with a validator that others use. It is a module
// of its own, so that the validator reaches no importer.
//
// The tests of gqlcache record the JSON; the flag inspect.recorded says where to.
package e2e
