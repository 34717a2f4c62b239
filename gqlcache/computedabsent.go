package gqlcache

import (
	"errors"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// isAbsence says whether a function's error says nothing but that there is no value: it is
// ErrAbsent, or wraps it alone. What is joined with another error says that something has
// failed, and with it perhaps the look for the value. So does an error whose own code panics:
// a nil *gqlerror.Error of old versions, for instance.
func isAbsence(err error) bool {
	if err == nil {
		return false
	}
	is, failed := safe.Call(func() (bool, error) { return isAbsenceAlone(err), nil })
	return failed == nil && is
}

func isAbsenceAlone(err error) bool {
	for err != nil {
		if err == ErrAbsent { //nolint:errorlint // each error of the chain is looked at
			return true
		}
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			some := false
			for _, e := range many.Unwrap() {
				if e != nil && !isAbsenceAlone(e) {
					return false
				}
				some = some || e != nil
			}
			return some
		}
		err = errors.Unwrap(err)
	}
	return false
}

// instead returns what is returned in place of a value that is not there.
func (s *valueStamp) instead() error {
	if s.absent {
		return ErrAbsent
	}
	return nil
}

// isAbsent says whether an entry says that there is no value.
func isAbsent(e *store.Entry) bool {
	s, ok := e.Meta.(*valueStamp)
	return ok && s.absent
}
