package blog

import (
	"errors"
	"fmt"
)

// The errors that are a caller's and not the database's. Their messages may be shown to
// anyone.
var (
	// ErrNotFound: the row is absent, or of another tenant, which is the same to the
	// caller.
	ErrNotFound = errors.New("not found")
	// ErrTaken: another row has the id or the email address.
	ErrTaken = errors.New("already taken")
	// ErrInvalid: an id given for a new row is no UUID.
	ErrInvalid = errors.New("not a UUID")
	// ErrAdmin: the administrator owns no rows and cannot create any.
	ErrAdmin = errors.New("the administrator owns no rows")
	// ErrText: PostgreSQL keeps no zero byte and no invalid UTF-8. SQLite does.
	ErrText = errors.New("a text has characters that the database does not keep")
)

// Refused says whether an error is one of these: what was asked for cannot be done, and
// nothing is wrong with the database.
func Refused(err error) bool {
	return errors.Is(err, ErrNotFound) || errors.Is(err, ErrTaken) || errors.Is(err, ErrInvalid) ||
		errors.Is(err, ErrAdmin) || errors.Is(err, ErrText)
}

func notFound(what, id string) error { return fmt.Errorf("%s %q: %w", what, id, ErrNotFound) }
