// Package allocs counts allocations in tests.
package allocs
