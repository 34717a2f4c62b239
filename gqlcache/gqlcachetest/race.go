package gqlcachetest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// raceRounds is how often each mutation is sent with readers around it.
	raceRounds = 3
	// readPatience bounds how long a mutation's answer is held back for a reader, who may
	// be waiting for the very connection that the mutation has.
	readPatience = 250 * time.Millisecond
	// maxMeanwhile bounds what is remembered of the answers that readers got.
	maxMeanwhile = 1000
)

// race sends a mutation while readers ask: in a loop, and in any case at the moment at
// which its answer is being written, before what wraps the GraphQL handler has ended.
// What they are answered meanwhile may be of before or after. What is asked once the
// request has ended must be what the server without the cache answers.
func (c *Comparison) race(op int) {
	r := rand.New(rand.NewPCG(c.Seed, 2))
	for round := range raceRounds {
		if len(c.report.Differences) >= maxReported {
			return
		}
		caller := round % len(c.Callers)
		mutation := c.draw(r, op, caller)
		var queries []step
		c.each("query", func(op int) {
			if c.faulty(op) {
				return // what is wrong in sequence says nothing here
			}
			for caller := range c.Callers {
				queries = append(queries, c.draw(r, op, caller))
			}
		})
		if len(queries) == 0 {
			return
		}
		for _, d := range c.raceOnce(mutation, queries) {
			st := step{}
			for _, q := range queries {
				if q.op == d.op && q.caller == d.Caller-1 {
					st = q
				}
			}
			d.History = []string{
				c.describe(st),
				c.describe(mutation) + fmt.Sprintf(", while readers ask %s, until the request has ended", c.Operations[st.op].name()),
				c.describe(st),
			}
			c.found(d, []step{st, mutation, st}, func([]step) *Difference {
				for _, e := range c.raceOnce(mutation, queries) {
					if e.op == d.op {
						return e
					}
				}
				return nil
			})
		}
	}
}

// faulty says that a difference of an operation is known.
func (c *Comparison) faulty(op int) bool {
	return slices.ContainsFunc(c.report.Differences, func(d *Difference) bool { return d.op == op })
}

// raceOnce runs one round and returns what differs after it, the first of each kind and
// operation.
func (c *Comparison) raceOnce(mutation step, queries []step) (found []*Difference) {
	s := c.start()
	defer s.close()
	for _, q := range queries {
		s.do(q)
	}
	var readers sync.WaitGroup
	stop := make(chan struct{})
	var mu sync.Mutex // guards meanwhile
	var meanwhile []pastAnswer
	before := s.changes
	read := func(q step) {
		got := c.send(s.cached, q, nil)
		mu.Lock()
		defer mu.Unlock()
		if len(meanwhile) < maxMeanwhile {
			meanwhile = append(meanwhile, pastAnswer{q, string(got.body), before, true})
		}
	}
	readers.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				read(queries[i%len(queries)])
			}
		}
	})
	c.send(s.cached, mutation, func() {
		done := make(chan struct{})
		readers.Go(func() {
			defer close(done)
			for _, q := range queries {
				read(q)
			}
		})
		patience := time.NewTimer(readPatience)
		defer patience.Stop()
		select {
		case <-done:
		case <-patience.C:
		}
	})
	close(stop)
	if !c.OneStore {
		c.send(s.plain, mutation, nil)
	}
	mu.Lock()
	s.past = append(s.past, meanwhile...) // what was right then is stale now
	mu.Unlock()
	s.changes++
	// Twice: those that are still on their way may store what they have read before.
	for range 2 {
		for _, q := range queries {
			if d := s.do(q); d != nil && !seen(found, d) {
				found = append(found, d)
			}
		}
		readers.Wait()
	}
	return found
}

func seen(list []*Difference, d *Difference) bool {
	for _, e := range list {
		if e.id() == d.id() {
			return true
		}
	}
	return false
}

var _ http.Flusher = (*recorder)(nil)
