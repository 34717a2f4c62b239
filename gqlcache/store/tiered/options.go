package tiered

import (
	"errors"
	"fmt"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A Policy says what Put does to a tier.
type Policy int

const (
	// Through puts the entry into the tier. Whether that waits is the tier's business:
	// one that writes behind, as redisstore does by default, takes it and returns.
	Through Policy = iota
	// Around leaves the tier to what moves up from slower ones, and removes what it holds
	// of the key.
	Around
)

// A Tier is one store and how it is used.
type Tier struct {
	// Name tells the tier in figures and reports. Required, and of one tier only.
	Name string
	// Store is the tier itself; it is closed with the whole. Required.
	Store store.Store
	// Write is what Put does to it. Defaults to Through.
	Write Policy
	// TTLFactor is the share of the time left that an entry gets in this tier, put or
	// moved up: above 0, and 1 at most, since a copy must not outlive its original. An
	// entry with a share is a copy, so a tier that tells entries by identity does not
	// find it by the original in DeleteEntry. Defaults to 1.
	TTLFactor float64
	// Jitter shortens that share by a random part of up to this fraction, so that entries
	// which came together do not leave together: from 0 to below 1. Each move up draws
	// anew. Defaults to 0.
	Jitter float64
	// PromoteEvery is how many hits of this tier there are to one that moves its entry up
	// into the faster ones. 2 and more keep those for what is asked for again and again: a
	// client that asks for everything once replaces one entry in so many. The hits between
	// pay for a look into this tier each. Of the first tier it means nothing. Defaults to
	// 1, every hit.
	PromoteEvery int
	// Outside says that other processes put into it. Defaults to false.
	Outside bool
}

// Options configure a store of tiers.
type Options struct {
	// Tiers are the stores, the fastest first. At least one is required.
	Tiers []Tier
	// Adopt is called with each entry of a tier that is Outside, before it is moved up or
	// returned. It returns the entry to use, perhaps another one with a Meta that means
	// something in this process, and whether it may be used: false is a miss of that
	// tier. It may keep neither key nor e unless it returns e, and is called
	// concurrently. Required if a tier is Outside.
	Adopt func(key []byte, e *store.Entry) (*store.Entry, bool)
	// OnError hears of each fault of a tier, with what was tried: "get", "put",
	// "promote", "delete", "clear". It is called on the path of requests and must be
	// fast. store.ErrTooLarge is no fault. Defaults to counting only.
	OnError func(tier, op string, err error)
	// Clock tells the time that TTLFactor is reckoned from. Defaults to time.Now.
	Clock func() time.Time
}

// validate reports all faults at once.
func (o Options) validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("tiered: "+format, args...))
	}
	if len(o.Tiers) == 0 {
		fault("Tiers is empty")
	}
	names := map[string]bool{}
	for i, t := range o.Tiers {
		if t.Name == "" || names[t.Name] {
			fault("Tiers[%d].Name is %q; each tier needs a name of its own", i, t.Name)
		}
		names[t.Name] = true
		if t.Store == nil {
			fault("Tiers[%d].Store is nil", i)
		}
		if t.Write != Through && t.Write != Around {
			fault("Tiers[%d].Write is %d; it must be Through or Around", i, t.Write)
		}
		if !(t.TTLFactor >= 0 && t.TTLFactor <= 1) { // NaN included
			fault("Tiers[%d].TTLFactor is %v; it must be above 0 and at most 1, or 0 for 1", i, t.TTLFactor)
		}
		if !(t.Jitter >= 0 && t.Jitter < 1) { // NaN included
			fault("Tiers[%d].Jitter is %v; it must be from 0 to below 1", i, t.Jitter)
		}
		if t.PromoteEvery < 0 {
			fault("Tiers[%d].PromoteEvery is %d; it must be 1 or more, or 0 for 1", i, t.PromoteEvery)
		}
		if t.Outside && o.Adopt == nil {
			fault("Tiers[%d] is Outside, and Adopt is nil: nobody would prove its entries", i)
		}
	}
	if len(faults) == 0 && !anyThrough(o.Tiers) {
		fault("all tiers are Around: nothing would ever be stored")
	}
	return errors.Join(faults...)
}

func anyThrough(tiers []Tier) bool {
	for _, t := range tiers {
		if t.Write == Through {
			return true
		}
	}
	return false
}
