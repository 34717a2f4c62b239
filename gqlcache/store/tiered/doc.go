// Package tiered asks several stores one after the other, the fastest first, and is a
// store itself.
//
// What a slower tier has is put into the faster ones on its way to the caller, and lives
// no longer there: a copy keeps the time of expiry of the original, or a share of what
// was left of it.
//
// # Faults
//
// A tier that fails is asked no less than before, counts its faults, and never keeps the
// others from doing their part. Reads go on to the next tier, so Get returns an entry,
// ErrMiss or ErrClosed. Put succeeds when one tier has taken the entry; a tier that
// failed may still hold an older one. Delete, DeleteEntry and Clear do all tiers and
// return what failed, since there the entry may still be.
//
// # Tiers that others share
//
// An entry out of a tier that other processes write to (Tier.Outside) says nothing that
// this process knows to be true. Options.Adopt proves it before anybody sees it. A caller
// who can tell by itself, as the cache can of the entries of its shared store, asks with
// GetIf instead. Either way an entry that is not proven leaves the key to the next tier.
//
// # What Delete means while entries move up
//
// A Get that has read an entry from a slow tier must not put it into a fast one after a
// Delete, or a Put of a younger one, has returned. See moves.go.
package tiered
