package gqlcache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// What is said here, once each, is how a server uses the cache. No answer depends on it.

var (
	errUnused        = errors.New("call srv.Use(cache), after all other extensions")
	errBehind        = errors.New("call srv.Use(cache) after all other extensions, unless this one leaves the answers of queries alone")
	errTransactional = errors.New("put Cache.HoldUntilCommit around the middleware, unless the transaction is committed before the mutation is answered: see docs/transactions.md")
)

// warnOfNoServer says that requests come to the cache's handler, or to a transport of it,
// although no server has the cache.
func (c *Cache) warnOfNoServer() {
	if c.schema.Load() == nil {
		c.once.Warn("unused", "gqlcache: requests come to the cache's Handler or Transport, and it was added to no server: nothing is cached", errUnused)
	}
}

// warnOfServers says that servers of several executable schemas have the cache. They share
// answers, as those over the same data may: nothing in a key tells them apart. REQUIRES:
// met.mu is held.
func (c *Cache) warnOfServers(es graphql.ExecutableSchema) {
	v := reflect.ValueOf(es)
	if v.Kind() != reflect.Pointer {
		return // a wrapper, of which it is not known what makes two of them the same
	}
	switch {
	case c.met.server == 0:
		c.met.server = v.Pointer()
	case c.met.server != v.Pointer() && !c.met.several:
		c.met.several = true
		c.opts.Logger.Info("gqlcache: the cache was added to several executable schemas, which share answers: " +
			"if their data, directives or interceptors differ, give each a cache of its own")
	}
}

// warnOfOurs says which directives of ours gqlgen has generated calls of, and no function
// was given: each field with one fails.
func (c *Cache) warnOfOurs(es graphql.ExecutableSchema) {
	roots, _ := directiveRoots(reflect.ValueOf(es), maxWrappers)
	var missing []string
	for _, name := range []string{"view", "dependsOn", "reads", "writes", "cacheControl", "cascadeInvalidates"} {
		if name != "cacheControl" && name != "cascadeInvalidates" {
			name = c.opts.DirectivePrefix + name
		}
		for _, root := range roots {
			for i := range root.NumField() {
				f := root.Field(i)
				if f.Kind() == reflect.Func && f.IsNil() && strings.EqualFold(root.Type().Field(i).Name, name) {
					missing = append(missing, name+": {skip_runtime: true}")
				}
			}
		}
	}
	if len(missing) > 0 {
		c.once.Warn("skip_runtime", "gqlcache: gqlgen has generated code for directives that have none, so fields with one of them fail",
			errors.New("write under directives of gqlgen.yml, and run gqlgen again: "+strings.Join(missing, ", ")))
	}
}

// warnOfBehind says that an extension which intercepts responses was added after the
// cache: what it does to an answer is stored.
func (c *Cache) warnOfBehind(behind []string) {
	if len(behind) > 0 {
		c.once.Warn("behind", "gqlcache: what extensions that were added after the cache do to an answer is stored with it: "+strings.Join(behind, ", "), errBehind)
	}
}

// warnOfUncommitted looks for a transaction in the context of a mutation that no hold is
// around: a middleware that has begun it commits when the cache has applied the changes.
//
//   - M updates the row and is answered. R, which hears of no change after this one, reads
//     the old row and stores it. The middleware of M commits.
func (c *Cache) warnOfUncommitted(ctx context.Context) {
	if t := transactionIn(reflect.ValueOf(ctx), maxContexts); t != "" {
		c.once.Warn("uncommitted", "gqlcache: a mutation runs in a transaction that was begun before it; if it is committed after the answer, clients may get answers from before it: the context has a "+t, errTransactional)
	}
}

// warnOfSmall says which options are so small that somebody has thought of another unit.
func (o *Options) warnOfSmall() {
	var small []string
	for _, d := range []struct {
		name string
		of   time.Duration
	}{{"TTL", o.TTL}, {"StaleIfError", o.StaleIfError}, {"StaleWhileRevalidate", o.StaleWhileRevalidate}, {"SweepInterval", o.SweepInterval}, {"PathTimeout", o.PathTimeout}, {"FillLease", o.FillLease}} {
		if 0 < d.of && d.of < time.Millisecond {
			small = append(small, fmt.Sprintf("%s is %v, write %d * time.Second for seconds", d.name, d.of, d.of))
		}
	}
	for _, n := range []struct {
		name string
		of   int64
	}{{"MaxBytes", o.MaxBytes}, {"MaxPlanBytes", o.MaxPlanBytes}, {"MaxRequestBytes", o.MaxRequestBytes}} {
		if 0 < n.of && n.of < smallest {
			small = append(small, fmt.Sprintf("%s is %d bytes, write %d << 20 for MiB", n.name, n.of, n.of))
		}
	}
	if len(small) > 0 {
		o.Logger.Warn("gqlcache: options are so small that hardly anything is kept", slog.String("options", strings.Join(small, "; ")))
	}
}

// smallest is a number of bytes that somebody has taken for MiB.
const smallest = 16 << 10
