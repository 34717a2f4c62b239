package keycheck

import (
	"fmt"
	"testing"
)

// TestUnsaid: what depends on something that is not told is for the same caller, and what is
// told beside it is judged as ever.
func TestUnsaid(t *testing.T) {
	c := newChecker(Options{})
	unsaid := func(f *Fill) { f.Unsaid() }
	lawful := func(i int, more ...event) fill {
		id := fmt.Sprint("u", i)
		return by(i, vars{"id": id}, append([]event{arg(users, id)}, more...)...)
	}
	wantGrades(t, c, []fill{lawful(1, unsaid), lawful(2, unsaid), lawful(3, unsaid), lawful(4), lawful(5, unsaid)},
		private, private, private, shared, private)
	missing := func(i int, more ...event) fill {
		return by(i, nil, append([]event{arg(posts, fmt.Sprint("u", i))}, more...)...)
	}
	wantGrades(t, c, []fill{missing(1, unsaid), missing(2, unsaid), missing(3)}, private, refused, refused)
}
