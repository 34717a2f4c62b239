// Package history remembers which tags recent records of the change log named, so that an instance
// can tell whether an entry that another one stored is still true.
package history
