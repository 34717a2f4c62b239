package redistest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

const slots = 16384

func itoa(n int) string { return strconv.Itoa(n) }

// A Cluster is three primaries that share the slots.
type Cluster struct {
	t       testing.TB
	Nodes   []*Server
	clients []*redis.Client
	ids     []string
}

// StartCluster starts them and returns when each of them says that the cluster is well.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	buses := make([]string, 3)
	for n := range buses {
		node := launch(t, "", func() ([]string, error) {
			bus, err := freePort() // by default it is 10000 above the other, which may be none
			buses[n] = itoa(bus)
			return []string{
				"--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-port", buses[n],
				// A machine that is busy must not make them take each other for dead.
				"--cluster-node-timeout", "20000",
			}, err
		})
		client := node.Client()
		id, err := client.ClusterMyID(context.Background()).Result()
		c.must(err)
		c.Nodes, c.clients, c.ids = append(c.Nodes, node), append(c.clients, client), append(c.ids, id)
		c.must(c.do(n, "CLUSTER", "SET-CONFIG-EPOCH", n+1))
		c.must(c.do(n, "CLUSTER", "ADDSLOTSRANGE", n*slots/3, (n+1)*slots/3-1))
	}
	for n := 1; n < len(c.Nodes); n++ {
		c.must(c.do(0, "CLUSTER", "MEET", "127.0.0.1", c.Nodes[n].Port(), buses[n]))
	}
	Eventually(t, "a cluster that is well", func() bool {
		for _, client := range c.clients {
			info, err := client.ClusterInfo(context.Background()).Result()
			if err != nil || !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:3") {
				return false
			}
		}
		return true
	})
	return c
}

func (c *Cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// do runs a command on a node.
func (c *Cluster) do(node int, command ...any) error {
	if err := c.clients[node].Do(context.Background(), command...).Err(); err != nil {
		return fmt.Errorf("%v: %w", command, err)
	}
	return nil
}

// Client returns a client of the cluster that gives up soon. It is closed with the test.
func (c *Cluster) Client() *redis.ClusterClient {
	o := Options("")
	u := &redis.ClusterOptions{
		ContextTimeoutEnabled: true, DialerRetries: o.DialerRetries, MaxRetries: o.MaxRetries,
		DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
	}
	for _, n := range c.Nodes {
		u.Addrs = append(u.Addrs, n.Addr())
	}
	client := redis.NewClusterClient(u)
	c.t.Cleanup(func() { _ = client.Close() })
	return client
}

// Node returns a client of one node alone, which does not follow redirections.
func (c *Cluster) Node(n int) *redis.Client { return c.clients[n] }

// Slot returns the slot of a key.
func (c *Cluster) Slot(key string) int {
	c.t.Helper()
	slot, err := c.clients[0].ClusterKeySlot(context.Background(), key).Result()
	c.must(err)
	return int(slot)
}

// Owner returns the node that says of itself that it has a slot.
func (c *Cluster) Owner(slot int) int {
	c.t.Helper()
	for n, client := range c.clients {
		ranges, err := client.ClusterSlots(context.Background()).Result() //nolint:staticcheck // the shorter answer
		c.must(err)
		for _, r := range ranges {
			if r.Start <= slot && slot <= r.End && r.Nodes[0].ID == c.ids[n] {
				return n
			}
		}
	}
	c.t.Fatalf("nobody has slot %d", slot)
	return 0
}

// A Migration is a slot under way from one node to another. While it is, keys that are
// gone from the old node are asked for at the new one, and commands with keys on both are
// refused.
type Migration struct {
	c              *Cluster
	slot, from, to int
}

// Migrate begins to move a slot.
func (c *Cluster) Migrate(slot, to int) *Migration {
	c.t.Helper()
	m := &Migration{c: c, slot: slot, from: c.Owner(slot), to: to}
	c.must(c.do(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", c.ids[m.from]))
	c.must(c.do(m.from, "CLUSTER", "SETSLOT", slot, "MIGRATING", c.ids[to]))
	return m
}

// Step moves one key and reports whether there was one.
func (m *Migration) Step() bool {
	m.c.t.Helper()
	keys, err := m.c.clients[m.from].ClusterGetKeysInSlot(context.Background(), m.slot, 1).Result()
	m.c.must(err)
	if len(keys) == 0 {
		return false
	}
	m.Move(keys[0])
	return true
}

// Move moves a key that is there.
func (m *Migration) Move(key string) {
	m.c.t.Helper()
	err := m.c.do(m.from, "MIGRATE", "127.0.0.1", m.c.Nodes[m.to].Port(), key, 0, 20000)
	if err != nil && !errors.Is(err, redis.Nil) {
		m.c.t.Fatal(err)
	}
}

// End moves the rest and gives the slot to the new node.
func (m *Migration) End() {
	m.c.t.Helper()
	for m.Step() {
	}
	// The new owner first: were it the last, nobody would have the slot in between.
	for _, n := range append([]int{m.to, m.from}, m.others()...) {
		m.c.must(m.c.do(n, "CLUSTER", "SETSLOT", m.slot, "NODE", m.c.ids[m.to]))
	}
}

func (m *Migration) others() (others []int) {
	for n := range m.c.Nodes {
		if n != m.from && n != m.to {
			others = append(others, n)
		}
	}
	return others
}
