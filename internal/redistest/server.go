package redistest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Server is a redis-server of a test's own, on a free port, without persistence. It
// ends with the test.
type Server struct {
	t    testing.TB
	file string // of configuration; none if empty
	args []string
	port int

	mu  sync.Mutex // protects all below
	cmd *exec.Cmd
	end chan struct{} // closed when the process has ended
}

// An Output collects what is written to it: by a process, or by a logger. The zero value is
// empty. It may be used concurrently, and read while it is written.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// String returns what was written so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Start starts a server, with more arguments if there are any. The test is skipped where
// there is no redis-server: .ci/run installs one, and fails for every test that is
// skipped.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return launch(t, "", func() ([]string, error) { return args, nil })
}

// launch is Start with a file of configuration, and with arguments that are made anew for
// every attempt.
func launch(t testing.TB, file string, more func() ([]string, error)) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skipf("these tests need a redis-server of version 7 or later in the PATH: install the package redis-server (Debian, Ubuntu) or redis (Alpine, Fedora, Homebrew): %v", err)
	}
	s := &Server{t: t, file: file}
	t.Cleanup(s.Kill)
	var err error
	for range 5 { // another process may take a free port before the server does
		if s.args, err = more(); err != nil {
			continue
		}
		s.args = append([]string{"--dir", t.TempDir()}, s.args...)
		if s.port, err = freePort(); err == nil {
			if err = s.start(); err == nil {
				return s
			}
		}
	}
	t.Fatalf("redis-server does not start: %v", err)
	return nil
}

// FreeAddr returns an address at which nobody listens.
func FreeAddr(t testing.TB) string {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return "127.0.0.1:" + strconv.Itoa(port)
}

func freePort() (int, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// start starts the process and waits until it answers. The one that answers may be another
// test's: it has got the free port first, and ours is about to end. That one would be gone
// with its own test.
func (s *Server) start() error {
	args := append([]string{"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"}, s.args...)
	if s.file != "" {
		args = append([]string{s.file}, args...) // the server reads it from there only
	}
	cmd, out, end := exec.CommandContext(context.Background(), "redis-server", args...), &Output{}, make(chan struct{})
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait(); close(end) }()
	s.mu.Lock()
	s.cmd, s.end = cmd, end
	s.mu.Unlock()
	c := redis.NewClient(s.Options())
	defer func() { _ = c.Close() }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for {
		if isProcess(c, cmd.Process.Pid, out) {
			return nil
		}
		select {
		case <-end:
			return fmt.Errorf("it has ended:\n%s", out)
		case <-limit:
			s.Kill()
			return fmt.Errorf("it does not answer:\n%s", out)
		case <-tick.C:
		}
	}
}

// isProcess says whether the server that a client asks is a process. One that refuses to
// say so, for want of a password, is taken by what it has written.
func isProcess(c *redis.Client, pid int, out *Output) bool {
	info, err := c.Info(context.Background(), "server").Result()
	var refusal redis.Error
	if errors.As(err, &refusal) {
		return strings.Contains(out.String(), "Ready to accept connections")
	}
	return err == nil && strings.Contains(info, fmt.Sprintf("process_id:%d\r\n", pid))
}

// Addr returns where the server listens.
func (s *Server) Addr() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

// Port returns the port alone.
func (s *Server) Port() string { return strconv.Itoa(s.port) }

// Options are for a client that waits longer than a busy machine needs.
func (s *Server) Options() *redis.Options { return Options(s.Addr()) }

// Options are for a client of an address that waits longer than a busy machine needs. What
// the log and the store wait for ends sooner, by their contexts.
func Options(addr string) *redis.Options {
	return &redis.Options{
		Addr: addr, ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1,
		DialTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
	}
}

// Client returns a client of the server that is closed with the test.
func (s *Server) Client() *redis.Client {
	s.t.Helper()
	return Client(s.t, s.Addr())
}

// Client returns a client of an address that is closed with the test.
func Client(t testing.TB, addr string) *redis.Client {
	t.Helper()
	c := redis.NewClient(Options(addr))
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Kill ends the server at once, as a crash does, and waits until it is gone.
func (s *Server) Kill() {
	s.mu.Lock()
	cmd, end := s.cmd, s.end
	s.cmd = nil
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill()
	<-end
}

// Restart starts a killed server again, empty, on the same port.
func (s *Server) Restart() {
	s.t.Helper()
	if err := s.start(); err != nil {
		s.t.Fatalf("redis-server does not start again: %v", err)
	}
}

// Pause stops the process, as a machine that hangs: connections stay and nothing answers.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		s.t.Fatal("redis-server is not running")
	}
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}
