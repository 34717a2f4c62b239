package redisstore_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A proxy stands between a client and a server and tampers with the answers.
type proxy struct {
	addr    string
	to      string
	delay   atomic.Int64 // of each answer, in nanoseconds
	swallow atomic.Bool  // answers are read and forgotten

	stop chan struct{}
	wg   sync.WaitGroup
}

// startProxy starts a proxy that ends with the test.
func startProxy(t testing.TB, to string) *proxy {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: l.Addr().String(), to: to, stop: make(chan struct{})}
	p.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		close(p.stop)
		_ = l.Close()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) serve(client net.Conn) {
	var d net.Dialer
	server, err := d.DialContext(context.Background(), "tcp", p.to)
	if err != nil {
		_ = client.Close()
		return
	}
	ended := make(chan struct{})
	p.wg.Go(func() {
		select {
		case <-p.stop:
		case <-ended:
		}
		_, _ = client.Close(), server.Close()
	})
	p.wg.Go(func() { pump(server, client, func() bool { return true }) })
	pump(client, server, p.answer)
	close(ended)
}

// answer waits as long as an answer is held back and reports whether it is handed on at all.
func (p *proxy) answer() bool {
	if d := time.Duration(p.delay.Load()); d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-p.stop:
		}
	}
	return !p.swallow.Load()
}

func pump(to, from net.Conn, pass func() bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if pass() {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
	}
}
