package gqlcachetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
)

// A Comparison says what is compared, and how much of it. Plain, Cached and Operations
// are required.
type Comparison struct {
	// Plain and Cached start a server without and with the cache. Each is called at the
	// beginning of every history, Plain first, and must begin with the same rows each
	// time, in a store of its own: what one server changes, the other must not see. A
	// handler that is an io.Closer is closed after its history. The handlers should be
	// all of the server, with the middlewares for authentication and transactions.
	Plain, Cached func() http.Handler
	// Operations are those that clients send.
	Operations []Operation
	// OneStore says that the two servers of a history use one store: mutations are sent
	// to Cached alone, and queries to both. It suits databases that are slow to copy, and
	// ids that the database makes. Defaults to false.
	OneStore bool
	// Callers are the headers of those who ask, such as Authorization or Cookie. Give two
	// of each kind: what one caller is shown by another's request is found only by asking
	// as both. Defaults to one caller without headers.
	Callers []http.Header
	// Path is the path of the requests. Defaults to "/graphql".
	Path string
	// IgnoreHeaders names response headers that may differ. Date, Age, Cache-Status and
	// those of the cache are ignored in any case. Defaults to none.
	IgnoreHeaders []string
	// Seed chooses the random histories. Defaults to 1.
	Seed uint64
	// Histories is how many random ones there are, each of Steps requests. Default to 20
	// and 40.
	Histories, Steps int

	ignored     map[string]bool
	notCompared map[int]string  // why, by operation
	known       map[string]bool // the differences that are reported
	requests    atomic.Int64
	fault       string // why nothing can be compared
	report      *Report
	t           testing.TB
}

// maxReported is how many differences are reported, maxShrinks how many histories are run
// to shorten one.
const (
	maxReported = 20
	maxShrinks  = 150
)

// Compare runs a [Comparison] with one caller and two stores. It reports each difference
// as an error of the test, and operations that cannot be compared in its log. It blocks
// until all histories are run.
func Compare(t testing.TB, plain, cached func() http.Handler, operations []Operation) *Report {
	t.Helper()
	c := &Comparison{Plain: plain, Cached: cached, Operations: operations}
	return c.Run(t)
}

// Run compares the servers. It reports each difference as an error of the test, and
// operations that cannot be compared in its log. It blocks until all histories are run,
// and may be called again, but not concurrently.
func (c *Comparison) Run(t testing.TB) *Report {
	t.Helper()
	c.setDefaults(t)
	if c.fault != "" || !c.probe() {
		t.Errorf("gqlcachetest: %s", c.fault)
		return c.report
	}
	for _, h := range c.histories() {
		c.play(h)
	}
	for op := range c.Operations {
		if kind, _ := c.Operations[op].kind(); kind == "mutation" {
			c.race(op)
		}
	}
	c.report.Requests = int(c.requests.Load())
	for op := range c.Operations {
		if why := c.notCompared[op]; why != "" {
			c.report.Unstable[c.Operations[op].name()] = why
			t.Logf("%s is not compared: %s. It depends on a random order, a clock or ids of its own: fix those in the test's server%s",
				c.Operations[op].name(), why, map[bool]string{false: ", or set OneStore"}[c.OneStore])
		}
	}
	for _, d := range c.report.Differences {
		t.Errorf("%s\n  seed       %d", d, c.Seed)
	}
	return c.report
}

func (c *Comparison) setDefaults(t testing.TB) {
	t.Helper()
	c.t, c.report, c.fault = t, &Report{Unstable: map[string]string{}}, ""
	c.requests.Store(0)
	c.notCompared, c.known = map[int]string{}, map[string]bool{}
	if c.Plain == nil || c.Cached == nil || len(c.Operations) == 0 {
		c.fault = "Plain, Cached and Operations are required"
	}
	if len(c.Callers) == 0 {
		c.Callers = []http.Header{{}}
	}
	if c.Path == "" {
		c.Path = "/graphql"
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	if c.Histories == 0 {
		c.Histories = 20
	}
	if c.Steps == 0 {
		c.Steps = 40
	}
	c.ignored = map[string]bool{"Date": true, "Age": true, "Cache-Status": true, "Content-Length": true}
	for _, name := range c.IgnoreHeaders {
		c.ignored[http.CanonicalHeaderKey(name)] = true
	}
}

func (c *Comparison) mutates(s step) bool {
	kind, _ := c.Operations[s.op].kind()
	return kind == "mutation"
}

// unstable leaves an operation out from now on.
func (c *Comparison) unstable(op int, why string) {
	if c.notCompared[op] == "" {
		c.notCompared[op] = why
	}
}

// draw returns a request for an operation.
func (c *Comparison) draw(r *rand.Rand, op, caller int) step {
	s := step{op: op, caller: caller}
	o := &c.Operations[op]
	vars := o.Variables
	if o.Draw != nil {
		vars = o.Draw(r)
	}
	if len(vars) > 0 {
		b, err := json.Marshal(vars)
		if err != nil {
			c.t.Errorf("gqlcachetest: the variables of %s: %v", o.name(), err)
		}
		s.variables = string(b)
	}
	return s
}

// each calls a function for all operations of a kind.
func (c *Comparison) each(kind string, f func(op int)) {
	for op := range c.Operations {
		if k, _ := c.Operations[op].kind(); k == kind {
			f(op)
		}
	}
}

// probe asks each operation several times on servers without the cache: what differs
// there is no fault of it. It returns false when there is nothing to compare.
func (c *Comparison) probe() bool {
	r := rand.New(rand.NewPCG(c.Seed, 0))
	var queries, mutations []step
	c.each("query", func(op int) {
		for caller := range c.Callers {
			queries = append(queries, c.draw(r, op, caller))
		}
	})
	c.each("mutation", func(op int) { mutations = append(mutations, c.draw(r, op, 0)) })
	one, two := c.Plain(), http.Handler(nil)
	if !c.OneStore {
		two = c.Plain()
	}
	answered := map[int]bool{}
	var last answer
	for _, s := range queries {
		first := c.send(one, s, nil)
		answered[s.op] = answered[s.op] || hasData(first.body)
		last = first
		for range 4 {
			if !same(first, c.send(one, s, nil), c.ignored) {
				c.unstable(s.op, "two answers of the server without the cache differ")
			}
		}
		if two != nil && !same(first, c.send(two, s, nil), c.ignored) {
			c.unstable(s.op, "two servers without the cache answer differently at the beginning: Plain must start with the same rows each time")
		}
	}
	if two != nil {
		for _, s := range mutations {
			if !same(c.send(one, s, nil), c.send(two, s, nil), c.ignored) {
				c.unstable(s.op, "two servers without the cache answer it differently")
			}
		}
	}
	closeAll(one, two)
	if len(queries) > 0 && len(answered) > 0 && !slices.Contains(slices.Collect(maps.Values(answered)), true) {
		c.fault = fmt.Sprintf("no query was answered with data, so there is nothing to compare: is %s the path, and are the callers let in? The last answer: %d %s",
			c.Path, last.status, clip(string(last.body), 200))
		return false
	}
	for op, ok := range answered {
		if !ok {
			c.t.Logf("%s is answered with no data at the beginning", c.Operations[op].name())
		}
	}
	return true
}

// hasData says that a body has data that is not null.
func hasData(body []byte) bool {
	var got struct {
		Data json.RawMessage `json:"data"`
	}
	return json.Unmarshal(body, &got) == nil && len(got.Data) > 0 && string(got.Data) != "null"
}

// histories returns what is sent in sequence.
func (c *Comparison) histories() (list [][]step) {
	r := rand.New(rand.NewPCG(c.Seed, 1))
	ask := func(h []step) []step {
		c.each("query", func(op int) {
			for caller := range c.Callers {
				h = append(h, c.draw(r, op, caller))
			}
		})
		return h
	}
	all := ask(nil)
	list = append(list, append(append([]step{}, all...), all...))
	c.each("mutation", func(op int) {
		for caller := range c.Callers {
			h := append(append(append([]step{}, all...), all...), c.draw(r, op, caller))
			list = append(list, append(append(h, all...), all...))
		}
	})
	var sent []int
	for op := range c.Operations {
		if kind, _ := c.Operations[op].kind(); kind != "subscription" {
			sent = append(sent, op)
		}
	}
	if len(sent) == 0 {
		return nil
	}
	for range c.Histories {
		var h, asked []step
		for range c.Steps {
			if len(asked) > 0 && r.IntN(3) > 0 { // the same again, or there would be no hits
				h = append(h, asked[r.IntN(len(asked))])
				continue
			}
			s := c.draw(r, sent[r.IntN(len(sent))], r.IntN(len(c.Callers)))
			if h = append(h, s); !c.mutates(s) {
				asked = append(asked, s)
			}
		}
		list = append(list, h)
	}
	return list
}

// play sends a history, and reports what differs.
func (c *Comparison) play(h []step) {
	s := c.start()
	defer func() { s.close() }()
	for i := 0; i < len(h) && len(c.report.Differences) < maxReported; i++ {
		if d := s.do(h[i]); d != nil {
			c.found(d, h[:i+1], nil)
		}
	}
}

// found reports a difference that the last step of a history has shown, with the shortest
// one that does. played runs a history anew; nil is in sequence.
func (c *Comparison) found(d *Difference, h []step, played func(h []step) *Difference) {
	if !c.OneStore && c.moves(h) {
		return
	}
	again := func(h []step) *Difference {
		s := c.start()
		defer s.close()
		for _, st := range h[:len(h)-1] {
			s.do(st)
		}
		return s.do(h[len(h)-1])
	}
	if played != nil {
		again = played
	}
	h = append([]step{}, h...)
	if e := again(h); e != nil && e.Kind == d.Kind {
		d.Reproduced = true
		if played == nil {
			d, h = c.shorten(d, h, again)
		}
		d.Reproduced = true
	}
	if c.notCompared[d.op] != "" {
		return
	}
	if d.History == nil {
		for _, st := range h {
			d.History = append(d.History, c.describe(st))
		}
	}
	c.known[d.id()] = true
	c.report.Differences = append(c.report.Differences, d)
}

// shorten leaves out steps as long as the last one still shows a difference of this kind.
func (c *Comparison) shorten(d *Difference, h []step, again func([]step) *Difference) (*Difference, []step) {
	tries := 0
	for size := len(h) / 2; size > 0; {
		removed := false
		for at := len(h) - 1 - size; at >= 0 && tries < maxShrinks; at -= size {
			less := append(append([]step{}, h[:at]...), h[at+size:]...)
			tries++
			if e := again(less); e != nil && e.Kind == d.Kind {
				d, h, removed = e, less, true
				at = min(at, len(h)-1)
			}
		}
		if !removed || size > 1 {
			size /= 2
		}
	}
	return d, h
}

// moves says that two servers without the cache differ in the last step of a history:
// then nothing can be told of its operation.
func (c *Comparison) moves(h []step) bool {
	one, two := c.Plain(), c.Plain()
	defer closeAll(one, two)
	for i, st := range h {
		a, b := c.send(one, st, nil), c.send(two, st, nil)
		if i == len(h)-1 && !same(a, b, c.ignored) {
			c.unstable(st.op, "two servers without the cache answer it differently after the same history")
			return true
		}
	}
	return false
}
