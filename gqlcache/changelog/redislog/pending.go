package redislog

import (
	"sync"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// pending are the changes of this instance that the server has not taken. It is in doubt
// whether it has: a record that is logged twice invalidates twice.
type pending struct {
	mu sync.Mutex // protects all below
	// kept is what waits; sent what a push has under way. While there is either, there is
	// no lease: the instance would read entries that others store, who do not know of the
	// change.
	kept, sent changes
}

// changes are some publications as one.
type changes struct {
	count int
	tags  []tag.Tag
	all   bool
	// settles are the intents that are over when the changes are applied.
	settles []changelog.Position
	// intent says that the changes are announced, not made. It is never kept.
	intent bool
	// unless, if it is set, is the sign of life that the only intent in settles must
	// have, or nothing is logged.
	unless string
}

// nothing says that nothing was changed.
func (c *changes) nothing() bool { return len(c.tags) == 0 && !c.all }

func (c *changes) add(d changes) {
	c.count += d.count
	c.settles = append(c.settles, d.settles...)
	c.all = c.all || d.all || len(c.tags)+len(d.tags) > maxTags
	if c.all {
		c.tags = nil
		return
	}
	c.tags = append(c.tags, d.tags...)
}

// empty REQUIRES mu held.
func (p *pending) empty() bool { return p.kept.count == 0 && p.sent.count == 0 }

func (p *pending) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kept.count + p.sent.count
}

// ifEmpty takes a lease if nothing is pending. Nothing is kept meanwhile.
func (p *pending) ifEmpty(takeLease func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.empty() {
		takeLease()
	}
}

// keep keeps a change and drops the lease, in one step for ifEmpty.
func (p *pending) keep(c changes, dropLease func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept.add(c)
	dropLease()
}

// take moves everything kept to sent.
func (p *pending) take() (changes, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent, p.kept = p.kept, changes{}
	return p.sent, p.sent.count > 0
}

// finish ends what take began. What failed is kept again.
func (p *pending) finish(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.sent.add(p.kept)
		p.kept = p.sent
	}
	p.sent = changes{}
}
