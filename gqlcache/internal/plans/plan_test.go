package plans_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/reason"
)

// TestMake: what is known of an operation before it runs.
func TestMake(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, text string
		bypass     string
		ttl        time.Duration
		covered    string
	}{
		{name: "fields", text: "{user(id:1){name}}", ttl: time.Minute},
		{name: "a shorter age", text: "{users{name} user(id:1){name}}", ttl: 7 * time.Second},
		{name: "age 0", text: "{users{name} live}", bypass: reason.Policy},
		{name: "introspection", text: "{user(id:1){name} __schema{queryType{name}}}", bypass: reason.Introspection},
		{name: "introspection below", text: "{self{self{...F}}} fragment F on Query{__type(name:\"User\"){name}}", bypass: reason.Introspection},
		{name: "__typename only", text: "{a:__typename ...F} fragment F on Query{...{__typename}}", bypass: reason.Typename},
		{name: "__typename below", text: "{self{__typename}}", ttl: time.Minute},
		{name: "a directive of a field", text: "{user(id:1){email}}", bypass: reason.Directive},
		{name: "a directive of a type", text: "{user(id:1){secret{key}}}", bypass: reason.Directive},
		{name: "a covered directive", text: "{user(id:1){email secret{key}}}", covered: "guard", ttl: time.Minute},
		{name: "a directive of the client", text: "{user(id:1){...F}} fragment F on User{name @upper}", bypass: reason.Directive},
		{name: "@skip", text: "{user(id:1){name @skip(if:true)}}", ttl: time.Minute},
		{name: "a directive that does not run", text: "{user(id:1){plan}}", ttl: time.Minute},
		{name: "@defer", text: "{user(id:1){name ...@defer{plan}}}", bypass: reason.Defer},
		{name: "a directive before the age", text: "{live hidden}", bypass: reason.Directive},
		{name: "the age before @defer", text: "{live user(id:1){...@defer{plan}}}", bypass: reason.Policy},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, row.covered)
			r.directives.Add(r.schema, []string{"Guard", "Upper"})
			p := r.plan(row.text)
			if p.Bypass != row.bypass || p.TTL != row.ttl {
				t.Errorf("%q for %s, want %q for %s", p.Bypass, p.TTL, row.bypass, row.ttl)
			}
			stored := p.Hash != [32]byte{} && p.Tag != cascade.Tag{}
			if stored != (row.bypass == "") || p.Counts != r.operations.Of("") {
				t.Errorf("%+v", p)
			}
		})
	}
}

// TestMakeMutation: a mutation is planned whatever its fields are, and has no key.
func TestMakeMutation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for text, walk := range map[string]bool{
		`mutation{rename(id:1,name:"x"){name}}`: true,
		`mutation{any}`:                         false, // drops everything
		`mutation{__typename}`:                  true,
	} {
		p := r.plan(text)
		if p.Operation == nil || p.Walk != walk || p.Counts != nil || p.Hash != [32]byte{} {
			t.Errorf("%s: %+v", text, p)
		}
	}
}

// TestTagOfOperation: answers have the tag of the operation's name, and of its hash where
// there is none.
func TestTagOfOperation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if p := r.plan("query Names{users{name}}"); p.Tag != cascade.OperationTag("Names") {
		t.Errorf("%v", p.Tag)
	}
	if p := r.plan("{users{name}}"); len(p.ShortHash()) != 8 || p.Tag != cascade.OperationTag(p.ShortHash()) {
		t.Errorf("%v of %q", p.Tag, p.ShortHash())
	}
}

// TestWalk: an answer is read for its rows. One that depends on anything needs none, but
// where answers with several of them are not stored.
func TestWalk(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text         string
		oneRow, walk bool
	}{
		{"{users{name}}", false, true},
		{"{users{name} self{__typename}}", false, false},
		{"{users{name} self{__typename}}", true, true},
	} {
		r := newRig(t)
		config := r.config()
		config.OneRowOnly = row.oneRow
		if p := plans.New(config).Make(r.schema, r.source(row.text)); p.Walk != row.walk {
			t.Errorf("%s: %+v", row.text, p)
		}
	}
}

// TestTooManyFragments: what cannot be planned bypasses the cache.
func TestTooManyFragments(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	text := strings.Repeat("{...on Query", 60) + "{users{name}...F}" + strings.Repeat("}", 60) + " fragment F on Query{users{id}}"
	if p := r.plan(text); p.Bypass != reason.Operation || p.Operation != nil {
		t.Errorf("%q", p.Bypass)
	}
}

// TestFind: a plan is found for the operation that it was made from, in a document that
// is the same in all that execution reads.
func TestFind(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const text = "{user(id:1){...F}} fragment F on User{name}"
	s := r.source(text)
	if r.Find(s) != nil {
		t.Fatal("a plan is found that nobody has made")
	}
	p := r.Make(r.schema, s)
	p.Owner = "note"
	if r.Keep(s, p, 0) {
		t.Error("the first plan counts as a repetition")
	}
	if got := r.Find(s); got != p || got.Owner != "note" {
		t.Fatalf("%+v", got)
	}
	if r.Find(r.source(text)) != nil {
		t.Error("a plan is found for another copy of the operation")
	}

	// An extension gives one caller other fragments and leaves the operation as it is.
	other := *s.Document
	other.Fragments = r.source("{user(id:1){...F}} fragment F on User{id}").Document.Fragments
	variant := plans.NewSource(text, &other, s.Operation)
	if r.Find(&variant) != nil {
		t.Fatal("a plan is found for other fragments")
	}
	made := r.Make(r.schema, &variant)
	if r.Keep(&variant, made, 0); made.Hash == p.Hash {
		t.Error("two documents have one key")
	}
	if r.Find(&variant) != made || r.Find(s) != p {
		t.Error("of two variants in use one is not found")
	}
	if n, bytes := r.Figures(); n != 2 || bytes <= 0 {
		t.Errorf("%d plans of %d bytes", n, bytes)
	}

	// One changes the document in place.
	s.Document.Fragments[0].SelectionSet = other.Fragments[0].SelectionSet
	if now := plans.NewSource(text, s.Document, s.Operation); r.Find(&now) == p {
		t.Error("the plan of a document is found after its fragment was changed")
	}
}

// TestMark: the mark changes with all that decides what tags mean, and with nothing else.
func TestMark(t *testing.T) {
	t.Parallel()
	mark := func(text string, o cascade.Options, partitions string) cascade.Tag {
		return compile(t, text, o, partitions).Mark
	}
	plain := mark(schemaText, cascade.Options{}, "")
	if plain != mark("# a comment\n"+schemaText, cascade.Options{}, "") {
		t.Error("the same schema has two marks")
	}
	for name, other := range map[string]cascade.Tag{
		"schema":     mark(strings.Replace(schemaText, "v_user", "users", 1), cascade.Options{}, ""),
		"options":    mark(schemaText, cascade.Options{OpaqueKeys: []string{"User"}}, ""),
		"partitions": mark(schemaText, cascade.Options{}, "2"),
	} {
		if other == plain {
			t.Errorf("%s: the mark is the same", name)
		}
	}
}

// TestDirectives: which run is not known before a server was added, nor when one keeps it
// to itself.
func TestDirectives(t *testing.T) {
	t.Parallel()
	r := newRig(t, "upper")
	runs := func() (all []string) {
		for _, name := range []string{"guard", "upper", "docs", "deprecated", "view"} {
			if r.directives.Run(r.schema, name) {
				all = append(all, name)
			}
		}
		return all
	}
	step := func(what string, running, settled []string, guarded map[string][]string) {
		t.Helper()
		if got := runs(); !slices.Equal(got, running) {
			t.Errorf("%s: %q run, want %q", what, got, running)
		}
		if got := r.directives.Guarded(); !reflect.DeepEqual(got, guarded) {
			t.Errorf("%s: guarded %q, want %q", what, got, guarded)
		}
		got := r.directives.Settled(r.schema)
		for _, name := range settled {
			if !slices.Contains(got, name) {
				t.Errorf("%s: %s needs a look", what, name)
			}
		}
		if slices.Contains(got, "guard") {
			t.Errorf("%s: guard needs no look", what)
		}
	}
	step("nobody knows", []string{"guard", "upper", "docs"}, []string{"upper"}, nil)
	guard := []string{"Query.hidden", "User.email", "User.secret"}
	if got := r.directives.Add(r.schema, []string{"Guard"}); !slices.Equal(got["guard"], guard) {
		t.Errorf("%q", got)
	}
	step("one server", []string{"guard"}, []string{"upper", "docs"}, map[string][]string{"guard": guard})
	r.directives.Add(r.schema, []string{"Docs"})
	step("two servers", []string{"guard", "docs"}, []string{"upper"}, map[string][]string{"guard": guard, "docs": {"User.plan"}})
	r.directives.Add(r.schema, []string{plans.AllDirectives})
	step("one that hides them", []string{"guard", "upper", "docs"}, []string{"upper"}, map[string][]string{"guard": guard, "docs": {"User.plan"}})
}

// TestCopyVariables: a copy is equal, and what is done to the original at any depth does
// not change it.
func TestCopyVariables(t *testing.T) {
	t.Parallel()
	build := func() map[string]any {
		return map[string]any{
			"text": "a", "null": nil, "map": map[string]any{"in": map[string]any{"a": 1}}, "list": []any{[]any{"a"}, nil},
			"typed": []string{"a"}, "keyed": map[string][]int{"a": {1}}, "nil map": map[string]any(nil), "nil list": []any(nil),
		}
	}
	vars := build()
	asked := plans.CopyVariables(vars)
	vars["text"] = "b"
	delete(vars["map"].(map[string]any)["in"].(map[string]any), "a")
	vars["list"].([]any)[0].([]any)[0] = "b"
	vars["typed"].([]string)[0] = "b"
	vars["keyed"].(map[string][]int)["a"][0] = 2
	if !reflect.DeepEqual(asked, build()) {
		t.Errorf("%#v", asked)
	}
	if plans.CopyVariables(nil) != nil {
		t.Error("the copy of no variables is not nil")
	}
}
