package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// TestMatches: an asterisk is any text, a question mark one character.
func TestMatches(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		pattern string
		yes, no []string
	}{
		{"feed*", []string{"feed", "feedPage"}, []string{"Feed", "xfeed", "fee"}},
		{"*", []string{"a", ""}, nil},
		{"?eed", []string{"feed"}, []string{"eed", "ffeed"}},
		{"*ed*Page", []string{"feedPage", "edededPage"}, []string{"feedPages"}},
		{"a*b*c", []string{"abc", "axbxbxc"}, []string{"ab", "acb"}},
		{"feed", []string{"feed"}, []string{"feeds"}},
		{"a**", []string{"a"}, []string{"b"}},
	} {
		for i, names := range [][]string{row.yes, row.no} {
			for _, name := range names {
				if got := gqlcache.Matches(row.pattern, name); got != (i == 0) {
					t.Errorf("%q, %q: %v", row.pattern, name, got)
				}
			}
		}
	}
}

// TestOperationsMatching: the answers of operations fall whose names match, those beyond
// the bound of names, and no others.
func TestOperationsMatching(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	invalidate := func(pattern string) {
		t.Helper()
		if err := r.cache.Invalidate(t.Context(), gqlcache.OperationsMatching(pattern)); err != nil {
			t.Error(err)
		}
	}
	const page, list, other = "query feedPage{users{name}}", "query feed{users{name}}", "query Users{users{name}}"
	r.run("annotated", []string{"MISS: " + page, "MISS: " + list, "MISS: " + other, "HIT: " + page})
	invalidate("feed*")
	r.run("annotated", []string{"MISS: " + page, "MISS: " + list, "HIT: " + other})
	invalidate("?sers")
	r.run("annotated", []string{"HIT: " + page, "HIT: " + list, "MISS: " + other})
	for i := range gqlcache.MaxNames {
		r.send(fmt.Sprintf("query n%d{userCount}", i))
	}
	const late = "query late{users{name}}"
	long := "query l" + strings.Repeat("o", 70) + "ng{users{name}}"
	r.run("annotated", []string{"MISS: " + late, "HIT: " + late, "MISS: " + long, "HIT: " + long})
	invalidate("nothing*")
	r.run("annotated", []string{"MISS: " + late, "MISS: " + long, "HIT: " + page})
	for _, wrong := range []string{"", "feed page", "feed.*", strings.Repeat("a", 65)} {
		if err := r.cache.Invalidate(t.Context(), gqlcache.OperationsMatching(wrong)); err == nil || !strings.Contains(err.Error(), "no pattern") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// TestManyPatterns: as many patterns as fit into a request cost no more than one that fits
// every name, and reach no less. The same pattern again is none more.
func TestManyPatterns(t *testing.T) {
	t.Parallel()
	const last = "query last{users{name}}"
	for name, row := range map[string]struct {
		of   func(i int) string
		left string
	}{
		"distinct":  {func(i int) string { return fmt.Sprintf("p%d*", i) }, "MISS: "},
		"one":       {func(int) string { return "n*" }, "HIT: "},
		"all of it": {func(int) string { return "*" }, "MISS: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			r.run("annotated", []string{"MISS: " + last})
			for i := range 100 {
				r.send(fmt.Sprintf("query n%d{userCount}", i))
			}
			var body strings.Builder
			for i := 0; body.Len() < 1<<20-100; i++ {
				fmt.Fprintf(&body, `{"operationsMatching":%q},`, row.of(i))
			}
			before := r.cache.Stats()
			a, _ := sendChanges(t, invalidateHandler(t, r.cache), changesRequest(t.Context(), `{"changes":[`+strings.TrimSuffix(body.String(), ",")+`]}`))
			if tags := r.cache.Stats().Tags - before.Tags; a.Applied < 10_000 || tags > 200 {
				t.Errorf("%d changes with %d tags", a.Applied, tags)
			}
			r.run("annotated", []string{row.left + last, "MISS: query n7{userCount}"})
		})
	}
}

// TestPatternsOfAChange: patterns are kept once, and too many are one that fits every name.
func TestPatternsOfAChange(t *testing.T) {
	t.Parallel()
	var list, two []string
	for i := range 2 * gqlcache.MaxPatterns {
		list = gqlcache.AddPattern(list, fmt.Sprint(i))
		two = gqlcache.AddPattern(two, fmt.Sprint(i%2))
	}
	if !slices.Equal(list, []string{"*"}) || !slices.Equal(two, []string{"0", "1"}) {
		t.Errorf("%q, %q", list, two)
	}
}

// TestPatternMeetsComputation: an answer whose resolvers ran before a pattern is not kept,
// although its operation's name was not known then.
func TestPatternMeetsComputation(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	latch := r.store.BlockHard("Query.userNames")
	call := r.start(t.Context(), "query feed{userNames}")
	receive(t, latch.Reached, "the resolver")
	if err := r.cache.Invalidate(t.Context(), gqlcache.OperationsMatching("feed*")); err != nil {
		t.Error(err)
	}
	latch.Release()
	call.wait(t)
	r.run("annotated", []string{"MISS: query feed{userNames}", "HIT: query feed{userNames}"})
}

// TestPatternsBetweenInstances: a pattern reaches names that the publisher does not know,
// and what is in the shared store under them.
func TestPatternsBetweenInstances(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	const feed, other = "query feedOfB{users{name}}", "query Users{users{name}}"
	b.want("MISS", "Ann", feed)
	b.want("MISS", "Ann", other)
	testgraph.Ask(t, testgraph.NewServer(r.rows), expand(renameAnn), nil)
	if err := a.cache.Invalidate(t.Context(), gqlcache.OperationsMatching("feed*")); err != nil {
		t.Fatal(err)
	}
	b.want("HIT memory", "Ann", other)
	a.want("MISS", "New", feed) // and not what b has stored for all
	b.want("HIT shared", "New", feed)
	tags, err := a.cache.Tags(gqlcache.OperationsMatching("feed*"))
	if err != nil || !slices.ContainsFunc(tags, func(tag cascade.Tag) bool { return tag.Hash == 0x2a64656566 }) {
		t.Errorf("%x, %v: the record has no pattern", tags, err)
	}
}

// TestTenantChange: all that a tenant's callers got falls, and what shows his rows; what
// belongs to others stays.
func TestTenantChange(t *testing.T) {
	t.Parallel()
	r := newPartitioned(t)
	counts := func(name string) int {
		t.Helper()
		before := r.cache.Stats()
		// counters are of no tenant, so only the answer's own tenant tells it.
		testgraph.Ask(t, r.cached, "{counters{value}}", nil, "X-Viewer", name)
		return int(r.cache.Stats().Hits - before.Hits)
	}
	compute := func(tenant string) (found bool) {
		t.Helper()
		found = true
		_, err := gqlcache.Compute(t.Context(), r.cache, gqlcache.KeyOf("v").Tenant(tenant), func(context.Context) (int, error) { found = false; return 1, nil }, gqlcache.Reads())
		if err != nil {
			t.Error(err)
		}
		return found
	}
	for _, name := range []string{"ann", "bob"} {
		counts(name)
		compute(name)
	}
	if err := r.cache.Invalidate(t.Context(), gqlcache.Tenant("ann")); err != nil {
		t.Fatal(err)
	}
	if counts("ann") != 0 || counts("bob") != 1 || compute("ann") || !compute("bob") {
		t.Error("want the answers and values of ann dropped, and those of bob kept")
	}
	if err := r.cache.Invalidate(t.Context(), gqlcache.Tenant("änn")); err != nil || counts("bob") != 0 {
		t.Errorf("%v: a name that is told apart from no other reaches everything", err)
	}
	if err := r.cache.Invalidate(t.Context(), gqlcache.Tenant("")); err == nil {
		t.Error("no tenant has no name")
	}
	_, err := gqlcache.Compute(t.Context(), r.cache, gqlcache.KeyOf("w"), func(context.Context) (int, error) { return 1, nil }, gqlcache.ForAll(), gqlcache.Reads(gqlcache.Tenant("ann")))
	if !errors.Is(err, gqlcache.ErrUnknownName) {
		t.Error(err)
	}
}

// TestInvalidateHandlerPatterns: programs in other languages name patterns and tenants.
func TestInvalidateHandlerPatterns(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	secret := strings.Repeat("s", 32)
	h, err := r.cache.InvalidateHandler(secret)
	if err != nil {
		t.Fatal(err)
	}
	r.run("annotated", []string{"MISS: query feed{users{name}}", "MISS: query Users{users{name}}"})
	for _, row := range []struct {
		body, answer string
		status       int
	}{
		{`{"changes":[{"operationsMatching":"feed*"},{"tenant":"acme"}]}`, `"applied":2`, http.StatusOK},
		{`{"changes":[{"operationsMatching":"feed page"}]}`, "no pattern", http.StatusBadRequest},
		{`{"changes":[{"operationsMatching":""}]}`, "is empty", http.StatusBadRequest},
		{`{"changes":[{"tenant":""}]}`, "is empty", http.StatusBadRequest},
	} {
		resp := testgraph.Do(t, t.Context(), h, testgraph.Request{Raw: row.body, Header: map[string]string{"Authorization": "Bearer " + secret}})
		if resp.Status != row.status || !strings.Contains(resp.Body, row.answer) {
			t.Errorf("%s: %d %s", row.body, resp.Status, resp.Body)
		}
	}
	r.run("annotated", []string{"MISS: query feed{users{name}}", "HIT: query Users{users{name}}"})
}

// TestInvalidateHandlerValues: programs in other languages name values, tags, and rows by a
// value. A request that is wrong in any part drops nothing.
func TestInvalidateHandlerValues(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	h := invalidateHandler(t, r.cache)
	all := []struct {
		name  string
		reads gqlcache.Change
	}{
		{"leaderboard", gqlcache.Tag("scoring")},
		{"sales/2026", gqlcache.Tag("pricing")},
		{"sales/2027", gqlcache.Where("Comment", "post.id", testgraph.Hello)},
		{"drafts", gqlcache.Where("Post", "status", "DRAFT")},
		{"counted", gqlcache.View("Counter")},
	}
	fill := func() {
		for i, v := range all {
			r.job(gqlcache.KeyOf(v.name), i, gqlcache.Reads(v.reads))
		}
	}
	const good = `{"computed":"leaderboard"}`
	for _, row := range []struct {
		body   string
		status int
		says   string
		gone   []int
	}{
		{good, 200, "", []int{0}},
		{`{"computed":"leader"}`, 200, "", nil},
		{`{"computedMatching":"sales/*"}`, 200, "", []int{1, 2}},
		{`{"computedMatching":"sales/202?"},` + good, 200, "", []int{0, 1, 2}},
		{`{"tag":"pricing"}`, 200, "", []int{1}},
		{`{"where":{"type":"Comment","column":"post.id","value":$Hello}}`, 200, "", []int{2}},
		{`{"where":{"value":"DRAFT","column":"status","type":"v_post"}}`, 200, "", []int{3}},
		{`{"where":{"type":"Post","column":"status","value":"PUBLISHED"}}`, 200, "", []int{3}}, // a row may have left for the other value
		{`{"where":{"type":"Counter","column":"value","value":7}}`, 200, "", []int{4}},
		{`{"where":{"type":"Counter","column":"value","value":true}}`, 200, "", []int{4}},
		{good + `,{"computed":""}`, 400, "changes[1].computed is empty", nil},
		{good + `,{"computed":1}`, 400, "changes[1].computed must be a string", nil},
		{good + `,{"computed":null}`, 400, "changes[1].computed must be a string", nil},
		{good + `,{"Computed":"x"}`, 400, `changes[1] has the unknown field "Computed"`, nil},
		{good + `,{"computed":"a","tag":"b"}`, 400, "changes[1] must have one of", nil},
		{good + `,{"computedMatching":""}`, 400, "changes[1].computedMatching is empty", nil},
		{good + `,{"computedMatching":"` + strings.Repeat("a", 65) + `"}`, 400, `changes[1]: "aaa`, nil},
		{good + `,{"tag":""}`, 400, "changes[1].tag is empty", nil},
		{good + `,{"tag":["a"]}`, 400, "changes[1].tag must be a string", nil},
		{good + `,{"where":"Post"}`, 400, "changes[1].where must be an object", nil},
		{good + `,{"where":{"type":"Post","column":"status"}}`, 400, "changes[1].where must have a type, a column and a value", nil},
		{good + `,{"where":{"type":"Post","column":"status","value":"x","id":1}}`, 400, `changes[1].where has the unknown field "id"`, nil},
		{good + `,{"where":{"type":"Post","column":"status","value":"x","value":"y"}}`, 400, `changes[1].where has "value" twice`, nil},
		{good + `,{"where":{"type":"","column":"status","value":"x"}}`, 400, "changes[1].where.type is empty", nil},
		{good + `,{"where":{"type":"Post","column":"","value":"x"}}`, 400, "changes[1].where.column is empty", nil},
		{good + `,{"where":{"type":"Post","column":"status","value":""}}`, 400, "changes[1].where.value is empty", nil},
		{good + `,{"where":{"type":"Post","column":"status","value":null}}`, 400, "changes[1].where.value must be a string, a number", nil},
		{good + `,{"where":{"type":"Post","column":"status","value":["DRAFT"]}}`, 400, "changes[1].where.value must be a string, a number", nil},
		{good + `,{"where":{"type":"Post","column":"status","value":1e99999999999999999999}}`, 400, "changes[1]: the value is none", nil},
		{good + `,{"where":{"type":"Nothing","column":"status","value":"x"}}`, 422, `changes[1]: the server's schema has no view, and no type with a key, of the name "Nothing"`, nil},
		{good + `,{"where":{"type":"Post","column":"nothing","value":"x"}}`, 422, `with a column "nothing"`, nil},
	} {
		fill()
		invalidations := r.cache.Stats().Invalidations
		a, w := sendChanges(t, h, changesRequest(t.Context(), `{"changes":[`+row.body+`]}`))
		if w.Code != row.status || !strings.Contains(a.Error, row.says) || (a.Applied > 0) != (row.status == http.StatusOK) || len(a.Error) > 300 {
			t.Errorf("%s: status %d, %+v, want %d and %q", row.body, w.Code, a, row.status, row.says)
		}
		if n := r.cache.Stats().Invalidations - invalidations; (n > 0) != (row.status == http.StatusOK) {
			t.Errorf("%s: %d changes were applied", row.body, n)
		}
		for i, v := range all {
			if _, ran := r.job(gqlcache.KeyOf(v.name), i, gqlcache.Reads(v.reads)); ran != slices.Contains(row.gone, i) {
				t.Errorf("%s: %s fell: %v", row.body, v.name, ran)
			}
		}
	}
}

// TestComputedMatching: the values fall whose keys' names match, with the answers that are
// made of them, those beyond the bound of names, and no others.
func TestComputedMatching(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	names := []string{"sales", "sales/byDay", "stock"}
	key := func(name string) gqlcache.Key { return gqlcache.KeyOf(name).Arg("n", 1) }
	r.store.On("Query.counter", func(ctx context.Context) error {
		_, err := gqlcache.Compute(ctx, r.cache, key("sales"), func(context.Context) (int, error) { return 1, nil }, gqlcache.ForAll(), gqlcache.Reads())
		return err
	})
	const answer = `{ counter(id: 1) { value } }`
	fill := func() {
		for _, name := range names {
			r.job(key(name), 1, gqlcache.Reads())
		}
		r.do(testgraph.Request{Query: answer})
		if _, got := r.do(testgraph.Request{Query: answer}); got != "HIT" {
			t.Errorf("%s, want HIT", got)
		}
	}
	for _, row := range []struct {
		pattern string
		dropped []string
	}{
		{"sales*", []string{"sales", "sales/byDay"}},
		{"s?les", []string{"sales"}},
		{"*/*", []string{"sales/byDay"}},
		{"s*", names},
		{"x*", nil},
	} {
		fill()
		r.invalidate(gqlcache.ComputedMatching(row.pattern))
		want := "HIT"
		if slices.Contains(row.dropped, "sales") {
			want = "MISS"
		}
		if _, got := r.do(testgraph.Request{Query: answer}); got != want {
			t.Errorf("%s: the answer: %s, want %s", row.pattern, got, want)
		}
		for _, name := range names[1:] { // the answer has computed the first one again
			if _, ran := r.job(key(name), 1, gqlcache.Reads()); ran != slices.Contains(row.dropped, name) {
				t.Errorf("%s: %s is dropped: %v", row.pattern, name, ran)
			}
		}
	}
	for i := range gqlcache.MaxNames {
		r.job(key(fmt.Sprintf("n%d", i)), 1, gqlcache.Reads())
	}
	long := strings.Repeat("a", 65)
	for _, name := range []string{"late", long} {
		r.job(key(name), 1, gqlcache.Reads())
	}
	r.invalidate(gqlcache.ComputedMatching("nothing*"))
	for name, want := range map[string]bool{"late": true, long: true, "stock": false, "n7": false} {
		if _, ran := r.job(key(name), 1, gqlcache.Reads()); ran != want {
			t.Errorf("%s is dropped: %v", name, ran)
		}
	}
	for _, wrong := range []string{"", long, "\xff"} {
		if err := r.cache.Invalidate(t.Context(), gqlcache.ComputedMatching(wrong)); err == nil || !strings.Contains(err.Error(), "no pattern") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	_, err := gqlcache.Compute(t.Context(), r.cache, key("w"), func(context.Context) (int, error) { return 1, nil }, gqlcache.ForAll(), gqlcache.Reads(gqlcache.ComputedMatching("s*")))
	if !errors.Is(err, gqlcache.ErrUnknownName) {
		t.Error(err)
	}
}

// TestPatternMeetsValue: a value whose function ran before a pattern is not kept, although its
// name was not known then; nor is one that is put.
func TestPatternMeetsValue(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	compute := func(f func()) {
		t.Helper()
		_, err := gqlcache.Compute(t.Context(), r.cache, gqlcache.KeyOf("sales"), func(context.Context) (int, error) { f(); return 1, nil }, gqlcache.ForAll(), gqlcache.Reads())
		if err != nil {
			t.Error(err)
		}
	}
	drop := func() { r.invalidate(gqlcache.ComputedMatching("s*")) }
	compute(drop)
	ran := false
	compute(func() { ran = true })
	if !ran {
		t.Error("a value from before the pattern is kept")
	}
	token := r.cache.Begin(t.Context())
	drop()
	err := gqlcache.Put(t.Context(), r.cache, gqlcache.KeyOf("stock"), 1, token, gqlcache.ForAll(), gqlcache.Reads())
	if !errors.Is(err, gqlcache.ErrOutdated) {
		t.Error(err)
	}
}

// TestValuePatternsBetweenInstances: a pattern reaches values whose names the publisher does
// not know, and answers in the shared store that were made of such.
func TestValuePatternsBetweenInstances(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	computes := func(i *instance) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := gqlcache.Compute(ctx, i.cache, gqlcache.KeyOf("salesOfB"), func(context.Context) (int, error) { return 1, nil }, gqlcache.Reads())
			return err
		}
	}
	r.rows.On("Query.user", computes(b))
	b.want("MISS", "Ann", readAnn)
	b.want("HIT memory", "Ann", readAnn)
	testgraph.Ask(t, testgraph.NewServer(r.rows), expand(renameAnn), nil)
	if err := a.cache.Invalidate(t.Context(), gqlcache.ComputedMatching("stock*")); err != nil {
		t.Fatal(err)
	}
	b.want("HIT memory", "Ann", readAnn) // b knows the name, and it does not match
	if err := a.cache.Invalidate(t.Context(), gqlcache.ComputedMatching("sales*")); err != nil {
		t.Fatal(err)
	}
	r.rows.On("Query.user", computes(a))
	a.want("MISS", "New", readAnn) // and not what b has stored for all
	b.want("HIT shared", "New", readAnn)
}
