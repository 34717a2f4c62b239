package observe

import "testing"

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
