package redisstore

import (
	"context"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// maxRead is how many entries GetAll asks for in one round trip, and readsPerTimeout for how
// many of them it waits for one ReadTimeout.
const (
	maxRead         = 1024
	readsPerTimeout = 256
)

var _ store.Batcher = (*Store)(nil)

// GetAll implements store.Batcher. It asks for 1024 entries in one round trip, in a Cluster
// for those of each node in one, and waits at most ReadTimeout for each 256 of them that it has
// begun to ask for: four times that for 1024. Entries that this process has queued are not
// asked for. Once Redis could not be asked, the rest is not either.
func (s *Store) GetAll(ctx context.Context, keys [][]byte, ok func(n int, e *store.Entry) bool) ([]*store.Entry, error) {
	if s.conn.closed.Load() {
		return make([]*store.Entry, len(keys)), store.ErrClosed
	}
	all := make([]*store.Entry, len(keys))
	gone := make([]*uint64, len(keys))
	var asked []question
	for n, key := range keys {
		at := s.names.entry(key)
		e, deleted, queued := s.queue.lookup(at)
		if all[n], gone[n] = e, deleted; !queued {
			asked = append(asked, question{n: n, key: key, at: at})
		}
	}
	var err error
	for rest := asked; len(rest) > 0 && err == nil; {
		part := rest[:min(len(rest), maxRead)]
		rest = rest[len(part):]
		err = s.reader.fetchAll(ctx, part, all)
	}
	now := s.opts.Clock()
	for n, e := range all {
		if e == nil || gone[n] != nil && e.Version == *gone[n] || expired(e, now) {
			s.counters.misses.Add(1)
			all[n] = nil
			continue
		}
		s.counters.hits.Add(1)
		if ok != nil && !ok(n, e) {
			all[n] = nil
		}
	}
	return all, err
}

// A question is an entry that is asked for with others, in the place of its key.
type question struct {
	n   int
	key []byte
	at  string
}

// fetchAll is fetch of several entries in one round trip. It puts those that it finds into
// their places.
func (r *reader) fetchAll(ctx context.Context, asks []question, into []*store.Entry) error {
	t, err := r.conn.admit(len(asks))
	if err != nil {
		return err
	}
	type answer struct {
		holding
		err error
	}
	asked := r.clock()
	timeout := r.timeout * time.Duration((len(asks)+readsPerTimeout-1)/readsPerTimeout)
	answers, err := call(ctx, r.conn, timeout, func(ctx context.Context) ([]answer, error) {
		pipe := r.conn.client.Pipeline()
		reads := make([]func() (holding, error), len(asks))
		for i, q := range asks {
			reads[i] = r.ask(ctx, pipe, q.at)
		}
		if err := run(ctx, pipe); err != nil {
			return nil, err
		}
		answers := make([]answer, len(asks))
		for i, read := range reads {
			answers[i].holding, answers[i].err = read()
		}
		return answers, nil
	})
	for i := range answers {
		if e := answers[i].err; e != nil && !wrongType(e) {
			err = e // of a node that cannot be asked: the others have answered
			break
		}
	}
	r.conn.report(t, true, r.judge(ctx, err), err)
	if r.conn.closed.Load() {
		return store.ErrClosed
	}
	for i, a := range answers {
		if a.err == nil && !a.absent() {
			into[asks[i].n], a.err = r.format.entry(a.value, asks[i].key, a.left, asked)
			if a.err != nil {
				r.corrupt(a.err)
			}
		} else if a.err != nil && wrongType(a.err) {
			r.corrupt(a.err)
		}
	}
	if err != nil {
		return r.failed(ctx, err)
	}
	return nil
}
