package redistest

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Sentinels are a primary, its replicas, and three sentinels that watch over them.
type Sentinels struct {
	t        testing.TB
	Primary  *Server // the first one
	Replicas []*Server
	watchers []*Server
}

// masterName is what the sentinels call the primary.
const masterName = "topology"

// StartSentinels starts them with some replicas, and returns when the replicas are in
// step and every sentinel knows of all the others. The primary counts as dead after a
// second without an answer.
func StartSentinels(t testing.TB, replicas int) *Sentinels {
	t.Helper()
	s := &Sentinels{t: t, Primary: Start(t, "--repl-diskless-sync-delay", "0")}
	for range replicas {
		r := Start(t, "--repl-diskless-sync-delay", "0", "--replicaof", "127.0.0.1 "+s.Primary.Port())
		s.Replicas = append(s.Replicas, r)
	}
	for _, r := range s.Replicas {
		Eventually(t, "a replica in step", func() bool { return InStep(r) })
	}
	for range 3 {
		s.watchers = append(s.watchers, s.watch())
	}
	for _, w := range s.watchers {
		c := w.sentinel()
		Eventually(t, "sentinels that know each other", func() bool {
			m, err := c.Master(context.Background(), masterName).Result()
			return err == nil && m["num-other-sentinels"] == "2" && m["num-slaves"] == itoa(replicas) && m["flags"] == "master"
		})
	}
	return s
}

// watch starts a sentinel.
func (s *Sentinels) watch() *Server {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		s.t.Fatal(err)
	}
	w := launch(s.t, file, func() ([]string, error) { return []string{"--sentinel"}, nil })
	c := w.Client()
	for _, command := range [][]any{
		// They say hello and ask around more often than every two and ten seconds. After
		// a stall of this machine, during which a clock jumps for them, they are to go on
		// sooner than after half a minute.
		{"SENTINEL", "DEBUG", "info-period", 500, "publish-period", 200, "tilt-period", 2000},
		{"SENTINEL", "MONITOR", masterName, "127.0.0.1", s.Primary.Port(), 2},
		// A vote that nobody has won is repeated after twice the failover-timeout.
		{"SENTINEL", "SET", masterName, "down-after-milliseconds", 1000, "failover-timeout", 2000, "parallel-syncs", 2},
	} {
		if err := c.Do(context.Background(), command...).Err(); err != nil {
			s.t.Fatalf("%v: %v", command, err)
		}
	}
	return w
}

func (s *Server) sentinel() *redis.SentinelClient {
	c := redis.NewSentinelClient(s.Options())
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// Client returns a client that follows the primary. It is closed with the test.
func (s *Sentinels) Client() redis.UniversalClient {
	o := Options("")
	u := &redis.UniversalOptions{
		MasterName: masterName, ContextTimeoutEnabled: true, MaxRetries: o.MaxRetries, DialerRetries: o.DialerRetries,
		DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
	}
	for _, w := range s.watchers {
		u.Addrs = append(u.Addrs, w.Addr())
	}
	c := redis.NewUniversalClient(u)
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// FailOver has the sentinels promote a replica, though the primary lives.
func (s *Sentinels) FailOver() {
	s.t.Helper()
	w := s.watchers[0].Client()
	// A busy machine may not have promoted it after failover-timeout, and the sentinel would
	// give up.
	if err := w.Do(context.Background(), "SENTINEL", "SET", masterName, "failover-timeout", 60_000).Err(); err != nil {
		s.t.Fatal(err)
	}
	Eventually(s.t, "a failover that has begun", func() bool { // none does before the replica has been heard of lately
		return w.Do(context.Background(), "SENTINEL", "FAILOVER", masterName).Err() == nil
	})
}

// Elected waits until the sentinels agree on a primary other than the first one, and
// returns it.
func (s *Sentinels) Elected() *Server {
	s.t.Helper()
	var elected *Server
	clients := make([]*redis.SentinelClient, len(s.watchers))
	for n, w := range s.watchers {
		clients[n] = w.sentinel()
	}
	Eventually(s.t, "an elected primary", func() bool {
		votes := map[string]int{}
		for _, c := range clients {
			addr, err := c.GetMasterAddrByName(context.Background(), masterName).Result()
			if err == nil && len(addr) == 2 {
				votes[net.JoinHostPort(addr[0], addr[1])]++
			}
		}
		for _, r := range s.Replicas {
			if votes[r.Addr()] == len(clients) && role(r) == "master" {
				elected = r
				return true
			}
		}
		return false
	})
	return elected
}

// role is what a server says it is.
func role(s *Server) string {
	c := redis.NewClient(s.Options())
	defer c.Close()
	answer, err := c.Do(context.Background(), "ROLE").Slice()
	if err != nil || len(answer) == 0 {
		return ""
	}
	name, _ := answer[0].(string)
	return name
}

// InStep reports whether a replica is connected to its primary and has its data.
func InStep(replica *Server) bool {
	c := redis.NewClient(replica.Options())
	defer c.Close()
	info, err := c.Info(context.Background(), "replication").Result()
	return err == nil && strings.Contains(info, "master_link_status:up")
}

// Isolate stops a replica's process and ends its link to the primary: what is written
// from then on never reaches it. Stopped alone, it would read what has arrived in the
// meantime when it goes on.
func Isolate(t testing.TB, primary, replica *Server) {
	t.Helper()
	replica.Pause()
	c := redis.NewClient(primary.Options())
	defer c.Close()
	if err := c.ClientKillByFilter(context.Background(), "TYPE", "replica").Err(); err != nil {
		t.Fatal(err)
	}
}
