package rounds

import (
	"fmt"
	"testing"
)

// fake counts how often a test has failed.
type fake struct {
	testing.TB

	errors []string
}

func (f *fake) Helper()      {}
func (f *fake) Failed() bool { return len(f.errors) > 0 }
func (f *fake) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

func TestUntil(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		history func(f *fake, round int) bool
		rounds  int
		errors  int
	}{
		{"at once", func(*fake, int) bool { return true }, 1, 0},
		{"the third", func(_ *fake, round int) bool { return round == 2 }, 3, 0},
		{"never", func(*fake, int) bool { return false }, 20, 1},
		{"failed", func(f *fake, _ int) bool { f.Errorf("stale"); return false }, 1, 1},
	} {
		f, rounds := &fake{}, 0
		Until(f, "no hit", func(round int) bool {
			if round != rounds {
				t.Errorf("%s: round %d is called %d", row.name, rounds, round)
			}
			rounds++
			return row.history(f, round)
		})
		if rounds != row.rounds || len(f.errors) != row.errors {
			t.Errorf("%s: %d rounds, %q", row.name, rounds, f.errors)
		}
	}
}
