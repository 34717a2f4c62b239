package compat_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/compat/internal/twin"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// stackTest is a test on one stack.
type stackTest struct {
	*testing.T
	stack stack
}

// everyStack runs a test in a bubble for each stack whose contexts end when a client leaves.
func everyStack(t *testing.T, test func(t stackTest)) {
	t.Helper()
	t.Parallel()
	for _, st := range stacks {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(stackTest{t, st}) })
		})
	}
}

// A client asks a server on its own goroutine, and may leave.
type client struct {
	leave  context.CancelFunc
	answer twin.Answer
	done   chan struct{}
}

// send returns when the client's request waits, or is over.
func (w *world) send(h http.Handler, r twin.Request) *client {
	ctx, cancel := context.WithCancel(context.Background())
	c := &client{leave: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.answer = w.ask(ctx, h, r)
	}()
	synctest.Wait()
	return c
}

func (c *client) over() bool {
	synctest.Wait()
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// wait waits for the end of the request, at most a minute, which in a bubble is when nothing else happens.
func (c *client) wait(t testing.TB, who string) {
	t.Helper()
	select {
	case <-c.done:
	case <-time.After(time.Minute):
		t.Fatalf("%s waits for ever", who)
	}
}

// want waits for the answer and compares its body.
func (c *client) want(t testing.TB, who, body string) {
	t.Helper()
	c.wait(t, who)
	if c.answer.Body != body {
		t.Errorf("%s got\n%s\nwant\n%s", who, c.answer.Body, body)
	}
	c.leave()
}

// TestJoinersOfALeaver: the first client of an operation leaves while another waits for the same answer, and a
// third is handed whatever the stack pools.
func TestJoinersOfALeaver(t *testing.T) {
	everyStack(t, func(t stackTest) {
		for range 10 { // pools may drop what they are given
			w := newWorld(t, t.stack, setup{})
			open := w.cached.gates.Close("whoami")
			held := w.cached.gates.Close("slow")
			leader := w.send(w.Cached, q(`{ whoami }`))
			joiner := w.send(w.Cached, q(`{ whoami }`))
			leader.leave()
			synctest.Wait()
			mallory := w.send(w.Cached, twin.Request{Query: `{ slow(id: 1) { name } }`, User: "mallory"})
			open()
			synctest.Wait()
			held()
			joiner.want(t, "the joiner", `{"data":{"whoami":"alice"}}`)
			mallory.want(t, "mallory", `{"data":{"slow":{"name":"item a"}}}`)
			leader.wait(t, "the leader")
			w.send(w.Cached, q(`{ whoami }`)).want(t, "a later request", `{"data":{"whoami":"alice"}}`)
		}
	})
}

// TestHandlerOutlivesItsResolvers: with a leader that leaves, the handler of its request returns when its resolvers
// have, as it does without the cache.
func TestHandlerOutlivesItsResolvers(t *testing.T) {
	everyStack(t, func(t stackTest) {
		for _, query := range []string{`{ whoami }`, `{ cookie }`, `{ stubborn(id: 1) { name owner { name } parts { name } } }`} {
			for name, h := range map[string]func(*world) http.Handler{
				"with the cache": func(w *world) http.Handler { return w.Cached },
				"without":        func(w *world) http.Handler { return w.Plain },
			} {
				w := newWorld(t, t.stack, setup{})
				var open []func()
				for _, gate := range []string{"whoami", "cookie", "stubborn"} {
					open = append(open, w.cached.gates.Close(gate), w.plain.gates.Close(gate))
				}
				leader := w.send(h(w), q(query))
				joiner := w.send(h(w), q(query))
				leader.leave()
				if leader.over() {
					t.Errorf("%s: %s: the handler returned while its resolver ran", name, query)
				}
				for _, f := range open {
					f()
				}
				joiner.wait(t, "the joiner")
				leader.wait(t, "the leader")
				if strings.Contains(joiner.answer.Body, "errors") {
					t.Errorf("%s: %s: the joiner got %s", name, query, joiner.answer.Body)
				}
			}
		}
	})
}

// TestRowsThatEndWithTheContext: a resolver takes the end of its context for the end of its rows. Nobody else
// gets that answer.
func TestRowsThatEndWithTheContext(t *testing.T) {
	const all = `{"data":{"listed":[{"id":"1"},{"id":"2"},{"id":"3"},{"id":"4"},{"id":"5"},{"id":"6"},{"id":"7"},{"id":"8"},{"id":"9"}]}}`
	const some = `{"data":{"listed":[{"id":"1"}]}}`
	everyStack(t, func(t stackTest) {
		w := newWorld(t, t.stack, setup{})
		open := w.cached.gates.Trap("listed")
		defer open()
		leader := w.send(w.Cached, q(`{ listed { id } }`))
		joiner := w.send(w.Cached, q(`{ listed { id } }`))
		leader.leave()
		joiner.want(t, "the joiner", all)
		leader.wait(t, "the leader")
		w.send(w.Cached, q(`{ listed { id } }`)).want(t, "a later request", all)

		w = newWorld(t, t.stack, setup{timeout: 50 * time.Millisecond})
		open = w.cached.gates.Trap("listed")
		defer open()
		leader = w.send(w.Cached, q(`{ listed { id } }`))
		<-time.After(25 * time.Millisecond) // the joiner's deadline is later
		w.send(w.Cached, q(`{ listed { id } }`)).want(t, "the joiner of one with a deadline", all)
		leader.wait(t, "the leader")
		if got := leader.answer.Body; !strings.HasPrefix(got, some) {
			t.Errorf("the leader with a deadline got %s", got)
		}
		w.send(w.Cached, q(`{ listed { id } }`)).want(t, "a later request", all)
	})
}

// presenter names the path and hides the rest, as a server's own.
func presenter(s *site) {
	s.graph.SetErrorPresenter(func(ctx context.Context, err error) *gqlerror.Error {
		e := graphql.DefaultErrorPresenter(ctx, err)
		e.Message = fmt.Sprintf("presented: %s at %v", e.Message, e.Path)
		e.Extensions = map[string]any{"code": "OOPS"}
		return e
	})
}

// TestDeadlines: a deadline gives partial data, and an error at the path of the field by the server's presenter.
func TestDeadlines(t *testing.T) {
	everyStack(t, func(t stackTest) {
		for _, query := range []string{
			`{ item(id: 1) { id } slow(id: 1) { name } }`,
			`{ slow(id: 1) { name } items { name } listed { id } }`,
			`{ slow(id: 1) { name owner { name } } whoami }`,
		} {
			w := newWorld(t, t.stack, setup{timeout: 100 * time.Millisecond, before: presenter})
			for _, s := range []*site{w.plain, w.cached} {
				defer s.gates.Close("slow")()
			}
			w.Once(q(query))
			w.Once(q(query)) // and nothing of it was kept
		}
	})
}

// TestTimeoutHandler: http.TimeoutHandler answers while its handler runs on.
func TestTimeoutHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, netHTTP, setup{})
		front := http.TimeoutHandler(w.Cached, time.Second, "too late")
		open := w.cached.gates.Trap("stubborn")
		leader := w.send(front, q(`{ stubborn(id: 1) { name } }`))
		joiner := w.send(w.Cached, q(`{ stubborn(id: 1) { name } }`))
		leader.want(t, "the leader", "too late")
		open()
		joiner.want(t, "the joiner", `{"data":{"stubborn":{"name":"item a"}}}`)
		w.send(front, q(`{ stubborn(id: 1) { name } }`)).want(t, "a later request", `{"data":{"stubborn":{"name":"item a"}}}`)
	})
}

// TestHungComputation: one computation hangs for good; callers with deadlines go on being answered.
func TestHungComputation(t *testing.T) {
	everyStack(t, func(t stackTest) {
		w := newWorld(t, t.stack, setup{timeout: 300 * time.Millisecond})
		open := w.cached.gates.Trap("stubborn")
		hung := w.send(w.Cached, q(`{ stubborn(id: 1) { name } }`))
		var wg sync.WaitGroup
		const callers = 60
		var failed [callers]bool
		for i := range callers {
			wg.Go(func() {
				a := w.ask(context.Background(), w.Cached, q(`{ stubborn(id: 1) { name } }`))
				failed[i] = a.Body != `{"data":{"stubborn":{"name":"item a"}}}`
			})
			<-time.After(100 * time.Millisecond)
		}
		wg.Wait()
		open()
		hung.wait(t, "the hung one")
		n := 0
		for i, f := range failed {
			if f {
				n++
				if i >= callers/2 {
					t.Fatalf("caller %d failed, %v after one computation hung", i, time.Duration(i)*100*time.Millisecond)
				}
			}
		}
		t.Logf("%d of %d callers failed", n, callers)
	})
}

// TestResolverAsksItsOwnServer: for another operation, and for the one that it is part of. B2.
func TestResolverAsksItsOwnServer(t *testing.T) {
	everyStack(t, func(t stackTest) {
		for _, afar := range []bool{false, true} {
			if afar && t.stack.name != netHTTP.name {
				continue
			}
			w := newWorld(t, t.stack, setup{afar: afar, timeout: 10 * time.Second})
			for range 2 {
				w.Same(q(`{ ask(query: "{ item(id: 1) { name } }") }`))
				w.Same(q(`{ ask(query: "") }`))
				w.Same(q(`{ a: ask(query: "{ whoami }") b: ask(query: "{ whoami }") }`))
			}
		}
	})
}

// TestStampede: nobody leaves, and one computation serves all; a leader leaves, and it is at most two more.
func TestStampede(t *testing.T) {
	everyStack(t, func(t stackTest) {
		for _, leaves := range []bool{false, true} {
			w := newWorld(t, t.stack, setup{})
			open := w.cached.gates.Close("slow")
			leader := w.send(w.Cached, q(`{ slow(id: 1) { name } }`))
			var joiners []*client
			for range 50 {
				joiners = append(joiners, w.send(w.Cached, q(`{ slow(id: 1) { name } }`)))
			}
			if leaves {
				leader.leave()
				synctest.Wait()
			}
			open()
			for _, j := range joiners {
				j.want(t, "a joiner", `{"data":{"slow":{"name":"item a"}}}`)
			}
			leader.wait(t, "the leader")
			most := 1
			if leaves {
				most = 3
			}
			if n := w.cached.gates.Count("slow"); n > most {
				t.Errorf("leader leaves: %t: %d computations, want at most %d", leaves, n, most)
			}
		}
	})
}

// TestFailingOperationsRunInParallel: what can never be shared keeps nobody waiting for others.
func TestFailingOperationsRunInParallel(t *testing.T) {
	everyStack(t, func(t stackTest) {
		w := newWorld(t, t.stack, setup{})
		const query = `{ slow(id: 1) { name } perhaps(how: ERROR) }`
		open := w.cached.gates.Close("slow")
		leader := w.send(w.Cached, q(query))
		var joiners []*client
		for range 20 {
			joiners = append(joiners, w.send(w.Cached, q(query)))
		}
		reopened := w.cached.gates.Close("slow") // whoever starts over waits here
		open()
		leader.wait(t, "the leader")
		synctest.Wait()
		if n := w.cached.gates.Count("slow"); n != 21 {
			t.Errorf("%d of 21 computations run at the same time", n)
		}
		reopened()
		for _, j := range joiners {
			j.wait(t, "the joiner")
			if j.answer.String() != leader.answer.String() {
				t.Errorf("a joiner got %s", j.answer)
			}
		}
	})
}

// TestRepeatedLeavers: a client that opens and closes the same request all the time keeps nobody from an answer.
func TestRepeatedLeavers(t *testing.T) {
	everyStack(t, func(t stackTest) {
		w := newWorld(t, t.stack, setup{})
		open := w.cached.gates.Close("slow")
		first := w.send(w.Cached, q(`{ slow(id: 1) { name } }`))
		honest := w.send(w.Cached, q(`{ slow(id: 1) { name } }`))
		for range 20 {
			next := w.send(w.Cached, q(`{ slow(id: 1) { name } }`))
			first.leave()
			<-time.After(10 * time.Millisecond)
			first = next
		}
		if n := w.cached.gates.Count("slow"); n > 25 {
			t.Errorf("%d computations", n)
		}
		open()
		honest.want(t, "who stayed", `{"data":{"slow":{"name":"item a"}}}`)
		first.leave()
		first.wait(t, "the last one")
	})
}

// TestMutationsAreNotEndedByLeavers: a mutation whose client leaves invalidates all the same.
func TestMutationsAreNotEndedByLeavers(t *testing.T) {
	everyStack(t, func(t stackTest) {
		w := newWorld(t, t.stack, setup{})
		w.send(w.Cached, q(`{ items { name } }`)).want(t, "a request", w.ask(context.Background(), w.Plain, q(`{ items { name } }`)).Body)
		open := w.cached.gates.Close("part.item")
		m := w.send(w.Cached, q(`mutation { updateItem(id: 1, input: {name: "new"}) { parts { item { name } } } }`))
		m.leave()
		synctest.Wait()
		open()
		m.wait(t, "the mutation")
		truth := w.ask(context.Background(), w.Oracle, q(`{ items { name } }`)).Body
		w.send(w.Cached, q(`{ items { name } }`)).want(t, "a later request", truth)
	})
}

// TestLeadersWhoPanic: what panics beside the resolvers is the server's own business, and joiners are answered.
func TestLeadersWhoPanic(t *testing.T) {
	everyStack(t, func(t stackTest) {
		var mu sync.Mutex
		panics := map[string]int{}
		w := newWorld(t, t.stack, setup{after: func(s *site) {
			s.graph.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
				out := next(ctx)
				mu.Lock()
				defer mu.Unlock()
				if graphql.GetRootFieldContext(ctx).Field.Name == "slow" {
					if panics[s.env.User(ctx)]++; panics[s.env.User(ctx)] == 1 {
						panic("once")
					}
				}
				return out
			})
		}})
		open := w.cached.gates.Close("slow")
		leader := w.send(w.Cached, q(`{ slow(id: 1) { name } }`))
		joiner := w.send(w.Cached, q(`{ slow(id: 1) { name } }`))
		open()
		joiner.want(t, "the joiner", `{"data":{"slow":{"name":"item a"}}}`)
		leader.wait(t, "the leader")
		mu.Lock()
		clear(panics)
		mu.Unlock()
		want := w.ask(context.Background(), w.Plain, q(`{ slow(id: 1) { name } }`))
		if got := leader.answer.String(); got != want.String() {
			t.Errorf("the leader got\n%s\nwant\n%s", got, want)
		}
	})
}
