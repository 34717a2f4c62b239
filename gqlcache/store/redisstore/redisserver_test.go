package redisstore_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A server is a redis-server of one test. It keeps its address over restarts.
type server struct {
	addr string
	args []string
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// startServer starts a redis-server on a free port that keeps nothing on disk, with further arguments
// of its command line. It ends with the test.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	s := &server{addr: freeAddr(t), args: args}
	s.start(t)
	t.Cleanup(func() { s.kill(t) })
	return s
}

// freeAddr finds an address that nobody listens at.
func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start runs the server and waits until it answers, be it with an error.
func (s *server) start(t testing.TB) {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("these tests need a redis-server on the PATH: install it, on Debian with apt-get install redis-server, on macOS with brew install redis")
	}
	_, port, _ := net.SplitHostPort(s.addr)
	args := append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir()}, s.args...)
	s.cmd = exec.CommandContext(context.Background(), binary, args...) // it ends with kill
	output, err := os.Create(filepath.Join(t.TempDir(), "redis.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	s.cmd.Stdout, s.cmd.Stderr = output, output
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait() // killed
		close(done)
	}(s.cmd, s.done)
	await(t, "an answer of redis-server", func() bool {
		select {
		case <-s.done:
			log, _ := os.ReadFile(output.Name())
			t.Fatalf("redis-server has ended:\n%s", log)
		default:
		}
		c := newClient(s.addr)
		defer c.Close()
		err := c.Ping(context.Background()).Err()
		var reply redis.Error
		return err == nil || errors.As(err, &reply) && !strings.HasPrefix(reply.Error(), "LOADING")
	})
}

// kill ends the server at once, as a crash does, and waits until it is gone.
func (s *server) kill(t testing.TB) {
	t.Helper()
	_ = s.cmd.Process.Kill() // it may be gone already
	<-s.done
}

// client makes a client that is closed with the test.
func (s *server) client(t testing.TB) *redis.Client {
	t.Helper()
	c := newClient(s.addr)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func newClient(addr string) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: addr, MaxRetries: -1, DialerRetries: 1, DialTimeout: time.Second, ContextTimeoutEnabled: true,
	})
}

// await polls until something holds.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited too long for %s", what)
		}
	}
}
