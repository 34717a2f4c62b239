package observe

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/keycheck"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

func TestTemplates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sqlite, want string }{
		{`SELECT id FROM posts WHERE id IN (?,?,?)`, `SELECT id FROM posts WHERE id IN (?, ?)`},
		{"SELECT id FROM posts WHERE a = ? AND id in\n( ?\t, ? ) AND b = ?", "SELECT id FROM posts WHERE a = ? AND id in\n(?, ?) AND b = ?"},
		{"-- name: List :many\nSELECT `id` FROM \"posts\" WHERE `a` = 'it''s' AND id NOT IN(?, ?, ?, ?) LIMIT ?", "-- name: List :many\nSELECT `id` FROM \"posts\" WHERE `a` = 'it''s' AND id NOT IN(?, ?) LIMIT ?"},
		{`SELECT 1 WHERE a IN (?, ?, ?) AND b IN (?, ?) -- IN (?, ?)`, `SELECT 1 WHERE a IN (?, ?) AND b IN (?, ?) -- IN (?, ?)`},
		{`SELECT 1 WHERE a IN (?, ?, ?) AND b = 'IN (?, ?, ?)'`, `SELECT 1 WHERE a IN (?, ?) AND b = 'IN (?, ?, ?)'`},
		{`SELECT 1 WHERE a IN (?, ?, 3) AND b IN (?, ?, ?)`, `SELECT 1 WHERE a IN (?, ?, 3) AND b IN (?, ?)`},
		{`SELECT 1 WHERE a IN (?) AND (a, b) IN ((?, ?), (?, ?)) AND f(?, ?, ?)`, ``},
		{`SELECT 1 WHERE a.in (?, ?, ?)`, ``},
		{`SELECT 1 WHERE a IN (?1, ?2, ?3)`, ``},
		{`SELECT 1 WHERE a = ?1 AND b IN (?, ?)`, ``},
		{`SELECT 1 WHERE a = :a AND b IN (?, ?)`, ``},
		{`SELECT 1 WHERE a = $1 AND b IN (?, ?)`, ``},
		{`SELECT 1 /* IN (?, ?) */ WHERE b IN (?, ?)`, ``},
		{`SELECT [a] WHERE b IN (?, ?)`, ``},
		{`SELECT 'a\' WHERE b IN (?, ?)`, ``},
		{`SELECT 'a WHERE b IN (?, ?)`, ``},
		{`SELECT 1 -- a` + "\r" + `WHERE b IN (?, ?)`, ``},
		{`SELECT 1 WHERE b IN (?, ?`, ``},
		{`SELECT 1 WHERE b IN (`, ``},
		{`SELECT 1 WHERE b IN (?`, ``},
	} {
		var f folds
		got, ok := fold(nil, catalog.SQLite, c.sqlite, &f)
		if string(got) != c.want || ok != (c.want != "") || !ok && f != (folds{}) {
			t.Errorf("%q: %q %v", c.sqlite, got, ok)
		}
	}
	for text, want := range map[string]string{
		`SELECT id FROM posts WHERE a = $1 AND id IN ($2,$3,$4) AND b->'x' ? 'y' AND c = $5::int`: `SELECT id FROM posts WHERE a = $1 AND id IN ($2, $3) AND b->'x' ? 'y' AND c = $4::int`,
		`SELECT 1 WHERE a IN ($1, $2, $3) AND b IN ($4, $5, $6, $7) AND c IN ($8) LIMIT $9`:       `SELECT 1 WHERE a IN ($1, $2) AND b IN ($3, $4) AND c IN ($5) LIMIT $6`,
		`SELECT arr[1] WHERE a IN ($1, $2)`:                                                       `SELECT arr[1] WHERE a IN ($1, $2)`,
		`SELECT 1 WHERE a = $2 AND b IN ($1, $3)`:                                                 ``,
		`SELECT 1 WHERE a IN ($1, $2, $3) AND b = $1`:                                             ``,
		`SELECT 1 WHERE a IN ($1, $01, $3)`:                                                       ``,
		`SELECT $x$ IN ($1, $2) $x$ WHERE a IN ($1, $2, $3)`:                                      ``,
		"SELECT `a` WHERE a IN ($1, $2, $3)":                                                      ``,
		`SELECT 1 WHERE a IN ($1::int, $2::int)`:                                                  ``,
	} {
		var f folds
		if got, ok := fold(nil, catalog.PostgreSQL, text, &f); string(got) != want || ok != (want != "") {
			t.Errorf("%q: %q %v", text, got, ok)
		}
	}
	five := strings.Repeat(" AND a IN (?, ?, ?)", 5)
	var f folds
	if got, ok := fold(nil, catalog.SQLite, "SELECT 1 WHERE 1"+five, &f); !ok || !strings.HasSuffix(string(got), "IN (?, ?) AND a IN (?, ?, ?)") {
		t.Errorf("five lists: %q", got)
	}
}

var (
	parameterNumbers = regexp.MustCompile(`\$[0-9]+`)
	parameterLists   = regexp.MustCompile(`in \(\$(, \$)+\)`)
)

// told is what a run of a statement tells: what it reads, writes, and has the key check
// know its arguments by.
func told(t testing.TB, o *Observer, x *analyzed, args arguments, f *folds) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintln(&b, parameterLists.ReplaceAllString(parameterNumbers.ReplaceAllString(x.Words(), "$"), "in ($$)"), x.Unknown, x.Kind, x.shape)
	for i, r := range x.Refs {
		var one refReading
		one.evaluate(r, args)
		fmt.Fprintln(&b, i, one)
		for j := range r.Terms {
			fmt.Fprintln(&b, fmt.Sprint(args.raw(&r.Terms[j].Source)))
		}
	}
	s := o.NewSession(&fakeConn{})
	for _, w := range x.Writes {
		for _, e := range s.eventsOf(w, args) {
			fmt.Fprintln(&b, e.Table.Name, e.Op, e.Columns, e.Old, e.New)
		}
		if w.OwnRows {
			clause, own, ok := condition(o.opts.Dialect, x.text, w.Where, w.Returning != nil, args)
			fmt.Fprintln(&b, strings.Join(strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ", ",", " , ").Replace(clause)), " "), own, ok)
		}
	}
	for i := range args.list {
		n := f.placeholder(i + 1)
		if n > len(x.positions) {
			t.Fatalf("argument %d has the placeholder %d of %d", i+1, n, len(x.positions))
		}
		fmt.Fprint(&b, x.positions[n-1], " ")
	}
	return b.String()
}

// sameTold fails when a text and its template tell different things of one run.
func sameTold(t testing.TB, o *Observer, text string, list []driver.NamedValue) (folded bool) {
	t.Helper()
	st := o.state.Load()
	var f folds
	template, ok := fold(nil, o.opts.Dialect, text, &f)
	if !ok {
		return false
	}
	whole := analyzedOf(text, o.opts.analyze(st.catalog, text))
	short := analyzedOf(string(template), o.opts.analyze(st.catalog, string(template)))
	if whole.Unknown != "" {
		if short.Unknown == "" {
			t.Fatalf("%s is unknown (%s), and its template is known: %s", text, whole.Unknown, template)
		}
		return true
	}
	want, got := told(t, o, whole, arguments{list: list}, &folds{}), told(t, o, short, arguments{list: list, folds: &f}, &f)
	if got != want {
		t.Fatalf("%s\ntells %s\nits template %s\ntells %s", text, want, template, got)
	}
	return true
}

// TestTemplateTellsTheSame: whatever its lengths, lists tell what they did before they were
// made short.
func TestTemplateTellsTheSame(t *testing.T) {
	t.Parallel()
	texts := []string{
		`SELECT id, title FROM posts WHERE id IN (#)`,
		`SELECT id, title FROM posts WHERE status = # AND author_id IN (#) AND version > # ORDER BY id LIMIT #`,
		`SELECT p.id FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.author_id IN (#) AND c.id IN (#)`,
		`SELECT id FROM posts WHERE author_id NOT IN (#) OR id IN (#)`,
		`SELECT count(*) FROM comments WHERE post_id IN (SELECT id FROM posts WHERE author_id IN (#))`,
		`SELECT id FROM posts WHERE (id, author_id) IN (SELECT id, post_id FROM comments WHERE id IN (#)) AND status IN (#)`,
		`SELECT CASE WHEN id IN (#) THEN # ELSE 2 END FROM posts WHERE id = #`,
		`UPDATE posts SET title = #, version = version + # WHERE status IN (#) AND id IN (#)`,
		`UPDATE posts SET status = # WHERE id IN (#) RETURNING id`,
		`DELETE FROM comments WHERE post_id IN (#)`,
		`INSERT INTO comments (id, post_id, body) SELECT id, #, # FROM posts WHERE id IN (#)`,
		`SELECT id FROM strangers WHERE id IN (#)`,
	}
	for _, d := range []catalog.Dialect{catalog.SQLite, catalog.PostgreSQL} {
		r := newRig(t, Options{Dialect: d})
		for n, text := range texts {
			lengths := []int{2, 3, 7}
			if n%7 == 0 { // a read and a write: these take long
				lengths = append(lengths, maxListed+1)
			}
			for _, length := range lengths {
				var list []driver.NamedValue
				one := func(v any) string {
					list = append(list, driver.NamedValue{Ordinal: len(list) + 1, Value: v})
					return placeholder(d, len(list))
				}
				parts := strings.Split(text, "#")
				full := parts[0]
				for i, rest := range parts[1:] {
					switch {
					case !strings.HasSuffix(parts[i], "IN ("):
						full += one(int64(i + 1))
					case strings.Contains(parts[i], "status"):
						full += one("PUBLISHED") + ", " + one("DRAFT")
					default:
						for n := range length {
							if n > 0 {
								full += ","
							}
							full += one(int64(100*i + n))
						}
					}
					full += rest
				}
				if !sameTold(t, r.Observer, full, list) {
					t.Errorf("%s was not made short", full)
				}
			}
		}
	}
}

// FuzzTemplate looks for texts that tell something else than their templates.
func FuzzTemplate(f *testing.F) {
	for _, text := range []string{
		`SELECT id FROM posts WHERE id IN (?, ?, ?) AND status = 'IN (?, ?)'`,
		"SELECT id FROM posts -- IN (?, ?, ?)\nWHERE id IN (?,?) AND \"status\" IN (?,?,?)",
		`UPDATE posts SET title = ? WHERE id IN (?, ?, ?)`,
		`SELECT id FROM posts WHERE status = $1 AND id IN ($2, $3, $4) AND version = $5`,
		`SELECT id FROM posts WHERE title = E'\'' AND id IN ($1, $2)`,
	} {
		f.Add(text)
	}
	rigs := []*rig{newRig(f, Options{Dialect: catalog.SQLite}), newRig(f, Options{Dialect: catalog.PostgreSQL})}
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range rigs {
			a := r.opts.analyze(r.state.Load().catalog, text)
			var list []driver.NamedValue
			for n := range a.Params {
				list = append(list, driver.NamedValue{Ordinal: n + 1, Value: int64(n)})
			}
			sameTold(t, r.Observer, text, list)
		}
	})
}

// TestOneTextForAllLengths: a thousand lengths of a list take the memory of one.
func TestOneTextForAllLengths(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{Dialect: catalog.SQLite})
	o := r.Observer
	var texts []string
	for n := 2; n < 1000; n++ {
		texts = append(texts, "SELECT id, title FROM posts WHERE author_id IN (?"+strings.Repeat(", ?", n-1)+") ORDER BY id")
	}
	var f folds
	first, st := o.analysis(texts[0], &f)
	for i, text := range texts {
		if x, _ := o.analysis(text, &f); x != first || i > 0 && f.n != 1 {
			t.Fatalf("a list of %d has an analysis of its own", i+2)
		}
	}
	if n := len(st.memo.young) + len(st.memo.old); n != 1 {
		t.Errorf("the memo has %d texts", n)
	}
}

// TestReadOfLists: what a long list has asked for depends on each of its values, and on no
// others.
func TestReadOfLists(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"SELECT title FROM posts WHERE status = ? AND id IN (?, ?, ?, ?)",
		"SELECT title FROM posts WHERE status = ? AND id IN (?, ?)",
	} {
		r := newRig(t, Options{Dialect: catalog.SQLite})
		n := strings.Count(text, "?") - 1
		ids := args("PUBLISHED", 5, 6, 7, 8)[:n+1]
		for id := 4; id <= 9; id++ {
			f := r.read(text, ids)
			exec(Outside(t.Context()), r.session(), "UPDATE posts SET title = ? WHERE id = ?", "x", id)
			if wants := id < 5 || id >= 5+n; r.fresh(f) != wants {
				t.Errorf("%s: after a change of row %d it is fresh: %v", text, id, !wants)
			}
		}
	}
}

// TestPositionsOfLists: the key check knows an argument behind a list by the same position,
// whatever the list's length.
func TestPositionsOfLists(t *testing.T) {
	t.Parallel()
	text := "SELECT id FROM posts WHERE id IN (?, ?, ?, ?) AND author_id = ? AND version IN (?, ?, ?) AND status = ?"
	var f folds
	template, _ := fold(nil, catalog.SQLite, text, &f)
	_, whole := keycheck.Shape(text)
	_, short := keycheck.Shape(string(template))
	var got []int
	for i := range whole {
		got = append(got, short[f.placeholder(i+1)-1])
	}
	if !reflect.DeepEqual(got, whole) {
		t.Errorf("%v, the text has %v", got, whole)
	}
}

func BenchmarkLookup(b *testing.B) {
	c := blog(catalog.SQLite)
	st := &state{catalog: c, shapes: rowtag.NewShapes("", c)}
	for _, n := range []int{1, 3, 30, 300} {
		text := "SELECT posts.id, posts.title, posts.author_id FROM posts WHERE posts.author_id IN (?" + strings.Repeat(", ?", n-1) + ") ORDER BY posts.id"
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			var f folds
			for b.Loop() {
				st.memo.find(catalog.SQLite, text, &f, func(text string) *analysis.Statement { return analysis.Analyze(c, text) })
			}
		})
	}
}
