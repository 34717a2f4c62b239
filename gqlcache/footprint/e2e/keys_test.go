package e2e

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// userKey is the context key under which a middleware has put who asks.
type userKey struct{}

func userOf(ctx context.Context) string {
	user, _ := ctx.Value(userKey{}).(string)
	return user
}

// authenticate is the middleware.
func authenticate(_ *seam, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, r.Header.Get("Authorization"))))
	})
}

// as sends an operation of a user, and reports how it was answered: "hit", "stored", or why
// it was not stored.
func (s *seam) as(user, operation string, header ...string) string {
	s.Helper()
	before := s.cache.Stats()
	if r := s.send(user, operation, header...); len(r.Errors) > 0 {
		s.Fatalf("%s: %s", operation, r.Body)
	}
	after := s.cache.Stats()
	if after.Hits > before.Hits {
		return "hit"
	}
	for why, n := range after.NotStored {
		if n > before.NotStored[why] {
			return string(why)
		}
	}
	return "stored"
}

func (s *seam) send(user, operation string, header ...string) testgraph.Response {
	return testgraph.Ask(s, s.srv, operation, nil, append([]string{"Authorization", user}, header...)...)
}

// convicted returns the positions that the key check has reported.
func (s *seam) convicted() (list []string) {
	for _, f := range s.watched.Findings() {
		if f.Kind == footprint.IncompleteKey {
			list = append(list, f.Text+": "+f.Why)
		}
	}
	return list
}

func allUsers(context.Context) (gqlcache.Predicate, error) {
	return gqlcache.Predicate{Text: "all"}, nil
}

func thisUser(ctx context.Context) (gqlcache.Predicate, error) {
	return gqlcache.Predicate{Text: "user " + userOf(ctx)}, nil
}

func language(ctx context.Context) string {
	return graphql.GetOperationContext(ctx).Headers.Get("Accept-Language")
}

const (
	looseNamed = `SELECT id, name FROM loose WHERE name = ?`
	banner     = `{banner(id: "b1") {text}}`
)

// A part of the key that is missing: the first caller alone has the answer, until another
// one shows that the key does not tell them apart. Then nothing is stored any more.
func TestKeysThatMissSomething(t *testing.T) {
	for name, c := range map[string]struct {
		options gqlcache.Options
		point   string
		value   func(context.Context) string
		query   string
		field   string
		header  func(user string) []string
	}{
		"the predicate forgets the user": {
			gqlcache.Options{Predicate: allUsers}, "Query.loose", userOf, first, "loose", nil,
		},
		"all see the same, it was said": {
			gqlcache.Options{Callers: gqlcache.AllSeeTheSame}, "Query.loose", userOf, first, "loose", nil,
		},
		"the key forgets the language": {
			gqlcache.Options{Predicate: thisUser}, "Query.loose", language, first, "loose",
			func(user string) []string { return []string{"Accept-Language", "lang-" + user} },
		},
		"a public field shows the user's row": {
			gqlcache.Options{Predicate: thisUser}, "Query.banner", userOf, banner, "banner", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.Observe.Everything = true
			without := undeclared
			if c.query == banner {
				without = without[1:] // it is public by its directive
			}
			s := newSeamOf(t, c.options, without, authenticate)
			s.store.On(c.point, func(ctx context.Context) error { return s.read(ctx, looseNamed, c.value(ctx)) })
			ask := func(user, lang string) string {
				var header []string
				if c.header != nil {
					header = c.header(lang)
				}
				return s.as(user, c.query, header...)
			}
			if got := ask("user-ann", "ann"); got != "stored" {
				t.Fatalf("the first: %s", got)
			}
			if c.header == nil {
				if got := ask("user-ann", "ann"); got != "hit" {
					t.Errorf("the first, again: %s", got)
				}
			} else { // the same user has the answer in the other language
				s.exec(t.Context(), `UPDATE loose SET name = name || '!'`)
			}
			user := "user-bob"
			if c.header != nil {
				user = "user-ann"
			}
			if got := ask(user, "bob"); got != "key" {
				t.Errorf("another: %s, convicted %q", got, s.convicted())
			}
			for range 2 {
				if got := ask("user-ann", "ann"); got != "key" {
					t.Errorf("the first, afterwards: %s", got)
				}
			}
			found := s.convicted()
			if len(found) != 1 || !strings.HasPrefix(found[0], "argument 1 of "+looseNamed+": ") || !strings.Contains(found[0], `field "`+c.field+`"`) {
				t.Errorf("reported: %q", found)
			}
		})
	}
}

// A complete key: once three callers have shown where the values come from, all of one key
// share the answer.
func TestKeysThatAreComplete(t *testing.T) {
	group := func(ctx context.Context) (gqlcache.Predicate, error) {
		return gqlcache.Predicate{Text: "group " + userOf(ctx)[:1]}, nil
	}
	for name, c := range map[string]struct {
		options gqlcache.Options
		read    func(s *seam, ctx context.Context) error
	}{
		"constants": {gqlcache.Options{Predicate: allUsers}, func(s *seam, ctx context.Context) error { return s.read(ctx, byID, "1") }},
		"a token of the predicate": {gqlcache.Options{Predicate: group}, func(s *seam, ctx context.Context) error {
			return s.read(ctx, looseNamed, userOf(ctx)[:1])
		}},
		"a value that is vouched for": {gqlcache.Options{Predicate: group}, func(s *seam, ctx context.Context) error {
			digest := "digest of " + userOf(ctx)[:1]
			footprint.Known(ctx, digest)
			return s.read(ctx, looseNamed, digest)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.Observe.Everything = true
			s := newSeamOf(t, c.options, undeclared, authenticate)
			s.store.On("Query.loose", func(ctx context.Context) error { return c.read(s, ctx) })
			for _, user := range []string{"a1", "a2", "a3", "b1", "c1", "b2", "b3"} {
				s.as(user, first)
			}
			for _, user := range []string{"a4", "b4"} {
				if got := s.as(user, first); got != "hit" {
					t.Errorf("%s: %s", user, got)
				}
			}
			if found := s.convicted(); len(found) > 0 {
				t.Errorf("convicted: %q", found)
			}
		})
	}
}

// Whoever has joined a computation of another caller computes for himself while it is not
// proven that both get the same.
func TestKeysOfThoseWhoJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeamOf(t, gqlcache.Options{Predicate: allUsers, Observe: gqlcache.Observe{Everything: true}}, undeclared, authenticate)
		entered, leave := make(chan string, 3), make(chan struct{})
		s.store.On("Query.loose", func(ctx context.Context) error {
			entered <- userOf(ctx)
			<-leave
			return s.read(ctx, looseNamed, userOf(ctx))
		})
		go s.send("user-ann", first)
		synctest.Wait()
		go s.send("user-ann", first)
		go s.send("user-bob", first)
		synctest.Wait()
		if len(entered) != 1 {
			t.Fatalf("%d compute", len(entered))
		}
		close(leave)
		synctest.Wait()
		close(entered)
		var computed []string
		for user := range entered {
			computed = append(computed, user)
		}
		if want := []string{"user-ann", "user-bob"}; !slices.Equal(computed, want) {
			t.Errorf("%q computed, want %q", computed, want)
		}
		if n := s.cache.Stats().Joined; n != 1 {
			t.Errorf("%d joined", n)
		}
	})
}
