package edge_test

import (
	"slices"
	"testing"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/internal/edge"
)

// tags have these hashes.
func tags(hashes ...uint64) (all []tag.Tag) {
	for _, h := range hashes {
		all = append(all, tag.Tag{Hash: h, Mask: 1})
	}
	return all
}

// rows are the tags of rows from a number on.
func rows(from, n uint64) (all []tag.Tag) {
	for i := range n {
		all = append(all, tags(from+i)...)
	}
	return all
}

const (
	field, unnamed, operation                    = 1, 2, 3
	userReached, userWhole, noteReached, noteAll = 10, 11, 20, 21
	row                                          = 1000
)

// schema has users, and notes that belong to tenants.
var schema = edge.NewSchema([]edge.View{
	{Name: 100, Reached: userReached, Whole: []uint64{userReached, userWhole}},
	{Name: 200, Reached: noteReached, Whole: []uint64{noteReached, noteAll}, Partitioned: true},
}, tags(field), tag.Tag{Hash: unnamed})

var secret = edge.Names{Secret: []byte("0123456789abcdef")}

// TestNamesMeet: a change that has a tag of an answer in common with it has a name in
// common as well, however many there are; and one that reaches other rows of a view has
// none, as long as there is room.
func TestNamesMeet(t *testing.T) {
	t.Parallel()
	few := slices.Concat(tags(field, operation, userWhole), rows(row, 5))
	many := slices.Concat(tags(field, operation, userWhole), rows(row, 100))
	note := slices.Concat(tags(field, operation, noteAll), rows(row, 5))
	for name, r := range map[string]struct {
		answer, change []tag.Tag
		most, of       int
		all, want      bool
	}{
		"one row":                    {few, tags(row+2, userReached), 32, 100, false, true},
		"another row":                {few, tags(row+7, userReached), 32, 100, false, false},
		"the view":                   {few, tags(userWhole, userReached), 32, 100, false, true},
		"another view":               {few, tags(noteAll, noteReached), 32, 100, false, false},
		"the operation":              {few, tags(operation, unnamed), 32, 100, false, true},
		"a field":                    {few, tags(field, unnamed), 32, 100, false, true},
		"everything":                 {few, nil, 32, 100, true, true},
		"many rows":                  {few, append(rows(row, 200), tags(userReached)...), 32, 100, false, true},
		"many rows of another view":  {few, append(rows(row+500, 200), tags(noteReached)...), 32, 100, false, false},
		"many rows and a field":      {few, slices.Concat(rows(row+500, 200), tags(noteReached, field)), 32, 100, false, true},
		"many rows, and the unnamed": {few, slices.Concat(rows(row+500, 200), tags(operation, unnamed)), 32, 100, false, true},
		"of many, one":               {many, tags(row+2, userReached), 32, 100, false, true},
		"of many, many":              {many, append(rows(row, 200), tags(userReached)...), 32, 100, false, true},
		"of many, another view":      {many, tags(noteAll, noteReached), 32, 100, false, false},
		"of many, the operation":     {many, tags(operation, unnamed), 32, 100, false, true},
		"no room":                    {many, tags(row+2, userReached), 2, 100, false, true},
		"no room, the operation":     {many, tags(operation, unnamed), 2, 100, false, true},
		"no room, everything":        {many, nil, 2, 100, true, true},
		"nothing fits":               {few, tags(row+2, userReached), 32, 1, false, true},
		"a tenant's row":             {note, tags(row+2, noteReached), 32, 100, false, true},
	} {
		names := secret.Answer(schema, r.answer, operation, "key", r.most)
		if len(names) != r.most || !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != r.most {
			t.Errorf("%s: %d names %q", name, len(names), names)
		}
		change := secret.Change(schema, r.change, r.all, r.of)
		if len(change) > r.of {
			t.Errorf("%s: the change has %d names", name, len(change))
		}
		if got := slices.ContainsFunc(names, func(n string) bool { return slices.Contains(change, n) }); got != r.want {
			t.Errorf("%s: they meet %v, want %v", name, got, r.want)
		}
	}
}

// TestNamesTellNothing: no name is a row of a tenant's, padding looks like the rest and
// stays, and another secret has other names.
func TestNamesTellNothing(t *testing.T) {
	t.Parallel()
	note := slices.Concat(tags(field, operation, noteAll), rows(row, 5))
	names := secret.Answer(schema, note, operation, "key", 32)
	if other := secret.Answer(schema, slices.Concat(tags(field, operation, noteAll), rows(row+50, 7)), operation, "key", 32); !slices.Equal(names, other) {
		t.Errorf("the rows of tenants have names")
	}
	one := secret.Answer(schema, tags(field, userWhole, row), operation, "key", 32)
	two := secret.Answer(schema, tags(field, userWhole, row, row+1), operation, "key", 32)
	common := slices.DeleteFunc(slices.Clone(one), func(n string) bool { return !slices.Contains(two, n) })
	if len(common) != 31 {
		t.Errorf("%d names stay when a row comes", len(common))
	}
	if apart := secret.Answer(schema, tags(field, userWhole, row), operation, "another", 32); slices.Equal(one, apart) {
		t.Errorf("answers share their padding")
	}
	foreign := edge.Names{Secret: []byte("another 16 bytes")}.Answer(schema, note, operation, "key", 32)
	if slices.ContainsFunc(names, func(n string) bool { return slices.Contains(foreign, n) }) {
		t.Errorf("a name does not depend on the secret")
	}
	for _, n := range names {
		if len(n) != edge.NameSize {
			t.Errorf("%q", n)
		}
	}
	if got := secret.Change(nil, note, false, 100); !slices.Equal(got, []string{secret.Everything()}) {
		t.Errorf("without a schema: %q", got)
	}
}
