package observe

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestRequired: files of other modules are no places that an application's statements come
// from.
func TestRequired(t *testing.T) {
	for file, want := range map[string]bool{
		"/root/go/pkg/mod/gorm.io/gorm@v1.31.2/callbacks/query.go":                true,
		"entgo.io/ent@v0.14.5/dialect/sql/driver.go":                              true, // -trimpath
		"/src/app/vendor/github.com/uptrace/bun/query_base.go":                    true,
		"/src/app/repository/posts.go":                                            false,
		"example.com/app/repository/posts.go":                                     false,
		"/src/vendors/posts.go":                                                   false,
		"/go/pkg/mod/golang.org/toolchain@v0.0.1-go1.26.0.linux-amd64/src/a/b.go": true,
	} {
		if got := required(file); got != want {
			t.Errorf("%s: %v", file, got)
		}
	}
}

// TestUnowned: a commit that belongs to no mutation is found once for each place, unless the
// handle's second face has sent it. There are not many of them.
func TestUnowned(t *testing.T) {
	var log strings.Builder
	o := New(Options{Dialect: 1, Logger: logger(&log)})
	commit := Commit{Observer: o, Text: updateTitle}
	commit.Unowned(Outside(t.Context()), "x")
	(&Commit{Observer: o}).Unowned(t.Context(), "x") // a change of the catalog
	if list := o.Findings(); len(list) > 0 {
		t.Errorf("found: %+v", list)
	}
	for i := range 3 {
		commit.Text = fmt.Sprint(updateTitle, i)
		commit.Unowned(t.Context(), "x")
	}
	list := o.Findings()
	if len(list) != 1 || list[0].Kind != OutsideCommit || list[0].Count != 3 || list[0].Text != updateTitle+"0" || list[0].Place == "" {
		t.Errorf("found: %+v", list)
	}
	if n := strings.Count(log.String(), string(OutsideCommit)); n != 1 || strings.Contains(log.String(), "WARN") {
		t.Errorf("logged %d times: %s", n, log.String())
	}
	o.finds.outside = maxOutside
	new(sync.Once).Do(func() { commit.Unowned(t.Context(), "x") }) // from another place
	if list := o.Findings(); len(list) != 1 || list[0].Count != 3 {
		t.Errorf("found: %+v", list)
	}
}
