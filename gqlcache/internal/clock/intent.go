package clock

import (
	"slices"
	"sync/atomic"
)

// An Intent says that something is about to change: from Announce until Settle, no stamp
// that meets its tags is Valid and no Finish that meets them succeeds. It is safe for
// concurrent use.
//
// A change needs some time between its commit and its Apply. Without an intent, one
// reader may compute and see the new state in that time, and a later reader may still be
// given a stamp from before it. With one there is no stamp to give, until the change is
// applied:
//
//   - A stamp born before the announcement is dead: Announce publishes a number n for the
//     tags, like Apply.
//   - A computation with a token below n is refused, or its stamp is dead, for the same
//     reason.
//   - A computation with a token of n or above took it after n was published, and the
//     tags were marked before that. Its Finish finds them marked, or the intent settled.
//     In the second case the Apply of what did change has returned, with a number m ≥ n,
//     before the marks went: a token below m is refused for what changed, and one of m or
//     above was taken after the commit.
//
// So Valid and the cells know nothing of intents, and a hit pays nothing for them.
type Intent struct {
	clock   *Clock
	tags    []Tag
	all     bool
	settled atomic.Bool
}

// Announce says that the tags may change, and drops what depends on them. Call it before
// the change can be seen by anyone, and Settle when it has been applied, or was not made.
// Tags may repeat; they are not kept. Without tags nothing is announced.
func (c *Clock) Announce(tags []Tag) *Intent {
	in := &Intent{clock: c, tags: slices.Clone(tags)}
	if len(tags) == 0 {
		return in
	}
	c.apply.Lock()
	defer c.apply.Unlock()
	n := c.seq.Load() + 1
	for _, t := range in.tags {
		s := c.shard(t.Hash)
		s.mu.Lock()
		s.pending[t.Hash] = append(s.pending[t.Hash], maskOf(t))
		s.apply(t.Hash, maskOf(t), n, c.bound)
		s.mu.Unlock()
	}
	// Only now, as in Apply: whoever takes n for a token must find the marks.
	c.seq.Store(n)
	return in
}

// AnnounceAll says that anything may change, and drops everything.
func (c *Clock) AnnounceAll() *Intent {
	c.allPending.Add(1) // before the number, as in Announce
	c.Flush()
	return &Intent{clock: c, all: true}
}

// Settle ends the intent. What the change did is applied before, with Apply or Flush: a
// Finish that no longer finds the marks must find that. Settling twice does nothing.
func (in *Intent) Settle() {
	if in.settled.Swap(true) {
		return
	}
	if in.all {
		in.clock.allPending.Add(-1)
	}
	for _, t := range in.tags {
		s := in.clock.shard(t.Hash)
		s.mu.Lock()
		s.unmark(t.Hash, maskOf(t))
		s.mu.Unlock()
	}
}
