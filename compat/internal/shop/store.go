package shop

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Store holds the rows. It may be used concurrently; what it returns are copies.
type Store struct {
	mu      sync.Mutex
	items   map[int]Item
	parts   map[int]Part
	users   map[int]User
	things  map[string]string
	counted int
	faults  int // how often sometimes fails yet
	changes []chan *Item
}

// NewStore returns a store with the rows that every test begins with.
func NewStore() *Store {
	s := &Store{items: map[int]Item{}, parts: map[int]Part{}, users: map[int]User{}, things: map[string]string{}}
	due := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	for id := 1; id <= 9; id++ {
		s.items[id] = Item{
			Base: Base{ID: id, Name: "item " + string(rune('a'+id-1))}, Price: float64(10 * id), Due: due.AddDate(0, 0, id),
			Weight: int64(100 * id), Secret: "secret " + string(rune('a'+id-1)), OwnerID: 1 + id%3,
		}
		s.parts[id] = Part{Base: &Base{ID: id, Name: "part " + string(rune('a'+id-1))}, ItemID: 1 + id%4}
	}
	for id, name := range []string{1: "alice", 2: "bob", 3: "carol"} {
		if name != "" {
			s.users[id] = User{ID: id, Name: name, Email: new(name + "@example.com")}
		}
	}
	return s
}

func (s *Store) locked(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

// Item returns a row, nil if there is none.
func (s *Store) Item(id int) (out *Item) {
	s.locked(func() {
		if it, ok := s.items[id]; ok {
			out = new(it)
		}
	})
	return out
}

// Items returns the rows that match, by id.
func (s *Store) Items(match func(Item) bool) []*Item {
	out := []*Item{}
	s.locked(func() {
		for _, id := range slices.Sorted(maps.Keys(s.items)) {
			if it := s.items[id]; match(it) {
				out = append(out, new(it))
			}
		}
	})
	return out
}

// Parts returns those of an item.
func (s *Store) Parts(itemID int) []*Part {
	out := []*Part{}
	s.locked(func() {
		for _, p := range s.parts {
			if p.ItemID == itemID {
				out = append(out, &Part{Base: new(*p.Base), ItemID: p.ItemID})
			}
		}
	})
	slices.SortFunc(out, func(a, b *Part) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// User returns a row, nil if there is none.
func (s *Store) User(id int) (out *User) {
	s.locked(func() {
		if u, ok := s.users[id]; ok {
			out = new(u)
		}
	})
	return out
}

// UserBy returns the first row that matches.
func (s *Store) UserBy(match func(User) bool) (out *User) {
	s.locked(func() {
		for _, id := range slices.Sorted(maps.Keys(s.users)) {
			if u := s.users[id]; match(u) {
				out = new(u)
				return
			}
		}
	})
	return out
}

// Thing returns a row, nil if there is none. Keys compare without case.
func (s *Store) Thing(sku string) (out *Thing) {
	sku = strings.ToLower(sku)
	s.locked(func() {
		if name, ok := s.things[sku]; ok {
			out = &Thing{Sku: sku, Name: name}
		}
	})
	return out
}

// PutThing writes a row.
func (s *Store) PutThing(sku, name string) {
	s.locked(func() { s.things[strings.ToLower(sku)] = name })
}

// Change changes a row and tells subscribers. It returns nil if there is none.
func (s *Store) Change(id int, do func(*Item)) *Item {
	it := s.write(id, do)
	s.tell(it)
	return it
}

func (s *Store) write(id int, do func(*Item)) (out *Item) {
	s.locked(func() {
		if it, ok := s.items[id]; ok {
			do(&it)
			s.items[id] = it
			out = new(it)
		}
	})
	return out
}

func (s *Store) tell(it *Item) {
	if it == nil {
		return
	}
	s.locked(func() {
		for _, c := range s.changes {
			c <- new(*it)
		}
	})
}

// Create adds a row.
func (s *Store) Create(name string, price float64) (out *Item) {
	s.locked(func() {
		it := Item{
			Base: Base{ID: len(s.items) + 1, Name: name}, Price: price, OwnerID: 1, Weight: 1,
			Due: time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC),
		}
		s.items[it.ID] = it
		out = new(it)
	})
	return out
}

// AddPart adds a part.
func (s *Store) AddPart(itemID int, name string) (out *Part) {
	s.locked(func() {
		p := Part{Base: &Base{ID: len(s.parts) + 1, Name: name}, ItemID: itemID}
		s.parts[p.ID] = p
		out = &Part{Base: new(*p.Base), ItemID: itemID}
	})
	return out
}

// AddUser adds a user.
func (s *Store) AddUser(name, email string) (out *User) {
	s.locked(func() {
		u := User{ID: len(s.users) + 1, Name: name, Email: &email}
		s.users[u.ID] = u
		out = new(u)
	})
	return out
}

// RenameUser changes a user's name.
func (s *Store) RenameUser(id int, name string) (out *User) {
	s.locked(func() {
		u, ok := s.users[id]
		if !ok {
			return
		}
		u.Name = name
		s.users[id] = u
		out = new(u)
	})
	return out
}

// Break has the next n calls of sometimes fail.
func (s *Store) Break(n int) { s.locked(func() { s.faults = n }) }

func (s *Store) count() (n int) {
	s.locked(func() {
		s.counted++
		n = s.counted
	})
	return n
}

func (s *Store) broken() (yes bool) {
	s.locked(func() {
		if s.faults > 0 {
			s.faults--
			yes = true
		}
	})
	return yes
}

// Watch returns a channel of changed items, which is closed by the function.
func (s *Store) Watch() (<-chan *Item, func()) {
	c := make(chan *Item, 100)
	s.locked(func() { s.changes = append(s.changes, c) })
	return c, func() {
		s.locked(func() {
			s.changes = slices.DeleteFunc(s.changes, func(x chan *Item) bool { return x == c })
			close(c)
		})
	}
}

// Watched says whether a channel of Watch is open.
func (s *Store) Watched() (yes bool) {
	s.locked(func() { yes = len(s.changes) > 0 })
	return yes
}
