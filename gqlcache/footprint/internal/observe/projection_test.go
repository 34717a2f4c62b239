package observe

import (
	"context"
	"slices"
	"strings"
	"testing"
)

const (
	setVersion = `UPDATE posts SET version = version + 1 WHERE id = ?`
	setStatus  = `UPDATE posts SET status = ? WHERE id = ?`
	wholePost  = `SELECT id, author_id, status, title, version FROM posts WHERE id = ?`
)

// project begins a recording that promises what it makes of columns.
func (r *rig) project(list ...Projection) (context.Context, *Recording) {
	return r.projectIn(r.t.Context(), list...)
}

// projectIn is project within another computation.
func (r *rig) projectIn(ctx context.Context, list ...Projection) (context.Context, *Recording) {
	for i := range list {
		list[i].Same = func(column, name string) bool {
			return strings.EqualFold(strings.ReplaceAll(column, "_", ""), name)
		}
	}
	return Begin(ctx, Start{
		Since: ^uint64(0), Number: r.sink.Number(), Sink: r.sink,
		Projects: func(context.Context) []Projection { return list },
	}, r.Observer)
}

// TestProjection: a change of a column that is neither shown nor decides, nor used by the
// statement otherwise, leaves the answer alone. All others do not.
func TestProjection(t *testing.T) {
	t.Parallel()
	titles := Projection{Table: "posts", Shown: []string{"title"}, Decides: []string{"status"}}
	const (
		ofAuthor = `SELECT id, author_id, status, title, version FROM posts WHERE author_id = ?`
		computed = `SELECT id, title || version FROM posts WHERE id = ?`
		both     = `SELECT id, version, title || version FROM posts WHERE id = ?`
		sums     = `SELECT sum(version) FROM posts WHERE author_id = ?`
		limited  = `SELECT id, title, version FROM posts WHERE author_id = ? ORDER BY version LIMIT 1`
		ordered  = `SELECT id, title, version FROM posts WHERE author_id = ? ORDER BY version`
		derived  = `SELECT id, v FROM (SELECT id, version + 1 AS v FROM posts WHERE id = ?) x`
		nested   = `SELECT id, version FROM (SELECT id, version FROM posts WHERE id = ?) x`
		firsts   = `SELECT p.id, p.author_id, p.status, p.title, p.version FROM posts p WHERE p.id IN (
			SELECT q.id FROM posts q WHERE q.author_id = ? AND q.status = 'P' ORDER BY q.id LIMIT 1)`
	)
	row := [][]any{args(7, 1, "P", "x", 1)}
	for _, c := range []struct {
		text    string
		rows    [][]any
		promise Projection
		change  string
		args    []any
		want    bool
	}{
		{wholePost, row, titles, setVersion, args(7), true},
		{wholePost, row, titles, updateTitle, args("n", 7), false},
		{wholePost, row, titles, setStatus, args("D", 7), false}, // by which code decides
		{wholePost, row, titles, `UPDATE posts SET id = 9 WHERE id = ?`, args(7), false},
		{wholePost, row, titles, `DELETE FROM posts WHERE id = ?`, args(7), false},
		{wholePost, nil, titles, `INSERT INTO posts (id, author_id, status, title, version) VALUES (?, 1, 'P', 'x', 1)`, args(7), false},
		{ofAuthor, row, titles, setVersion, args(7), true},
		{ofAuthor, row, titles, setStatus, args("D", 7), false},
		{ofAuthor, row, titles, `UPDATE posts SET author_id = 2 WHERE id = ?`, args(7), false}, // the statement compares it
		{computed, [][]any{args(7, "x1")}, titles, setVersion, args(7), false},
		{both, [][]any{args(7, 1, "x1")}, titles, setVersion, args(7), false},
		{sums, [][]any{args(1)}, titles, setVersion, args(7), false},
		{limited, [][]any{args(7, "x", 1)}, titles, setVersion, args(7), false},
		{ordered, [][]any{args(7, "x", 1), args(8, "y", 2)}, titles, setVersion, args(7), false},
		{derived, [][]any{args(7, 2)}, titles, setVersion, args(7), false},
		{nested, [][]any{args(7, 1)}, titles, setVersion, args(7), true},
		// What makes a row one of the first ones is compared by another mention of the table.
		{firsts, row, Projection{Table: "posts", Shown: []string{"title"}}, setStatus, args("D", 7), false},
		{firsts, row, Projection{Table: "posts", Shown: []string{"title"}}, `UPDATE posts SET author_id = 2 WHERE id = ?`, args(7), false},
		{firsts, row, Projection{Table: "posts", Shown: []string{"title"}}, setVersion, args(7), true},
		// Of another table, and of fields that are no columns, nothing is promised.
		{wholePost, row, Projection{Table: "users", Shown: []string{"name"}}, setVersion, args(7), false},
		{wholePost, row, Projection{Table: "posts", Shown: []string{"heading"}}, setVersion, args(7), false},
		{wholePost, row, Projection{Table: "posts", Shown: []string{"title"}, Decides: []string{"state"}}, setVersion, args(7), false},
		{wholePost, row, Projection{Table: "posts", Shown: []string{"title", "authorId"}}, `UPDATE posts SET author_id = 2 WHERE id = ?`, args(7), false},
		{wholePost, row, Projection{Table: "posts", Shown: []string{"title"}}, setStatus, args("D", 7), true},
	} {
		r := newRig(t, Options{})
		r.read(c.text, args(1), c.rows...) // shapes
		arguments := args(7)
		if slices.Contains([]string{ofAuthor, sums, limited, ordered, firsts}, c.text) {
			arguments = args(1)
		}
		ctx, rec := r.project(c.promise)
		query(ctx, r.session(), c.text, arguments, c.rows...)
		f := rec.End()
		if f.Unknown != "" {
			t.Fatalf("%s: %s", c.text, f.Unknown)
		}
		exec(Outside(t.Context()), r.session(), c.change, c.args...)
		if got := r.fresh(f); got != c.want {
			t.Errorf("%s with %v\n  after %s: good %v", c.text, c.promise, c.change, got)
		}
		if got := r.has(UnknownColumn); got != (len(c.promise.Decides) > 0 && c.promise.Decides[0] == "state") {
			t.Errorf("%v: an unknown column was found: %v", c.promise, got)
		}
	}
}

// TestProjectionIsOwn: what another recording has of the statement is not projected, nor
// what the own one has when its promise is taken back.
func TestProjectionIsOwn(t *testing.T) {
	t.Parallel()
	titles := Projection{Table: "posts", Shown: []string{"title"}}
	for _, row := range []struct {
		name    string
		project func(r *rig) (own, other Footprint)
	}{
		{"a field of another that has waited", func(r *rig) (own, other Footprint) {
			ctx, rec := r.project(titles)
			_, second := r.record(t.Context())
			entered := second.Enter()
			query(ctx, r.session(), wholePost, args(7), args(7, 1, "P", "x", 1))
			second.Leave("Query.post", entered, &struct{ int }{1})
			return rec.End(), second.End()
		}},
		{"an outer recording", func(r *rig) (own, other Footprint) {
			ctx, outer := r.record(t.Context())
			ctx, rec := r.projectIn(ctx, titles)
			query(ctx, r.session(), wholePost, args(7), args(7, 1, "P", "x", 1))
			return rec.End(), outer.End()
		}},
		{"taken back", func(r *rig) (own, other Footprint) {
			ctx, rec := r.project(titles)
			query(ctx, r.session(), wholePost, args(7), args(7, 1, "P", "x", 1))
			rec.Unproject()
			ctx, kept := r.project(titles)
			query(ctx, r.session(), wholePost, args(7), args(7, 1, "P", "x", 1))
			return kept.End(), rec.End()
		}},
		{"taken back after many statements", func(r *rig) (own, other Footprint) {
			ctx, rec := r.project(titles)
			ctx2, kept := r.project(titles)
			for i := range 3 * maxExecutions {
				query(ctx, r.session(), wholePost, args(7+i), args(7+i, 1, "P", "x", 1))
				query(ctx2, r.session(), wholePost, args(7+i), args(7+i, 1, "P", "x", 1))
			}
			rec.Unproject()
			return kept.End(), rec.End()
		}},
	} {
		r := newRig(t, Options{})
		r.read(wholePost, args(1), args(1, 1, "P", "x", 1)) // shapes
		own, other := row.project(r)
		exec(Outside(t.Context()), r.session(), setVersion, 7)
		if !r.fresh(own) {
			t.Errorf("%s: the promise does not hold for what made it", row.name)
		}
		if r.fresh(other) {
			t.Errorf("%s: a promise that is not its own hides a change", row.name)
		}
	}
}

// TestProjectionOfUncommitted: what a transaction reads of its own changes is not stored,
// also where the changed column does not matter.
func TestProjectionOfUncommitted(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{})
	r.read(wholePost, args(7), args(7, 1, "P", "x", 1))
	ctx, rec := r.project(Projection{Table: "posts", Shown: []string{"title"}})
	s := r.session()
	exec(Outside(t.Context()), s, "BEGIN")
	exec(Outside(t.Context()), s, setVersion, 7)
	query(ctx, s, wholePost, args(7), args(7, 1, "P", "x", 2))
	f := rec.End()
	if f.Uncommitted == "" {
		t.Error("it may be stored")
	}
}
