package catalog

import "testing"

// schemasOf returns relations of one name and column in each schema.
func schemasOf(names map[string][]string) (list []*relation, usable map[string]bool) {
	usable = map[string]bool{}
	for schema, relations := range names {
		usable[schema] = schema != "shut"
		for _, name := range relations {
			r := &relation{schema: schema, name: name}
			r.root = r
			r.table.Columns = []Column{{Name: "id", Class: Int}}
			list = append(list, r)
		}
	}
	return list, usable
}

// A name is found where PostgreSQL finds it, or it is not known where.
func TestPlaces(t *testing.T) {
	t.Parallel()
	before := map[string][]string{"public": {"posts", "plans"}, "t1": {"posts"}, "t2": {"posts"}, "shut": {"posts", "own"}, "me": {"posts"}}
	list, usable := schemasOf(before)
	first := placesOf(list, "me", usable)
	before["t1"], before["t3"] = []string{"posts", "plans"}, []string{"posts"}
	list, usable = schemasOf(before)
	for _, r := range list {
		if r.schema == "t2" { // a partition of a table in another schema
			for _, root := range list {
				if root.schema == "t3" {
					r.root = root
				}
			}
		}
	}
	next := placesOf(list, "me", usable)
	next.After(first)
	failed := placesOf(list, "me", usable)
	failed.After(nil)
	if first.Epoch() != 0 || next.Epoch() != 1 || failed.Epoch() != 1 {
		t.Errorf("epochs %d, %d, %d", first.Epoch(), next.Epoch(), failed.Epoch())
	}
	for _, c := range []struct {
		places     *Places
		path, role string
		since      uint64
		name       string
		want       string // "?" for not known
	}{
		{first, "t1, public", "me", 0, "posts", "t1"},
		{first, "t1, public", "", 0, "posts", "?"}, // perhaps it may not use t1
		{first, "t1, public", "you", 0, "posts", "?"},
		{first, "t1", "you", 0, "posts", "t1"},
		{first, "t1, public", "you", 0, "plans", "public"},
		{first, "shut, public", "me", 0, "posts", "?"},
		{first, "shut, public", "me", 0, "own", "shut"}, // refused
		{first, "public, t1", "me", 0, "posts", "public"},
		{first, `"$user", public`, "me", 0, "posts", "me"},
		{first, `"$user", public`, "you", 0, "plans", "public"},
		{first, `"$user", public`, "", 0, "plans", "?"},
		{first, "t9, public", "me", 0, "posts", "?"},
		{first, "public, t9", "me", 0, "posts", "public"},
		{first, "t1, t9", "me", 0, "plans", "?"},
		{first, "t1, t1", "you", 0, "posts", "t1"},
		{first, "", "me", 0, "posts", "?"},
		{next, "t1, public", "me", 1, "plans", "t1"},
		{next, "t1, public", "me", 0, "plans", "?"}, // an old plan has public's
		{next, "t1", "me", 0, "plans", "t1"},
		{next, "t1, public", "me", 0, "posts", "t1"},
		{next, "t2", "me", 1, "posts", "?"},
		{next, "t3", "me", 1, "posts", "?"},
		{failed, "t1, public", "me", 0, "posts", "?"},
		{failed, "t1, public", "me", 1, "posts", "t1"},
	} {
		path, ok := ParsePath(c.path, c.role)
		path.Since = c.since
		got, _, found := c.places.Find(&path, c.name)
		if !ok || !found {
			got = "?"
		}
		if got != c.want {
			t.Errorf("%s by %q since %d: %s is found in %s, not in %s", c.path, c.role, c.since, c.name, got, c.want)
		}
	}
	for range maxBorn {
		n := placesOf(list, "me", usable)
		n.After(next)
		next = n
	}
	if next.Epoch() != 1 {
		t.Errorf("epoch %d, without other relations", next.Epoch())
	}
	if a, b := next.schemas["t1"], next.schemas["public"]; len(a.names) != 2 || &a == &b || len(b.names) != 2 {
		t.Error("names are not shared")
	}
}

// A view's definition is the same in two schemas if it is but for their names.
func TestSpelled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string // in schemas a and b
		same bool
	}{
		{` SELECT p.id FROM a.posts p;`, ` SELECT p.id FROM b.posts p;`, true},
		{` SELECT p.id FROM a.posts p JOIN public.x ON true;`, ` SELECT p.id FROM b.posts p JOIN public.x ON true;`, true},
		{` SELECT p.id FROM a.posts p JOIN c.x ON true;`, ` SELECT p.id FROM b.posts p JOIN d.x ON true;`, false},
		{` SELECT p.id FROM a.posts p JOIN b.x ON true;`, ` SELECT p.id FROM b.posts p JOIN b.x ON true;`, false},
		{` SELECT p.id FROM a.posts p WHERE p.t = 'a.x';`, ` SELECT p.id FROM b.posts p WHERE p.t = 'b.x';`, false},
		{` SELECT a.x FROM a.t a JOIN c.u b ON true;`, ` SELECT b.x FROM b.t a JOIN c.u b ON true;`, false},
		{` SELECT p.a AS id FROM a.posts p;`, ` SELECT p.b AS id FROM b.posts p;`, false},
		{` SELECT "A".id FROM a."A";`, ` SELECT "a".id FROM b."A";`, false},
	} {
		if got := spelled(c.a, "a") == spelled(c.b, "b"); got != c.same {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

// A foreign key holds within one schema where all schemas have it, and not where one refers
// to another's rows.
func TestKeysWithin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change       func(a, b *relation)
		within, same bool
	}{
		"all":            {func(_, _ *relation) {}, true, true},
		"one lacks it":   {func(_, b *relation) { b.references = nil }, false, true},
		"not valid":      {func(_, b *relation) { b.references[0].enforced = false }, false, true},
		"another schema": {func(a, b *relation) { b.references[0].to = a.references[0].to }, false, false},
		"twice, in one":  {func(a, b *relation) { a.references = append(a.references, a.references[0]); b.references = nil }, false, true},
	} {
		list := relations()
		for _, r := range list {
			r.table.Columns = append([]Column(nil), r.table.Columns...)
			for i := range r.references {
				r.references[i].onDelete = Cascade
			}
		}
		c.change(list[1], list[3])
		f := merge(PostgreSQL, list, nil, nil, nil).Tables["t"].Foreign
		if len(f) != 1 || f[0].Within != c.within || f[0].Same != c.same || f[0].Enforced {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
