package observe

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// A sqlError is one of PostgreSQL's.
type sqlError string

func (e sqlError) Error() string    { return string(e) }
func (e sqlError) SQLState() string { return string(e) }

// For PostgreSQL the keys come from connections beside the application's, and only where
// these see all rows: otherwise the answer depends on any row of the other side. What the
// session has written it asks nobody about.
func TestSemiJoinsBeside(t *testing.T) {
	const (
		count = `SELECT count(*) FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.author_id = $1`
		list  = `SELECT count(*) FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.author_id = ANY($1)`
		other = `INSERT INTO comments (id, post_id, body) VALUES ($1, $2, 'x')`
	)
	type rows = [][]driver.Value
	for _, c := range []struct {
		name string
		text string
		args []any
		rows rows
		err  error
		kept bool // when another post is commented
		// asked says that each read asks.
		asked bool
	}{
		{"all rows", count, args(1), rows{{int64(7), true}, {int64(8), true}}, nil, true, true},
		{"all rows of a list", list, args("{1,2}"), rows{{int64(7), true}, {int64(8), true}}, nil, true, true},
		{"none", count, args(1), rows{{nil, true}}, nil, true, true},
		{"policies may apply, or a replica", count, args(1), rows{{int64(7), false}}, nil, false, false},
		{"none that a policy shows", count, args(1), rows{{nil, false}}, nil, false, false},
		{"without a word about it", count, args(1), rows{}, nil, false, false},
		{"a NULL about it", count, args(1), rows{{int64(7), nil}}, nil, false, false},
		{"an error", count, args(1), nil, sqlError("42501"), false, false},
		{"a value of another type", count, args(1), nil, sqlError("22P02"), false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			beside := &fakeConn{answer: func(string, []driver.NamedValue) ([][]driver.Value, error) { return c.rows, c.err }}
			r := newRig(t, Options{Dialect: catalog.PostgreSQL, SemiJoins: true, Beside: beside})
			f := r.read(c.text, c.args, args(5))
			exec(t.Context(), r.session(), other, 1, 9)
			if r.fresh(f) != c.kept {
				t.Errorf("kept %v", !c.kept)
			}
			if n := len(beside.texts); n == 0 || c.asked != (n > 1) {
				t.Errorf("asked %d times: %q", n, beside.texts)
			}
			if len(r.conn.texts) > 0 {
				t.Errorf("the application's connection is asked %q", r.conn.texts)
			}
			if !strings.Contains(beside.texts[0], "row_security") || !strings.Contains(beside.texts[0], "pg_is_in_recovery") {
				t.Error(beside.texts[0])
			}
			f = r.read(c.text, c.args, args(5))
			exec(t.Context(), r.session(), `INSERT INTO posts (id, author_id, status, title, version) VALUES (9, $1, 'P', 't', 1)`, 1)
			if r.fresh(f) {
				t.Error("a post of the set has come, and the answer is kept")
			}
			n := len(beside.texts)
			s := r.session()
			exec(t.Context(), s, `BEGIN`)
			exec(t.Context(), s, other, 1, 9)
			ctx, rec := r.record(t.Context())
			query(ctx, s, c.text, c.args, args(5))
			rec.End()
			if len(beside.texts) != n {
				t.Error("asked about what the session has written")
			}
		})
	}
	for _, o := range []Options{{Dialect: catalog.PostgreSQL, SemiJoins: true}, {Dialect: catalog.PostgreSQL, Beside: &fakeConn{}}} {
		r := newRig(t, o)
		f := r.read(count, args(1), args(5))
		exec(t.Context(), r.session(), other, 1, 9)
		if r.fresh(f) || len(r.conn.texts) > 0 || r.has(ImageRefused) {
			t.Errorf("%+v: asked", o)
		}
	}
}

// A read waits for what is asked beside it, but not for long, whatever it joins, and once
// in a while.
func TestSemiJoinsBesideHangs(t *testing.T) {
	const two = `SELECT count(*) FROM posts p JOIN comments c ON c.post_id = p.id JOIN comments d ON d.post_id = p.id WHERE p.author_id = $1`
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		r := newRig(t, Options{Dialect: catalog.PostgreSQL, SemiJoins: true, Beside: hanging(func() { asked++ })})
		read := func(ctx context.Context) time.Duration {
			ctx, rec := r.record(ctx)
			defer rec.End()
			began := time.Now()
			query(ctx, r.session(), two, args(1), args(5))
			return time.Since(began)
		}
		if took := read(t.Context()); asked != 1 || took > time.Second || !r.has(ImageRefused) {
			t.Errorf("asked %d times within %v, %v", asked, took, r.Findings())
		}
		if took := read(t.Context()); asked != 1 || took > 0 {
			t.Errorf("asked %d times within %v", asked, took)
		}
		<-time.After(besidePause)
		// A read with a deadline keeps most of its time.
		ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
		defer cancel()
		if took := read(ctx); asked != 2 || took > 100*time.Millisecond || ctx.Err() != nil {
			t.Errorf("asked %d times within %v: %v", asked, took, ctx.Err())
		}
	})
}

// The texts that are refused are bounded, and make room when their time has come.
func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, o := refusals{}, newRig(t, Options{})
		statement := func(name string) *Execution {
			known := analyzedOf("SELECT "+name, &analysis.Statement{})
			return &Execution{s: o.session(), known: known, st: o.state.Load()}
		}
		for i := range 2 * maxRefusals {
			r.add(statement("c"+strconv.Itoa(i)), time.Since(started)+time.Duration(1+i%2)*time.Minute)
		}
		if len(r.texts) != maxRefusals || !r.has(statement("other")) {
			t.Errorf("%d texts", len(r.texts))
		}
		<-time.After(time.Minute)
		if r.has(statement("c0")) || !r.has(statement("c1")) || r.has(statement("other")) {
			t.Error("after a minute")
		}
		r.add(statement("other"), forever)
		<-time.After(time.Hour)
		if r.has(statement("c1")) || !r.has(statement("other")) || len(r.texts) != 1 {
			t.Errorf("after an hour: %d texts", len(r.texts))
		}
	})
}

// A statement that is written with its values is refused once, as one with arguments is: it
// does not use up what all others have.
func TestRefusalsOfOneStatement(t *testing.T) {
	r := newRig(t, Options{Dialect: catalog.PostgreSQL, Images: On})
	s := r.session()
	for i := range 10 {
		e := s.Start(t.Context(), fmt.Sprintf(`UPDATE posts SET title = 'new' WHERE id = %d`, i), nil)
		s.refuse(e, "for the test")
		e.End(nil, 1, true)
	}
	if n := len(r.refused.texts); n != 1 {
		t.Errorf("%d refusals of one statement", n)
	}
	// What differs beyond the text of a finding is another statement.
	long := func(where string) *Execution {
		e := s.Start(t.Context(), `UPDATE posts SET title = 'new'`+strings.Repeat(`, title = title`, 100)+where, nil)
		e.End(nil, 1, true)
		return e
	}
	s.refuse(long(` WHERE id = 1`), "for the test")
	if r.refused.has(long(` WHERE version = 1`)) || !r.refused.has(long(` WHERE id = 2`)) {
		t.Error("long statements that differ at their end")
	}
}

// hanging answers when the context has ended.
type hanging func()

func (h hanging) Query(ctx context.Context, _ string, _ []driver.NamedValue, _ func([]driver.Value) error) error {
	h()
	<-ctx.Done()
	return errors.Join(ctx.Err())
}
