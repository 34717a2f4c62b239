package gqlcache

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// DebugHeader is the request header that asks for extensions.cache, with the value
// "true", and without which the inspector does not listen. A browser sends it to another
// origin only after a preflight.
const DebugHeader = "X-Gqlcache-Debug"

// Inspector lets clients see what the cache does. A request with the header
// X-Gqlcache-Debug: true is told in extensions.cache what became of it; one that has an
// inspect.Request in its own extensions.cache gets a snapshot instead of its answer, or
// changes the cache. Everything is JSON as described in package inspect.
//
// To whom it is not allowed, and without the header, the server behaves as one without an
// inspector.
type Inspector struct {
	// Allow says who may see extensions.cache and snapshots. Those are of all callers:
	// who may look learns which operations the other tenants run and how often, which of
	// their mutations changed which rows, by key, and whether two of them share an
	// answer. So it is for the people who run the server, not for tenants. It is called
	// once for each operation with the header, when other extensions have let it pass.
	// New also asks it about a context without a request, and warns when that is allowed,
	// too: then everybody is. Defaults to nobody.
	Allow func(ctx context.Context) bool
	// Actions says who, of those allowed, may also drop answers and bypass the cache, by
	// requests other than GET. It needs Cache.Handler around the server, which knows the
	// method of a request. Defaults to nobody.
	Actions func(ctx context.Context) bool
	// HideVariables leaves out the names of variables, which are all that is shown of
	// them beside a fingerprint. Defaults to false. What a client writes into the text of
	// an operation, rather than into variables, is in the hash that names the operation,
	// for which there is no secret: it can be guessed.
	HideVariables bool
	// HideIDs leaves out the keys of rows. Defaults to false. It does not look into what
	// clients choose: names of operations, and the names that they give to fields, which
	// Verify's paths show.
	HideIDs bool
	// Instance names this process in snapshots. Defaults to a random name.
	Instance string
}

// newInspector returns the inspector of a cache.
func (c *Cache) newInspector() *inspector.Inspector {
	in := &c.opts.Inspector
	return inspector.New(inspector.Config{
		Listens: in.Allow != nil, HideIDs: in.HideIDs, HideVariables: in.HideVariables,
		Vary: c.opts.Vary != nil, Several: c.opts.Log != nil, Now: c.opts.Now, Failed: c.shield.Failed,
		Schema: func() *plans.Schema {
			if st := c.schema.Load(); st != nil {
				return st.Schema
			}
			return nil
		},
	})
}

// permits asks a function of the options; a panic is a no.
func permits(ctx context.Context, f func(context.Context) bool) bool {
	if f == nil {
		return false
	}
	ok, err := safe.Call(func() (bool, error) { return f(ctx), nil })
	return err == nil && ok
}

// warnOfOpenInspector warns of an inspector that everybody may use: one that asks for
// nothing in the context lets the whole world in.
func (c *Cache) warnOfOpenInspector() {
	if !permits(context.Background(), c.opts.Inspector.Allow) {
		return
	}
	c.opts.Logger.Warn("gqlcache: everybody may use the inspector, which shows names of operations and keys of rows: let Options.Inspector.Allow look at the request",
		"actions", permits(context.Background(), c.opts.Inspector.Actions))
}

// newInstance returns a name for a process.
func newInstance() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return "cache-" + hex.EncodeToString(b[:])
}

// access is what a request that the inspector listens to may do, and asks for.
type access struct {
	actions bool
	ask     inspect.Request
	fault   error // of what it asks for
}

// access returns nil unless the request may speak to the inspector.
func (c *Cache) access(ctx context.Context, oc *graphql.OperationContext) *access {
	in := &c.opts.Inspector
	if in.Allow == nil || oc.Headers.Get(DebugHeader) != "true" || !permits(ctx, in.Allow) {
		return nil
	}
	a := &access{}
	if wire.ExchangeFrom(ctx).Method() == http.MethodPost {
		a.actions = permits(ctx, in.Actions)
	}
	if raw, ok := oc.Extensions["cache"]; ok {
		b, err := json.Marshal(raw)
		if err == nil {
			err = json.Unmarshal(b, &a.ask)
		}
		if err != nil {
			a.ask, a.fault = inspect.Request{}, fmt.Errorf("gqlcache: extensions.cache of the request: %w", err)
		}
	}
	return a
}

// inspects says that the request is for the inspector, and its operation is not to run.
// What needs the permission for actions is not heard without.
func (a *access) inspects() bool {
	if a == nil {
		return false
	}
	if a.ask.Action != nil {
		return a.actions
	}
	return a.ask.Inspect != nil
}

// bypasses says that the request asks for an answer without the cache, and may.
func (a *access) bypasses() bool { return a.ask.Bypass && a.actions }

// inspect answers a request to the inspector.
func (c *Cache) inspect(ctx context.Context, r *request, oc *graphql.OperationContext) *graphql.Response {
	r.out.fate, r.out.ended = inspector.Inspected, true
	x := r.out.short().Extension()
	x.Operation = inspect.Operation{Name: oc.Operation.Name, Type: string(oc.Operation.Operation)}
	start := time.Now()
	if ask := r.access.ask.Action; ask != nil {
		x.Action = c.act(ctx, ask)
	}
	if ask := r.access.ask.Inspect; ask != nil {
		c.inspector.Watch()
		s := c.snapshot(ask.Since) //nolint:contextcheck // what it lists does not end with the request
		s.Capabilities.Actions = r.access.actions
		s.Warnings = append(c.unwrapped(ctx), s.Warnings...)
		x.Inspect = &s
	}
	x.DurationUS = time.Since(start).Microseconds()
	r.note = &inspector.Note{Explanation: x}
	resp := respond(ctx, []byte("{}"))
	extend(resp, x)
	wire.ExchangeFrom(ctx).Report(&x)
	return resp
}
