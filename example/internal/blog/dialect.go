package blog

import (
	"context"
	"database/sql/driver"
	"fmt"
	"regexp"
	"strconv"
)

// A dialect is what only one kind of database knows. The rest of the package asks it.
type dialect interface {
	// open creates the tables if they are missing, and says how to connect.
	open(ctx context.Context) (access, error)
	// says returns a statement and its arguments as a session of the tenant sends them.
	says(t Tenant, st statement, args []any) (string, []any)
	// enter makes a connection whose transaction has begun see the tenant's rows.
	enter(ctx context.Context, c *conn, t Tenant) error
	// taken reports whether an error is a violated uniqueness.
	taken(err error) bool
	// overtaken reports whether a transaction failed because of others that ran at the
	// same time, and may succeed if it runs again.
	overtaken(err error) bool
	// lost reports whether an error says that the connection has ended.
	lost(err error) bool
	// refused returns the caller's error for one of the database's, or nil.
	refused(err error) error
}

// An access says how to read and write a database.
type access struct {
	name             string // of the database, random from its creation
	readers, writers driver.Connector
	writersAtOnce    int
	// beginRead and beginWrite begin a transaction.
	beginRead, beginWrite string
	// readsAlone: a single read needs no transaction.
	readsAlone bool
}

// taken turns a violated uniqueness into ErrTaken and leaves other errors as they are.
func (t tx) taken(what string, err error) error {
	if err != nil && t.kind.taken(err) {
		return fmt.Errorf("%s: id or email: %w", what, ErrTaken)
	}
	return err
}

// refusal is the error of a read or a write as the caller gets it.
func (s *Store) refusal(doing string, err error) error {
	if Refused(err) {
		return err
	}
	if shown := s.kind.refused(err); shown != nil {
		return shown
	}
	return fmt.Errorf("blog: %s: %w", doing, err)
}

// A statement is one SQL statement in each dialect. SQLite has two texts: as a tenant and
// as the administrator send it. Their first parameter is the tenant.
type statement struct{ tenant, admin, postgres string }

// sql makes a statement of SQLite's text. These stand for what the dialects write in
// their own ways:
//
//   - ?1 is the tenant, and further parameters are ?2, ?3 and so on.
//   - p.VISIBLE is the predicate on the rows of p. A plus before it keeps SQLite from
//     using the tenant's index where another one is better.
//   - EACH(?2) is a table k with one column, value: the texts of a list.
//   - IN LIST(?2) tells whether the value before it is in a list.
//   - HAS(p.title, ?2) tells whether a text contains another one, whatever the case of
//     ASCII letters.
func sql(text string) statement {
	lite := replaced(text, liteWords)
	return statement{
		tenant:   visible.ReplaceAllString(lite, "$1.tenant = ?1"),
		admin:    visible.ReplaceAllString(lite, "true"),
		postgres: parameters(replaced(text, postgresWords)),
	}
}

// inPostgres gives a statement a text for PostgreSQL, in the words of sql.
func (st statement) inPostgres(text string) statement {
	st.postgres = sql(text).postgres
	return st
}

// first makes a statement that returns columns of the first rows p that belong to each
// of a list. rows is SQL after FROM that finds the rows, as q, of k.value in their order.
func first(columns, table, rows, order string) statement {
	return sql(`SELECT ` + columns + ` FROM EACH(?2) CROSS JOIN ` + table + ` p ON p.seq IN (
		SELECT q.seq FROM ` + rows + `) WHERE p.VISIBLE ORDER BY ` + order).
		// For the other text PostgreSQL would look at all rows of the table for each.
		inPostgres(`SELECT ` + columns + ` FROM EACH(?2) CROSS JOIN LATERAL (
		SELECT q.* FROM ` + rows + `) p ORDER BY ` + order)
}

// A word is what stands for something in the text of sql.
type word struct {
	is   *regexp.Regexp
	says string
}

var (
	visible = regexp.MustCompile(`(\+?\w+)\.VISIBLE`)
	eachOf  = regexp.MustCompile(`EACH\((\?\d)\)`)
	inList  = regexp.MustCompile(`IN LIST\((\?\d)\)`)
	has     = regexp.MustCompile(`HAS\((\S+), (\S+)\)`)

	liteWords = []word{
		{eachOf, "json_each($1) k"},
		{inList, "IN (SELECT value FROM json_each($1))"},
		{has, "instr(lower($1), lower($2))"},
	}
	postgresWords = []word{
		{eachOf, "unnest($1::text[]) AS k (value)"},
		{inList, "= ANY ($1::text[])"},
		{has, `strpos(lower($1 COLLATE "C"), lower($2 COLLATE "C")) > 0`},
		{visible, "true"},
		{regexp.MustCompile(`CROSS JOIN (\w+ \w+) ON`), "JOIN $1 ON"},
		{regexp.MustCompile(`(\?\d) IS NULL`), "$1::text IS NULL"},
		{regexp.MustCompile(`\?1`), "current_setting('app.tenant', true)"},
	}
	parameter = regexp.MustCompile(`\?\d`)
)

func replaced(text string, words []word) string {
	for _, w := range words {
		text = w.is.ReplaceAllString(text, w.says)
	}
	return text
}

// parameters writes ?2 as $1 and so on: the tenant is none of PostgreSQL's parameters.
func parameters(text string) string {
	return parameter.ReplaceAllStringFunc(text, func(p string) string {
		n, _ := strconv.Atoi(p[1:]) // a digit
		return "$" + strconv.Itoa(n-1)
	})
}
