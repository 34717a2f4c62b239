package footprintpgx

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// errLeft stands for the end of a statement that nobody has seen: pgx panicked, or rows
// were left open.
var errLeft = errors.New("footprintpgx: the end of the statement was not seen")

// nobody is the context of what no call has asked for.
var nobody = context.Background()

// The keys of what a connection's data has: its state, and the texts of its prepared
// statements, which may be older than the state.
const (
	stateKey = "cascadeql/footprintpgx"
	namesKey = "cascadeql/footprintpgx/prepared"
)

// A conn is what is known of one connection. One goroutine at a time uses it, as it uses
// the connection.
//
// Everything that the session is told goes through its methods. A panic in them is a fault
// of ours and none of the application's: it ends here, and the session is taken for one
// that anything may have been done with.
type conn struct {
	pg *pgx.Conn
	f  *face
	s  *observe.Session

	// expected is the statement, or the batch, that a wrapper is about to send.
	expected      *run
	expectedBatch *batch
	// open are the statements that have not ended.
	open []*run
	// copying is the CopyFrom that runs.
	copying *run
	// names are the prepared statements' texts.
	names map[string]string
	// unwrapped says that the application has had the connection since the session was
	// reset.
	unwrapped bool
	// idle says that the connection runs nothing, and is in no transaction.
	idle bool
}

// of returns what is known of a connection, nil for nothing: it is not connected, or not
// ours.
func of(pg *pgx.Conn) *conn {
	if pg == nil || pg.PgConn() == nil {
		return nil
	}
	c, _ := pg.PgConn().CustomData()[stateKey].(*conn)
	return c
}

// watch begins to observe a connection that was just opened.
func (f *face) watch(pg *pgx.Conn) *conn {
	c := &conn{pg: pg, f: f, names: namesOf(pg)}
	c.s = f.o.NewSession(own{c})
	c.s.TxStatus = func() (inTransaction, known bool) {
		if pg.IsClosed() {
			return false, false
		}
		return observe.InTransaction(pg.PgConn().TxStatus())
	}
	c.s.Idle = func() bool { return observe.IsIdle(pg.PgConn()) }
	pg.PgConn().CustomData()[stateKey] = c
	return c
}

// contain ends a panic of ours. It is deferred.
func (c *conn) contain() {
	if v := recover(); v != nil {
		defer func() { _ = recover() }()
		c.s.Unwrapped(nobody)
	}
}

// as returns the context that statements are attributed by.
func (c *conn) as(ctx context.Context) context.Context {
	if c.f.outside {
		return footprint.Outside(ctx)
	}
	return ctx
}

// A run is one statement.
type run struct {
	ctx context.Context
	// text and args are the statement's, as they are after rewriting.
	text string
	args []any
	// given are the arguments of the application, where others are passed on; nil for the
	// same.
	given []any
	// refused says that its QueryRewriter has failed: it does not run.
	refused bool

	e     *observe.Execution // nil before it was announced
	ended bool

	// attached says that a wrapper reads the rows, seen is how many it has read. moving says
	// that it asks for the next one: where the statement ends then, there are no more.
	attached, moving, complete bool
	seen                       int64
	// tag and err are the result of a query of a batch, which ends with the batch.
	tag pgconn.CommandTag
	err error
}

// begin announces a statement.
func (c *conn) begin(ctx context.Context, r *run) {
	if r.refused {
		return
	}
	defer c.contain()
	ctx = c.as(ctx)
	r.ctx = ctx
	r.e = c.s.Start(ctx, c.sent(r.text), arguments(r.args))
	c.open = append(c.open, r)
}

// sent returns the text of a statement, which may be the name of a prepared one.
func (c *conn) sent(text string) string {
	if sql, ok := c.names[text]; ok {
		return sql
	}
	if len(c.names) >= maxNames {
		return "perhaps the name of a prepared statement: " + text
	}
	return text
}

// together says that statements are about to be sent together.
func (c *conn) together(runs []*run) {
	defer c.contain()
	texts := make([]string, len(runs))
	for i, r := range runs {
		texts[i] = c.sent(r.text)
	}
	c.s.Together(texts)
}

// ended says that statements which were sent together have ended. Outside of a transaction
// an error takes back what those before it have set.
func (c *conn) ended(b *batch, err error) {
	defer c.contain()
	if b.over {
		return
	}
	b.over = true
	if err != nil || slices.ContainsFunc(b.runs, func(r *run) bool { return r.err != nil }) {
		c.s.LosePath()
	}
}

// end ends one. It is called once pgx has read ReadyForQuery, or has given up.
func (c *conn) end(r *run, tag pgconn.CommandTag, err error) {
	if r == nil || r.ended || r.e == nil {
		return
	}
	r.ended = true
	if i := slices.Index(c.open, r); i >= 0 {
		c.open = slices.Delete(c.open, i, i+1)
	}
	defer c.contain()
	complete := r.complete || r.moving
	affected := int64(-1)
	if tag.Insert() || tag.Update() || tag.Delete() {
		affected = tag.RowsAffected()
	}
	if r.attached && (tag.Select() || affected >= 0) {
		complete = complete || r.seen == tag.RowsAffected()
	}
	r.e.End(err, affected, complete && r.attached && err == nil)
	if c.pg.IsClosed() {
		c.s.Broken(r.ctx)
	}
}

// rolledBack ends a COMMIT of pgx's that was none, and reports whether it was none.
func (c *conn) rolledBack(r *run, tag pgconn.CommandTag, err error) bool {
	if r == nil || r.ended || r.e == nil || err != nil || tag.String() != "ROLLBACK" || !strings.EqualFold(strings.TrimSpace(r.text), "commit") {
		return false
	}
	r.ended = true
	c.open = slices.DeleteFunc(c.open, func(x *run) bool { return x == r })
	defer c.contain()
	r.e.Skip()
	c.s.RolledBack(r.ctx, nil)
	return true
}

// rows says that a wrapper is about to read the rows of a statement.
func (c *conn) rows(r *run, from pgx.Rows) {
	if r.e == nil || r.ended {
		return
	}
	defer c.contain()
	r.attached = true
	r.e.Rows(len(from.FieldDescriptions()))
}

// row tells of a row.
func (c *conn) row(r *run, from pgx.Rows) {
	r.seen++
	if r.e == nil || !r.e.Wanted() {
		return
	}
	defer c.contain()
	fields, raw := from.FieldDescriptions(), from.RawValues()
	dest := make([]driver.Value, len(raw))
	for i, b := range raw {
		dest[i] = unknown{}
		if i < len(fields) {
			dest[i] = decode(fields[i].DataTypeOID, fields[i].Format, b)
		}
	}
	r.e.Row(dest)
}

// expect says that a wrapper is about to send a statement, and returns the arguments to
// send. returned must be called when pgx has returned.
func (c *conn) expect(ctx context.Context, text string, args []any) (r *run, pass []any) {
	r, pass = c.rewrite(ctx, text, args)
	c.expected = r
	return r, pass
}

// returned is deferred around pgx's call. A statement whose rows are not open has ended
// then, unless pgx panicked.
func (c *conn) returned(r *run) {
	c.expected = nil
	if !r.attached {
		c.end(r, pgconn.CommandTag{}, errLeft)
	}
}

// take returns the statement that is expected.
func (c *conn) take() *run {
	r := c.expected
	c.expected = nil
	return r
}

// reset says that the pool hands the connection out.
func (c *conn) reset(ctx context.Context) {
	defer c.contain()
	c.leave()
	c.unwrapped, c.idle = false, true
	defer func() { c.idle = false }()
	if c.f.unseen.Load() {
		c.s.Unseen()
	}
	c.s.Reset(c.as(ctx))
}

// leave ends the statements that were left open.
func (c *conn) leave() {
	for len(c.open) > 0 {
		c.end(c.open[len(c.open)-1], pgconn.CommandTag{}, errLeft)
	}
	c.expected, c.expectedBatch, c.copying = nil, nil, nil
}

// released says that the pool gets the connection back.
func (c *conn) released(ctx context.Context) {
	defer c.contain()
	c.leave()
	if c.unwrapped {
		c.s.Returned(ctx)
	}
}

// unwrap says that the application gets the connection, for as long as it likes.
func (c *conn) unwrap(ctx context.Context) {
	defer c.contain()
	c.unwrapped = true
	c.s.Unwrapped(c.as(ctx))
}

// lend says that a function of the application's gets the connection, until it returns.
func (c *conn) lend(ctx context.Context) {
	defer c.contain()
	c.s.Lent(c.as(ctx))
}

// handedBack says that it has returned.
func (c *conn) handedBack(ctx context.Context) {
	defer c.contain()
	c.s.Returned(c.as(ctx))
}

// close says that the connection is about to be closed.
func (c *conn) close() {
	defer c.contain()
	c.leave()
	c.s.Close()
}

// opened asks a new connection what it is. load says that the catalog is read first.
func (c *conn) opened(ctx context.Context, load bool) (err error) {
	err = errLeft
	defer c.contain()
	c.idle = true
	defer func() { c.idle = false }()
	if load {
		if err = c.f.o.Load(ctx, own{c}); err != nil && ctx.Err() == nil && c.pg.IsClosed() {
			return err
		}
	}
	c.s.Opened(ctx)
	return err
}

// maxNames bounds the prepared statements that are remembered.
const maxNames = 4096

// namesOf returns the texts of a connection's prepared statements.
func namesOf(pg *pgx.Conn) map[string]string {
	data := pg.PgConn().CustomData()
	names, _ := data[namesKey].(map[string]string)
	if names == nil {
		names = map[string]string{}
		data[namesKey] = names
	}
	return names
}

// prepared notes the text of a prepared statement. pgx never runs those of its own caches
// by their names. What is not noted runs by a name that is no statement, and is unknown.
func prepared(pg *pgx.Conn, name, text string) {
	if name == "" || strings.HasPrefix(name, "stmtcache_") {
		return
	}
	if names := namesOf(pg); len(names) < maxNames || names[name] != "" {
		names[name] = text
	}
}
