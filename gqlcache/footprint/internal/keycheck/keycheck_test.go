package keycheck

import (
	"database/sql/driver"
	"testing"
)

// text is the hash of a statement's text in these tests.
func text(s string) uint64 { return hashString(s) }

func TestMissingUser(t *testing.T) {
	c := New(Options{})
	for i, user := range []string{"u1", "u2", "u3"} {
		f := c.Begin(Key{Document: 1, Operation: "posts", Variables: map[string]any{"first": 10}, Caller: Caller(i + 1)})
		f.Argument("", "SELECT 1", text("SELECT 1"), 1, user)
		v := f.End()
		if i == 0 && !v.Coincidental || i > 0 && len(v.Convicted) == 0 {
			t.Errorf("fill %d: %+v", i, v)
		}
	}
}

func TestRows(t *testing.T) {
	c := New(Options{})
	for i, user := range []string{"u1", "u2", "u3"} {
		f := c.Begin(Key{Document: 1, Caller: Caller(i + 1)})
		f.Row("", text("a"), []driver.Value{user, int64(i)})
		f.Argument("", "SELECT 1", text("SELECT 1"), 1, []byte(user))
		v := f.End()
		if len(v.Convicted) > 0 || v.Coincidental != (i == 0) {
			t.Errorf("fill %d: %+v", i, v)
		}
	}
}
