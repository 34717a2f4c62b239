// Package peers compares values that programs compute with the loading caches of other
// libraries, in one run. Nobody imports it: its requirements are in no importer's graph.
package peers
