package blog

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// Stores that are opened at once on an empty database create its tables once.
func TestOpenedAtOnce(t *testing.T) { onEach(t, openedAtOnce) }

func openedAtOnce(t *testing.T, database string) {
	t.Helper()
	names := make([]string, 5)
	var wg sync.WaitGroup
	for i := range names {
		wg.Go(func() {
			s, err := Open(t.Context(), database)
			if err != nil {
				t.Error(err)
				return
			}
			names[i] = s.Name()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, name := range names {
		if name != names[0] || len(name) != 32 {
			t.Errorf("the database has the names %q", names)
			break
		}
	}
}

// A snapshot that sessions of several tenants use shows each of them its own rows, and
// all of them one state.
func TestSnapshotOfTwoTenants(t *testing.T) { onEach(t, snapshotOfTwoTenants) }

func snapshotOfTwoTenants(t *testing.T, database string) {
	t.Helper()
	s := open(t, database)
	settle(t, s)
	ctx, end := s.Snapshot(t.Context())
	defer end()
	for round := range 2 {
		for _, row := range []struct {
			who  Tenant
			want string
		}{{tenant, "[t]"}, {neighbor, "[n'eighbor]"}, {Admin, "[t n'eighbor]"}, {"nobody", "[]"}, {tenant, "[t]"}} {
			tags, err := s.As(row.who).Tags(ctx)
			if err != nil {
				t.Fatal(err)
			}
			seen := []Tenant{}
			for _, tag := range tags {
				seen = append(seen, Tenant(tag.Tenant))
			}
			if got := fmt.Sprint(seen); got != row.want {
				t.Errorf("round %d: %s sees tags of %s, want %s", round, row.who, got, row.want)
			}
		}
		if _, err := s.As(tenant).CreateTag(t.Context(), NewTag{Name: "later"}); err != nil {
			t.Fatal(err)
		}
	}
}

// Who writes a post, deletes its author or comments on it at the same time gets what
// happens one after the other: refusals for what is gone and nothing else, and each
// deletion tells all the rows that it takes along.
func TestDeletionsTellAllRows(t *testing.T) { onEach(t, deletionsTellAllRows) }

func deletionsTellAllRows(t *testing.T, database string) {
	t.Helper()
	s := open(t, database)
	const rounds, clients = 12, 3
	var made, gone sync.Map // ids
	var deleted atomic.Int64
	check := func(err error) bool {
		if err != nil && !Refused(err) {
			t.Error(err)
		}
		return err == nil
	}
	for range rounds {
		author := createUser(t, s, "a")
		var wg sync.WaitGroup
		for range clients {
			wg.Go(func() {
				p, err := s.As(tenant).CreatePost(t.Context(), NewPost{AuthorID: author.ID, Status: Draft})
				if !check(err) {
					return
				}
				made.Store(p.ID, true)
				c, err := s.As(tenant).AddComment(t.Context(), NewComment{PostID: p.ID, AuthorID: author.ID})
				if check(err) {
					made.Store(c.ID, true)
				}
			})
		}
		wg.Go(func() {
			removal, err := s.As(tenant).DeleteUser(t.Context(), author.ID)
			if !check(err) {
				return
			}
			deleted.Add(1)
			for _, p := range removal.Posts {
				gone.Store(p.ID, true)
			}
			for _, c := range removal.Comments {
				gone.Store(c.ID, true)
			}
		})
		wg.Wait()
	}
	made.Range(func(id, _ any) bool {
		if _, told := gone.Load(id); !told {
			t.Errorf("no deletion told of %v", id)
		}
		return true
	})
	gone.Range(func(id, _ any) bool {
		if _, was := made.Load(id); !was {
			t.Errorf("%v was deleted and never made", id)
		}
		return true
	})
	if deleted.Load() != rounds {
		t.Errorf("%d of %d users deleted", deleted.Load(), rounds)
	}
}

// A wrapper is around all connections of a store, and is asked when the tables are there.
func TestWrap(t *testing.T) { onEach(t, wrapped) }

func wrapped(t *testing.T, database string) {
	t.Helper()
	var connected, wrappers atomic.Int64
	s, err := OpenWith(t.Context(), Options{Database: database, Wrap: func(c driver.Connector) driver.Connector {
		wrappers.Add(1)
		conn, err := c.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		st, err := conn.Prepare("SELECT count(*) FROM author_stats")
		if err != nil {
			t.Error(err)
		} else {
			_ = st.Close()
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		return countedConnector{c, &connected}
	}})
	if err != nil {
		t.Fatal(err)
	}
	u := createUser(t, s, "a")
	if n := connected.Load(); n != 1 {
		t.Errorf("%d connections after a write, want 1", n)
	}
	if got, err := s.As(tenant).User(t.Context(), u.ID); err != nil || got == nil {
		t.Errorf("got %v, %v", got, err)
	}
	if n := connected.Load(); n != 2 || wrappers.Load() != 2 {
		t.Errorf("%d connections after a read, want 2; %d wrappers, want 2", n, wrappers.Load())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

type countedConnector struct {
	driver.Connector
	n *atomic.Int64
}

func (c countedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	c.n.Add(1)
	return c.Connector.Connect(ctx)
}
