// Package storetest is the suite that every store.Store must pass.
//
//	func TestConformance(t *testing.T) {
//		storetest.Run(t, func(t *testing.T, o storetest.Options) store.Store { … })
//	}
//
// It checks that keys are kept apart whatever their bytes, that a miss is store.ErrMiss,
// that an entry lives no longer than it says, also as a copy, that a younger entry is
// never replaced by an older one, that the figures add up after clear, eviction and
// concurrent use, that bounds hold, and that a closed store says so. A Quirk lets a store
// outside of the process off what it cannot do. Run it with the race detector, too.
package storetest
