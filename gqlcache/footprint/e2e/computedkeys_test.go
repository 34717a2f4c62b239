package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// newKeySeam returns a seam whose middleware tells users apart, and whose key has a text of
// them.
func newKeySeam(t *testing.T, predicate func(context.Context) (gqlcache.Predicate, error)) *seam {
	t.Helper()
	return newSeamOf(t, gqlcache.Options{Predicate: predicate, Observe: gqlcache.Observe{Everything: true}}, undeclared, authenticate)
}

type account struct{ ID, Name, Team string }

// account returns the row of a user, as a value for all: its key has the user. The teams
// change with each season.
func (s *seam) account(ctx context.Context, user string, season int) (account, error) {
	return gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("account").Arg("user", user), func(ctx context.Context) (account, error) {
		return account{"id of " + user, user, fmt.Sprint("team ", season, " of ", user)}, s.read(ctx, looseNamed, user)
	}, gqlcache.ForAll())
}

// keep has accounts kept by a job, so that operations find them.
func (s *seam) keep(season int, users ...string) {
	s.Helper()
	for _, user := range users {
		if _, err := s.account(s.Context(), user, season); err != nil {
			s.Fatal(err)
		}
	}
}

// learnAccounts has the shapes of statements learned.
func (s *seam) learnAccounts() {
	s.keep(1, "nobody")
	s.exec(s.Context(), `UPDATE loose SET name = name || '!'`)
}

// An operation that finds a value sends no statement. The key of the value says what it
// shows all the same: were it not looked at, all would get what the first one has found.
func TestKeysOfFoundValues(t *testing.T) {
	for _, how := range []string{"Compute", "Get", "Exists"} {
		t.Run(how, func(t *testing.T) {
			s := newKeySeam(t, allUsers)
			s.store.On("Query.loose", func(ctx context.Context) (err error) {
				key := gqlcache.KeyOf("account").Arg("user", userOf(ctx))
				switch how {
				case "Compute":
					_, err = s.account(ctx, userOf(ctx), 1)
				case "Get":
					_, err = gqlcache.Get[account](ctx, s.cache, key, gqlcache.ForAll())
				default:
					_, err = gqlcache.Exists(ctx, s.cache, key, gqlcache.ForAll())
				}
				return err
			})
			s.learnAccounts()
			users := []string{"user-ann", "user-bob"}
			s.keep(1, users...)
			if got := s.as("user-ann", first); got != "stored" {
				t.Fatalf("the first: %s", got)
			}
			if got := s.as("user-ann", first); got != "hit" {
				t.Errorf("the first, again: %s", got)
			}
			for _, user := range []string{"user-bob", "user-ann"} {
				if got := s.as(user, first); got != "key" {
					t.Errorf("%s: %s, convicted %q", user, got, s.convicted())
				}
			}
			found := s.convicted()
			if len(found) != 1 || !strings.HasPrefix(found[0], `argument "user" of the key of computed values "account": `) || !strings.Contains(found[0], `field "loose"`) {
				t.Errorf("reported: %q", found)
			}
		})
	}
}

// What a value holds that was found is a source of statements, as the rows are that it was
// made of.
func TestFoundValuesAreSources(t *testing.T) {
	s := newKeySeam(t, thisUser)
	s.store.On("Query.loose", func(ctx context.Context) error {
		a, err := s.account(ctx, userOf(ctx), 0)
		if err != nil {
			return err
		}
		return s.read(ctx, `SELECT id FROM loose WHERE name = ?`, a.Team)
	})
	s.learnAccounts()
	for _, user := range []string{"user-ann", "user-bob", "user-cid", "user-dan"} {
		for season := range 4 { // the first time, the shapes of its statements are new
			s.exec(t.Context(), `UPDATE loose SET name = name || '!'`)
			s.keep(season, user)
			s.as(user, first)
		}
		if got := s.as(user, first); got != "hit" {
			t.Errorf("%s: %s", user, got)
		}
	}
	if found := s.convicted(); len(found) > 0 {
		t.Errorf("convicted: %q", found)
	}
}

// A value whose key lacks who asks is for the first caller alone, with all that is made of
// it, until another one shows that the key does not tell them apart. Then neither it nor
// what is made of it is kept.
func TestKeysOfValuesThatMissSomething(t *testing.T) {
	s := newKeySeam(t, thisUser)
	runs := 0
	compute := func(ctx context.Context) error {
		_, err := gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("board"), func(ctx context.Context) (string, error) {
			runs++
			return userOf(ctx), s.read(ctx, looseNamed, userOf(ctx))
		}, gqlcache.ForAll())
		return err
	}
	s.store.On("Query.loose", compute)
	s.as("user-ann", first)
	s.exec(t.Context(), `UPDATE loose SET name = name || '!'`)
	// The operation's own key has the user, so it is the value that is found.
	s.as("user-ann", first)
	runs = 0
	if s.as("user-ann", second); runs != 0 {
		t.Fatalf("her own value is not found: %v", s.cache.ComputedStats())
	}
	if s.as("user-bob", first); runs != 1 {
		t.Error("another user gets her value")
	}
	if found := s.convicted(); len(found) != 1 || !strings.Contains(found[0], `in computed values "board"`) {
		t.Errorf("reported: %q", found)
	}
	for i, user := range []string{"user-ann", "user-bob"} {
		if s.as(user, second); runs != 2+i {
			t.Errorf("%s: %d runs after it is known", user, runs)
		}
	}
	if n := len(s.cache.ComputedValues(10)); n != 0 {
		t.Errorf("%d values are kept", n)
	}
}

// What is made of a value for one caller is for that caller: an answer whose own key lacks
// nothing that it can see, and another value.
func TestValuesForOneCallerInOthers(t *testing.T) {
	s := newKeySeam(t, allUsers)
	var got string
	runs := 0
	s.store.On("Query.loose", func(ctx context.Context) (err error) {
		got, err = gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("page"), func(ctx context.Context) (string, error) {
			return gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("board"), func(ctx context.Context) (string, error) {
				runs++
				return userOf(ctx), s.read(ctx, looseNamed, userOf(ctx))
			}, gqlcache.ForAll())
		}, gqlcache.ForAll())
		return err
	})
	s.as("user-ann", first)
	s.exec(t.Context(), `UPDATE loose SET name = name || '!'`)
	s.as("user-ann", first) // the shapes of its statements are known now
	runs = 0
	// The value is hers, and found: no statement and no argument tells of her.
	if how := s.as("user-ann", second); how != "stored" || runs != 0 {
		t.Fatalf("%s after %d runs", how, runs)
	}
	if how := s.as("user-ann", second); how != "hit" {
		t.Errorf("her own answer: %s", how)
	}
	for _, op := range []string{second, first} {
		if how := s.as("user-bob", op); how != "key" || got != "user-bob" {
			t.Errorf("%s: %s, with the value of %q", op, how, got)
		}
	}
}

// Whoever has joined the computation of another caller's value computes for himself.
func TestKeysOfValuesThatAreJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeySeam(t, thisUser)
		var names []string
		leave := make(chan struct{})
		s.store.On("Query.loose", func(ctx context.Context) error {
			_, err := gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("board"), func(ctx context.Context) (string, error) {
				names = append(names, userOf(ctx))
				<-leave
				return userOf(ctx), s.read(ctx, looseNamed, userOf(ctx))
			}, gqlcache.ForAll())
			return err
		})
		go s.send("user-ann", first)
		synctest.Wait()
		go s.send("user-bob", first)
		synctest.Wait()
		close(leave)
		synctest.Wait()
		if len(names) != 2 {
			t.Errorf("%q computed", names)
		}
	})
}

// A complete key: once three callers have shown where the values come from, all share the
// value, and a job's at once.
func TestKeysOfValuesThatAreComplete(t *testing.T) {
	s := newKeySeam(t, thisUser)
	runs, after := 0, 0
	board := func(ctx context.Context, season string) error {
		_, err := gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("board").Arg("season", season), func(ctx context.Context) (string, error) {
			runs++
			digest := "digest of " + season
			footprint.Known(ctx, digest)
			if err := s.read(ctx, looseNamed, digest); err != nil {
				return "", err
			}
			return season, s.read(ctx, byID, "1") // a constant
		}, gqlcache.ForAll())
		return err
	}
	s.store.On("Query.loose", func(ctx context.Context) error { return board(ctx, "summer") })
	for _, user := range []string{"user-ann", "user-bob", "user-cid", "user-dan", "user-eva"} {
		s.as(user, first)
		after = runs
	}
	if s.as("user-fay", first); runs != after {
		t.Errorf("%d runs for one more caller", runs-after)
	}
	if found := s.convicted(); len(found) > 0 {
		t.Errorf("convicted: %q", found)
	}
	other := newKeySeam(t, thisUser)
	s, runs = other, 0
	s.store.On("Query.loose", func(ctx context.Context) error { return board(ctx, "winter") })
	for range 2 { // shapes
		if err := board(t.Context(), "winter"); err != nil {
			t.Fatal(err)
		}
		s.exec(t.Context(), rename, "1")
	}
	if err := board(t.Context(), "winter"); err != nil {
		t.Fatal(err)
	}
	runs = 0
	if s.as("user-ann", first); runs != 0 {
		t.Error("a job's value for all is not found")
	}
}

// A job whose key lacks something is found out by its second value.
func TestKeysOfValuesInJobs(t *testing.T) {
	s := newKeySeam(t, thisUser)
	runs := 0
	board := func(user string) {
		t.Helper()
		_, err := gqlcache.Compute(t.Context(), s.cache, gqlcache.KeyOf("board"), func(ctx context.Context) (string, error) {
			runs++
			return user, s.read(ctx, looseNamed, user)
		}, gqlcache.ForAll())
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, user := range []string{"ann", "bob", "bob", "bob"} {
		board(user)
		s.exec(t.Context(), `UPDATE loose SET name = name || '!'`)
	}
	board("bob")
	if runs != 5 || len(s.convicted()) != 1 {
		t.Errorf("%d runs, convicted %q", runs, s.convicted())
	}
}

// A handler of another API tells callers apart by the headers of its requests.
func TestKeysOfValuesInHandlers(t *testing.T) {
	s := newKeySeam(t, thisUser)
	var names []string
	h := s.cache.Handler(authenticate(s, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := gqlcache.Compute(r.Context(), s.cache, gqlcache.KeyOf("board"), func(ctx context.Context) (string, error) {
			names = append(names, userOf(ctx))
			return userOf(ctx), s.read(ctx, looseNamed, userOf(ctx))
		}, gqlcache.ForAll())
		if err != nil {
			t.Error(err)
		}
	})))
	for i, user := range []string{"ann", "ann", "ann", "ann", "bob"} {
		if i == 1 {
			s.exec(t.Context(), `UPDATE loose SET name = name || '!'`)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.Header.Set("Authorization", user)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	if len(names) < 2 || len(names) > 4 || names[len(names)-1] != "bob" {
		t.Errorf("%q computed", names)
	}
	if len(s.convicted()) != 1 {
		t.Errorf("convicted %q", s.convicted())
	}
}

// The statements of a batch are explained by the keys of all its ids together, and by
// nothing else.
func TestKeysOfBatches(t *testing.T) {
	for _, who := range []bool{false, true} {
		t.Run(fmt.Sprintf("looks at the caller %v", who), func(t *testing.T) {
			s := newKeySeam(t, thisUser)
			runs := 0
			s.store.On("Query.loose", func(ctx context.Context) error {
				_, err := gqlcache.ComputeAll(ctx, s.cache, []string{"season-one", "season-two"}, func(season string) gqlcache.Key {
					return gqlcache.KeyOf("board").Arg("season", season)
				}, func(ctx context.Context, missing []string) (map[string]string, error) {
					runs++
					boards := map[string]string{}
					for _, season := range missing {
						boards[season] = season
						if err := s.read(ctx, looseNamed, season); err != nil {
							return nil, err
						}
					}
					if who {
						return boards, s.read(ctx, looseNamed, userOf(ctx))
					}
					return boards, nil
				}, gqlcache.ForAll())
				return err
			})
			for _, user := range []string{"user-ann", "user-bob", "user-cid", "user-dan"} {
				s.as(user, first)
				s.exec(t.Context(), `UPDATE loose SET name = name || '!'`) // drops what is kept
			}
			s.as("user-eva", first)
			runs = 0
			s.as("user-fay", first)
			switch found := s.convicted(); {
			case who && (runs != 1 || len(found) == 0 || !strings.Contains(found[0], `in computed values "board"`)):
				t.Errorf("%d runs for one more caller; convicted: %q", runs, found)
			case !who && (runs != 0 || len(found) > 0):
				t.Errorf("%d runs for one more caller; convicted: %q", runs, found)
			}
		})
	}
}

// TestKeysOfValuesWithHeaderFields: the key of a value within an operation that depends on
// header fields has these, and the predicate, as any other.
func TestKeysOfValuesWithHeaderFields(t *testing.T) {
	s := newSeamOn(t, gqlcache.Options{Predicate: thisUser, Observe: gqlcache.Observe{Everything: true}}, func(store *testgraph.Store) graphql.ExecutableSchema {
		es := testgraph.Executable(store, "view", "dependsOn", "reads", "writes")
		testgraph.AddHint(es, "loose", map[string]any{"vary": []string{"Accept-Language"}})
		return es
	}, authenticate)
	s.store.On("Query.loose", func(ctx context.Context) error {
		_, err := gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("mine"), func(ctx context.Context) (string, error) {
			language := graphql.GetOperationContext(ctx).Headers.Get("Accept-Language")
			if err := s.read(ctx, looseNamed, userOf(ctx)); err != nil {
				return "", err
			}
			return language, s.read(ctx, looseNamed, language)
		})
		return err
	})
	for _, user := range []string{"user-ann", "user-bob", "user-cid", "user-dan"} {
		for _, language := range []string{"de-CH", "fr-CA"} {
			s.as(user, first, "Accept-Language", language)
			s.exec(t.Context(), `UPDATE loose SET name = name || '!'`)
			s.as(user, first, "Accept-Language", language)
		}
	}
	if found := s.convicted(); len(found) > 0 {
		t.Errorf("convicted: %q", found)
	}
	if n := len(s.cache.ComputedValues(10)); n == 0 {
		t.Error("nothing is kept")
	}
}
