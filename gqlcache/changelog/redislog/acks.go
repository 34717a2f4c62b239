package redislog

import (
	"strconv"
	"strings"
	"sync"
)

// acks is what this instance knows of the others. It is safe for concurrent use.
type acks struct {
	mu      sync.Mutex        // protects all below
	applied map[string]uint64 // by member, the highest number heard of
	slow    map[string]uint64 // members that were waited for in vain, and the number
	changed chan struct{}     // closed when applied changes
}

func newAcks() *acks {
	return &acks{applied: map[string]uint64{}, slow: map[string]uint64{}, changed: make(chan struct{})}
}

// hear reads "<instance> <number>".
func (a *acks) hear(payload string) {
	id, text, _ := strings.Cut(payload, " ")
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		a.learn(map[string]uint64{id: n})
	}
}

// learn takes in what members have applied.
func (a *acks) learn(applied map[string]uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	news := false
	for id, n := range applied {
		if n > a.applied[id] {
			a.applied[id], news = n, true
		}
		if late, ok := a.slow[id]; ok && n >= late {
			delete(a.slow, id)
		}
	}
	if news {
		close(a.changed)
		a.changed = make(chan struct{})
	}
}

// only forgets who is no member.
func (a *acks) only(members map[string]uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range a.applied {
		if _, ok := members[id]; !ok {
			delete(a.applied, id)
		}
	}
	for id := range a.slow {
		if _, ok := members[id]; !ok {
			delete(a.slow, id)
		}
	}
}

// strike removes from the set who has applied the number. It returns a channel that is
// closed at the next news.
func (a *acks) strike(waiting map[string]bool, n uint64) <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range waiting {
		if a.applied[id] >= n {
			delete(waiting, id)
		}
	}
	return a.changed
}

// isSlow reports whether a member was waited for in vain and has not answered since.
func (a *acks) isSlow(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.slow[id]
	return ok
}

// gaveUp remembers that members were waited for in vain.
func (a *acks) gaveUp(waiting map[string]bool, n uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range waiting {
		if _, ok := a.slow[id]; !ok && a.applied[id] < n {
			a.slow[id] = n
		}
	}
}
