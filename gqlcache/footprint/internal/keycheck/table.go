package keycheck

// A table is a map of bounded size. It has two generations: what was not asked for while
// one filled up goes.
type table[V any] struct {
	limit      int // of bytes
	bytes      int // of young
	young, old map[uint64]*V
}

// entryBytes is about what an entry of a map costs beside its value.
const entryBytes = 48

// get returns what has the key, nil when nothing has. size is that of what it returns.
func (t *table[V]) get(key uint64, size func(*V) int) *V {
	if v := t.young[key]; v != nil {
		return v
	}
	v := t.old[key]
	if v != nil {
		delete(t.old, key)
		t.put(key, v, size(v))
	}
	return v
}

// put adds a value of so many bytes.
func (t *table[V]) put(key uint64, v *V, size int) {
	size += entryBytes
	if t.bytes+size > t.limit/2 || t.young == nil {
		t.old, t.young, t.bytes = t.young, map[uint64]*V{}, 0
	}
	t.young[key] = v
	t.bytes += size
}

// remove removes what has the key.
func (t *table[V]) remove(key uint64, size int) {
	if _, ok := t.young[key]; ok {
		t.bytes -= size + entryBytes
		delete(t.young, key)
	}
	delete(t.old, key)
}

// resize says that something young has become larger.
func (t *table[V]) resize(by int) { t.bytes += by }

func (t *table[V]) clear() { t.young, t.old, t.bytes = nil, nil, 0 }

func (t *table[V]) len() int { return len(t.young) + len(t.old) }
