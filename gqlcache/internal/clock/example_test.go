package clock_test

import (
	"fmt"

	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
)

func Example() {
	const name, email = 1, 2 // columns
	user := func(columns uint64) []clock.Tag { return []clock.Tag{{Hash: 42, Mask: columns}} }
	c := clock.New(clock.Options{})

	// A computation takes its token before it reads, and its stamp afterwards.
	token := c.Begin()
	stamp, ok := c.Finish(token, user(name))
	fmt.Println("kept:", ok)

	c.Apply(user(email))
	fmt.Println("after a change of another column:", c.Valid(stamp))

	inFlight := c.Begin()
	c.Apply(user(name))
	fmt.Println("after a change of its own:", c.Valid(stamp))

	_, ok = c.Finish(inFlight, user(name))
	fmt.Println("a computation that the change overlapped is kept:", ok)
	// Output:
	// kept: true
	// after a change of another column: true
	// after a change of its own: false
	// a computation that the change overlapped is kept: false
}
