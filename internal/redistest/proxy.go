package redistest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Leftovers are functions of goroutines that toxiproxy leaves behind now and then: when a link is broken while
// a reply is under way, nobody takes that reply any more. They are for goleak.IgnoreAnyFunction.
var Leftovers = [...]string{
	"github.com/Shopify/toxiproxy/v2/toxics.(*NoopToxic).Pipe",
	"github.com/Shopify/toxiproxy/v2/stream.(*ChanWriter).Write",
}

// A Proxy is a link to a server that a test can harm. It ends with the test.
type Proxy struct {
	t     testing.TB
	proxy *toxiproxy.Proxy
}

// NewProxy returns a link to an address.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := &Proxy{t: t, proxy: toxiproxy.NewProxy(server, "link", "127.0.0.1:0", target)}
	if err := p.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// In this order: a reply that is held back would wait for its time after the end.
		p.Heal()
		p.proxy.Stop()
	})
	return p
}

// Addr returns where the proxy listens.
func (p *Proxy) Addr() string { return p.proxy.Listen }

// Delay holds every reply back for so long, from now on.
func (p *Proxy) Delay(d time.Duration) {
	p.t.Helper()
	p.harm("latency", "downstream", fmt.Sprintf(`{"latency": %d}`, d.Milliseconds()))
}

// SwallowReplies loses every reply from now on, and the requests arrive: the link is half open.
func (p *Proxy) SwallowReplies() {
	p.t.Helper()
	p.harm("timeout", "downstream", `{"timeout": 0}`)
}

// Cut ends all connections, and new ones as soon as they are made. Nothing passes in either direction.
// The port stays taken: a listener that is closed may not get it back.
func (p *Proxy) Cut() {
	p.t.Helper()
	for _, stream := range []string{"upstream", "downstream"} {
		p.harm("timeout", stream, `{"timeout": 1}`)
	}
}

// harm adds one of toxiproxy's toxics. What was of this kind before ends.
func (p *Proxy) harm(kind, stream, attributes string) {
	p.t.Helper()
	name := kind + " " + stream
	if p.proxy.Toxics.GetToxic(name) != nil {
		if err := p.proxy.Toxics.RemoveToxic(context.Background(), name); err != nil {
			p.t.Fatal(err)
		}
	}
	toxic := fmt.Sprintf(`{"name": %q, "type": %q, "stream": %q, "attributes": %s}`, name, kind, stream, attributes)
	if _, err := p.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		p.t.Fatal(err)
	}
}

// Heal makes the link whole. Replies that were held back arrive at once. Connections that lost a reply are
// ended: what follows would be taken for it.
func (p *Proxy) Heal() { p.proxy.Toxics.ResetToxics(context.Background()) }

// Retarget ends all connections; new ones go to another address.
func (p *Proxy) Retarget(target string) {
	p.t.Helper()
	err := p.proxy.Update(&toxiproxy.Proxy{Listen: p.proxy.Listen, Upstream: target, Enabled: true})
	if err != nil {
		p.t.Fatal(err)
	}
}
