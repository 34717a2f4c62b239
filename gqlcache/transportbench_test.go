package gqlcache_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/ast"
)

// discarding is a writer as net/http has one, without a connection.
type discarding struct {
	header http.Header
	bytes  int
}

func (d *discarding) Header() http.Header         { return d.header }
func (d *discarding) WriteHeader(int)             {}
func (d *discarding) Write(b []byte) (int, error) { d.bytes += len(b); return len(b), nil }

// static answers with bytes that it has, when it has read the request.
func static(body []byte) http.Handler {
	length := []string{strconv.Itoa(len(body))}
	typ := []string{"application/json"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			panic(err)
		}
		h := w.Header()
		h["Content-Type"], h["Content-Length"] = typ, length
		_, _ = w.Write(body)
	})
}

// sentSizes are answers of some 1, 10 and 100 KB: echo gives its argument back.
var sentSizes = []int{1 << 10, 10 << 10, 100 << 10}

// BenchmarkSentHit sends hits over the network of this machine's kernel, and in memory:
// by a static handler, by gqlgen's transports and by those of Cache.Transport. It reports
// the CPU time of each relative to the static handler's, client and server together, in
// one interleaved run.
func BenchmarkSentHit(b *testing.B) {
	for _, size := range sentSizes {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			store := benchStore()
			var users strings.Builder
			for i := range max(1, size/100) {
				fmt.Fprintf(&users, " u%d: user(id: \"00000000-0000-4000-8000-%012d\") { id name email }", i%100, i%100)
				if i == 99 {
					break
				}
			}
			query := "{" + users.String() + "}"
			if size > 10<<10 {
				query = `{ users { id name email tags boss { id } posts { id name status author { id name email tags posts { id name status author { id name email } } } } } }`
			}
			body := `{"query":` + strconv.Quote(query) + `}`
			make := func(wrap bool) http.Handler {
				c := newCache(b, gqlcache.Options{Predicate: viewerPredicate})
				var post graphql.Transport = transport.POST{}
				if wrap {
					post = c.Transport(post)
				}
				srv := handler.New(testgraph.Executable(store, "cacheControl"))
				srv.AddTransport(post)
				srv.SetQueryCache(lru.New[*ast.QueryDocument](100))
				srv.Use(extension.Introspection{})
				srv.Use(c)
				return srv
			}
			stock, kept := make(false), make(true)
			first := httptest.NewRecorder()
			ask := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/query", strings.NewReader(body))
			ask.Header.Set("Content-Type", "application/json")
			kept.ServeHTTP(first, ask)
			handlers := []http.Handler{static(first.Body.Bytes()), stock, kept}
			send := func(h http.Handler) {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/query", bytes.NewReader([]byte(body)))
				r.Header.Set("Content-Type", "application/json")
				h.ServeHTTP(&discarding{header: http.Header{}}, r)
			}
			for range 5 {
				for _, h := range handlers {
					send(h)
				}
			}
			const rounds = 100
			var spent [3]int64
			b.ReportAllocs()
			for b.Loop() {
				for i, h := range handlers {
					before := cpuNow()
					for range rounds {
						send(h)
					}
					spent[i] += cpuNow() - before
				}
			}
			b.ReportMetric(float64(first.Body.Len()), "bytes")
			for i, name := range []string{"static-ns", "stock-ns", "kept-ns"} {
				b.ReportMetric(float64(spent[i])/float64(b.N*rounds), name)
			}
		})
	}
}

func cpuNow() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
