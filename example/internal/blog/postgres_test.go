package blog

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cascadeql/cascadeql/internal/pgtest"
)

const neighbor Tenant = "n'eighbor"

// settle gives two tenants a row in each table.
func settle(t *testing.T, s *Store) {
	t.Helper()
	for _, who := range []Tenant{tenant, neighbor} {
		id := func(n int) *string {
			id := fmt.Sprintf("00000000-0000-4000-8000-%010x%02x", []byte(who)[0], n)
			return &id
		}
		err := s.As(who).ImportTagged(t.Context(), Import{
			Users:    []*NewUser{{ID: id(1), Email: "a", Name: "Ann"}},
			Posts:    []*NewPost{{ID: id(2), AuthorID: *id(1), Title: "t", Status: Published}},
			Comments: []*NewComment{{ID: id(3), PostID: *id(2), AuthorID: *id(1), Body: "b"}},
			Tags:     []*NewTag{{ID: id(4), Name: "go"}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// relations are the tables and views whose rows have a tenant.
var relations = []string{"users", "posts", "comments", "tags", "post_tags", "feed", "post_tag_names", "author_stats"}

// A database's own user may be above the policies or not. Either way each statement of
// the store sees what its transaction was told to, and nothing when it was told nothing.
func TestPolicies(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		url  func(*testing.T) string
	}{
		{"superuser", func(t *testing.T) string { return pgtest.Database(t) }}, //nolint:thelper // it is short
		{"owner of the tables", ownedDatabase},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, row.url(t))
			settle(t, s)
			for _, access := range []struct {
				name string
				pool *pool
			}{{"reader", s.read}, {"writer", s.write}} {
				for _, told := range []struct {
					setting string
					rows    int
				}{{"", 0}, {string(tenant), 1}, {string(neighbor), 1}, {"T", 0}, {string(Admin), 2}} {
					for _, relation := range relations {
						if n := count(t, access.pool, told.setting, relation); n != told.rows {
							t.Errorf("a %s that was told %q sees %d rows of %s, want %d", access.name, told.setting, n, relation, told.rows)
						}
					}
				}
			}
			var above bool
			err := s.write.db.QueryRowContext(t.Context(), "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user").Scan(&above)
			if err != nil || above {
				t.Errorf("the store's role is above the policies: %v, %v", above, err)
			}
		})
	}
}

// ownedDatabase returns a URL whose user owns the database, and is above nothing.
func ownedDatabase(t *testing.T) string {
	t.Helper()
	at := pgtest.Database(t)
	db, err := stdsql.Open("pgx", at)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"CREATE ROLE landlord LOGIN",
		"ALTER DATABASE " + strings.TrimPrefix(u.Path, "/") + " OWNER TO landlord",
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	u.User = url.User("landlord")
	return u.String()
}

// count counts the rows of a table or view that a transaction sees.
func count(t *testing.T, p *pool, told, relation string) (n int) {
	t.Helper()
	x, err := p.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Rollback() }()
	if told != "" {
		if _, err := x.ExecContext(t.Context(), "SELECT set_config('app.tenant', $1, true)", told); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.QueryRowContext(t.Context(), "SELECT count(*) FROM "+relation).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A tenant cannot write a row of another one, whatever a statement says.
func TestPoliciesOfWrites(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.Database(t))
	settle(t, s)
	for _, row := range []struct {
		text    string
		refused bool
		changes int64
	}{
		{"INSERT INTO tags (tenant, id, name) VALUES ('t', 'x', 'x')", false, 1},
		{"INSERT INTO tags (tenant, id, name) VALUES ('other', 'x', 'x')", true, 0},
		{"UPDATE tags SET name = 'x'", false, 1},
		{"UPDATE tags SET tenant = 'other'", true, 0},
		{"DELETE FROM post_tags", false, 1},
		{"DELETE FROM comments WHERE tenant <> 't'", false, 0},
	} {
		x, err := s.write.db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.ExecContext(t.Context(), "SELECT set_config('app.tenant', 't', true)"); err != nil {
			t.Fatal(err)
		}
		res, err := x.ExecContext(t.Context(), row.text)
		if row.refused {
			if e, ok := errors.AsType[*pgconn.PgError](err); !ok || e.Code != "42501" {
				t.Errorf("%s: %v, want that a policy refuses it", row.text, err)
			}
		} else if n, e := res.RowsAffected(); err != nil || e != nil || n != row.changes {
			t.Errorf("%s: %d rows, %v, %v; want %d", row.text, n, err, e, row.changes)
		}
		if err := x.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

// What a transaction was told ends with it: the next one on the connection is told anew.
func TestTellingEndsWithTheTransaction(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.Database(t))
	settle(t, s)
	if _, err := s.As(tenant).Tags(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.As(tenant).CreateTag(t.Context(), NewTag{Name: "x"}); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*pool{"reader": s.read, "writer": s.write} {
		c, err := p.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var setting string
		err = c.QueryRowContext(t.Context(), "SELECT coalesce(current_setting('app.tenant', true), '')").Scan(&setting)
		if err != nil || setting != "" {
			t.Errorf("the connection of a %s sees the rows of %q, %v", name, setting, err)
		}
		if c.sees != nil {
			t.Errorf("the connection of a %s is taken to see the rows of %q", name, *c.sees)
		}
		p.release(c)
	}
}

// A row that refers to a deleted one is an error of the foreign key when the deletion has
// not seen it, and no error of a caller's: the deletion runs again.
func TestDeletionOvertakenByAnInsertion(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.Database(t))
	author := createUser(t, s, "a")
	var errs []string
	var gone Removal
	err := s.As(tenant).write(t.Context(), func(x tx) (err error) {
		defer func() { errs = append(errs, code(err)) }()
		if _, err := x.user(t.Context(), author.ID); err != nil {
			return err
		}
		if len(errs) == 0 {
			if _, err := s.As(tenant).CreatePost(t.Context(), NewPost{AuthorID: author.ID}); err != nil {
				t.Error(err)
			}
			_, err = x.run(t.Context(), deleteUser, author.ID)
			return err
		}
		gone, err = x.deleteUser(t.Context(), author.ID)
		return err
	})
	if got := fmt.Sprint(errs); err != nil || got != "["+foreignKeyViolation+" ]" || len(gone.Posts) != 1 {
		t.Errorf("attempts %s, %d posts gone, %v; want a violation, then the deletion of 1 post", got, len(gone.Posts), err)
	}
}

// Connections that the server has ended, as it does when it is restarted, fail nobody.
func TestEndedConnections(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.Database(t))
	u := createUser(t, s, "a")
	var ends []func()
	for range 3 {
		ctx, end := s.Snapshot(t.Context())
		ends = append(ends, end)
		if _, err := s.As(tenant).User(ctx, u.ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, end := range ends {
		end()
	}
	db, err := stdsql.Open("pgx", s.kind.(postgres).url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var ended int
	err = db.QueryRowContext(t.Context(), `SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 30000))
		FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(&ended)
	if err != nil || ended != 4 {
		t.Fatalf("%d connections ended, %v; want 3 readers and a writer", ended, err)
	}
	for range 2 {
		if got, err := s.As(tenant).User(t.Context(), u.ID); err != nil || got == nil {
			t.Errorf("a read: %v, %v", got, err)
		}
		if _, err := s.As(tenant).UpdateUser(t.Context(), u.ID, UserChange{}); err != nil {
			t.Errorf("a write: %v", err)
		}
	}
}

// The texts for PostgreSQL have nothing of SQLite's, and compare the tenant with nothing:
// the policies do.
func TestTextsForPostgreSQL(t *testing.T) {
	t.Parallel()
	foreign := regexp.MustCompile(`\?|json_each|\binstr\b|VISIBLE|EACH|LIST\(|HAS|tenant\S* = (\$|current)|(\$|current\S*) = \S*tenant`)
	for name, st := range statements() {
		if at := foreign.FindString(st.postgres); at != "" || st.postgres == "" {
			t.Errorf("%s has %q: %s", name, at, st.postgres)
		}
		if again := foreign.FindString(sql(`SELECT 1 FROM x WHERE x.tenant = ?1`).postgres); again == "" {
			t.Fatal("the check sees nothing")
		}
	}
}

// Statements find their rows by an index. The search and the leaderboard look at all
// rows, and the list of all tags at the tags of all tenants, in its order.
func TestPostgreSQLUsesIndexes(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.Database(t))
	settle(t, s)
	looksAtAll := map[string]bool{
		"usersByName": true, "postsByTitle": true, "tagsByName": true, "leaderboard": true, "allTags": true,
	}
	for name, st := range statements() {
		plan := explain(t, s, st.postgres)
		if looksAtAll[name] {
			continue
		}
		for _, node := range strings.Split(plan, "->") {
			if strings.Contains(node, "Seq Scan") ||
				strings.Contains(node, "Index") && strings.Contains(node, "Scan") && !strings.Contains(node, "Index Cond") {
				t.Errorf("%s looks at all rows:%s\n%s", name, node, plan)
			}
		}
		if (name == "feed" || name == "postsByStatus") && strings.Contains(plan, "Sort") {
			t.Errorf("%s sorts:\n%s", name, plan)
		}
	}
}

// explain returns how a tenant's statement is executed, with indexes where they serve.
func explain(t *testing.T, s *Store, text string) string {
	t.Helper()
	x, err := s.write.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_, _ = x.ExecContext(t.Context(), "DEALLOCATE explained") // it outlives the transaction
		_ = x.Rollback()
	}()
	execute := "EXPLAIN EXECUTE explained"
	if strings.Contains(text, "$1") {
		nulls := "NULL"
		for n := 2; strings.Contains(text, fmt.Sprintf("$%d", n)); n++ {
			nulls += ", NULL"
		}
		execute += "(" + nulls + ")"
	}
	// A plan for any arguments: nothing is known of these.
	for _, text := range []string{"SET LOCAL enable_seqscan = off", "SET LOCAL enable_bitmapscan = off", "SET LOCAL plan_cache_mode = force_generic_plan", "PREPARE explained AS " + text} {
		if _, err := x.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	rows, err := x.QueryContext(t.Context(), execute)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(line + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// PostgreSQL keeps no zero byte. SQLite does.
func TestTextsThatAreNotKept(t *testing.T) { onEach(t, textsThatAreNotKept) }

func textsThatAreNotKept(t *testing.T, database string) {
	t.Helper()
	s := open(t, database)
	var want error
	if IsURL(database) {
		want = ErrText
	}
	for _, bad := range []string{"a\x00b", "a\xffb"} {
		_, read := s.As(tenant).UserByEmail(t.Context(), bad)
		_, write := s.As(tenant).CreateTag(t.Context(), NewTag{Name: bad})
		_, as := s.As(Tenant(bad)).Tags(t.Context())
		for _, err := range []error{read, write, as} {
			if !errors.Is(err, want) || want != nil && !Refused(err) {
				t.Errorf("%q: %v, want %v", bad, err, want)
			}
		}
	}
	if _, err := s.As(tenant).CreateTag(context.WithoutCancel(t.Context()), NewTag{Name: "fine"}); err != nil {
		t.Error(err)
	}
}
