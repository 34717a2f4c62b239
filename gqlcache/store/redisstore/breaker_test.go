package redisstore

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestBreaker plays scripts. Letters are calls: r and w are a read and a write that
// succeed, R and W ones that fail, u and U a read and a write that tell nothing; each
// must be admitted. x is a call that must be refused, + passes the cool-down. ( begins a
// call, whose outcome is reported by the letter after ).
func TestBreaker(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, script string
		want         State
		opened       uint64
	}{
		{"closed", "rwrwuU", Closed, 0},
		{"failures in a row", "RRRx", Open, 1},
		{"a success between", "RRrRR", Closed, 0},
		{"a write does not reset", "RwRwRx", Open, 1},
		{"writes fail, too", "WWWx", Open, 1},
		{"nothing told does not count", "RRuUuU", Closed, 0},
		{"probe succeeds", "RRR+rrr", Closed, 1},
		{"probe by a write", "RRR+wr", Closed, 1},
		{"probe fails", "RRR+Rx+Rx", Open, 1},
		{"probe tells nothing", "RRR+uur", Closed, 1},
		{"one probe at a time", "RRR+(xxx)rr", Closed, 1},
		{"opens again after all its failures", "RRR+rRRrRRRx", Open, 2},
		{"late news of an earlier call", "(RRRx)rx", Open, 1},
		{"late failure of an earlier call", "(RRR+r)RRr", Closed, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var changes []State
			b := &breaker{after: 3, coolDown: time.Second, changed: func(to State, _ error) { changes = append(changes, to) }}
			now := time.Unix(0, 0)
			var out ticket
			tell := func(tk ticket, letter rune) {
				o := bad
				switch letter {
				case 'r', 'w':
					o = good
				case 'u', 'U':
					o = unknown
				}
				b.report(tk, strings.ContainsRune("rRu", letter), o, now, errors.New("why"))
			}
			returns := false
			for i, letter := range row.script {
				switch letter {
				case '+':
					now = now.Add(time.Second)
				case ')':
					returns = true
				case 'x':
					if _, ok := b.admit(now); ok || !b.refuses(now) {
						t.Fatalf("admitted at %d", i)
					}
				default:
					if returns {
						returns = false
						tell(out, letter)
						continue
					}
					if b.refuses(now) {
						t.Fatalf("says that it refuses at %d", i)
					}
					tk, ok := b.admit(now)
					if !ok {
						t.Fatalf("refused at %d", i)
					}
					if letter == '(' {
						out = tk
					} else {
						tell(tk, letter)
					}
				}
			}
			state, opened := b.snapshot()
			if state != row.want || opened != row.opened {
				t.Errorf("%v, opened %d times; want %v, %d", state, opened, row.want, row.opened)
			}
			for i, to := range changes {
				if want := [...]State{Open, Closed}[i%2]; to != want {
					t.Errorf("changes %v", changes)
				}
			}
		})
	}
}
