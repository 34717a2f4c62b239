package observe

import (
	"context"
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

type operationKey struct{}

// A namingSink names the operations of contexts.
type namingSink struct{ *fakeSink }

func (namingSink) OperationOf(ctx context.Context) string {
	name, _ := ctx.Value(operationKey{}).(string)
	return name
}

// TestFindingsOfStatements: a finding has the statement without its values, the first place
// and operation that it came from, and how often it ran.
func TestFindingsOfStatements(t *testing.T) {
	var log strings.Builder
	r := newRig(t, Options{Logger: logger(&log)})
	r.Attach(namingSink{r.sink})
	ctx := context.WithValue(t.Context(), operationKey{}, strings.Repeat("Long", 100))
	for _, secret := range []string{"sesame", "barley", "millet"} {
		query(ctx, r.session(), "SELECT nothing_known('"+secret+"')", nil)
		query(context.WithValue(t.Context(), operationKey{}, "Later"), r.session(), "SELECT nothing_known('"+secret+"')", nil)
	}
	list := r.Findings()
	if len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	f := list[0]
	if f.Kind != NotUnderstood || f.Text != "SELECT nothing_known(?)" || f.Count != 6 || !strings.HasPrefix(f.Operation, "LongLong") || len(f.Operation) > maxFindingName {
		t.Errorf("%+v", f)
	}
	if !strings.Contains(f.Place, ".go:") {
		t.Errorf("it came from %q", f.Place)
	}
	if strings.Contains(log.String(), "sesame") || strings.Count(log.String(), "nothing_known") != 2 {
		t.Errorf("logged %s", log.String())
	}
}

// TestFigures: each run of a statement that reads or writes is counted once, and each
// finding by its kind, also when the list is full.
func TestFigures(t *testing.T) {
	var log strings.Builder
	r := newRig(t, Options{Logger: logger(&log)})
	own, rec := r.record(t.Context())
	query(own, r.session(), postByID, args(7), args(7, "old"))         // known
	query(t.Context(), r.session(), postByID, args(7), args(7, "old")) // somebody's
	exec(own, r.session(), updateTitle, "new", 7)                      // known
	exec(own, r.session(), "BEGIN")                                    // no data
	rec.End()
	for i := range maxFindings + 10 {
		exec(t.Context(), r.session(), "SELECT 1 FROM nobody"+strings.Repeat("x", i))
	}
	f := r.Figures()
	if f.Known != 2 || f.Widened != 1 || f.NotUnderstood != maxFindings+10 {
		t.Errorf("%d known, %d widened, %d not understood", f.Known, f.Widened, f.NotUnderstood)
	}
	if len(f.Findings) != len(kindsOfFindings) || f.Findings[NotUnderstood] != maxFindings+10 || f.Findings[Orphan] != 1 || f.Findings[Panicked] != 0 {
		t.Errorf("%v", f.Findings)
	}
	if n := len(r.Findings()); n != maxFindings {
		t.Errorf("%d are listed", n)
	}
}

// TestPlaces: two places of one function are told apart, and each is the same every time.
func TestPlaces(t *testing.T) {
	t.Parallel()
	var g findings
	report := func() string { return g.caller() }
	at := map[string]int{}
	for range 3 {
		at["one "+report()]++
		at["two "+report()]++
	}
	if len(at) != 2 || len(g.places) != 2 {
		t.Errorf("%v: %d stacks are known", at, len(g.places))
	}
}

func BenchmarkPlace(b *testing.B) {
	var g findings
	for name, f := range map[string]func() string{"each time": caller, "once": g.caller} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
