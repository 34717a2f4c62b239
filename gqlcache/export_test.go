package gqlcache

import (
	"context"
	"runtime"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
)

// StopInApply returns the sink with a function that is called between the two steps of
// Apply.
func StopInApply(s changelog.Sink, f func()) changelog.Sink {
	own := s.(fleet.Sink)
	own.Noted = f
	return own
}

// Reasons are all reasons there are.
func Reasons() []Reason { return reasons }

// BuildOf returns the build that options get when the program's digest is what the
// function returns, and what is wrong with them then.
func BuildOf(o Options, executable func() (string, error)) (string, error) {
	o = o.withDefaults()
	o.knowBuild(executable)
	return o.Build, o.validate()
}

// AwaitDueSweeps returns when no sweep is due, and none is running.
func AwaitDueSweeps(ctx context.Context, c *Cache) error {
	for ctx.Err() == nil {
		if !c.engine.SweepDue() {
			return nil
		}
		runtime.Gosched()
	}
	return ctx.Err()
}

// UseClock gives a cache, before its first request, a clock whose panics are not caught
// where it is called.
func UseClock(c *Cache, now func() time.Time) {
	c.opts.Now = now
	c.inspector = c.newInspector()
}

// IsDue is the rule of Options.EarlyRefresh.
func IsDue(took time.Duration, beta float64, left time.Duration, drawn float64) bool {
	return isDue(took, beta, left, drawn)
}

// Outside is what publishes the commits that were seen outside of operations.
type Outside struct{ q commits }

// NewOutside returns one whose commits wait for as long as most.
func NewOutside(most time.Duration, publish func(fleet.Change) fleet.Publication) *Outside {
	return &Outside{commits{
		ahead: func() *fleet.Ahead { return nil }, apply: func(fleet.Change) uint64 { return 0 },
		publish: publish, most: most,
	}}
}

// Add publishes a change.
func (o *Outside) Add(ctx context.Context) (published bool) {
	_, published = o.q.add(ctx, fleet.Change{All: true})
	return published
}

// Await returns when all that was added is published, with what became of the last that
// was not confirmed, and how many these were.
func (o *Outside) Await() (fleet.Publication, uint64) { return o.q.await() }

// Wait returns when nothing is being published any more.
func (o *Outside) Wait() { o.q.idle.Wait() }

// TransportsIn returns where a server, a pointer to a struct, keeps its transports.
func TransportsIn(server any) *[]graphql.Transport { return transportsIn(server) }

// InstallUnseen is Install for a server whose transports cannot be seen.
func InstallUnseen(srv *handler.Server, c *Cache, transports ...graphql.Transport) {
	install(srv, nil, c, transports)
}

// SinkOf is what the handles of Options.Observe tell.
func SinkOf(c *Cache) footprint.Sink { return c.observing }

// LookedAt returns which of the first n computations of an operation are compared with its
// directives.
func LookedAt(n int) (list []int) {
	d := &document{}
	for i := range n {
		if d.isLookedAt() {
			list = append(list, i+1)
		}
	}
	return list
}

// Matches says whether a name matches a pattern.
func Matches(pattern, name string) bool { return matches(pattern, name) }

// MaxNames bounds the names that are matched by themselves.
const MaxNames = maxNames

// AroundExecutions returns what watches the fields of an operation that say what they read,
// and what tells the first of them that has said nothing.
func AroundExecutions(op *cascade.Operation) (around func(graphql.FieldMiddleware) graphql.FieldMiddleware, unsaid func() string) {
	x := &executions{operation: op}
	x.mu.running = map[*graphql.FieldContext]bool{}
	return x.around, x.unsaid
}

// MaxPatterns bounds the patterns of a change.
const MaxPatterns = maxPatterns

// AddPattern adds a pattern to those of a change.
func AddPattern(list []string, pattern string) []string { return addPattern(list, pattern) }
