package store

// TierStats are the figures of one tier of several.
type TierStats struct {
	// Name is the tier's.
	Name string `json:"name"`
	// Stats are the store's own.
	Stats
	// Promotions are the entries that moved up into this tier from a slower one.
	Promotions uint64 `json:"promotions"`
	// Rejected are the entries of this tier that could not be proven to be true.
	Rejected uint64 `json:"rejected"`
	// Faults are the calls that failed.
	Faults uint64 `json:"faults"`
}

// Tiered is an optional part of a Store of several tiers.
type Tiered interface {
	// Tiers returns the figures of each tier, the fastest first; it does not block.
	Tiers() []TierStats
}
