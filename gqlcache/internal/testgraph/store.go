package testgraph

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A Store holds the rows. Histories of the same calls give the same rows and ids.
type Store struct {
	Points

	mu       sync.Mutex
	created  int
	users    map[string]User
	posts    map[string]Post
	comments map[string]Comment
	counters map[int]int
	docs     map[string]string
	settings map[string]any
	blurb    string
	broken   map[string]string
	notes    map[string]noteRow
	flashes  map[string]string
	banners  map[string]string
	loose    map[string]string
}

type noteRow struct{ owner, name string }

// Ids of rows that a new store has.
const (
	Ann   = "11111111-1111-4111-8111-111111111111"
	Bob   = "22222222-2222-4222-8222-222222222222"
	Hello = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa" // a published post of Ann's
	Draft = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb" // a draft of Bob's
	Said  = "cccccccc-cccc-4ccc-8ccc-cccccccccccc" // a comment on Hello
	Paper = "dddddddd-dddd-4ddd-8ddd-dddddddddddd" // a doc
	Zed   = "99999999-9999-4999-8999-999999999999" // of no row
)

// NewStore returns a store with a few rows of each kind.
func NewStore() *Store {
	s := &Store{
		users:    map[string]User{},
		posts:    map[string]Post{},
		comments: map[string]Comment{},
		counters: map[int]int{0: 10, 1: 11, 2: 12},
		docs:     map[string]string{Paper: "paper"},
		settings: map[string]any{"color": "red"},
		blurb:    "an apple",
		broken:   map[string]string{"error": "e", "panic": "p", "null": "n", "ok": "o"},
		notes:    map[string]noteRow{"n-ann": {"ann", "Ann's diary"}, "n-bob": {"bob", "Bob's diary"}},
		flashes:  map[string]string{"f1": "flash"},
		banners:  map[string]string{"b1": "welcome"},
		loose:    map[string]string{"l1": "loose"},
	}
	s.users[Ann] = User{s: s, ID: Ann, Name: "Ann", Email: new("ann@example.org"), Tags: []string{"a"}}
	s.users[Bob] = User{s: s, ID: Bob, Name: "Bob", BossID: new(Ann), Tags: []string{}}
	s.posts[Hello] = Post{s: s, ID: Hello, Name: "Hello", Status: StatusPublished, authorID: Ann}
	s.posts[Draft] = Post{s: s, ID: Draft, Name: "Draft", Status: StatusDraft, authorID: Bob}
	s.comments[Said] = Comment{s: s, ID: Said, Text: "well said", postID: Hello}
	return s
}

// Clone returns a store with the same rows: a snapshot, or the workspace of a
// transaction. It has no points set.
func (s *Store) Clone() *Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &Store{
		created: s.created, blurb: s.blurb,
		users: maps.Clone(s.users), posts: maps.Clone(s.posts), comments: maps.Clone(s.comments),
		counters: maps.Clone(s.counters), docs: maps.Clone(s.docs), settings: maps.Clone(s.settings),
		broken: maps.Clone(s.broken), notes: maps.Clone(s.notes), flashes: maps.Clone(s.flashes),
		banners: maps.Clone(s.banners), loose: maps.Clone(s.loose),
	}
	for id, u := range c.users {
		u.s = c
		c.users[id] = u
	}
	for id, p := range c.posts {
		p.s = c
		c.posts[id] = p
	}
	for id, x := range c.comments {
		x.s = c
		c.comments[id] = x
	}
	return c
}

// newID returns the id that the client chose, or the next one. REQUIRES: mu.
func (s *Store) newID(chosen *string) string {
	s.created++
	if chosen != nil {
		return *chosen
	}
	return fmt.Sprintf("eeeeeeee-eeee-4eee-8eee-%012d", s.created)
}

// sorted returns the rows of a table in the order of their keys. REQUIRES: mu.
func sorted[K string | int, V any](rows map[K]V, keep func(V) bool) []*V {
	out := []*V{}
	for _, k := range slices.Sorted(maps.Keys(rows)) {
		if v := rows[k]; keep == nil || keep(v) {
			out = append(out, &v)
		}
	}
	return out
}

// row returns one row of a table, or nil. REQUIRES: mu.
func row[K comparable, V any](rows map[K]V, key K) *V {
	v, ok := rows[key]
	if !ok {
		return nil
	}
	return &v
}

// at runs a resolver's work under the lock, between the points of its name and its name
// with ":done". What is read is read before the second point.
func at[T any](ctx context.Context, s *Store, name string, work func() (T, error)) (v T, err error) {
	if err = s.reach(ctx, name); err != nil {
		return v, err
	}
	if answer := s.answer(name); answer != nil {
		var got any
		got, err = answer(ctx)
		v, _ = got.(T)
	} else {
		v, err = locked(s, work)
	}
	if err != nil {
		return v, err
	}
	if err = s.reach(ctx, name+":done"); err != nil {
		var zero T
		return zero, err
	}
	return v, nil
}

func locked[T any](s *Store, work func() (T, error)) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return work()
}

func (s *Store) search(text string) []Hit {
	out := []Hit{}
	for _, u := range sorted(s.users, nil) {
		if strings.Contains(u.Name, text) {
			out = append(out, u)
		}
	}
	for _, p := range sorted(s.posts, nil) {
		if strings.Contains(p.Name, text) {
			out = append(out, p)
		}
	}
	if strings.Contains(s.blurb, text) {
		out = append(out, &Blurb{Text: s.blurb})
	}
	return out
}

// deleteUser removes a user with all posts. REQUIRES: mu.
func (s *Store) deleteUser(id string) bool {
	_, ok := s.users[id]
	delete(s.users, id)
	maps.DeleteFunc(s.posts, func(_ string, p Post) bool { return p.authorID == id })
	return ok
}

// node returns the row of an id, of whatever type; notes only to their owner. REQUIRES:
// mu.
func (s *Store) node(id, viewer string) Node {
	if u := row(s.users, id); u != nil {
		return u
	}
	if p := row(s.posts, id); p != nil {
		return p
	}
	if c := row(s.comments, id); c != nil {
		return c
	}
	if f, ok := s.flashes[id]; ok {
		return &Flash{ID: id, Text: f}
	}
	if n, ok := s.notes[id]; ok && n.owner == viewer {
		return &Note{ID: id, Name: n.name}
	}
	return nil
}
