package gqlcachetest_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/gqlcachetest"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// printer stands for the *testing.T of a test.
type printer struct{ testing.TB }

func (printer) Helper()                           {}
func (printer) Failed() bool                      { return false }
func (printer) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (printer) Logf(format string, args ...any)   { fmt.Printf(format+"\n", args...) }

// The predicate of this server does not say who asks, and an answer depends on it.
func ExampleComparison() {
	t := printer{}
	comparison := gqlcachetest.Comparison{
		Plain: func() http.Handler { return testgraph.NewServer(testgraph.NewStore()) },
		Cached: func() http.Handler {
			cache, err := gqlcache.New(gqlcache.Options{Predicate: everybody, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				panic(err)
			}
			return testgraph.NewServer(testgraph.NewStore(), cache)
		},
		Operations: []gqlcachetest.Operation{
			{Query: `query Me { viewer }`},
			{Query: `query User($id: ID!) { user(id: $id) { name } }`, Variables: map[string]any{"id": testgraph.Ann}},
			{
				Query: `mutation Rename($id: ID!, $name: String!) { renameUser(id: $id, name: $name) }`,
				Draw: func(r *rand.Rand) map[string]any {
					return map[string]any{"id": testgraph.Ann, "name": []string{"Anna", "Anne"}[r.IntN(2)]}
				},
			},
		},
		Callers: []http.Header{{"X-Viewer": {"ann"}}, {"X-Viewer": {"bob"}}},
	}
	report := comparison.Run(t)
	fmt.Println(len(report.Differences), "difference")
	// Output:
	// with the cache an answer is different: other caller
	//   operation  query Me, asked by caller 2
	//   at         data.viewer
	//   history    1. caller 1: query Me
	//              2. caller 2: query Me
	//   plain      {"data":{"viewer":"bob"}}
	//   cached     {"data":{"viewer":"ann"}}
	//   fix        the answer depends on something about the caller that is in neither Options.Predicate nor Options.Vary. Directives, permissions in resolvers and headers count: put them into the predicate, or keep the operation out with @cacheControl(maxAge: 0).
	//   seed       1
	// 1 difference
}
