package blog

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cascadeql/cascadeql/internal/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const tenant Tenant = "t"

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// onEach runs a test on an empty database of each kind.
func onEach(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Parallel()
	for name, database := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "x.db") }, //nolint:thelper // it is short
		"PostgreSQL": func(t *testing.T) string { return pgtest.Database(t) },                 //nolint:thelper // it is short
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, database(t))
		})
	}
}

func createUser(t *testing.T, s *Store, email string) *User {
	t.Helper()
	u, err := s.As(tenant).CreateUser(t.Context(), NewUser{Email: email, Name: "n"})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Sleeps are counted instead of slept.
func TestLatency(t *testing.T) { onEach(t, testLatency) }

func testLatency(t *testing.T, database string) {
	t.Helper()
	s := open(t, database)
	u := createUser(t, s, "a")
	var sleeps []time.Duration
	s.latency.sleep = func(_ context.Context, d time.Duration) error {
		sleeps = append(sleeps, d)
		return nil
	}
	read := func() error { _, err := s.As(tenant).User(t.Context(), u.ID); return err }
	write := func() error { _, err := s.As(tenant).DeleteUser(t.Context(), u.ID); return err }
	refused := func() error {
		if _, err := s.As(tenant).UpdateUser(t.Context(), u.ID, UserChange{}); !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("the update was not refused: %w", err)
		}
		return nil
	}
	for _, row := range []struct {
		name    string
		latency time.Duration
		do      func() error
		want    int
	}{
		{"read without latency", 0, read, 0},
		{"read", time.Hour, read, 2},
		{"write of several statements", time.Hour, write, 2},
		{"write without a commit", time.Hour, refused, 1},
		{"write without latency", 0, refused, 0},
	} {
		sleeps = nil
		s.SetLatency(row.latency)
		if err := row.do(); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if len(sleeps) != row.want {
			t.Errorf("%s: %d sleeps, want %d", row.name, len(sleeps), row.want)
		}
		for _, d := range sleeps {
			if d < 0 || d >= row.latency {
				t.Errorf("%s: slept %v", row.name, d)
			}
		}
	}
}

// The sleeps lie around the transaction: the first sees the state before it, the second
// the one after.
func TestCommitLiesBetweenTheSleeps(t *testing.T) { onEach(t, testCommitLiesBetweenTheSleeps) }

func testCommitLiesBetweenTheSleeps(t *testing.T, database string) {
	t.Helper()
	s := open(t, database)
	u := createUser(t, s, "a")
	other := open(t, database)
	var versions []int
	s.latency.sleep = func(context.Context, time.Duration) error {
		seen, err := other.As(tenant).User(t.Context(), u.ID)
		if err != nil {
			return err
		}
		versions = append(versions, seen.Version)
		return nil
	}
	s.SetLatency(time.Hour)
	if _, err := s.As(tenant).UpdateUser(t.Context(), u.ID, UserChange{}); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(versions) != "[1 2]" {
		t.Errorf("versions seen while sleeping: %v", versions)
	}
}

func TestSleepObeysContext(t *testing.T) { onEach(t, testSleepObeysContext) }

func testSleepObeysContext(t *testing.T, database string) {
	t.Helper()
	s := open(t, database)
	s.SetLatency(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.As(tenant).Tags(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
	if _, err := s.As(tenant).CreateTag(ctx, NewTag{}); !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v", err)
	}
	if err := sleep(t.Context(), 0); err != nil {
		t.Errorf("sleep: %v", err)
	}
}

// A snapshot begins with its first read, not before, and ends when told so.
func TestSnapshot(t *testing.T) { onEach(t, testSnapshot) }

func testSnapshot(t *testing.T, database string) {
	t.Helper()
	s := open(t, database)
	count := func(ctx context.Context) int {
		t.Helper()
		all, err := s.As(tenant).Leaderboard(ctx, 99)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	ctx, end := s.Snapshot(t.Context())
	createUser(t, s, "a")
	first := count(ctx)
	createUser(t, s, "b")
	if inside, outside := count(ctx), count(t.Context()); first != 1 || inside != 1 || outside != 2 {
		t.Errorf("first %d, inside %d, outside %d", first, inside, outside)
	}
	end()
	if n := count(ctx); n != 2 {
		t.Errorf("after its end: %d", n)
	}
	_, unused := s.Snapshot(t.Context())
	unused()
}

// Cancelled requests leave connections that others can use.
func TestCancelledReadsAndWrites(t *testing.T) { onEach(t, testCancelledReadsAndWrites) }

func testCancelledReadsAndWrites(t *testing.T, database string) {
	t.Helper()
	s := open(t, database)
	u := createUser(t, s, "a")
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ctx, end := s.Snapshot(ctx)
			defer end()
			wg.Go(cancel)
			if i%2 == 0 {
				_, _ = s.As(tenant).User(ctx, u.ID)
				_, _ = s.As(tenant).Leaderboard(ctx, 5)
			} else {
				_, _ = s.As(tenant).UpdateUser(ctx, u.ID, UserChange{})
			}
		})
	}
	wg.Wait()
	before, err := s.As(tenant).User(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	change, err := s.As(tenant).UpdateUser(t.Context(), u.ID, UserChange{})
	after := change.After
	if err != nil || after.Version != before.Version+1 {
		t.Errorf("version %d after %d, %v", after.Version, before.Version, err)
	}
	if len(s.read.slots) != 0 || len(s.write.slots) != 0 {
		t.Errorf("in use: %d readers, %d writers", len(s.read.slots), len(s.write.slots))
	}
}

// Two stores on one file write and read at once: nobody is told that the database is
// busy, no write is lost, and each tells the row as it found and left it.
func TestTwoStoresWriteAtOnce(t *testing.T) { onEach(t, testTwoStoresWriteAtOnce) }

func testTwoStoresWriteAtOnce(t *testing.T, database string) {
	t.Helper()
	var stores [2]*Store
	var wg sync.WaitGroup
	for i := range stores {
		wg.Go(func() {
			var err error
			if stores[i], err = Open(t.Context(), database); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	u := createUser(t, stores[0], "a")
	const writes = 25
	var found sync.Map // by an update, versions
	for i := range 4 {
		wg.Go(func() {
			for range writes {
				c, err := stores[i%2].As(tenant).UpdateUser(t.Context(), u.ID, UserChange{})
				if err != nil {
					t.Error(err)
					return
				}
				if _, twice := found.LoadOrStore(c.Before.Version, true); twice || c.After.Version != c.Before.Version+1 {
					t.Errorf("an update found version %d, which another one did: %v; it left %d", c.Before.Version, twice, c.After.Version)
				}
				if _, err := stores[i%2].As(tenant).AuthorStats(t.Context(), u.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got, err := stores[1].As(tenant).User(t.Context(), u.ID); err != nil || got.Version != 1+4*writes {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, s := range stores {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A panic in a transaction undoes it and frees the only writer.
func TestPanicRollsBack(t *testing.T) { onEach(t, testPanicRollsBack) }

func testPanicRollsBack(t *testing.T, database string) {
	t.Helper()
	s := open(t, database)
	func() {
		defer func() { _ = recover() }()
		_ = s.As(tenant).write(t.Context(), func(x tx) error {
			if _, err := x.createUser(t.Context(), NewUser{Email: "lost"}); err != nil {
				t.Error(err)
			}
			panic("in the middle")
		})
	}()
	createUser(t, s, "lost")
}

// Tags are in the order of their names' bytes, and the search knows the two cases of
// ASCII letters and of no others.
func TestOrderAndSearch(t *testing.T) { onEach(t, orderAndSearch) }

func orderAndSearch(t *testing.T, database string) {
	t.Helper()
	s := open(t, database)
	for _, name := range []string{"a", "B", "ä", "a-b", "_"} {
		if _, err := s.As(tenant).CreateTag(t.Context(), NewTag{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	names := func(tags []Tag, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		all := []string{}
		for _, tag := range tags {
			all = append(all, tag.Name)
		}
		return fmt.Sprint(all)
	}
	if got := names(s.As(tenant).Tags(t.Context())); got != "[B _ a a-b ä]" {
		t.Errorf("tags in the order %s", got)
	}
	for term, want := range map[string]string{"b": "[B a-b]", "A-B": "[a-b]", "ä": "[ä]", "Ä": "[]", "%": "[]", "_": "[_]"} {
		found, err := s.As(tenant).Search(t.Context(), term, 9)
		if got := names(found.Tags, err); got != want {
			t.Errorf("%q finds %s, want %s", term, got, want)
		}
	}
}

// No statement of a tenant reads a whole table, the search and the leaderboard excepted,
// which have to.
func TestStatementsUseIndexes(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "x.db"))
	for name, st := range statements() {
		plan := planOf(t, s, st.tenant)
		for line := range strings.Lines(plan) {
			if strings.HasPrefix(line, "SCAN") && !strings.HasPrefix(line, "SCAN k ") && !strings.HasPrefix(line, "SCAN json_each ") {
				t.Errorf("%s: %s\n%s", name, line, plan)
			}
			if strings.HasPrefix(line, "USE TEMP B-TREE FOR ORDER BY") && (name == "feed" || name == "postsByStatus" || name == "allTags") {
				t.Errorf("%s sorts:\n%s", name, plan)
			}
		}
		if len(planOf(t, s, st.admin)) == 0 && !strings.Contains(st.admin, "VALUES") {
			t.Errorf("%s: no plan for the administrator", name)
		}
	}
}

// statements are all, by their names.
func statements() map[string]statement {
	all := map[string]statement{
		"usersByID": usersByID, "userByEmail": userByEmail, "postsByID": postsByID, "commentsByID": commentsByID,
		"tagsByID": tagsByID, "allTags": allTags, "feed": feed, "postsByStatus": postsByStatus, "countPosts": countPosts,
		"postsByAuthor": postsByAuthor, "postsByTag": postsByTag, "commentsByPost": commentsByPost,
		"commentCounts": commentCounts, "tagsByPost": tagsByPost, "statsByAuthor": statsByAuthor,
		"leaderboard": leaderboard, "usersByName": usersByName, "postsByTitle": postsByTitle, "tagsByName": tagsByName,
		"seeUser": seeUser, "seePost": seePost, "seeTag": seeTag, "updateUser": updateUser, "updatePost": updatePost,
		"insertUser": insertUser, "insertTag": insertTag, "insertRelation": insertRelation, "insertPost": insertPost, "authorOfPostsTenant": authorOfPostsTenant, "publishPost": publishPost,
		"praiseAuthor": praiseAuthor, "setStatus": setStatus, "archivePosts": archivePosts,
		"insertComment": insertComment, "updateComment": updateComment, "deleteComment": deleteComment,
		"renameTag": renameTag, "deleteRelation": deleteRelation, "seePosts": seePosts, "seeUnarchived": seeUnarchived,
		"untagAll": untagAll, "deletePostComments": deletePostComments, "deletePost": deletePost,
		"untagAuthor": untagAuthor, "deleteAuthorComments": deleteAuthorComments,
		"deleteAuthorPosts": deleteAuthorPosts, "deleteUser": deleteUser,
	}
	for i, st := range deleteTag {
		all[fmt.Sprint("deleteTag", i)] = st
	}
	return all
}

func planOf(t *testing.T, s *Store, text string) string {
	t.Helper()
	rows, err := s.read.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, 1, 2, 3, 4, 5, 6)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(detail + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// A busy pool lets go of who does not want to wait any more.
func TestAcquireObeysContext(t *testing.T) {
	t.Parallel()
	db, err := stdsql.Open("sqlite", "file::memory:")
	if err != nil {
		t.Fatal(err)
	}
	p := newPool(db, 1, new(atomic.Uint64))
	c, err := p.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.acquire(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	p.release(c)
	again, err := p.acquire(t.Context())
	if err != nil || again != c {
		t.Errorf("got another connection, %v", err)
	}
	p.rollback(again) // in no transaction: not to be trusted
	fresh, err := p.acquire(t.Context())
	if err != nil || fresh == c {
		t.Errorf("got the discarded connection, %v", err)
	}
	p.release(fresh)
	if err := p.close(); err != nil {
		t.Error(err)
	}
}
