package e2e

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// judged returns when all hits that were sampled are judged.
func (s *seam) judged() *inspect.Verify {
	s.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		v := s.cache.VerifyStats()
		if v.Sampled == v.Confirmed+v.Discounted+v.Skipped+v.Unstable+v.Mismatched {
			return v
		}
		select {
		case <-look.C:
		case <-s.Context().Done():
			s.Fatal("the hits were not judged")
		}
	}
}

// A wrong @view(decides:) keeps an answer that code would make another one now. Verify mode
// names the type, the column that is missing and what to do: whoever has changed the row, and
// before columns whose changes have left answers right.
func TestWrongDecidesIsNamed(t *testing.T) {
	t.Parallel()
	const query = `{posts {name}}`
	for _, row := range []struct {
		name, decides string
		// change makes the answer another one, by an operation or a statement.
		mutation, statement string
		// before are columns that change first.
		before string
		want   string // of the first suspect, "" for none
		by     string
	}{
		{"a job's change", `decides: []`, "", `UPDATE posts SET status = 'DRAFT' WHERE id = '1'`, "", "status", ""},
		{
			"a mutation's change", `decides: ["visits"]`, `mutation Hide {setLoose(id: "1", name: "x")}`,
			`UPDATE posts SET status = 'DRAFT' WHERE id = '1'`, "", "status", "Hide",
		},
		{
			"other columns have changed before", `decides: []`, "", `UPDATE posts SET status = 'DRAFT', visits = visits + 1 WHERE id = '1'`,
			`UPDATE posts SET visits = visits + 1`, "status", "",
		},
		{"it is named", `decides: ["status"]`, "", `UPDATE posts SET status = 'DRAFT' WHERE id = '1'`, "", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			s := newSeamOn(t, gqlcache.Options{
				Callers: gqlcache.AllSeeTheSame, Observe: gqlcache.Observe{Everything: true},
				Verify: gqlcache.VerifyOptions{Rate: 1, WithoutValues: true, Grace: time.Millisecond},
				Logger: slog.New(slog.NewTextHandler(&log, nil)),
			}, func(store *testgraph.Store) graphql.ExecutableSchema {
				return withViews(t, store, map[string]string{"Post": `@view(name: "posts", ` + row.decides + `)`})
			}, nil)
			s.exec(t.Context(), `CREATE TABLE posts (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, visits INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL)`)
			s.exec(t.Context(), `INSERT INTO posts (id, name, status) VALUES ('1', 'one', 'PUBLISHED'), ('2', 'two', 'PUBLISHED')`)
			s.store.Answer("Query.posts", func(ctx context.Context) (any, error) {
				rows, err := s.db.QueryContext(ctx, `SELECT id, name, status, visits FROM posts ORDER BY id`)
				if err != nil {
					return nil, err
				}
				defer func() { _ = rows.Close() }()
				list := []*testgraph.Post{}
				for rows.Next() {
					p, status := &testgraph.Post{}, ""
					if err := rows.Scan(&p.ID, &p.Name, &status, new(int)); err != nil {
						return nil, err
					}
					if status != "DRAFT" { // code decides
						list = append(list, p)
					}
				}
				return list, rows.Err()
			})
			if row.mutation != "" {
				s.writes("Mutation.setLoose", row.statement)
			}
			for range 2 {
				s.ask(query)
				s.exec(t.Context(), `UPDATE posts SET name = name || '!'`)
			}
			s.ask(query)
			if !s.ask(query) {
				t.Fatalf("it is not stored: %v", s.cache.Stats().NotStored)
			}
			s.judged()
			if row.before != "" {
				for range 5 {
					s.exec(t.Context(), row.before)
					if !s.ask(query) {
						t.Fatal("a column that nobody looks at drops the answer")
					}
					s.judged()
				}
			}
			if row.mutation != "" {
				s.ask(row.mutation)
			} else {
				s.exec(t.Context(), row.statement)
			}
			hit := s.ask(query)
			v := s.judged()
			if row.want == "" {
				if hit || v.Mismatched > 0 {
					t.Errorf("hit: %v, %+v", hit, v.Mismatches)
				}
				return
			}
			if !hit || len(v.Mismatches) == 0 || len(v.Mismatches[0].Suspects) == 0 {
				t.Fatalf("hit: %v, %+v", hit, v)
			}
			first := v.Mismatches[0].Suspects[0]
			want := "@view(decides:) of Post does not name " + row.want + ", a column of posts"
			if !strings.HasPrefix(first.Missing, want) || !strings.HasSuffix(first.Missing, "add "+row.want+" to decides") || first.Mutation != row.by {
				t.Errorf("the first suspect is %+v", first)
			}
			if err := s.cache.Close(); err != nil { // nobody writes to the log any more
				t.Fatal(err)
			}
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not say it: %s", log.String())
			}
		})
	}
}
