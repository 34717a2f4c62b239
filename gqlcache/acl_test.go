package gqlcache_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// TestACLOfLeasesAndFeeds: the user of the operations page may hold leases to compute
// answers, and follow the log.
func TestACLOfLeasesAndFeeds(t *testing.T) {
	t.Parallel()
	r := newRestrictedRig(t, func(o *gqlcache.Options) { o.FillLease = 10 * time.Second })
	a, b := r.nodes[0], r.nodes[1]
	for _, n := range r.nodes {
		eventually(t, "a lease of the log", n.log.Fresh)
	}
	changes := b.cache.Changes(t.Context(), changelog.Position{})
	latch := r.rows.Block("Query.counter")
	done := make(chan string)
	go func() { done <- string(a.run(t, readCounter, nil).Data) }()
	receive(t, latch.Reached, "the resolver")
	if keys := r.admin.Keys(t.Context(), "gqlc:l:*").Val(); len(keys) != 1 {
		t.Errorf("leases %q, want one", keys)
	}
	latch.Release()
	<-done
	eventually(t, "the end of the lease", func() bool { return len(r.admin.Keys(t.Context(), "gqlc:l:*").Val()) == 0 })
	if got := string(b.run(t, readCounter, nil).Data); !strings.Contains(got, "11") || b.cache.Stats().SharedHits != 1 {
		t.Errorf("b answers %s, shared hits %d", got, b.cache.Stats().SharedHits)
	}
	a.run(t, "mutation{setCounter(id:1,value:5){value}}", nil)
	if last, err := b.cache.LastChanges(t.Context(), 1); err != nil || len(last) != 1 {
		t.Errorf("the last changes are %+v, %v", last, err)
	}
	for c, err := range changes {
		if err != nil || len(c.Tags) == 0 {
			t.Errorf("%+v, %v", c, err)
		}
		break
	}
	for _, n := range r.nodes {
		if err := n.cache.Close(); err != nil {
			t.Error(err)
		}
	}
	r.wantAllowed(t)
}

// TestACLOfPublishers: a program that only publishes needs what the operations page says
// it needs.
func TestACLOfPublishers(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	admin := s.Client()
	if err := admin.Do(t.Context(), "ACL", "SETUSER", "job", "reset", "on", ">secret",
		"~{gqlc:main}:c", "~{gqlc:main}:log", "+eval", "+hget", "+hincrby", "+xadd").Err(); err != nil {
		t.Fatal(err)
	}
	m := redisInstances(t, 1, s, nil)[0]
	m.want("MISS", "Ann", readAnn)
	m.want("HIT memory", "Ann", readAnn)
	o := s.Options()
	o.Username, o.Password = "job", "secret"
	job := redis.NewClient(o)
	t.Cleanup(func() { _ = job.Close() })
	command := documented(t, "everything", s)
	_, script, _ := strings.Cut(command, "EVAL '")
	script, _, _ = strings.Cut(script, "' 2 ")
	n, err := job.Eval(t.Context(), script, []string{"{gqlc:main}:c", "{gqlc:main}:log"}, "02", "job").Int64()
	if err != nil || n == 0 {
		t.Fatalf("%d, %v", n, err)
	}
	eventually(t, fmt.Sprintf("record %d", n), func() bool { _, sum := m.ask(readAnn); return sum == "MISS" })
}
