package gqlcache_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

const badPassword, badUser = "pa55word", "somebody"

// urlOf is the URL of a server with the user and the password of these tests.
func urlOf(addr string) string { return "redis://" + badUser + ":" + badPassword + "@" + addr + "/0" }

// TestBadRedis: whatever is wrong with the Redis that a server was given, it starts,
// answers every request from its resolvers, counts that, and says once what is wrong,
// without the password, and without what was asked or answered.
func TestBadRedis(t *testing.T) {
	t.Parallel()
	const payload = 987654321
	start := func(t *testing.T, args ...string) string { t.Helper(); return redistest.Start(t, args...).Addr() }
	user := []string{"--user", badUser, "on", ">" + badPassword, "~*", "&*", "+@all"}
	for _, row := range []struct {
		name   string
		url    func(*testing.T) string
		logged string
	}{
		{"nobody listens", func(t *testing.T) string { return urlOf(redistest.FreeAddr(t)) }, "connection refused"},
		{"no such host", func(*testing.T) string { return urlOf("no-such-host.invalid:6379") }, "no-such-host.invalid"},
		{"no such database", func(t *testing.T) string { return urlOf(start(t, user...)) + "99" }, "out of range"},
		{"no TLS there", func(t *testing.T) string {
			return strings.Replace(urlOf(start(t, user...)), "redis:", "rediss:", 1)
		}, "deadline exceeded"}, // it waits for the end of what it takes for a command
		{"no Redis", func(t *testing.T) string {
			s := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(s.Close)
			return urlOf(s.Listener.Addr().String())
		}, "parse"},
		{"a server that repeats what it hears", func(t *testing.T) string { return urlOf(echo(t)) }, "does not renew"},
		{"wrong password", func(t *testing.T) string {
			return urlOf(start(t, "--user", badUser, "on", ">another", "~*", "&*", "+@all"))
		}, "WRONGPASS"},
		{"no password", func(t *testing.T) string { return "redis://" + start(t, "--requirepass", "another") }, "NOAUTH"},
		{"a command is missing", func(t *testing.T) string {
			return urlOf(start(t, append(user, "-evalsha", "-eval")...))
		}, "NOPERM"},
		{"keys are missing", func(t *testing.T) string {
			return urlOf(start(t, "--user", badUser, "on", ">"+badPassword, "~mine:*", "&*", "+@all"))
		}, "NOPERM"},
		{"a replica", func(t *testing.T) string {
			_, port, _ := strings.Cut(start(t), ":")
			return "redis://" + start(t, "--replicaof", "127.0.0.1 "+port)
		}, "READONLY"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			url := row.url(t)
			// What is said is the first thing that went wrong: of a busy machine, that time
			// was over.
			rounds.Until(t, "the log does not say "+row.logged, func(int) bool {
				n, lines := badNode(t, url)
				for range 5 {
					if got := string(n.run(t, readCounter, nil).Data); got != `{"counter":{"value":11}}` {
						t.Errorf("answer %s", got)
					}
				}
				resp := n.run(t, fmt.Sprintf("mutation{setCounter(id:1,value:%d){value}}", payload), nil)
				if got := fmt.Sprintf("%+v", resp.Extensions["cache"]); !strings.Contains(got, "pending") {
					t.Errorf("extensions.cache = %s: the client is not told that others do not know", got)
				}
				eventually(t, "a few renewals that fail", func() bool {
					if got := string(n.run(t, readCounter, nil).Data); !strings.Contains(got, fmt.Sprint(payload)) {
						t.Errorf("answer %s after the mutation", got)
					}
					return n.cache.Stats().Bypassed[gqlcache.ReasonLease] > 100 && strings.Contains(lines.String(), "does not renew")
				})
				st := n.cache.Stats()
				if st.Hits+st.SharedHits != 0 || st.LogErrors != 1 || n.log.Fresh() || n.log.Stats().Pending != 1 {
					t.Errorf("figures %+v, %+v", st, n.log.Stats())
				}
				text := lines.String()
				for _, once := range []string{"trouble: Redis does not renew the lease", "trouble: Redis has not taken changes", "a change did not reach the log"} {
					if got := strings.Count(text, once); got != 1 {
						t.Errorf("%d lines with %q, want one", got, once)
					}
				}
				for _, secret := range []string{badPassword, "another", fmt.Sprint(payload), "setCounter", "counter("} {
					if strings.Contains(text, secret) {
						t.Errorf("%q was logged", secret)
					}
				}
				said := strings.Contains(text, row.logged)
				if t.Failed() || !said {
					t.Logf("logged:\n%s", text)
				}
				return said
			})
		})
	}
}

// badNode is an instance over a Redis that is not as it should be, with what it logs.
func badNode(t *testing.T, url string) (*node, *logbook) {
	t.Helper()
	o, err := redisstore.ClientOptions(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	lines := &logbook{}
	n := newNode(t, nodeSpec{
		client: client, rows: testgraph.NewStore(), level: changelog.Strong, ttl: loadLease,
		logger: slog.New(slog.NewTextHandler(lines, nil)),
	})
	return n, lines
}

// echo is a server that answers with what it was sent, the password included.
func echo(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { _, _ = io.Copy(c, c); _ = c.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close(); conns.Wait() }) // after the clients are closed
	return l.Addr().String()
}
