package safe_test

import (
	"errors"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

func TestCall(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for _, row := range []struct {
		name string
		f    func() (int, error)
		v    int
		err  string
	}{
		{"a value", func() (int, error) { return 1, nil }, 1, ""},
		{"an error", func() (int, error) { return 2, boom }, 2, "boom"},
		{"a panic", func() (int, error) { panic("broken") }, 0, "panic: broken"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			v, err := safe.Call(row.f)
			if v != row.v || text(err) != row.err {
				t.Errorf("Call: %d, %v", v, err)
			}
			if err := safe.Do(func() error { _, err := row.f(); return err }); text(err) != row.err {
				t.Errorf("Do: %v", err)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestShield(t *testing.T) {
	t.Parallel()
	var failed []string
	s := safe.Shield{Failed: func(err error) { failed = append(failed, err.Error()) }}
	ran := false
	s.Run(func() { ran = true })
	if !ran || failed != nil {
		t.Errorf("ran: %t, failed: %q", ran, failed)
	}
	s.Run(func() { panic("inside") })
	func() {
		defer s.Recover()
		panic("deferred")
	}()
	if len(failed) != 2 || failed[0] != "panic: inside" || failed[1] != "panic: deferred" {
		t.Errorf("failed: %q", failed)
	}
}
