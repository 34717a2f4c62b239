package observe

import (
	"slices"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// TestLoadedTogether: of objects that one statement may have loaded, those are named whose
// rows it has not read, where the keys of the objects can be told.
func TestLoadedTogether(t *testing.T) {
	type user struct {
		ID   int
		Name string
	}
	type textual struct{ Id string }
	type embedding struct{ *user }
	type pointing struct{ ID *int64 }
	type unknown struct{ Name string }
	type bytes struct{ ID [16]byte }
	one, nine := int64(1), int64(9)
	for name, c := range map[string]struct {
		waited, came []any // while the statement ran, and without one
		odd          bool
	}{
		"rows that were read":          {[]any{&user{ID: 1}}, []any{&user{ID: 2}, &user{ID: 3}}, false},
		"another row":                  {[]any{&user{ID: 1}}, []any{&user{ID: 2}, &user{ID: 9}}, true},
		"a value":                      {[]any{user{ID: 1}}, []any{user{ID: 9}}, true},
		"texts":                        {[]any{&textual{"1"}}, []any{&textual{"3"}}, false},
		"another text":                 {[]any{&textual{"1"}}, []any{&textual{"9"}}, true},
		"embedded":                     {[]any{&embedding{&user{ID: 1}}}, []any{&embedding{&user{ID: 9}}}, true},
		"nothing embedded":             {[]any{&embedding{}}, []any{&embedding{}, &embedding{&user{ID: 9}}}, false},
		"pointers":                     {[]any{&pointing{&one}}, []any{&pointing{&nine}}, true},
		"no pointer":                   {[]any{&pointing{&one}}, []any{&pointing{}}, false},
		"another type":                 {[]any{&user{ID: 1}}, []any{&textual{"9"}}, false},
		"a type of several":            {[]any{&textual{"x"}, &user{ID: 1}}, []any{&user{ID: 9}}, true},
		"no other one":                 {[]any{&user{ID: 1}, &user{ID: 2}, &user{ID: 9}}, nil, false},
		"one of a map while it ran":    {[]any{&user{ID: 1}, &user{ID: 2}, &user{ID: 9}}, []any{&user{ID: 3}}, true},
		"keys that are no column's":    {[]any{&textual{"VXNlcjox"}}, []any{&textual{"VXNlcjo5"}}, false},
		"numbers that mostly are none": {[]any{&user{ID: 1}, &user{ID: 70}, &user{ID: 80}}, []any{&user{ID: 9}}, false},
		"objects without a key":        {[]any{&unknown{"a"}}, []any{&unknown{"b"}}, false},
		"lists":                        {[]any{[]*user{{ID: 1}}}, []any{[]*user{{ID: 9}}}, false},
		"bytes that are no number":     {[]any{&bytes{}}, []any{&bytes{[16]byte{1}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, dialect := range []catalog.Dialect{catalog.SQLite, catalog.PostgreSQL} {
				r := newRig(t, Options{Dialect: dialect})
				text, before := `SELECT id, name FROM users WHERE id IN (?, ?, ?)`, `SELECT id, title FROM posts WHERE id IN (?, ?, ?, ?)`
				if dialect == catalog.PostgreSQL {
					text, before = `SELECT id, name FROM users WHERE id IN ($1, $2, $3)`, `SELECT id, title FROM posts WHERE id IN ($1, $2, $3, $4)`
				}
				ask := func(of func(*Recording)) Footprint {
					ctx, a := r.record(t.Context())
					query(ctx, r.session(), before, args(1, 2, 3, 9), args(1, "a"), args(2, "b"), args(3, "c"), args(9, "d"))
					entered := a.Enter()
					query(ctx, r.session(), text, args(1, 2, 3), args(1, "a"), args(2, "b"), args(3, "c"))
					for _, object := range c.waited {
						a.Leave("Post.author", entered, object)
					}
					of(a)
					return a.End()
				}
				ask(func(*Recording) {}) // the shape is new
				f := ask(func(a *Recording) {
					for _, object := range c.came {
						a.Leave("Post.author", a.Enter(), object)
					}
				})
				if got := slices.Equal(f.Unexplained, []string{"Post.author"}); got != c.odd || len(f.Unexplained) > 1 || got != r.has(UnexplainedField) {
					t.Errorf("%v: %q", dialect, f.Unexplained)
				}
			}
		})
	}
}

// TestKeyOf: what the key of an object is.
func TestKeyOf(t *testing.T) {
	t.Parallel()
	type id string
	type lower struct{ id int }
	type small struct{ ID uint8 }
	type large struct{ ID uint64 }
	for _, c := range []struct{ object, key any }{
		{struct{ ID id }{"a"}, "a"},
		{&struct{ Id int32 }{5}, int64(5)},
		{lower{5}, nil},
		{small{5}, int64(5)},
		{large{1 << 63}, nil},
		{(*small)(nil), nil},
		{nil, nil},
		{5, nil},
		{struct{ ID [16]byte }{[16]byte{1}}, string([]byte{1, 15: 0})},
		{struct{ ID struct{} }{}, nil},
	} {
		got := keyOf(c.object).value
		if b, ok := got.([]byte); ok {
			got = string(b)
		}
		if got != c.key {
			t.Errorf("%#v: %#v, want %#v", c.object, got, c.key)
		}
	}
}
