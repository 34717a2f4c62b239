package observe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/keycheck"
)

// A keyRig checks computations of one document, whose key is a predicate.
type keyRig struct {
	*rig
	keys *keycheck.Checker
}

func newKeyRig(t *testing.T) *keyRig {
	t.Helper()
	return &keyRig{newRig(t, Options{Dialect: catalog.PostgreSQL}), keycheck.New(keycheck.Options{Callers: 3})}
}

// compute runs a computation of a caller whose key has a predicate.
func (r *keyRig) compute(caller, predicate string, f func(context.Context)) keycheck.Verdict {
	r.t.Helper()
	ctx, rec := Begin(r.t.Context(), Start{Since: ^uint64(0), Number: r.sink.Number(), Sink: r.sink, Check: func() *keycheck.Fill {
		return r.keys.Begin(keycheck.Key{Operation: "Q", Document: 1, Predicate: predicate, Caller: keycheck.Caller(len(caller)*1000) + keycheck.Caller(caller[len(caller)-1])})
	}}, r.Observer)
	f(ctx)
	return rec.End().Verdict
}

const readUsers = `SELECT id, name FROM users`

func (r *keyRig) read(ctx context.Context, s *Session, text string, args ...any) {
	e := s.Start(ctx, text, named(args))
	e.Rows(2)
	e.End(nil, -1, true)
}

// Whatever a statement runs under is a part of what must come from the key, whoever has
// set it, and until it ends.
func TestCheckOfSettings(t *testing.T) {
	const incomplete, complete = true, false
	for name, c := range map[string]struct {
		// before and within send statements before the recording begins and in it.
		before, within func(r *keyRig, ctx context.Context, s *Session, user string)
		want           bool
	}{
		"SET LOCAL with a literal": {
			within: func(_ *keyRig, ctx context.Context, s *Session, user string) {
				exec(ctx, s, `BEGIN`)
				exec(ctx, s, fmt.Sprintf(`SET LOCAL app.tenant = '%s'`, user))
			}, want: incomplete,
		},
		"SET before the recording": {
			before: func(_ *keyRig, ctx context.Context, s *Session, user string) {
				exec(ctx, s, fmt.Sprintf(`SET app.tenant = '%s'`, user))
			}, want: incomplete,
		},
		"SET ROLE": {
			within: func(_ *keyRig, ctx context.Context, s *Session, user string) {
				exec(ctx, s, fmt.Sprintf(`SET ROLE "%s"`, user))
			}, want: incomplete,
		},
		"search_path": {
			within: func(_ *keyRig, ctx context.Context, s *Session, user string) {
				exec(ctx, s, fmt.Sprintf(`SET search_path TO "%s", public`, user))
			}, want: incomplete,
		},
		"set_config whose row is not read": {
			within: func(_ *keyRig, ctx context.Context, s *Session, user string) {
				exec(ctx, s, `SELECT set_config('app.tenant', $1, false)`, user)
			}, want: incomplete,
		},
		"an argument": {
			within: func(r *keyRig, ctx context.Context, s *Session, user string) {
				r.read(ctx, s, `SELECT id, name FROM users WHERE name = $1`, user)
			}, want: incomplete,
		},
		"an argument of a statement without rows": {
			within: func(_ *keyRig, ctx context.Context, s *Session, user string) {
				exec(ctx, s, `UPDATE users SET last_seen = $1 WHERE id = 1`, user)
			}, want: complete,
		},
		"an argument of somebody's statement": {
			within: func(r *keyRig, _ context.Context, s *Session, user string) {
				r.read(context.Background(), s, `SELECT id, name FROM users WHERE name = $1`, user)
			}, want: complete,
		},
		"a setting that decides nothing": {
			within: func(_ *keyRig, ctx context.Context, s *Session, user string) {
				exec(ctx, s, fmt.Sprintf(`SET statement_timeout = '%s'`, user))
			}, want: complete,
		},
		"SET LOCAL of another transaction": {
			before: func(_ *keyRig, ctx context.Context, s *Session, user string) {
				exec(ctx, s, `BEGIN`)
				exec(ctx, s, fmt.Sprintf(`SET LOCAL app.tenant = '%s'`, user))
				exec(ctx, s, `COMMIT`)
			}, want: complete,
		},
		"SET that was rolled back": {
			before: func(_ *keyRig, ctx context.Context, s *Session, user string) {
				exec(ctx, s, `BEGIN`)
				exec(ctx, s, fmt.Sprintf(`SET app.tenant = '%s'`, user))
				exec(ctx, s, `ROLLBACK`)
			}, want: complete,
		},
		"SET that was rolled back to a savepoint": {
			before: func(_ *keyRig, ctx context.Context, s *Session, user string) {
				exec(ctx, s, `BEGIN`)
				exec(ctx, s, `SAVEPOINT a`)
				exec(ctx, s, fmt.Sprintf(`SET app.tenant = '%s'`, user))
				exec(ctx, s, `ROLLBACK TO a`)
			}, want: complete,
		},
		"SET whose savepoint was rolled back to, before": {
			before: func(_ *keyRig, ctx context.Context, s *Session, user string) {
				exec(ctx, s, `BEGIN`)
				exec(ctx, s, fmt.Sprintf(`SET app.tenant = '%s'`, user))
				exec(ctx, s, `SAVEPOINT a`)
				exec(ctx, s, `ROLLBACK TO a`)
			}, want: incomplete,
		},
		"RESET": {
			before: func(_ *keyRig, ctx context.Context, s *Session, user string) {
				exec(ctx, s, fmt.Sprintf(`SET app.tenant = '%s'`, user))
				exec(ctx, s, `RESET app.tenant`)
			}, want: complete,
		},
		"RESET ALL": {
			before: func(_ *keyRig, ctx context.Context, s *Session, user string) {
				exec(ctx, s, fmt.Sprintf(`SET app.tenant = '%s'`, user))
				exec(ctx, s, `RESET ALL`)
			}, want: complete,
		},
		"SET under a SET LOCAL": {
			before: func(_ *keyRig, ctx context.Context, s *Session, user string) {
				exec(ctx, s, fmt.Sprintf(`SET app.tenant = '%s'`, user))
				exec(ctx, s, `BEGIN`)
				exec(ctx, s, `SET LOCAL app.tenant = 'nobody-at-all'`)
			}, want: complete,
		},
		"SET after a SET LOCAL of the last transaction": {
			before: func(_ *keyRig, ctx context.Context, s *Session, user string) {
				exec(ctx, s, fmt.Sprintf(`SET app.tenant = '%s'`, user))
				exec(ctx, s, `BEGIN`)
				exec(ctx, s, `SET LOCAL app.tenant = 'nobody-at-all'`)
				exec(ctx, s, `COMMIT`)
			}, want: incomplete,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newKeyRig(t)
			var convicted []string
			for i, user := range []string{"user-ann", "user-robert", "user-christine"} {
				s := r.session()
				if c.before != nil {
					c.before(r, t.Context(), s, user)
				}
				v := r.compute(user, "all", func(ctx context.Context) {
					if c.within != nil {
						c.within(r, ctx, s, user)
					}
					r.read(ctx, s, readUsers)
				})
				for _, p := range v.Convicted {
					convicted = append(convicted, r.positionText(&p))
				}
				if i == 0 && len(convicted) > 0 {
					t.Errorf("convicted at the first caller: %q", convicted)
				}
			}
			if (len(convicted) > 0) != c.want {
				t.Errorf("convicted %q, want some: %v", convicted, c.want)
			}
			if reported := r.has(IncompleteKey); reported != c.want {
				t.Errorf("reported: %v", r.Findings())
			}
		})
	}
}

// A value that a row had is explained by it, in the computation that has read the row, and
// not when somebody else has.
func TestCheckOfRows(t *testing.T) {
	for _, own := range []bool{true, false} {
		r := newKeyRig(t)
		convicted := false
		for _, user := range []string{"user-ann", "user-robert", "user-christine"} {
			s := r.session()
			v := r.compute(user, "all", func(ctx context.Context) {
				by := ctx
				if !own {
					by = context.Background()
				}
				query(by, s, readUsers, nil, args(1, "row of "+user), args(2, "another"))
				r.read(ctx, s, `SELECT id, name FROM users WHERE name = $1`, "row of "+user)
			})
			convicted = convicted || len(v.Convicted) > 0
		}
		if convicted == own {
			t.Errorf("own rows %v: convicted %v", own, convicted)
		}
	}
}

// A list of placeholders is one position however long it is, and reports tell the number of
// the argument.
func TestCheckOfLists(t *testing.T) {
	r := newKeyRig(t)
	var texts []string
	for i, user := range []string{"user-ann", "user-robert", "user-christine"} {
		r.compute(user, "list 'x1' 'x2' 'x3' 'x4'", func(ctx context.Context) {
			marks, list := []string{}, []any{}
			for j := range i + 1 {
				marks, list = append(marks, fmt.Sprintf("$%d", j+1)), append(list, fmt.Sprint("x", j+1))
			}
			text := `SELECT id, name FROM users WHERE name IN (` + strings.Join(marks, ", ") + fmt.Sprintf(`) AND email = $%d`, i+2)
			r.read(ctx, r.session(), text, append(list, user)...)
		})
	}
	for _, f := range r.Findings() {
		if f.Kind == IncompleteKey {
			texts = append(texts, f.Text)
		}
	}
	if want := `argument 3 of SELECT id, name FROM users WHERE name IN (?) AND email = ?`; !slices.Equal(texts, []string{want}) {
		t.Errorf("%q", texts)
	}
}

// A value that is vouched for is explained.
func TestKnown(t *testing.T) {
	for _, known := range []bool{true, false} {
		r := newKeyRig(t)
		convicted := false
		for _, user := range []string{"user-ann", "user-robert", "user-christine"} {
			v := r.compute(user, "all", func(ctx context.Context) {
				if known {
					Known(ctx, "digest of "+user)
				}
				r.read(ctx, r.session(), `SELECT id, name FROM users WHERE name = $1`, "digest of "+user)
			})
			convicted = convicted || len(v.Convicted) > 0
		}
		if convicted == known {
			t.Errorf("known %v: convicted %v", known, convicted)
		}
	}
	Known(t.Context(), 1) // of no computation
}
