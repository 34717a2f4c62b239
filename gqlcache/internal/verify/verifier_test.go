package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

const (
	timeout = time.Minute
	grace   = time.Second

	before = `{"post":{"title":"a secret title"}}`
	after  = `{"post":{"title":"another secret title"}}`
)

// A rig is a verifier with functions in place of a cache.
type rig struct {
	*Verifier
	t     *testing.T
	log   bytes.Buffer
	plan  *cascade.Plan
	read  *cascade.Operation
	write *cascade.Operation
	seq   atomic.Uint64
	// valid, fresh and servers are what the cache says of the entry, the instance and the
	// servers.
	valid, fresh, oneServer atomic.Bool
	entry                   Entry
	// compute recomputes the hit; calls is how many times it did.
	compute Recompute
	calls   int
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	schema := gqlparser.MustLoadSchema(
		&ast.Source{Name: "cascade.graphql", Input: cascade.SDL("")},
		&ast.Source{Name: "schema.graphql", Input: `
type Post @view(name: "v_post") { id: ID! title: String! }
type Tag @view(name: "v_tag") { id: ID! name: String! }
type Query { post: Post @reads(view: "Post") }
type Mutation { tag(id: ID!): Tag @writes(view: "Tag", op: "UPDATE", row: "args.id") }`})
	plan, err := cascade.Compile(schema, cascade.Options{})
	if err != nil {
		t.Fatal(err)
	}
	operation := func(text string) *cascade.Operation {
		doc, err := gqlparser.LoadQuery(schema, text)
		if err != nil {
			t.Fatal(err)
		}
		op, fault := plan.Operation(doc, doc.Operations[0])
		if fault != nil {
			t.Fatal(fault)
		}
		return op
	}
	r := &rig{t: t, plan: plan, read: operation(`{post{title}}`), write: operation(`mutation{tag(id:1){name}}`)}
	r.seq.Store(10)
	r.valid.Store(true)
	r.fresh.Store(true)
	r.oneServer.Store(true)
	logger := slog.New(slog.NewTextHandler(&r.log, nil))
	cfg := Config{
		Rate: 1, Timeout: timeout, Concurrency: 1, Grace: grace, MaxBytes: 1 << 20,
		Now: time.Now, Logger: logger, Once: &safe.Once{Log: logger},
		Fingerprint: func(what string, b []byte) string { return fmt.Sprint(what, len(b)) },
		OneServer:   r.oneServer.Load,
		Plan:        func() *cascade.Plan { return plan },
		Seq:         r.seq.Load,
		Fresh:       r.fresh.Load,
	}
	if change != nil {
		change(&cfg)
	}
	r.Verifier = New(cfg)
	t.Cleanup(r.Close)
	return r
}

// hit returns a hit of the rig's entry.
func (r *rig) hit() Hit {
	return Hit{
		Operation: inspect.Operation{Name: "Read", Type: "query", Hash: "hash"}, Op: r.read, Key: "a secret key",
		Body: []byte(before), Entry: &r.entry, Born: 5, Stored: time.Now().UnixNano(), Valid: r.valid.Load,
	}
}

// sample has the hit recomputed on a context.
func (r *rig) sample(ctx context.Context) {
	r.Sample(r.hit(), func() (context.Context, Recompute, error) {
		return ctx, func(ctx context.Context) (*Answer, Skip) {
			r.calls++
			return r.compute(ctx)
		}, nil
	})
}

// gives returns a function that gives answers, one by one, and the last one from then on.
func gives(answers ...string) Recompute {
	return func(context.Context) (*Answer, Skip) {
		a := answers[0]
		if len(answers) > 1 {
			answers = answers[1:]
		}
		return &Answer{Data: []byte(a), Result: &extractor.Result{Data: []byte(a)}, Failed: a == ""}, SkipNone
	}
}

func (r *rig) outcome() string {
	s := r.Stats()
	return fmt.Sprint(s.Sampled, ": ", s.Confirmed, " confirmed, ", s.Discounted, " discounted, ", s.Unstable, " unstable, ", s.Mismatched, " mismatched, ", s.SkippedBy)
}

// pass lets time go by, beyond the grace.
func pass() {
	synctest.Wait()
	time.Sleep(3 * grace)
	synctest.Wait()
}

func TestVerifier(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	never, cancel := context.WithCancel(ctx)
	cancel()
	for _, row := range []struct {
		name   string
		change func(*Config)
		run    func(r *rig)
		want   string
	}{
		{"the same", nil, func(r *rig) {
			r.compute = gives(before)
			r.sample(ctx)
		}, "1: 1 confirmed, 0 discounted, 0 unstable, 0 mismatched, map[]"},
		{"another one", nil, func(r *rig) {
			r.compute = gives(after)
			r.sample(ctx)
		}, "1: 0 confirmed, 0 discounted, 0 unstable, 1 mismatched, map[]"},
		{"it fails", nil, func(r *rig) {
			r.compute = gives("")
			r.sample(ctx)
		}, "1: 0 confirmed, 0 discounted, 0 unstable, 1 mismatched, map[]"},
		{"another one each time", nil, func(r *rig) {
			r.compute = gives("{}", after)
			r.sample(ctx)
		}, "1: 0 confirmed, 0 discounted, 1 unstable, 0 mismatched, map[]"},
		{"right again after the grace", nil, func(r *rig) {
			r.compute = gives(after, after, before)
			r.sample(ctx)
		}, "1: 0 confirmed, 0 discounted, 1 unstable, 0 mismatched, map[]"},
		{"invalidated when it was recomputed", nil, func(r *rig) {
			r.compute = gives(after)
			r.valid.Store(false)
			r.sample(ctx)
		}, "1: 0 confirmed, 1 discounted, 0 unstable, 0 mismatched, map[]"},
		{"the instance lags behind", nil, func(r *rig) {
			r.compute = gives(after)
			r.fresh.Store(false)
			r.sample(ctx)
		}, "1: 0 confirmed, 1 discounted, 0 unstable, 0 mismatched, map[]"},
		{"invalidated in the grace, by a mutation", nil, func(r *rig) {
			r.compute = gives(after)
			r.sample(ctx)
			synctest.Wait()
			r.valid.Store(false)
		}, "1: 0 confirmed, 0 discounted, 0 unstable, 1 mismatched, map[]"},
		{"invalidated in the grace, from outside", nil, func(r *rig) {
			r.compute = gives(after)
			r.sample(ctx)
			synctest.Wait()
			r.valid.Store(false)
			r.ChangedOutside()
		}, "1: 0 confirmed, 1 discounted, 0 unstable, 0 mismatched, map[]"},
		{"invalidated in the grace, with other instances", func(c *Config) { c.Instances = true }, func(r *rig) {
			r.compute = gives(after)
			r.sample(ctx)
			synctest.Wait()
			r.valid.Store(false)
		}, "1: 0 confirmed, 1 discounted, 0 unstable, 0 mismatched, map[]"},
		{"a mutation that was running is applied", nil, func(r *rig) {
			m := r.Begin("Tag", r.write.Writers())
			r.compute = gives(after)
			r.sample(ctx)
			pass()
			if got := r.outcome(); !strings.Contains(got, "0 discounted, 0 unstable, 0 mismatched") {
				r.t.Errorf("judged while a mutation runs: %s", got)
			}
			r.valid.Store(false)
			r.End(m)
		}, "1: 0 confirmed, 1 discounted, 0 unstable, 0 mismatched, map[]"},
		{"a mutation that began later is not waited for", nil, func(r *rig) {
			r.compute = gives(after)
			r.sample(ctx)
			synctest.Wait()
			r.Begin("Tag", r.write.Writers())
		}, "1: 0 confirmed, 0 discounted, 0 unstable, 1 mismatched, map[]"},
		{"a mutation does not end", nil, func(r *rig) {
			r.Begin("Tag", r.write.Writers())
			r.compute = gives(after)
			r.sample(ctx)
			time.Sleep(2 * timeout)
		}, "1: 0 confirmed, 0 discounted, 0 unstable, 0 mismatched, map[mutations:1]"},
		{"no pair agrees while a mutation runs", nil, func(r *rig) {
			r.Begin("Tag", r.write.Writers())
			r.compute = func(ctx context.Context) (*Answer, Skip) { return gives(fmt.Sprint(r.calls))(ctx) }
			r.sample(ctx)
			synctest.Wait()
			if r.calls != 2*maxPairs {
				r.t.Errorf("%d recomputations", r.calls)
			}
		}, "1: 0 confirmed, 0 discounted, 0 unstable, 0 mismatched, map[busy:1]"},
		{"several servers", nil, func(r *rig) {
			r.oneServer.Store(false)
			r.sample(ctx)
		}, "1: 0 confirmed, 0 discounted, 0 unstable, 0 mismatched, map[servers:1]"},
		{"twice at a time", nil, func(r *rig) {
			r.compute = gives(before)
			r.sample(ctx)
			r.sample(ctx)
		}, "2: 1 confirmed, 0 discounted, 0 unstable, 0 mismatched, map[repeated:1]"},
		{"a reason not to compare", nil, func(r *rig) {
			r.compute = func(context.Context) (*Answer, Skip) { return nil, SkipUnstored }
			r.sample(ctx)
		}, "1: 0 confirmed, 0 discounted, 0 unstable, 0 mismatched, map[unstored:1]"},
		{"its context has ended", nil, func(r *rig) {
			r.compute = gives(after)
			r.sample(never)
		}, "1: 0 confirmed, 0 discounted, 0 unstable, 0 mismatched, map[context:1]"},
		{"no context", nil, func(r *rig) {
			r.Sample(r.hit(), func() (context.Context, Recompute, error) { return nil, nil, errors.New("none") })
		}, "1: 0 confirmed, 0 discounted, 0 unstable, 0 mismatched, map[context:1]"},
		{"the goroutine that asks for a context ends", nil, func(r *rig) {
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				r.Sample(r.hit(), func() (context.Context, Recompute, error) {
					runtime.Goexit()
					return nil, nil, nil
				})
			}()
			<-ended
			if r.queue.mu.held != 0 || r.entry.checking.Load() {
				r.t.Errorf("%d places are held, and the entry is verified: %t", r.queue.mu.held, r.entry.checking.Load())
			}
		}, "1: 0 confirmed, 0 discounted, 0 unstable, 0 mismatched, map[context:1]"},
		{"the goroutine that recomputes ends", nil, func(r *rig) {
			r.compute = func(context.Context) (*Answer, Skip) {
				runtime.Goexit()
				return nil, SkipNone
			}
			r.sample(ctx)
		}, "1: 0 confirmed, 0 discounted, 0 unstable, 0 mismatched, map[ended:1]"},
		{"a panic", nil, func(r *rig) {
			r.compute = func(context.Context) (*Answer, Skip) { panic("broken") }
			r.sample(ctx)
		}, "1: 0 confirmed, 0 discounted, 0 unstable, 0 mismatched, map[ended:1]"},
		{"closed while it is recomputed", nil, func(r *rig) {
			r.compute = func(ctx context.Context) (*Answer, Skip) {
				<-ctx.Done()
				return gives(after)(ctx)
			}
			r.sample(ctx)
			synctest.Wait()
			r.Close()
		}, "1: 0 confirmed, 0 discounted, 0 unstable, 0 mismatched, map[closed:1]"},
		{"closed before", nil, func(r *rig) {
			r.Close()
			r.sample(ctx)
		}, "1: 0 confirmed, 0 discounted, 0 unstable, 0 mismatched, map[full:1]"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, row.change)
				row.run(r)
				pass()
				if got := r.outcome(); got != row.want {
					t.Errorf("got %s, want %s", got, row.want)
				}
				if log := r.log.String(); strings.Contains(log, "secret") {
					t.Errorf("logged %s", log)
				}
				if r.entry.checking.Load() {
					t.Error("the entry is never verified again")
				}
			})
		})
	}
}

// TestMismatch: a report names the place, the mutations since and what their declarations
// lack.
func TestMismatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		m := r.Begin("Old", r.write.Writers())
		r.seq.Store(4)
		r.End(m) // before the entry
		long := strings.Repeat("x", 2*maxText)
		m = r.Begin(long, r.write.Writers())
		events, _ := r.write.Events(cascade.Outcome{Vars: map[string]any{}})
		m.Record(events)
		r.seq.Store(6)
		r.End(m)
		r.compute = gives(after)
		for range 2 {
			r.sample(t.Context())
			pass()
		}
		found := r.Stats().Mismatches
		if len(found) != 2 || strings.Count(r.log.String(), "\n") != 1 {
			t.Fatalf("%d mismatches, log %s", len(found), r.log.String())
		}
		got := found[0]
		want := []inspect.Suspect{{
			Mutation: long[:maxText] + "…", Field: "Mutation.tag", At: got.Suspects[0].At,
			Missing: "@writes of Mutation.tag does not reach v_post, which Post.title reads",
		}}
		if got.Path != "post.title" || got.Field != "Post.title" || got.Kind != mismatchStale || fmt.Sprint(got.Suspects) != fmt.Sprint(want) {
			t.Errorf("%+v", got)
		}
	})
}

// TestQueueTurns: entries that were never recomputed come first, and one turn of three is
// for the others.
func TestQueueTurns(t *testing.T) {
	t.Parallel()
	var q queue
	jobs := func(n int, seen bool) (list []*job) {
		for range n {
			list = append(list, &job{seen: seen})
		}
		return list
	}
	q.mu.first, q.mu.again = jobs(5, false), jobs(4, true)
	q.mu.resumed = []*job{{differing: &Answer{}}}
	var order strings.Builder
	for j := q.pick(); j != nil; j = q.pick() {
		switch {
		case j.differing != nil:
			order.WriteString("resumed ")
		case j.seen:
			order.WriteString("again ")
		default:
			order.WriteString("first ")
		}
	}
	if got := order.String(); got != "resumed first first again first first again first again again " {
		t.Error(got)
	}
}
