package fleet_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
)

// TestTexts: texts are read as they were written, and what is in another form is unknown.
func TestTexts(t *testing.T) {
	t.Parallel()
	want := []fleet.Text{{fleet.OperationPattern, "feed*"}, {fleet.Tenant, strings.Repeat("x", 16)}, {fleet.Tenant, ""}, {fleet.OperationPattern, strings.Repeat("ab", 40)}}
	var words []tag.Tag
	for _, one := range want {
		words = fleet.AppendText(words, one)
	}
	if got, ok := fleet.ReadTexts(words); !ok || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, ok)
	}
	frozen := []tag.Tag{{Hash: 5, Mask: 1}, {Hash: 0x2a64656566}} // "feed*"
	if got := fleet.AppendText(nil, want[0]); !slices.Equal(got, frozen) {
		t.Errorf("%x: other versions read %x", got, frozen)
	}
	for name, words := range map[string][]tag.Tag{
		"a kind that is not known": {{Hash: 1, Mask: 3}, {}},
		"too short":                {{Hash: 17, Mask: 1}, {}},
		"too long":                 {{Hash: 1 << 40, Mask: 1}, {}},
		"something behind":         {{Hash: 1, Mask: 1}, {}, {Hash: 9, Mask: 9}},
	} {
		if got, ok := fleet.ReadTexts(words); ok {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// FuzzReadTexts: whatever a record has is read or refused.
func FuzzReadTexts(f *testing.F) {
	f.Add(uint64(5), uint64(1), uint64(7), uint64(0))
	f.Fuzz(func(t *testing.T, a, b, c, d uint64) {
		texts, ok := fleet.ReadTexts([]tag.Tag{{Hash: a, Mask: b}, {Hash: c, Mask: d}})
		if !ok {
			return
		}
		var again []tag.Tag
		for _, one := range texts {
			again = fleet.AppendText(again, one)
		}
		if len(again) != 2 || again[0] != (tag.Tag{Hash: a, Mask: b}) {
			t.Errorf("%v is %v", texts, again)
		}
	})
}
