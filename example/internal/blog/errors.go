package blog

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
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
)

// Refused says whether an error is one of these: what was asked for cannot be done, and
// nothing is wrong with the database.
func Refused(err error) bool {
	return errors.Is(err, ErrNotFound) || errors.Is(err, ErrTaken) || errors.Is(err, ErrInvalid) ||
		errors.Is(err, ErrAdmin)
}

func notFound(what, id string) error { return fmt.Errorf("%s %q: %w", what, id, ErrNotFound) }

// taken turns a violated uniqueness into ErrTaken and leaves other errors as they are.
func taken(what string, err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() {
		case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY:
			return fmt.Errorf("%s: id or email: %w", what, ErrTaken)
		}
	}
	return err
}

func isBusy(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == lib.SQLITE_BUSY
}
