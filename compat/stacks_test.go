package compat_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/cascadeql/cascadeql/compat/internal/shop"
	"github.com/cascadeql/cascadeql/compat/internal/twin"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"
)

func init() { gin.SetMode(gin.ReleaseMode) }

// newCache returns a cache that is closed with the test. Without a predicate all callers see the same.
func newCache(t testing.TB, o gqlcache.Options) *gqlcache.Cache {
	t.Helper()
	if o.Predicate == nil {
		o.Callers = gqlcache.AllSeeTheSame
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	o.SweepInterval = -1
	c, err := gqlcache.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// A stack is what is around gqlgen's handler in a server: its router, its context, its middlewares.
type stack struct {
	name string
	// env says how resolvers find the caller and the response: each stack keeps them in its own context.
	env func() *shop.Env
	// wrap puts the stack around a handler. Its context ends after timeout, unless that is 0.
	wrap func(h http.Handler, timeout time.Duration) http.Handler
}

var stacks = []stack{netHTTP, ginStack, echoStack, chiStack}

// stacksAndFiber has the one whose contexts do not end when a client leaves.
var stacksAndFiber = append(stacks[:4:4], fiberStack)

type (
	userKey   struct{}
	innerKey  struct{}
	writerKey struct{}
)

func unknownWriter(context.Context) http.ResponseWriter { return httptest.NewRecorder() }

func contextEnv() *shop.Env {
	return &shop.Env{
		User: func(ctx context.Context) string {
			name, _ := ctx.Value(userKey{}).(string)
			return name
		},
		Writer: func(ctx context.Context) http.ResponseWriter { return ctx.Value(writerKey{}).(http.ResponseWriter) },
	}
}

func withTimeout(r *http.Request, timeout time.Duration) (*http.Request, context.CancelFunc) {
	if timeout == 0 {
		return r, func() {}
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	return r.WithContext(ctx), cancel
}

// netHTTP is the standard library: caller and response are values of the context.
var netHTTP = stack{"net/http", contextEnv, func(h http.Handler, timeout time.Duration) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/graphql", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, cancel := withTimeout(r, timeout)
		defer cancel()
		ctx := context.WithValue(r.Context(), userKey{}, r.Header.Get("X-User"))
		h.ServeHTTP(w, r.WithContext(context.WithValue(ctx, writerKey{}, w)))
	}))
	return mux
}}

type ginKey struct{}

// ginStack has gqlgen's own recipe: the pooled gin.Context in the context of resolvers.
var ginStack = stack{
	"gin", func() *shop.Env {
		from := func(ctx context.Context) *gin.Context { return ctx.Value(ginKey{}).(*gin.Context) }
		return &shop.Env{
			User:   func(ctx context.Context) string { return from(ctx).GetString("user") },
			Writer: func(ctx context.Context) http.ResponseWriter { return from(ctx).Writer },
		}
	},
	func(h http.Handler, timeout time.Duration) http.Handler {
		engine := gin.New()
		engine.Use(gin.RecoveryWithWriter(io.Discard))
		engine.Use(func(c *gin.Context) {
			c.Set("user", c.GetHeader("X-User"))
			r, cancel := withTimeout(c.Request, timeout)
			defer cancel()
			c.Request = r.WithContext(context.WithValue(r.Context(), ginKey{}, c))
			c.Next()
		})
		engine.Any("/graphql", func(c *gin.Context) { h.ServeHTTP(c.Writer, c.Request) })
		return engine
	},
}

type echoKey struct{}

// echoStack has the pooled echo.Context in the context of resolvers, and gzip for those who ask.
var echoStack = stack{
	"echo", func() *shop.Env {
		from := func(ctx context.Context) echo.Context { return ctx.Value(echoKey{}).(echo.Context) }
		return &shop.Env{
			User: func(ctx context.Context) string {
				name, _ := from(ctx).Get("user").(string)
				return name
			},
			Writer: func(ctx context.Context) http.ResponseWriter { return from(ctx).Response() },
		}
	},
	func(h http.Handler, timeout time.Duration) http.Handler {
		e := echo.New()
		e.Use(echomiddleware.RecoverWithConfig(echomiddleware.RecoverConfig{LogErrorFunc: func(_ echo.Context, err error, _ []byte) error { return err }}))
		e.Use(echomiddleware.Gzip())
		if timeout > 0 {
			e.Use(echomiddleware.ContextTimeout(timeout))
		}
		e.Any("/graphql", func(c echo.Context) error {
			c.Set("user", c.Request().Header.Get("X-User"))
			r := c.Request()
			r = r.WithContext(context.WithValue(r.Context(), echoKey{}, c))
			c.SetRequest(r)
			h.ServeHTTP(c.Response(), r)
			return nil
		})
		return e
	},
}

// chiStack has the caller in a parameter of the route, which is in chi's pooled route context.
var chiStack = stack{
	"chi", func() *shop.Env {
		return &shop.Env{
			User: func(ctx context.Context) string {
				return strings.TrimPrefix(chi.RouteContext(ctx).URLParam("user"), "as-")
			},
			Writer: func(ctx context.Context) http.ResponseWriter { return ctx.Value(writerKey{}).(http.ResponseWriter) },
		}
	},
	func(h http.Handler, timeout time.Duration) http.Handler {
		router := chi.NewRouter()
		router.Use(chimiddleware.RequestID, chimiddleware.Compress(5))
		if timeout > 0 {
			router.Use(chimiddleware.Timeout(timeout))
		}
		router.Handle("/{user}/graphql", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), writerKey{}, w)))
		}))
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.URL.Path = "/as-" + r.Header.Get("X-User") + "/graphql"
			router.ServeHTTP(w, r)
		})
	},
}

// fiberStack has the caller in fiber's locals, that is in fasthttp's pooled context.
var fiberStack = stack{
	"fiber", func() *shop.Env {
		return &shop.Env{
			User: func(ctx context.Context) string {
				name, _ := ctx.Value("user").(string)
				return name
			},
			Writer: unknownWriter,
		}
	},
	func(h http.Handler, _ time.Duration) http.Handler {
		app := fiber.New()
		app.Use(func(c fiber.Ctx) error {
			c.Locals("user", strings.Clone(c.Get("X-User")))
			return c.Next()
		})
		app.All("/graphql", adaptor.HTTPHandler(h))
		return adaptor.FiberApp(app)
	},
}

// A site is one server.
type site struct {
	store *shop.Store
	gates *shop.Gates
	env   *shop.Env
	graph *handler.Server
}

// A setup says what there is beside the stack.
type setup struct {
	options gqlcache.Options
	timeout time.Duration
	// before and after use extensions on a server before and after the cache is.
	before, after func(s *site)
	// wrap is around gqlgen's handler, within the stack; cache is nil in servers without.
	wrap func(h http.Handler, cache *gqlcache.Cache) http.Handler
	// afar has resolvers that ask their own server do so over a connection: nothing of the context gets there.
	afar bool
}

// A world is a pair of servers with the shop on one stack.
type world struct {
	*twin.Pair
	cache         *gqlcache.Cache
	plain, cached *site
}

// byUser is the predicate of a server whose callers see different things.
func byUser(env *shop.Env) func(context.Context) (gqlcache.Predicate, error) {
	return func(ctx context.Context) (gqlcache.Predicate, error) {
		return gqlcache.Predicate{Text: "user = '" + env.User(ctx) + "'"}, nil
	}
}

func newWorld(t testing.TB, st stack, s setup) *world {
	t.Helper()
	w := &world{Pair: &twin.Pair{T: t, Contract: &twin.Contract{}}}
	env := st.env()
	if s.options.Predicate == nil {
		// @hasRole looks at the caller, who is in the predicate, and @lower at nothing beside its argument.
		s.options.Predicate, s.options.DirectivesCovered = byUser(env), []string{"hasRole", "lower"}
	}
	w.cache = newCache(t, s.options)
	w.plain, w.Plain = w.serve(st, s, shop.NewStore(), nil)
	w.cached, w.Cached = w.serve(st, s, shop.NewStore(), w.cache)
	_, w.Oracle = w.serve(st, s, w.cached.store, nil)
	t.Cleanup(w.Check)
	t.Cleanup(func() {
		w.plain.gates.OpenAll()
		w.cached.gates.OpenAll()
	})
	return w
}

func (w *world) serve(st stack, s setup, store *shop.Store, cache *gqlcache.Cache) (*site, http.Handler) {
	out := &site{store: store, gates: &shop.Gates{}, env: st.env()}
	out.graph = shop.NewServer(&shop.Resolver{Store: store, Gates: out.gates, Env: out.env})
	out.graph.AroundFields(w.Contract.Fields)
	if s.before != nil {
		s.before(out)
	}
	if cache != nil {
		out.graph.Use(cache)
	}
	if s.after != nil {
		s.after(out)
	}
	var h http.Handler = out.graph
	if s.wrap != nil {
		h = s.wrap(h, cache)
	}
	h = w.Contract.Around(h)
	front := st.wrap(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ctx := shop.WithLoaders(r.Context(), shop.NewLoaders(store))
		if r.Header.Get("X-Inner") != "" {
			ctx = context.WithValue(ctx, innerKey{}, true)
		}
		h.ServeHTTP(rw, r.WithContext(ctx))
	}), s.timeout)
	out.env.DoNotStore, out.env.Private, out.env.MaxAge = gqlcache.DoNotStore, gqlcache.Private, gqlcache.MaxAge
	out.env.Commit = func(context.Context) error { return nil }
	if cache != nil {
		out.env.Commit = gqlcache.Commit
	}
	out.env.Inner = func(ctx context.Context) bool { return ctx.Value(innerKey{}) != nil }
	out.env.Ask = func(ctx context.Context, query string) string {
		r := twin.Request{Query: query, User: out.env.User(ctx), Header: map[string]string{"X-Inner": "yes"}}
		// chi would route the inner request on the outer one's route context, which other resolvers are reading.
		ctx = context.WithValue(ctx, chi.RouteCtxKey, nil)
		if s.afar {
			ctx = context.Background()
		}
		rec := httptest.NewRecorder()
		front.ServeHTTP(rec, r.HTTP(twin.Apart(ctx)))
		return rec.Body.String()
	}
	return out, front
}

// hits fails the test unless something that do asks for is answered from the cache.
func (w *world) hits(do func()) {
	w.T.Helper()
	before := w.cache.Stats().Hits
	do()
	if w.cache.Stats().Hits == before {
		w.T.Error("nothing was answered from the cache")
	}
}

// ask sends one request to one of the servers.
func (w *world) ask(ctx context.Context, h http.Handler, r twin.Request) twin.Answer {
	return w.Contract.Serve(ctx, h, r)
}

func (s *site) use(exts ...graphql.HandlerExtension) {
	for _, e := range exts {
		s.graph.Use(e)
	}
}

// q is a query by alice.
func q(text string) twin.Request { return twin.Request{Query: text, User: "alice"} }
