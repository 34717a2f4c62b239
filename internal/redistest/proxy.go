package redistest

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// A Proxy is a link to a server that a test can harm. It ends with the test. Its methods
// may be called concurrently.
type Proxy struct {
	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex
	target  string
	delay   time.Duration
	swallow bool
	cut     bool
	changed chan struct{} // closed at the next change of delay, swallow or cut
	conns   map[*conn]struct{}
}

// conn is one connection through a Proxy.
type conn struct {
	client, server net.Conn
	lost           bool // a reply, guarded by the proxy's mu
	done           chan struct{}
	end            func() // closes both sides and done
}

// reply is a piece of what a server sent.
type reply struct {
	bytes   []byte
	arrived time.Time
}

// heldReplies bounds the pieces of one connection that a delay holds back at a time. The
// next piece stays in the buffers of the kernel.
const heldReplies = 1024

// NewProxy returns a link to an address.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, target: target, changed: make(chan struct{}), conns: map[*conn]struct{}{}}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.Cut()
		p.running.Wait()
	})
	return p
}

// Addr returns where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Delay holds every reply back for so long after it arrived here, from now on. Replies
// that an earlier delay holds back get the new one.
func (p *Proxy) Delay(d time.Duration) { p.change(func() { p.delay = d }) }

// SwallowReplies loses every reply from now on, and the requests arrive: the link is half
// open.
func (p *Proxy) SwallowReplies() { p.change(func() { p.swallow = true }) }

// Cut ends all connections, and new ones as soon as they are made. Nothing passes in
// either direction. The port stays taken: a listener that is closed may not get it back.
func (p *Proxy) Cut() { p.change(func() { p.cut = true }) }

// Heal makes the link whole. Replies that were held back arrive at once. Connections that
// lost a reply are ended: a later reply would be taken for the lost one.
func (p *Proxy) Heal() { p.change(func() { p.delay, p.swallow, p.cut = 0, false, false }) }

// Retarget ends all connections; new ones go to another address.
func (p *Proxy) Retarget(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
	for c := range p.conns {
		c.end()
	}
}

func (p *Proxy) change(set func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	set()
	close(p.changed)
	p.changed = make(chan struct{})
	for c := range p.conns {
		if p.cut || c.lost && !p.swallow {
			c.end()
		}
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // the test has ended
		}
		p.running.Go(func() { p.serve(client) })
	}
}

// serve connects a client with the target, until one of both ends the connection or the
// proxy does.
func (p *Proxy) serve(client net.Conn) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", target)
	if err != nil {
		_ = client.Close()
		return
	}
	c := &conn{client: client, server: server, done: make(chan struct{})}
	c.end = sync.OnceFunc(func() {
		close(c.done)
		_ = client.Close()
		_ = server.Close()
	})
	p.mu.Lock()
	p.conns[c] = struct{}{}
	if p.cut || p.target != target {
		c.end() // the change during the dial did not see this connection
	}
	p.mu.Unlock()
	p.running.Go(func() {
		defer c.end()
		_, _ = io.Copy(server, client)
	})
	p.replies(c)
	c.end()
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
}

// replies passes on what the server sends, each piece when its time has come.
func (p *Proxy) replies(c *conn) {
	held := make(chan reply, heldReplies)
	p.running.Go(func() {
		defer close(held)
		for {
			buffer := make([]byte, 32<<10)
			n, err := c.server.Read(buffer)
			if n > 0 {
				held <- reply{buffer[:n], time.Now()}
			}
			if err != nil {
				return
			}
		}
	})
	for r := range held {
		if !p.passes(c, r.arrived) {
			continue
		}
		if _, err := c.client.Write(r.bytes); err != nil {
			c.end() // held is closed soon
		}
	}
}

// passes waits for the time of a reply and reports whether the client gets it.
func (p *Proxy) passes(c *conn, arrived time.Time) bool {
	for {
		p.mu.Lock()
		if p.swallow {
			c.lost = true
			p.mu.Unlock()
			return false
		}
		delay, changed := p.delay, p.changed
		p.mu.Unlock()
		rest := time.Until(arrived.Add(delay))
		if delay == 0 || rest <= 0 {
			return true
		}
		select {
		case <-time.After(rest):
		case <-changed:
		case <-c.done:
			return false
		}
	}
}
