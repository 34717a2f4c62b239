package keycheck

import "math/rand/v2"

// An index maps hashes to numbers. One hash may have several. It is emptied by beginning
// another epoch, so that a large one costs nothing to reuse.
type index struct {
	slots []slot
	n     int
	epoch uint32
}

type slot struct {
	hash   uint64
	number uint32
	epoch  uint32
}

// empty removes everything.
func (x *index) empty() {
	x.n = 0
	x.epoch++
	if x.epoch == 0 {
		clear(x.slots)
		x.epoch = 1
	}
}

// add adds a number to a hash. It reports whether it was not there.
func (x *index) add(hash uint64, number uint32) bool {
	if 2*(x.n+1) > len(x.slots) {
		x.grow()
	}
	mask := uint64(len(x.slots) - 1)
	for i := spread(hash) & mask; ; i = (i + 1) & mask {
		s := &x.slots[i]
		if s.epoch != x.epoch {
			*s = slot{hash, number, x.epoch}
			x.n++
			return true
		}
		if s.hash == hash && s.number == number {
			return false
		}
	}
}

// spread makes the lowest bits tell hashes apart: those of sources have the same, and those
// of values may be chosen by a client.
func spread(hash uint64) uint64 { return hash * factor >> 32 }

var factor = rand.Uint64() | 1

func (x *index) grow() {
	old, epoch := x.slots, x.epoch
	x.slots = make([]slot, max(64, 2*len(old)))
	x.n, x.epoch = 0, 1
	for _, s := range old {
		if s.epoch == epoch {
			x.add(s.hash, s.number)
		}
	}
}

// first returns a number of a hash.
func (x *index) first(hash uint64) (uint32, bool) {
	if x.n == 0 {
		return 0, false
	}
	mask := uint64(len(x.slots) - 1)
	for i := spread(hash) & mask; x.slots[i].epoch == x.epoch; i = (i + 1) & mask {
		if x.slots[i].hash == hash {
			return x.slots[i].number, true
		}
	}
	return 0, false
}

// all appends the numbers of a hash.
func (x *index) all(dst []uint32, hash uint64) []uint32 {
	if x.n == 0 {
		return dst
	}
	mask := uint64(len(x.slots) - 1)
	for i := spread(hash) & mask; x.slots[i].epoch == x.epoch; i = (i + 1) & mask {
		if x.slots[i].hash == hash {
			dst = append(dst, x.slots[i].number)
		}
	}
	return dst
}
