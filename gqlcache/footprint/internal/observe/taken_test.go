package observe

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

type (
	plainStatus string
	status      string
	pointed     struct{}
	nilBytes    []byte
	twoFaced    string
	misnamed    string
	shown       string
	broken      string
)

func (s status) Value() (driver.Value, error) { return strings.ToUpper(string(s)), nil }
func (*pointed) Value() (driver.Value, error) { return "P", nil }
func (nilBytes) Value() (driver.Value, error) { return "P", nil }
func (twoFaced) Value() (driver.Value, error) { return nil, nil }
func (twoFaced) TextValue() (string, error)   { return "P", nil }
func (broken) Value() (driver.Value, error)   { return nil, errors.New("broken") }
func (*plainStatus) TextValue() string        { return "P" }

func (misnamed) String() string { return "other" }
func (shown) String() string    { return "x" }

// What a driver takes as the application has given it is what the value's own method says.
// NULL is only what is bound as such.
func TestTaken(t *testing.T) {
	text, null := "x", (*string)(nil)
	own := plainStatus("x")
	for _, row := range []struct{ give, want any }{
		{nil, nil}, {"x", "x"}, {int64(1), int64(1)}, {[]byte(nil), []byte(nil)}, {uint8(1), uint8(1)}, {&text, "x"}, {null, nil}, {[]string{"a"}, []string{"a"}},
		{misnamed("x"), strange{}}, {shown("x"), shown("x")},
		{status("p"), "P"}, {(*status)(nil), nil}, {new(status), ""}, {(*pointed)(nil), "P"}, {&pointed{}, "P"}, {nilBytes(nil), "P"},
		{sql.NullString{String: "x", Valid: true}, "x"}, {sql.NullString{}, nil}, {new(sql.NullString), nil},
		{&null, strange{}}, {new([]byte), strange{}}, {twoFaced("x"), strange{}}, {broken("x"), strange{}}, {&own, strange{}}, {own, own},
	} {
		if got := taken(row.give); !reflect.DeepEqual(got, row.want) {
			t.Errorf("%T %v: %#v instead of %#v", row.give, row.give, got, row.want)
		}
	}
}

// A read and a write meet by what is bound, in lists as well.
func TestArgumentsOfOwnTypes(t *testing.T) {
	const (
		byStatus = `SELECT id, title FROM posts WHERE status = ?1`
		optional = `SELECT id, title FROM posts WHERE (?1 IS NULL OR status = ?1)`
		update   = `UPDATE posts SET status = ? WHERE id = ?`
		keep     = `UPDATE posts SET status = coalesce(?, status) WHERE id = ?`
	)
	r := newRig(t, Options{})
	rows := [][]any{args(7, "x")}
	each(t, r, byStatus, args(status("p")), rows, true, []change{{update, args("P", 8), false}, {update, args("D", 8), true}, {update, args(status("d"), 8), true}})
	each(t, r, byStatus, args("P"), rows, true, []change{{update, args(status("p"), 8), false}, {update, args(twoFaced("D"), 8), false}})
	each(t, r, byStatus, args(twoFaced("D")), rows, true, []change{{update, args("P", 8), false}})
	each(t, r, optional, args((*status)(nil)), rows, true, []change{{update, args("D", 7), true}})
	for _, v := range []any{(*pointed)(nil), nilBytes(nil), twoFaced("x")} {
		each(t, r, optional, args(v), rows, true, []change{{update, args("D", 7), false}})
		each(t, r, `SELECT id, title, status FROM posts WHERE id = 7`, nil, [][]any{args(7, "x", "P")}, true, []change{{keep, args(v, 7), false}})
	}
	g := newRig(t, Options{Dialect: catalog.PostgreSQL})
	each(t, g, `SELECT id, title FROM posts WHERE status = ANY($1)`, args([]status{"p"}), rows, true, []change{
		{`UPDATE posts SET status = $1 WHERE id = $2`, args("P", 8), false}, {`UPDATE posts SET status = $1 WHERE id = $2`, args("D", 8), true},
	})
}

type rewriter struct{}

func (rewriter) RewriteQuery() {}

// The options of pgx are no arguments. One that makes another text leaves nothing known.
func TestOptionsOfDrivers(t *testing.T) {
	list := named(args("a", 2))
	if rest, rewritten := withoutOptions(list); rewritten || &rest[0] != &list[0] {
		t.Error(rest)
	}
	r := newRig(t, Options{})
	ctx, rec := r.record(t.Context())
	query(ctx, r.session(), postByID, args(rewriter{}, 7), args(7, "x"))
	if f := rec.End(); f.Unknown == "" {
		t.Error("a text that is another one is understood")
	}
	exec(Outside(t.Context()), r.session(), updateTitle, rewriter{}, "n", 7)
	if r.last().Everything == "" {
		t.Error("a text that is another one is understood")
	}
	if rest, rewritten := withoutOptions(named(args(rewriter{}, "a", 2))); !rewritten || len(rest) != 2 || rest[0].Ordinal != 1 || rest[1].Ordinal != 2 {
		t.Error(rest, rewritten)
	}
}
