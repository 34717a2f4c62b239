package redistest_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/internal/redistest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo returns the address of a server that answers each line with a name and the line.
func echo(t *testing.T, name string) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				for lines := bufio.NewScanner(c); lines.Scan(); {
					if _, err := fmt.Fprintf(c, "%s %s\n", name, lines.Text()); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

type caller struct {
	t *testing.T
	net.Conn
	lines *bufio.Reader
}

func dial(t *testing.T, addr string) caller {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return caller{t, c, bufio.NewReader(c)}
}

func (c caller) send(line string) {
	c.t.Helper()
	if _, err := fmt.Fprintln(c, line); err != nil {
		c.t.Fatal(err)
	}
}

// hears expects the next line at once, which is within ten seconds.
func (c caller) hears(want string) {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if got, err := c.lines.ReadString('\n'); err != nil || got != want+"\n" {
		c.t.Fatalf("read %q, %v; want %q", got, err, want)
	}
}

// hearsNothing expects that the connection stays, and silent, for a while.
func (c caller) hearsNothing() {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
	if got, err := c.lines.ReadString('\n'); !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("read %q, %v; want a deadline", got, err)
	}
}

// hearsTheEnd expects that the connection is ended, without a reply before.
func (c caller) hearsTheEnd() {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if got, err := c.lines.ReadString('\n'); got != "" || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("read %q, %v; want the end of the connection", got, err)
	}
}

func TestProxyPasses(t *testing.T) {
	t.Parallel()
	p := redistest.NewProxy(t, echo(t, "a"))
	c, d := dial(t, p.Addr()), dial(t, p.Addr())
	c.send("1")
	d.send("2")
	c.hears("a 1")
	d.hears("a 2")
}

func TestProxyDelays(t *testing.T) {
	t.Parallel()
	p := redistest.NewProxy(t, echo(t, "a"))
	c := dial(t, p.Addr())
	const delay = 50 * time.Millisecond
	p.Delay(delay)
	began := time.Now()
	c.send("1")
	c.hears("a 1")
	if took := time.Since(began); took < delay {
		t.Errorf("a reply came after %v, want at least %v", took, delay)
	}
	p.Delay(time.Hour)
	c.send("2")
	c.hearsNothing()
	p.Heal()
	c.hears("a 2")
}

func TestProxySwallowsReplies(t *testing.T) {
	t.Parallel()
	p := redistest.NewProxy(t, echo(t, "a"))
	c, idle := dial(t, p.Addr()), dial(t, p.Addr())
	c.send("1")
	c.hears("a 1")
	idle.send("1")
	idle.hears("a 1")
	p.SwallowReplies()
	c.send("2")
	c.hearsNothing()
	p.Heal()
	c.hearsTheEnd()
	idle.send("3") // it lost nothing
	idle.hears("a 3")
}

func TestProxyCuts(t *testing.T) {
	t.Parallel()
	p := redistest.NewProxy(t, echo(t, "a"))
	c, held := dial(t, p.Addr()), dial(t, p.Addr())
	c.send("1")
	c.hears("a 1")
	p.Delay(time.Hour)
	held.send("1")
	held.hearsNothing()
	p.Cut()
	c.hearsTheEnd()
	held.hearsTheEnd()
	dial(t, p.Addr()).hearsTheEnd()
	p.Heal()
	again := dial(t, p.Addr())
	again.send("2")
	again.hears("a 2")
}

func TestProxyRetargets(t *testing.T) {
	t.Parallel()
	p := redistest.NewProxy(t, echo(t, "a"))
	c := dial(t, p.Addr())
	c.send("1")
	c.hears("a 1")
	p.Retarget(echo(t, "b"))
	c.hearsTheEnd()
	again := dial(t, p.Addr())
	again.send("2")
	again.hears("b 2")
}

// TestProxyWithoutTarget: what cannot be reached ends connections, and the end of one
// side is the end of the other.
func TestProxyWithoutTarget(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := redistest.NewProxy(t, l.Addr().String())
	c := dial(t, p.Addr())
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = server.Close()
	c.hearsTheEnd()
	_ = l.Close()
	dial(t, p.Addr()).hearsTheEnd()
}
