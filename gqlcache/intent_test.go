package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// TestIntent looks at an answer in the time between a mutation's commit and its answer:
// with an intent it shows the change, without one, as control, what was stored before.
func TestIntent(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, field, write, read string
	}{
		{"declared row", "renameUser", renameAnn, readAnn},
		{"row that the answer tells", "createUser", `mutation{createUser(input:{name:"New"}){id}}`, readUsers},
		{"rows of a condition", "publishAll", `mutation{publishAll(authorId:$Bob)}`, `{posts(status:PUBLISHED){name}}`},
		{"undeclared", "renameUndeclared", `mutation{renameUndeclared(id:$Ann,name:"New")}`, readAnn},
		{"cascade payload", "renameUserCascade", `mutation{renameUserCascade(id:$Ann,name:"New"){__typename}}`, readAnn},
		{"second of two fields", "renameUser", `mutation{log a:renameUser(id:$Ann,name:"New")}`, readAnn},
	}
	for _, row := range rows {
		for _, intent := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%v", row.name, intent), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, "annotated", gqlcache.Options{Instances: gqlcache.Instances{Intent: intent}})
				before := r.send(row.read).Body
				if again := r.send(row.read).Body; again != before || r.cache.Stats().Hits != 1 {
					t.Fatalf("not cached: %s", again)
				}
				latch := r.store.Block("Mutation." + row.field + ":done")
				write := r.start(t.Context(), row.write)
				receive(t, latch.Reached, "the commit")
				for range 2 { // what the first has computed is not kept
					if got := r.send(row.read).Body; (got != before) != intent {
						t.Errorf("after the commit: %s, before: %s", got, before)
					}
				}
				if hits := r.cache.Stats().Hits; (hits == 1) != intent {
					t.Errorf("%d hits", hits)
				}
				latch.Release()
				write.wait(t)
				hits := r.cache.Stats().Hits
				for range 2 {
					if got := r.send(row.read).Body; got == before {
						t.Errorf("after the mutation: %s", got)
					}
				}
				if r.cache.Stats().Hits != hits+1 {
					t.Error("after the mutation nothing is cached")
				}
			})
		}
	}
}

// TestIntentQueries: the queries that a mutation invalidates are announced, too.
func TestIntentQueries(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{Instances: gqlcache.Instances{Intent: true}})
	r.send(readUsers)
	latch := r.store.Block("Mutation.recountUsers:done")
	write := r.start(t.Context(), "mutation{recountUsers}")
	receive(t, latch.Reached, "the commit")
	r.send(readUsers)
	if hits := r.cache.Stats().Hits; hits != 0 {
		t.Errorf("%d hits while the mutation runs", hits)
	}
	latch.Release()
	write.wait(t)
}

// TestIntentSpares: answers that the mutation does not reach are served and stored while
// it runs.
func TestIntentSpares(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{Instances: gqlcache.Instances{Intent: true}})
	const bob, counter = "{user(id:$Bob){name}}", "{counter(id:1){value}}"
	r.send(bob)
	latch := r.store.Block("Mutation.renameUser:done")
	write := r.start(t.Context(), renameAnn)
	receive(t, latch.Reached, "the commit")
	r.send(bob)
	r.send(counter)
	r.send(counter)
	if s := r.cache.Stats(); s.Hits != 2 {
		t.Errorf("%d hits", s.Hits)
	}
	latch.Release()
	write.wait(t)
	r.send(bob)
	r.send(counter)
	if s := r.cache.Stats(); s.Hits != 4 {
		t.Errorf("%d hits after the mutation", s.Hits)
	}
}

// TestIntentSettled: whatever becomes of a mutation, nothing is pending when it has
// ended.
func TestIntentSettled(t *testing.T) {
	t.Parallel()
	failing := func(context.Context) error { return errors.New("failed") }
	panicking := func(context.Context) error { panic("panicked") }
	for _, row := range []struct {
		name, document, accept string
		hook                   func(context.Context) error
	}{
		{"done", renameAnn, "application/json", nil},
		{"failed", renameAnn, "application/json", failing},
		{"panicked", renameAnn, "application/json", panicking},
		{"undeclared, failed", `mutation{renameUndeclared(id:$Ann,name:"New")}`, "application/json", failing},
		{"nothing declared", "mutation{__typename}", "application/json", nil},
		{"over SSE", renameAnn, "text/event-stream", nil},
		{"over multipart", renameAnn, "multipart/mixed", nil},
	} {
		for _, held := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, held=%v", row.name, held), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, "annotated", gqlcache.Options{Instances: gqlcache.Instances{Intent: true}})
				r.store.On("Mutation.renameUser:done", row.hook)
				r.store.On("Mutation.renameUndeclared:done", row.hook)
				h := r.cached
				if held {
					h = r.cache.HoldUntilCommit(h)
				}
				h.ServeHTTP(&wire{header: http.Header{}}, post(t, row.document, row.accept))
				r.send(readAnn)
				if r.send(readAnn); r.cache.Stats().Hits != 1 {
					t.Error("nothing is cached after the mutation")
				}
			})
		}
	}
}

// TestIntentHeld: an intent of a held mutation is open until the commit.
func TestIntentHeld(t *testing.T) {
	t.Parallel()
	for _, intent := range []bool{true, false} {
		t.Run(fmt.Sprint(intent), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{Instances: gqlcache.Instances{Intent: intent}})
			h := r.cache.HoldUntilCommit(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				r.cached.ServeHTTP(w, q)
				hits := r.cache.Stats().Hits
				r.send(readAnn)
				r.send(readAnn)
				if got := r.cache.Stats().Hits - hits; (got == 0) != intent {
					t.Errorf("%d hits before the commit", got)
				}
			}))
			h.ServeHTTP(&wire{header: http.Header{}}, post(t, renameAnn, "application/json"))
		})
	}
}

// TestIntentJoin: a computation began after the announcement and read what was before the
// commit. Whoever arrives after the commit must not be given its answer, though nothing
// was published in between.
func TestIntentJoin(t *testing.T) {
	t.Parallel()
	for _, intent := range []bool{true, false} {
		t.Run(fmt.Sprint(intent), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, "annotated", gqlcache.Options{Instances: gqlcache.Instances{Intent: intent}, Store: newMapStore()})
				begun, committed := r.store.Block("Mutation.renameUser"), r.store.Block("Mutation.renameUser:done")
				write := r.start(t.Context(), renameAnn)
				<-begun.Reached
				computed := r.store.Block("Query.user:done")
				old := r.start(t.Context(), readAnn)
				<-computed.Reached
				begun.Release()
				<-committed.Reached
				if got := r.send(readUsers).Body; !strings.Contains(got, "New") {
					t.Errorf("not committed: %s", got)
				}
				late := r.start(t.Context(), readAnn)
				synctest.Wait() // until it waits for the older computation
				computed.Release()
				<-old.done
				if <-late.done; strings.Contains(late.resp.Body, "New") != intent {
					t.Errorf("arrived after another had seen the change: %s", late.resp.Body)
				}
				committed.Release()
				<-write.done
			})
		})
	}
}

// plainLog is a log that announces nothing.
type plainLog struct{ changelog.Log }

func TestIntentNeedsAnIntender(t *testing.T) {
	t.Parallel()
	_, err := gqlcache.New(quiet(gqlcache.Options{Instances: gqlcache.Instances{Intent: true, Log: plainLog{newFakeLog().join(changelog.Strong)}}, Callers: gqlcache.AllSeeTheSame}))
	if !errors.Is(err, gqlcache.ErrOptions) || !strings.Contains(err.Error(), "Intent") {
		t.Errorf("New: %v", err)
	}
}
