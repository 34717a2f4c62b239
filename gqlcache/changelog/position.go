package changelog

import (
	"fmt"
	"strconv"
	"strings"
)

// A Position is a place in the log. Its text is a session token: who has seen the change
// at that position, and shows the token, is answered by no instance from before it.
type Position struct{ Epoch, Number uint64 }

// String returns the position as ParsePosition reads it: two decimal numbers with a colon
// between.
func (p Position) String() string {
	return strconv.FormatUint(p.Epoch, 10) + ":" + strconv.FormatUint(p.Number, 10)
}

// MarshalText returns String, so that JSON has the position as one text: its numbers may
// be beyond those that JavaScript can hold.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// ParsePosition reads a token. It accepts what String returns and nothing else, and the
// zero position, which every instance has reached, not.
func ParsePosition(s string) (Position, error) {
	epoch, number, found := strings.Cut(s, ":")
	p, err := Position{}, error(nil)
	if found {
		if p.Epoch, err = strconv.ParseUint(epoch, 10, 64); err == nil {
			p.Number, err = strconv.ParseUint(number, 10, 64)
		}
	}
	if err != nil || p.Epoch == 0 || p.String() != s {
		// The token comes from a client: it does not belong into an error that may be
		// logged.
		return Position{}, fmt.Errorf("changelog: a token of %d bytes is no position", len(s))
	}
	return p, nil
}

// Reached reports whether the position is at or after another one of the same epoch.
func (p Position) Reached(other Position) bool {
	return p.Epoch == other.Epoch && p.Number >= other.Number
}
