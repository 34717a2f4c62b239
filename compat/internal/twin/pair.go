// Package twin runs a server with the cache beside the same server without it.
package twin

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// A Pair is a server with the cache and one without. Their stores have the same history: Same sends
// everything to both. Oracle is a server without the cache over the store of the one with it.
type Pair struct {
	T             testing.TB
	Contract      *Contract
	Plain, Cached http.Handler
	Oracle        http.Handler
}

// Same sends a request to the server without the cache, then to the one with it, and fails the test unless
// status, headers and body are equal, and field middlewares saw the same or, after a hit, nothing. A query is also
// compared with what Oracle answers afterwards. It returns the answer.
func (p *Pair) Same(r Request) Answer {
	p.T.Helper()
	return p.same(context.Background(), r, true)
}

// Once is Same for requests whose resolvers do something each time they run: Oracle is not asked.
func (p *Pair) Once(r Request) Answer {
	p.T.Helper()
	return p.same(context.Background(), r, false)
}

func (p *Pair) same(ctx context.Context, r Request, oracle bool) Answer {
	p.T.Helper()
	want := p.Contract.Serve(ctx, p.Plain, r)
	got := p.Contract.Serve(ctx, p.Cached, r)
	if got.String() != want.String() {
		p.T.Errorf("%s\nwith the cache\n%s\nwithout\n%s", r.label(), got, want)
	}
	if len(got.Fields) > 0 && !slices.Equal(got.Fields, want.Fields) {
		p.T.Errorf("%s\nfield middlewares saw, with the cache,\n%s\nwithout\n%s",
			r.label(), strings.Join(got.Fields, "\n"), strings.Join(want.Fields, "\n"))
	}
	if oracle && p.Oracle != nil && !strings.HasPrefix(strings.TrimSpace(r.Query), "mutation") {
		if truth := p.Contract.Serve(ctx, p.Oracle, r); got.String() != truth.String() {
			p.T.Errorf("%s\nwith the cache\n%s\nthe store has\n%s", r.label(), got, truth)
		}
	}
	return got
}

func (r Request) label() string {
	s := r.Query
	if r.User != "" {
		s = r.User + ": " + s
	}
	if len(r.Variables) > 0 {
		s += " " + string(encode(r.Variables))
	}
	return s
}

// Check fails the test if the contract was broken.
func (p *Pair) Check() {
	p.T.Helper()
	for _, f := range p.Contract.Faults() {
		p.T.Errorf("contract: %s", f)
	}
}
