package observe

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// A stateError is an error of PostgreSQL as drivers give it.
type stateError struct{ state, text string }

func (e *stateError) Error() string    { return e.text }
func (e *stateError) SQLState() string { return e.state }

// A codeError is an error of SQLite as drivers give it.
type codeError struct{ text string }

func (e *codeError) Error() string { return e.text }
func (e *codeError) Code() int     { return 1299 }

// TestFindingsQuoteNoValues: where a query of ours fails that had values of a request,
// neither the finding nor the log has a value, whatever the database or the driver quotes.
// The line still says what is wrong.
func TestFindingsQuoteNoValues(t *testing.T) {
	t.Parallel()
	const secret = "sesame"
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"a value of another type", &stateError{"22P02", `ERROR: invalid input syntax for type uuid: "` + secret + `"`}, "SQLSTATE 22P02, a value is not of its type"},
		{"raised by a policy", &stateError{"42501", `ERROR: user ` + secret + ` may not (SQLSTATE 42501)`}, "SQLSTATE 42501, a privilege is missing"},
		{"of a code of its own", &stateError{"ZZ001", secret}, "SQLSTATE ZZ001;"},
		{"a state that is none", &stateError{secret, secret}, "*observe.stateError"},
		{"wrapped", fmt.Errorf("query %s: %w", secret, &stateError{"53300", secret}), "SQLSTATE 53300, resources are exhausted"},
		{"SQLite", &codeError{"constraint failed: " + secret}, "code 1299"},
		{"an argument that cannot be encoded", fmt.Errorf("args[0]: %w", errors.New("unable to encode "+secret)), "*errors.errorString"},
		{"a connection", fmt.Errorf("%s: %w", secret, driver.ErrBadConn), driver.ErrBadConn.Error()},
		{"a network", fmt.Errorf("%s: %w", secret, &net.OpError{Op: "read", Net: "tcp", Err: errors.New(secret)}), "the connection failed: read tcp"},
		{"time", fmt.Errorf("%s: %w", secret, context.DeadlineExceeded), context.DeadlineExceeded.Error()},
		{"ours", fmt.Errorf("%s: %w", secret, said("may not see all rows")), "may not see all rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			failing := func(string, []driver.NamedValue) ([][]driver.Value, error) { return nil, c.err }
			check := func(what string, o Options, send func(r *rig)) {
				var log bytes.Buffer
				o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				r := newRig(t, o)
				r.conn.answer = failing
				send(r)
				var found *Finding
				for _, f := range r.Findings() {
					if f.Kind == ImageRefused {
						found = &f
					}
				}
				if found == nil {
					t.Fatalf("%s: no finding, %v", what, r.Findings())
				}
				if all := log.String() + fmt.Sprint(r.Findings()); strings.Contains(all, secret) {
					t.Errorf("%s: %s", what, all)
				}
				if !strings.Contains(found.Why, c.want) {
					t.Errorf("%s: %q, want %q", what, found.Why, c.want)
				}
			}
			check("rows before a write", Options{Images: On}, func(r *rig) {
				s := r.session()
				exec(t.Context(), s, `BEGIN IMMEDIATE`)
				exec(t.Context(), s, `UPDATE posts SET status = ? WHERE author_id = ?`, secret, 1)
			})
			var invalid *stateError
			if errors.As(c.err, &invalid) && strings.HasPrefix(invalid.state, "22") {
				return // some client's values: no finding
			}
			beside := &fakeConn{answer: failing}
			check("keys beside a read", Options{Dialect: catalog.PostgreSQL, SemiJoins: true, Beside: beside}, func(r *rig) {
				ctx, rec := r.record(t.Context())
				defer rec.End()
				query(ctx, r.session(), `SELECT count(*) FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.author_id = $1`, args(1), args(5))
			})
		})
	}
}
