package keycheck

import (
	"crypto/sha256"
	"database/sql/driver"
	"fmt"
	"testing"
	"time"
)

// TestMissing has keys that lack the user, or the tenant. No answer is shared, and after a
// few computations of three callers the position is convicted.
func TestMissing(t *testing.T) {
	// who calls in the nth computation.
	who := func(i int) int { return i % 3 }
	user := func(i int) string { return fmt.Sprintf("u%d", who(i)) }
	for name, c := range map[string]struct {
		of func(i int) fill
		// within is how many computations it takes at most, shared how many of them are
		// shared, two callers having the same value by chance.
		within, shared int
	}{
		"text": {func(i int) fill { return by(who(i), nil, arg(users, user(i))) }, 2, 0},
		"a number": {func(i int) fill {
			return by(who(i), vars{"first": 10}, arg(users, int64(7+who(i))))
		}, 3, 0},
		"a number that is somebody's variable": {func(i int) fill {
			return by(who(i), vars{"first": 7}, arg(users, int64(7+who(i))))
		}, 4, 0},
		"a number, and the variable differs": {func(i int) fill {
			return by(who(i), vars{"id": 100 + i/3}, arg(users, int64(7+who(i))))
		}, 4, 0},
		"a number, and the variable is always another": {func(i int) fill {
			return by(who(i), vars{"id": 100 + i}, arg(users, int64(7+who(i))))
		}, maxOpen + 3, 0},
		"a number, and the predicate has many": {func(i int) fill {
			return by(who(i), nil, arg(users, int64(1+who(i)))).under("groups:1,2,3")
		}, 3, 0},
		"a truth value that is somebody's variable": {func(i int) fill {
			return by(who(i), vars{"draft": who(i)%2 == 0, "first": i % 2}, arg(users, who(i) == 0))
		}, 6, 0},
		"bytes": {func(i int) fill { return by(who(i), nil, arg(users, []byte{0xff, byte(who(i))})) }, 2, 0},
		"a UUID": {func(i int) fill {
			return by(who(i), nil, arg(users, [16]byte{1, 2, 3, byte(who(i))}))
		}, 2, 0},
		"an array": {func(i int) fill { return by(who(i), nil, arg(users, []string{"all", user(i)})) }, 2, 0},
		"an array as text": {func(i int) fill {
			return by(who(i), nil, arg(users, `{all,`+user(i)+`}`))
		}, 2, 0},
		"a time of the session": {func(i int) fill {
			return by(who(i), nil, arg(users, noon.AddDate(0, 0, -1-who(i))))
		}, 2, 0},
		"the clock":           {func(i int) fill { return by(who(i), nil, arg(posts, noon.Add(time.Second))) }, 1, 0},
		"the clock, a number": {func(i int) fill { return by(who(i), nil, arg(posts, noon.UnixMilli()+5)) }, 1, 0},
		"the clock, text":     {func(i int) fill { return by(who(i), nil, arg(posts, noon.Format(time.RFC3339))) }, 1, 0},
		"the zone of the session": {func(i int) fill {
			d := noon.AddDate(0, -1, -i).Truncate(24 * time.Hour)
			return by(who(i), vars{"on": d.Format(time.DateOnly)}, arg(posts, d.Add(time.Duration(3+who(i)/2)*time.Hour)))
		}, 2, 0},
		"a day of the session, near the client's": {func(i int) fill {
			d := noon.AddDate(0, -1, 0).Truncate(24 * time.Hour)
			return by(who(i), vars{"on": d.Format(time.DateOnly)}, arg(posts, d.AddDate(0, 0, who(i))))
		}, 3, 0},
		"a digest of more than the token": {func(i int) fill {
			return by(who(i), vars{"token": "t"}, arg(users, fmt.Sprintf("%x", sha256.Sum256([]byte("t"+user(i))))))
		}, 2, 0},
		"a number of another unit, and more": {func(i int) fill {
			return by(who(i), vars{"price": 10 + i}, arg(posts, int64(100*(10+i)+7*(1+who(i)))))
		}, maxOpen + 3, 0},
		"a client sends a variable with the value": {func(i int) fill {
			v := vars{"first": 10}
			if i == 0 {
				v["x"] = "say " + user(i)
			}
			return by(who(i), v, arg(users, user(i)))
		}, 3, 0},
		"a client always sends its own": {func(i int) fill {
			v := vars{"x": "nothing"}
			if who(i) == 0 {
				v["x"] = user(i)
			}
			return by(who(i), v, arg(users, user(i)))
		}, 3, 0},
		"a sibling lists all users, once": {func(i int) fill {
			f := by(who(i), nil)
			if i == 0 {
				f.events = append(f.events, row("SELECT id FROM users", "u0"), row("SELECT id FROM users", "u1"))
			}
			f.events = append(f.events, arg(posts, user(i)))
			return f
		}, 3, 0},
		"the predicate has the tenant only": {func(i int) fill {
			return by(who(i), nil, arg(users, user(i))).under("tenant:t1")
		}, 2, 0},
		"the predicate has another number": {func(i int) fill {
			return by(who(i), nil, arg(users, int64(who(i)+1))).under("tenant:1")
		}, 4, 0},
		"a setting": {func(i int) fill { return by(who(i), nil, setting("app.user", user(i))) }, 2, 0},
		"a role":    {func(i int) fill { return by(who(i), nil, setting("role", "role_"+user(i))) }, 2, 0},
		"a schema":  {func(i int) fill { return by(who(i), nil, setting("schema of posts", "tenant_"+user(i))) }, 2, 0},
		"nobody, then somebody": {func(i int) fill {
			if i == 0 {
				return by(0, nil, arg(users, nil))
			}
			return by(who(i), nil, arg(users, user(i)))
		}, 2, 0},
		"somebody, then nobody": {func(i int) fill {
			if i == 1 {
				return by(1, vars{"first": 1}, arg(users, nil))
			}
			return by(who(i), vars{"first": 1}, arg(users, user(i)))
		}, 3, 0},
		"a tenant of two callers, then another": {func(i int) fill {
			return by(who(i), nil, arg(users, fmt.Sprintf("t%d", who(i)/2)))
		}, 3, 1},
		"the same, with a variable": {func(i int) fill {
			return by(who(i), vars{"status": "DRAFT"}, arg(users, fmt.Sprintf("t%d", who(i)/2)))
		}, 3, 1},
		"part of a composed key": {func(i int) fill {
			return by(who(i), vars{"org": "acme"}, arg(users, "acme/"+user(i)))
		}, 2, 0},
		"a list with a stranger": {func(i int) fill {
			return by(who(i), vars{"ids": []any{"a", "b"}}, arg(users, []any{"a", "b", user(i)}))
		}, 2, 0},
		"a valuer": {func(i int) fill { return by(who(i), nil, arg(users, valuer(user(i)))) }, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			ch := newChecker(Options{})
			given := 0
			for i := range 12 {
				v := c.of(i).run(ch)
				switch g := grade(v); {
				case g == shared:
					if given++; given > c.shared {
						t.Fatalf("computation %d is shared", i)
					}
				case i >= c.within-1 && g != refused:
					t.Fatalf("computation %d is %s", i, g)
				}
			}
		})
	}
}

// TestManyRows has a statement whose rows hold all users, and another that asks for the
// caller's.
func TestManyRows(t *testing.T) {
	for _, field := range []string{"", "users"} {
		c := newChecker(Options{})
		for i := range 12 {
			f := by(i%3, nil)
			for j := range 20 {
				f.events = append(f.events, rowAt(field, "SELECT id FROM users", int64(j)))
			}
			f.events = append(f.events, argAt("posts", posts, 1, int64(i%3)))
			if g := grade(f.run(c)); g != private {
				t.Errorf("with field %q computation %d is %s", field, i, g)
			}
		}
	}
}

// TestSiblingRows has few rows, of a field that is not above: half of them must be used.
func TestSiblingRows(t *testing.T) {
	of := func(field string) func(i int) fill {
		return func(i int) fill {
			f := by(i, nil)
			for j := range 3 {
				f.events = append(f.events, rowAt(field, "SELECT id FROM users", int64(j)))
			}
			f.events = append(f.events, argAt("posts.author", users, 1, int64(i%3)))
			return f
		}
	}
	for field, want := range map[string]string{"users": private, "post": private, "posts": shared, "posts.author": shared, "": shared} {
		c := newChecker(Options{})
		for i := range 6 {
			if g := grade(of(field)(i).run(c)); i > 2 && g != want {
				t.Errorf("rows of %q: computation %d is %s", field, i, g)
			}
		}
	}
}

// TestOperations: what a client does in an operation of its own tells nothing of others.
func TestOperations(t *testing.T) {
	c := newChecker(Options{})
	in := func(document uint64, f fill) fill {
		f.key.Document = document
		return f
	}
	wantGrades(t, c, []fill{
		in(1, by(1, vars{"x": "u1"}, arg(users, "u1"))),
		in(1, by(2, vars{"x": "u2"}, arg(users, "u2"))),
		in(2, by(1, nil, arg(users, "u1"))),
		in(2, by(2, nil, arg(users, "u2"))),
		in(1, by(3, vars{"x": "u3"}, arg(users, "u3"))),
	}, private, shared, private, refused, shared)
}

// TestConviction is for ever, and told once.
func TestConviction(t *testing.T) {
	c := newChecker(Options{})
	bad := func(i int) fill {
		f := by(i, nil, argAt("me.posts", posts, 2, fmt.Sprintf("u%d", i)))
		f.key.Operation = "Mine"
		return f
	}
	bad(1).run(c)
	v := bad(2).run(c)
	want := Position{Operation: "op", Field: "me.posts", Text: posts, Ordinal: 2, New: true}
	if len(v.Convicted) != 1 || v.Convicted[0] != want {
		t.Fatalf("got %+v, want %+v", v.Convicted, want)
	}
	want.New = false
	for range 3 {
		if v := bad(2).run(c); len(v.Convicted) != 1 || v.Convicted[0] != want {
			t.Fatalf("later: %+v", v)
		}
	}
	c.Forget()
	if g := grade(bad(2).run(c)); g != private {
		t.Errorf("after Forget: %s", g)
	}
}

// TestClock is told apart.
func TestClock(t *testing.T) {
	c := newChecker(Options{})
	v := by(1, nil, arg(posts, noon)).run(c)
	if len(v.Convicted) != 1 || !v.Convicted[0].Clock || !v.Convicted[0].New {
		t.Errorf("%+v", v)
	}
	if v := by(1, nil, arg(posts, "x")).run(c); len(v.Convicted) != 1 || !v.Convicted[0].Clock {
		t.Errorf("later: %+v", v)
	}
}

// TestCallers: an explanation takes as many callers as Options say, and one who comes again
// is one.
func TestCallers(t *testing.T) {
	constant := func(i int) fill { return by(i, nil, arg(posts, "PUBLISHED")) }
	wantGrades(t, newChecker(Options{}), []fill{constant(1), constant(1), constant(1), constant(2), constant(1)},
		private, private, private, shared, shared)
	wantGrades(t, newChecker(Options{Callers: 3}), []fill{constant(1), constant(2), constant(2), constant(3), constant(1)},
		private, private, private, shared, shared)
	variable := func(i int) fill { return by(i, vars{"id": fmt.Sprint("u", i)}, arg(users, fmt.Sprint("u", i))) }
	wantGrades(t, newChecker(Options{}), []fill{variable(1), variable(1), variable(2), variable(1)},
		private, private, shared, shared)
	text := func(i int) fill { return by(i, nil, literal("SELECT 'a'")) }
	wantGrades(t, newChecker(Options{}), []fill{text(1), text(1), text(2), text(1)},
		private, private, shared, shared)
}

// TestRowsComeFirst: a row that is read after an argument explains nothing.
func TestRowsComeFirst(t *testing.T) {
	of := func(i int) fill {
		u := fmt.Sprintf("u%d", i)
		return by(i, nil, arg(users, u), row(users, u))
	}
	wantGrades(t, newChecker(Options{}), []fill{of(1), of(2)}, private, refused)
}

// TestTooMuch: a computation with more than is looked at is for the same caller, teaches
// nothing, and convicts nobody.
func TestTooMuch(t *testing.T) {
	many := make([]any, maxSeen+1)
	for i := range many {
		many[i] = int64(i)
	}
	rows := func(f *Fill) {
		for i := range maxRows + 1 {
			f.Row("", 1, []driver.Value{int64(i)})
		}
	}
	sets := func(f *Fill) {
		for i := range maxSets + 1 {
			f.Row("", uint64(i), []driver.Value{int64(i)})
		}
	}
	texts := func(f *Fill) {
		for i := range maxSets + 1 {
			f.Literal(uint64(i))
		}
	}
	deep := any("x")
	for range maxDepth + 2 {
		deep = vars{"x": deep}
	}
	for name, of := range map[string]func(i int) fill{
		"arguments": func(i int) fill { return by(i, nil, arg(users, many)) },
		"variables": func(i int) fill { return by(i, vars{"x": many[:maxParts]}, arg(users, "u")) },
		"depth":     func(i int) fill { return by(i, vars{"x": deep}, arg(users, "u")) },
		"rows":      func(i int) fill { return by(i, nil, rows, arg(users, fmt.Sprint(i))) },
		"sets":      func(i int) fill { return by(i, nil, sets, arg(users, fmt.Sprint(i))) },
		"texts":     func(i int) fill { return by(i, nil, texts) },
		"a channel": func(i int) fill { return by(i, nil, arg(users, make(chan int))) },
	} {
		c := newChecker(Options{})
		for i := range 4 {
			if g := grade(of(i).run(c)); g != private {
				t.Errorf("%s: computation %d is %s", name, i, g)
			}
		}
		bad := func(i int) fill { return by(i, nil, argAt("", posts, 9, fmt.Sprint(i))) }
		if n := c.mu.fresh.len() + c.mu.settled.len(); n > 0 {
			t.Errorf("%s: %d positions were learned", name, n)
		}
		bad(1).run(c)
		bad(2).run(c)
		f := of(1)
		f.events = append(f.events, bad(1).events...)
		if g := grade(f.run(c)); g != refused {
			t.Errorf("%s: with what was convicted before it is %s", name, g)
		}
	}
}

// TestHostileValues: no value of the application's makes the check panic.
func TestHostileValues(t *testing.T) {
	c := newChecker(Options{})
	f := c.Begin(Key{Variables: vars{"a": panics{}, "b": (*panics)(nil), "c": func() {}, "d": [][]byte{{1}}, "e": self()}})
	for i, v := range []any{panics{}, &panics{}, (*panics)(nil), []any{panics{}}, func() {}, (*valuer)(nil), nilMap(nil), self(), "{", "[", `{"a`, "{{1,2},{3}}", "[1] 2"} {
		f.Argument("", "x", 1, i, i, v)
		f.Row("", 1, []driver.Value{v})
	}
	f.End()
}

type panics struct{ A int }

func (panics) String() string               { panic("string") }
func (panics) Value() (driver.Value, error) { panic("value") }
func (panics) MarshalJSON() ([]byte, error) { panic("json") }

type nilMap map[string]int

func (m nilMap) String() string { m["x"] = 1; return "" }

// self is a list that holds itself.
func self() any {
	l := make([]any, 1)
	l[0] = l
	return l
}

// TestAfterEnd: a resolver that was left behind reports in vain, and not to another
// computation.
func TestAfterEnd(t *testing.T) {
	c := newChecker(Options{})
	f := c.Begin(Key{Caller: 1})
	f.End()
	other := c.Begin(Key{Caller: 1})
	f.Argument("", "x", 1, 1, 1, noon)
	f.Setting("x", noon)
	f.Literal(1)
	f.Row("", 1, []driver.Value{"x"})
	if v := f.End(); len(v.Convicted) > 0 || v.Coincidental {
		t.Errorf("a second End: %+v", v)
	}
	if v := other.End(); len(v.Convicted) > 0 || v.Coincidental {
		t.Errorf("the other: %+v", v)
	}
}

// TestPanics: what panics in the check leaves it unjudged, and goes no further.
func TestPanics(t *testing.T) {
	c := newChecker(Options{})
	f := c.Begin(Key{})
	f.Argument("", "x", 1, 1, 1, "a")
	f.b.places = nil
	f.Argument("", "x", 1, 1, 1, "b")
	if g := grade(f.End()); g != private {
		t.Errorf("an argument: %s", g)
	}
	f = c.Begin(Key{})
	f.Argument("", "x", 1, 1, 1, "a")
	f.b.places = nil
	if g := grade(f.End()); g != private {
		t.Errorf("the end: %s", g)
	}
	if g := grade(by(1, nil).run(c)); g != shared {
		t.Errorf("the next computation: %s", g)
	}
}

// TestNumbers: a number must be explained when it changes, twice, before it is no
// coincidence; one that does not change is as good as a constant.
func TestNumbers(t *testing.T) {
	of := func(i, n int) fill { return by(i, vars{"n": n}, arg(users, int64(n))) }
	wantGrades(t, newChecker(Options{}), []fill{of(1, 7), of(2, 8), of(3, 9), of(1, 10)}, private, private, shared, shared)
	wantGrades(t, newChecker(Options{}), []fill{of(1, 7), of(2, 7), of(3, 8), of(1, 9)}, private, shared, private, shared)
}

// TestIntersection: what did not hold once is no source any more, though it holds again.
func TestIntersection(t *testing.T) {
	wantGrades(t, newChecker(Options{}), []fill{
		by(0, vars{"x": "u0", "y": "u0"}, arg(users, "u0")),
		by(1, vars{"x": "u1", "y": "q1"}, arg(users, "u1")),
		by(2, vars{"x": "q2", "y": "u2"}, arg(users, "u2")),
		by(3, vars{"x": "u3", "y": "q3"}, arg(users, "u3")),
	}, private, shared, private, shared)
}

// TestNull: a variable that is there does not explain that there is no value.
func TestNull(t *testing.T) {
	c := newChecker(Options{})
	wantGrades(t, c, []fill{
		by(0, vars{"x": "u0"}, arg(users, "u0")),
		by(1, vars{"x": "q1"}, arg(users, nil)),
		by(2, vars{"x": "q2"}, arg(users, "u2")),
	}, private, private, refused)
}

// TestManySources: a position with more sources than are learned is not refused, and not
// shared.
func TestManySources(t *testing.T) {
	c := newChecker(Options{})
	for i := range 12 {
		f := by(i, vars{})
		for j := range maxStrands + 2 {
			id := fmt.Sprintf("u%d-%d", i, j)
			f.key.Variables[fmt.Sprint("v", j)] = id
			f.events = append(f.events, arg(users, id))
		}
		if g := grade(f.run(c)); g != private {
			t.Errorf("computation %d is %s", i, g)
		}
	}
	if n := c.mu.fresh.len(); n != 1 {
		t.Errorf("%d positions", n)
	}
	for _, p := range c.mu.fresh.young {
		if len(p.strands) > maxStrands {
			t.Errorf("%d strands", len(p.strands))
		}
	}
}
