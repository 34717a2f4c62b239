package changelog_test

import (
	"fmt"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

func TestParsePosition(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, token string
		want        changelog.Position
		ok          bool
	}{
		{"usual", "1760000000000000:1760000000000007", changelog.Position{Epoch: 1760000000000000, Number: 1760000000000007}, true},
		{"largest", "18446744073709551615:18446744073709551615", changelog.Position{Epoch: 1<<64 - 1, Number: 1<<64 - 1}, true},
		{"number zero", "1:0", changelog.Position{Epoch: 1}, true},
		{"empty", "", changelog.Position{}, false},
		{"no colon", "12", changelog.Position{}, false},
		{"no epoch", "0:5", changelog.Position{}, false},
		{"leading zero", "01:5", changelog.Position{}, false},
		{"sign", "+1:5", changelog.Position{}, false},
		{"space", "1: 5", changelog.Position{}, false},
		{"too large", "18446744073709551616:1", changelog.Position{}, false},
		{"three parts", "1:2:3", changelog.Position{}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := changelog.ParsePosition(row.token)
			if got != row.want || (err == nil) != row.ok {
				t.Errorf("ParsePosition(%q) = %v, %v", row.token, got, err)
			}
		})
	}
}

func FuzzParsePosition(f *testing.F) {
	f.Add("1:2")
	f.Add("1760000000000000:1760000000000007")
	f.Add("0:0")
	f.Fuzz(func(t *testing.T, token string) {
		p, err := changelog.ParsePosition(token)
		if err == nil && p.String() != token {
			t.Errorf("%q was read as %v", token, p)
		}
	})
}

func TestReached(t *testing.T) {
	t.Parallel()
	at := changelog.Position{Epoch: 5, Number: 9}
	for _, row := range []struct {
		name  string
		other changelog.Position
		want  bool
	}{
		{"same", at, true},
		{"earlier", changelog.Position{Epoch: 5, Number: 8}, true},
		{"later", changelog.Position{Epoch: 5, Number: 10}, false},
		{"older epoch", changelog.Position{Epoch: 4, Number: 8}, false},
		{"newer epoch", changelog.Position{Epoch: 6, Number: 8}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := at.Reached(row.other); got != row.want {
				t.Errorf("Reached = %v", got)
			}
		})
	}
}

func ExamplePosition_String() {
	receipt := changelog.Receipt{Epoch: 12, Number: 34}
	token := receipt.Position().String()
	back, err := changelog.ParsePosition(token)
	fmt.Println(token, back == receipt.Position(), err)
	// Output: 12:34 true <nil>
}

func TestLevelString(t *testing.T) {
	t.Parallel()
	for level, want := range map[changelog.Level]string{
		changelog.Eventual: "eventual", changelog.Bounded: "bounded", changelog.Strong: "strong", 0: "unknown",
	} {
		if got := level.String(); got != want {
			t.Errorf("level %d is %q, want %q", level, got, want)
		}
	}
}
