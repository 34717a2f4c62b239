package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/gqlcache"
)

// TestStampede sends many identical misses over HTTP, by POST and GET, while one resolver
// runs. A mutation in the middle has the resolver run once more, and who asks after its
// acknowledgement never gets the old answer.
func TestStampede(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ mutates, direct, bare bool }{
		"no mutation":               {false, false, false},
		"a mutation":                {true, false, false},
		"no mutation, past hooks":   {false, true, false},
		"a mutation, past hooks":    {true, true, false},
		"no mutation, statements":   {false, false, true},
		"a mutation, statements":    {true, false, true},
		"past hooks and statements": {true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// In a bubble no time passes while the resolver is held, so it never counts
			// as stuck.
			synctest.Test(t, func(t *testing.T) { stampede(t, row.mutates, row.direct, row.bare) })
		})
	}
}

func stampede(t *testing.T, mutates, direct, bare bool) {
	t.Helper()
	const (
		asking = 1000
		old    = `{"data":{"feed":[{"title":"old"}]}}`
		fresh  = `{"data":{"feed":[{"title":"new"}]}}`
	)
	s := newCrowd(t, direct, bare)
	s.rig.ask("t", requestBody(`mutation { createUser(input: {id: "`+idOf("u1")+`", email: "e", name: "n"}) { id } }`), false)
	s.rig.ask("t", requestBody(`mutation { createPost(input: {id: "`+idOf("p1")+`", authorId: "`+idOf("u1")+
		`", title: "old", body: "", status: PUBLISHED}) { id } }`), false)
	before := s.ask(asking / 2)
	synctest.Wait() // all but the leader of the flight wait for it
	most, want := int64(1), old
	if mutates {
		most, want = 2, fresh
		rep := s.rig.ask("t", requestBody(`mutation { updatePost(id: "`+idOf("p1")+`", input: {title: "new"}) { id } }`), false)
		if len(rep.Errors) > 0 {
			t.Fatalf("the mutation failed: %s", rep.Errors)
		}
	}
	after := s.ask(asking / 2)
	synctest.Wait() // they, too: whether the old answer is right, the cache knows when it is there
	close(s.release)
	for range asking / 2 {
		switch got := <-before; {
		case got == old && mutates:
			// They asked before the change, so they may have the state before it.
		case got != want:
			t.Errorf("who asked before the mutation got %s", got)
		}
		if got := <-after; got != want {
			t.Errorf("who asked last got %s, want %s", got, want)
		}
	}
	if got := s.calls.Load(); got != most {
		t.Errorf("the resolver ran %d times, want %d", got, most)
	}
	if stats := s.rig.cache.Stats(); stats.Joined+stats.Hits+stats.Misses != asking || stats.Misses != uint64(most) {
		t.Errorf("%d joined, %d hits and %d misses", stats.Joined, stats.Hits, stats.Misses)
	}
}

// A crowd asks for the feed. Its resolver's first run waits, with what it has read, until
// release is closed.
type crowd struct {
	t       *testing.T
	rig     *rig
	client  *http.Client
	calls   atomic.Int64
	release chan struct{}
}

func newCrowd(t *testing.T, direct, bare bool) *crowd {
	t.Helper()
	s := &crowd{t: t, release: make(chan struct{})}
	s.rig = startRig(t, setup{
		bare:   bare,
		change: func(o *gqlcache.Options) { o.HTTP.Direct = direct },
		fields: func(ctx context.Context, next graphql.Resolver) (any, error) {
			v, err := next(ctx)
			if graphql.GetFieldContext(ctx).Field.Name == "feed" && s.calls.Add(1) == 1 {
				<-s.release
			}
			return v, err
		},
	})
	listener := &pipes{connections: make(chan net.Conn), closed: make(chan struct{})}
	srv := &http.Server{Handler: s.rig.handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = srv.Serve(listener) }()
	transport := &http.Transport{DialContext: listener.dial, MaxIdleConnsPerHost: -1}
	s.client = &http.Client{Transport: transport}
	t.Cleanup(func() { _ = srv.Close() })
	return s
}

// pipes is a listener whose connections are in memory, for bubbles of synctest.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.connections <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.connections:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// ask sends requests side by side, half of them by GET, and returns their answers as they
// come.
func (s *crowd) ask(n int) <-chan string {
	answers := make(chan string, n)
	for i := range n {
		go func() { answers <- s.answer(i%2 == 0) }()
	}
	return answers
}

func (s *crowd) answer(get bool) string {
	const query = "{ feed(limit: 5) { title } }"
	method, target, body := http.MethodPost, "http://crowd/", io.Reader(strings.NewReader(requestBody(query)))
	if get {
		method, target, body = http.MethodGet, "http://crowd/?"+url.Values{"query": {query}}.Encode(), nil
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, target, body)
	if err != nil {
		return err.Error()
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(tenantHeader, "t")
	resp, err := s.client.Do(r)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
