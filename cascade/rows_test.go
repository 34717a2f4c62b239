package cascade_test

import (
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
)

// TestRows: each row once, as many as asked for, and how many there are; what has no key
// is not counted.
func TestRows(t *testing.T) {
	t.Parallel()
	f, err := newFixture(traceSchema)
	if err != nil {
		t.Fatal(err)
	}
	op, err := f.prepare(`{ one: posts(author: "a") { id title } two: posts(author: "b") { id } stats(id: "s") { id } }`, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := op.op.Extract.Walk([]byte(`{"one":[{"id":"1","title":""},{"id":"2","title":""}],"two":[{"id":"2"},{"id":"3"}],"stats":null}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		limit int
		want  string
	}{{10, "post 1, post 2, post 3"}, {2, "post 1, post 2"}, {0, ""}} {
		rows, count := op.op.Rows(res, row.limit)
		var got []string
		for _, r := range rows {
			got = append(got, r.View.Name+" "+r.Key)
		}
		if strings.Join(got, ", ") != row.want || count != 3 {
			t.Errorf("limit %d: %v of %d, want %s of 3", row.limit, got, count, row.want)
		}
	}
}

// TestOperationTag: names are kept apart, and from other kinds of tags.
func TestOperationTag(t *testing.T) {
	t.Parallel()
	tags := map[cascade.Tag]bool{
		cascade.OperationTag("a"): true, cascade.OperationTag("b"): true, cascade.OperationTag(""): true, cascade.RootField("a"): true, cascade.Anything: true,
	}
	if len(tags) != 5 {
		t.Errorf("tags %v", tags)
	}
}
