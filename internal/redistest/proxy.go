package redistest

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// A Proxy is a link to a server that a test can harm. It ends with the test.
type Proxy struct {
	listener net.Listener
	done     sync.WaitGroup

	mu      sync.Mutex // protects all below
	target  string
	conns   map[net.Conn]bool
	cut     bool
	delay   time.Duration // of each piece of a reply
	swallow bool
	changed chan struct{} // closed when any of these changes
}

func listen() (net.Listener, error) {
	return new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
}

// NewProxy returns a link to an address.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: target, listener: listener, conns: map[net.Conn]bool{}, changed: make(chan struct{})}
	p.done.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.Cut()
		p.done.Wait()
	})
	return p
}

// Addr returns where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Delay holds every reply back for so long.
func (p *Proxy) Delay(d time.Duration) { p.change(func() { p.delay = d }) }

// SwallowReplies loses every reply from now on, and the requests arrive: the link is half open.
func (p *Proxy) SwallowReplies() { p.change(func() { p.swallow = true }) }

// Cut ends all connections and refuses new ones.
func (p *Proxy) Cut() {
	p.change(func() {
		p.cut = true
		for c := range p.conns {
			_ = c.Close()
		}
	})
}

// Heal makes the link whole. Connections that lost a reply are ended: what follows would be taken for it.
func (p *Proxy) Heal() {
	p.change(func() {
		if p.swallow {
			for c := range p.conns {
				_ = c.Close()
			}
		}
		p.cut, p.swallow, p.delay = false, false, 0
	})
}

// Retarget ends all connections; new ones go to another address.
func (p *Proxy) Retarget(target string) {
	p.change(func() {
		p.target = target
		for c := range p.conns {
			_ = c.Close()
		}
	})
}

func (p *Proxy) where() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target
}

func (p *Proxy) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		target := p.where()
		server, err := new(net.Dialer).DialContext(context.Background(), "tcp", target)
		if err != nil {
			_ = client.Close()
			continue
		}
		if !p.enter(target, client, server) {
			_ = client.Close()
			_ = server.Close()
			continue
		}
		p.done.Go(func() {
			defer p.leave(client, server)
			_, _ = io.Copy(server, client)
		})
		p.done.Go(func() {
			defer p.leave(client, server)
			p.answer(client, server)
		})
	}
}

// enter registers a connection, unless there is to be none.
func (p *Proxy) enter(target string, conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut || target != p.target {
		return false
	}
	for _, c := range conns {
		p.conns[c] = true
	}
	return true
}

func (p *Proxy) leave(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
		delete(p.conns, c)
	}
}

// answer carries replies.
func (p *Proxy) answer(client, server net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		if !p.hold() {
			continue
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// hold waits for the delay and reports whether the reply goes through.
func (p *Proxy) hold() bool {
	p.mu.Lock()
	swallow, delay, changed := p.swallow, p.delay, p.changed
	p.mu.Unlock()
	if swallow {
		return false
	}
	if delay == 0 {
		return true
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.swallow
}
