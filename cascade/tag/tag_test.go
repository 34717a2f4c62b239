package tag_test

import (
	"slices"
	"testing"

	"github.com/cascadeql/cascadeql/cascade/tag"
)

func TestMerge(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		in, want []tag.Tag
	}{
		{"none", nil, nil},
		{"one", []tag.Tag{{Hash: 1, Mask: 2}}, []tag.Tag{{Hash: 1, Mask: 2}}},
		{"sorted by hash", []tag.Tag{{Hash: 3, Mask: 1}, {Hash: 1, Mask: 9}}, []tag.Tag{{Hash: 1, Mask: 9}, {Hash: 3, Mask: 1}}},
		{
			"masks of one hash",
			[]tag.Tag{{Hash: 2, Mask: 1}, {Hash: 1, Mask: 1}, {Hash: 2, Mask: 4}, {Hash: 2, Mask: 1}},
			[]tag.Tag{{Hash: 1, Mask: 1}, {Hash: 2, Mask: 5}},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := tag.Merge(slices.Clone(row.in)); !slices.Equal(got, row.want) {
				t.Errorf("%v, want %v", got, row.want)
			}
		})
	}
}
