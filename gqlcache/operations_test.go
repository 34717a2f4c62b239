package gqlcache_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

const operationsPage = "../docs/operations.md"

// aclRules are the rules of the user that the operations page shows, the password
// replaced.
func aclRules(t *testing.T, password string) []any {
	t.Helper()
	page, err := os.ReadFile(operationsPage)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```acl\n(.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("the page shows no rules")
	}
	words := strings.Fields(string(block[1]))
	if len(words) < 3 || words[0] != "user" {
		t.Fatalf("the rules begin with %q", words)
	}
	var rules []any
	for _, w := range words[2:] {
		if strings.HasPrefix(w, ">") {
			w = ">" + password
		}
		rules = append(rules, w)
	}
	return rules
}

// newRestrictedRig makes two instances whose Redis user is the one of the operations
// page, with more rules if there are any.
func newRestrictedRig(t *testing.T, change func(*gqlcache.Options), also ...any) *redisRig {
	t.Helper()
	r := newRedisRig(t)
	rules := append(append([]any{"ACL", "SETUSER", "cascadeql", "reset"}, aclRules(t, "secret")...), also...)
	if err := r.admin.Do(t.Context(), rules...).Err(); err != nil {
		t.Fatalf("ACL SETUSER: %v", err)
	}
	for range 2 {
		o := r.server.Options()
		o.Username, o.Password = "cascadeql", "secret"
		client := redis.NewClient(o)
		t.Cleanup(func() { _ = client.Close() })
		r.add(nodeSpec{client: client, level: changelog.Strong,
			ttl: patientLease, intent: patientIntent, change: change,
			readTimeout: 5 * time.Second}) // an answer that was given up tells nothing, and its query does not come again
	}
	return r
}

// refusals are the commands that the server has refused to run, but for what a client
// asks when it connects and does without.
func (r *redisRig) refusals(t *testing.T) []string {
	t.Helper()
	stats, err := r.admin.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	var refused []string
	for line := range strings.Lines(stats) {
		name, rest, _ := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":")
		if strings.Contains(rest, "rejected_calls=0") || !strings.Contains(rest, "rejected_calls") || strings.HasPrefix(name, "client|") {
			continue
		}
		refused = append(refused, name)
	}
	return refused
}

// wantAllowed fails the test if the server has refused a command, or the log tells of one.
// What else it tells is a busy machine's: leases are short here.
func (r *redisRig) wantAllowed(t *testing.T) {
	t.Helper()
	if refused := r.refusals(t); len(refused) > 0 {
		t.Errorf("refused: %q", refused)
	}
	if text := r.logged(); strings.Contains(text, "NOPERM") || strings.Contains(text, "not allowed") || strings.Contains(text, "may not") {
		t.Errorf("logged:\n%s", text)
	}
}

// TestACL: the user of the operations page may do all that the log and the store ask for,
// and nothing is refused.
func TestACL(t *testing.T) {
	t.Parallel()
	r := newRestrictedRig(t, nil)
	a, b := r.nodes[0], r.nodes[1]
	leases := func() {
		t.Helper()
		for _, n := range r.nodes {
			eventually(t, "a lease", n.log.Fresh)
		}
	}
	leases()
	ctx := context.Background()
	value := 0
	round := func() {
		t.Helper()
		a.run(t, readCounter, nil)
		if err := a.shared.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		b.run(t, readCounter, nil)
		value++
		a.run(t, fmt.Sprintf("mutation{setCounter(id:1,value:%d){value}}", value), nil)
		if got, want := string(b.run(t, readCounter, nil).Data), fmt.Sprintf(`{"counter":{"value":%d}}`, value); got != want {
			t.Errorf("b answers %s, want %s", got, want)
		}
	}
	round()
	if st := b.cache.Stats(); st.SharedHits == 0 {
		t.Errorf("nothing was shared: %+v", st)
	}
	// A record of another program above all numbers makes the log unusable: it is
	// dropped, and begun again.
	control, stream := "{gqlc:main}:c", "{gqlc:main}:log"
	if err := r.admin.XAdd(ctx, &redis.XAddArgs{Stream: stream, ID: "9007199254740991-0", Values: []any{"x", "y"}}).Err(); err != nil {
		t.Fatal(err)
	}
	round()
	// A new epoch deletes what was.
	if err := r.admin.HDel(ctx, control, "e").Err(); err != nil {
		t.Fatal(err)
	}
	epoch := a.log.Applied().Epoch
	eventually(t, "a new epoch", func() bool { return a.log.Applied().Epoch > epoch && b.log.Applied().Epoch > epoch })
	leases()
	round()
	for range a.shared.All(ctx) {
	}
	if err := a.shared.Clear(ctx); err != nil {
		t.Error(err)
	}
	for _, n := range r.nodes {
		if err := n.cache.Close(); err != nil {
			t.Error(err)
		}
	}
	r.wantAllowed(t)
}

// TestACLOfIntents: the same user may announce mutations, stand by one that takes long,
// and end those of an instance that is gone.
func TestACLOfIntents(t *testing.T) {
	t.Parallel()
	r := newRestrictedRig(t, func(o *gqlcache.Options) { o.Intent = true })
	a, b := r.nodes[0], r.nodes[1]
	for _, n := range r.nodes {
		eventually(t, "a cache that serves", func() bool { return n.log.Fresh() && n.log.Stats().Open == 0 })
	}
	latch := r.rows.Block("Mutation.setCounter:done")
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.run(t, "mutation{setCounter(id:1,value:5){value}}", nil)
	}()
	receive(t, latch.Reached, "the commit")
	sign := func() string { return r.admin.HGet(t.Context(), "{gqlc:main}:c", r.signOf(t)).Val() }
	first := sign()
	eventually(t, "a sign of life", func() bool { return sign() != first })
	latch.Release()
	receive(t, done, "the answer")
	if _, err := a.log.Intend(t.Context(), nil, true); err != nil { // and is forgotten
		t.Fatal(err)
	}
	if err := a.cache.Close(); err != nil {
		t.Error(err)
	}
	eventually(t, "the end of the announcement", func() bool { return b.log.Stats().Expired == 1 && b.log.Stats().Open == 0 })
	r.wantAllowed(t)
}

// signOf returns the field with the sign of life of the only intent that is open.
func (r *redisRig) signOf(t *testing.T) string {
	t.Helper()
	for field := range r.admin.HGetAll(t.Context(), "{gqlc:main}:c").Val() {
		if strings.HasPrefix(field, "j:") {
			return field
		}
	}
	return ""
}

// TestACLIsSeen: what is left out of the user's rules is told in the log, as the
// operations page says, and no request fails.
func TestACLIsSeen(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		rule   string
		logged string
		serves bool // from the cache
	}{
		{"no EVALSHA", "-evalsha", "does not renew the lease", false},
		{"no XREAD", "-xread", "the log cannot be read", true},
		{"no SUBSCRIBE", "-subscribe", "acknowledgements cannot be heard", true},
		{"no INFO", "-info", "INFO is not allowed", true},
		{"no GETRANGE", "-getrange", "may not run a command, or touch a key", true},
		{"no key of the log", "resetkeys", "does not renew the lease", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRestrictedRig(t, nil, row.rule)
			a := r.nodes[0]
			if row.serves {
				eventually(t, "a lease", a.log.Fresh)
			}
			eventually(t, "a log line", func() bool {
				if got := string(a.run(t, readCounter, nil).Data); got != `{"counter":{"value":11}}` {
					t.Errorf("answer %s", got)
				}
				return strings.Contains(r.logged(), row.logged)
			})
			if st := a.cache.Stats(); !row.serves && st.Hits > 0 {
				t.Errorf("%d hits without a lease", st.Hits)
			}
		})
	}
}

// TestEveryLineIsExplained: the page has each trouble that the log and the store can
// have.
func TestEveryLineIsExplained(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(operationsPage)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for file, expression := range map[string]string{
		"changelog/redislog/report.go":    `(?m)^\ttrouble\w+ += "(.+)"$`,
		"changelog/redislog/apply.go":     `log\.Warn\("([^"]+)"`,
		"store/redisstore/trouble.go":     `(?m)(?:Log\.Warn|WarnWith)\((?:op\+trouble, )?"([^"]+)"|^\t"[A-Z]+": +"([^";:]+)`,
		"internal/fleet/announce.go":      `Once\.Warn\("\w+", "([^"]+)"`,
		"changelog/redislog/upkeep.go":    `log\.Warn\("([^"]+)"`,
		"../gqlcache/changelog/intent.go": `errors\.New\("([^"]+)"\)`,
		"internal/fleet/publish.go":       `Once\.Warn\("\w+", "([^"]+)"`,
		"internal/fleet/token.go":         `Once\.Warn\("\w+", "([^"]+)"`,
		"changelog/redislog/confirm.go":   `(?m)^\twhy\w+ += "(.+)"$`,
		"store/redisstore/format.go":      `(?m)^\terr\w+ += errors\.New\("(.+)"\)$`,
		"../gqlcache/consistency.go":      `(?m)^\tconsistency\w+ = "(.+)"$`,
		"../gqlcache/changelog/errors.go": `errors\.New\("([^"]+)"\)`,
	} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(expression).FindAllStringSubmatch(string(source), -1)
		if len(found) == 0 {
			t.Errorf("%s: nothing is found by %s", file, expression)
		}
		for _, m := range found {
			lines = append(lines, strings.Join(m[1:], ""))
		}
	}
	slices.Sort(lines)
	for _, line := range lines {
		if !strings.Contains(string(page), line) {
			t.Errorf("%s does not explain %q", operationsPage, line)
		}
	}
}

// TestEveryFaultHasItsTest: the tests that the page names exist, and so do the parts that
// it names of them.
func TestEveryFaultHasItsTest(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(operationsPage)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "### Which test runs which fault")
	table, _, _ = strings.Cut(table, "\n## ")
	sources := map[string]string{}
	for pkg, dir := range map[string]string{
		"gqlcache": ".", "redislog": "changelog/redislog", "redisstore": "store/redisstore", "example": "../example",
	} {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources[pkg] += string(source)
		}
	}
	named := regexp.MustCompile("`(\\w+)\\.(Test\\w+)(?:/([^`]+))?`").FindAllStringSubmatch(table, -1)
	if len(named) < 40 {
		t.Errorf("the page names %d tests", len(named))
	}
	for _, m := range named {
		_, body, ok := strings.Cut(sources[m[1]], "func "+m[2]+"(")
		body, _, _ = strings.Cut(body, "\nfunc ")
		if !ok || m[3] != "" && !strings.Contains(body, `"`+m[3]+`"`) {
			t.Errorf("there is no %s", m[0])
		}
	}
}
