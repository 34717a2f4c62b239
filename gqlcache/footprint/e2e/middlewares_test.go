package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
)

type roleKey struct{}

// A middleware loads the caller's row, and resolvers decide by it: an answer depends on that
// row, whether or not the cache is around the middleware.
func TestRowsOfMiddlewares(t *testing.T) {
	t.Parallel()
	for name, around := range map[string]func(*gqlcache.Cache, http.Handler) http.Handler{
		"nothing":         func(_ *gqlcache.Cache, h http.Handler) http.Handler { return h },
		"Handler":         (*gqlcache.Cache).Handler,
		"HoldUntilCommit": (*gqlcache.Cache).HoldUntilCommit,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSeam(t, gqlcache.Observe{Everything: true}, undeclared, func(s *seam, h http.Handler) http.Handler {
				return around(s.cache, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					var role string
					if err := s.db.QueryRowContext(r.Context(), `SELECT name FROM loose WHERE id = ?`, "1").Scan(&role); err != nil {
						t.Error(err)
					}
					h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), roleKey{}, role)))
				}))
			})
			s.store.Answer("Query.echo", func(ctx context.Context) (any, error) {
				var name string
				err := s.db.QueryRowContext(ctx, `SELECT name FROM loose WHERE id = ?`, "2").Scan(&name)
				return ctx.Value(roleKey{}).(string) + " sees " + name, err
			})
			s.store.On("Mutation.setLoose", func(ctx context.Context) error {
				_, err := s.db.ExecContext(ctx, `UPDATE loose SET name = ? WHERE id = ?`, argument(ctx, "name"), argument(ctx, "id"))
				return err
			})
			server := httptest.NewServer(s.srv)
			t.Cleanup(server.Close)
			send := func(text string) (body string, hit bool) {
				t.Helper()
				before := s.cache.Stats().Hits
				q, err := json.Marshal(map[string]string{"query": text})
				if err != nil {
					t.Fatal(err)
				}
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(string(q)))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", "application/json")
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				b, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				return string(b), s.cache.Stats().Hits > before
			}
			const query = `{echo(text: "x")}`
			for _, role := range []string{"guest", "admin", "guest", "admin"} {
				send(`mutation {setLoose(id: "1", name: "` + role + `")}`)
				if got, _ := send(query); !strings.Contains(got, role+" sees") {
					t.Errorf("the caller is %s: %s", role, got)
				}
				send(query)
				if got, hit := send(query); !hit || !strings.Contains(got, role+" sees") {
					t.Errorf("the caller is %s: %s, from the cache: %t", role, got, hit)
				}
			}
			s.exec(t.Context(), `INSERT INTO loose VALUES ('3', 'three')`)
			s.exec(t.Context(), `UPDATE loose SET name = 'drei' WHERE id = '3'`)
			if _, hit := send(query); !hit {
				t.Error("a row that nobody has read drops the answer")
			}
		})
	}
}
