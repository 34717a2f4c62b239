package safe

import "fmt"

// Call calls f, and returns a panic in it as an error.
func Call[T any](f func() (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return f()
}

// Recover ends a panic, and makes it an error. It works only as a deferred call: defer
// safe.Recover(&err).
func Recover(err *error) {
	if p := recover(); p != nil {
		*err = panicked(p)
	}
}

// Do calls f, and returns a panic in it as an error.
func Do(f func() error) error {
	_, err := Call(func() (struct{}, error) { return struct{}{}, f() })
	return err
}

// A Shield ends the panics of code that serves observers only, so that a change is
// applied, and a request is answered, whatever goes wrong in it.
type Shield struct {
	// Failed gets each panic as an error. It may be called from any goroutine, and must
	// not panic.
	Failed func(error)
}

// Recover ends a panic. It works only as a deferred call: defer s.Recover().
func (s Shield) Recover() {
	if p := recover(); p != nil {
		s.Failed(panicked(p))
	}
}

// Run calls f and ends a panic in it.
func (s Shield) Run(f func()) {
	defer s.Recover()
	f()
}

// panicked returns the error of a panic.
func panicked(p any) error { return fmt.Errorf("panic: %v", p) }
