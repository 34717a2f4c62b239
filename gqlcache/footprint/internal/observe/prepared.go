package observe

import (
	"sync"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// waiting are the changes of transactions that were prepared, by gid, until some
// connection commits them.
type waiting struct {
	mu    sync.Mutex
	byGid map[string]pending
}

// maxPrepared bounds them. What is not there is taken for a change of everything.
const maxPrepared = 256

// prepared follows the statements of two-phase commit.
func (s *Session) prepared(e *Execution, err error) {
	gid := e.a.Savepoint
	w := &s.o.waiting
	switch {
	case e.a.Kind == sqlparse.PrepareTransaction:
		if err != nil { // rolled back, or not
			s.doubt("a transaction could not be prepared")
			break
		}
		w.mu.Lock()
		if s.unsure == "" && gid != "" && len(w.byGid) < maxPrepared {
			if w.byGid == nil {
				w.byGid = map[string]pending{}
			}
			w.byGid[gid] = s.pending
		}
		w.mu.Unlock()
		if !s.pending.empty() {
			s.undone.Add(1) // not visible, not rolled back
		}
		s.pending.take()
		s.dirty.Store(false)
		s.ended(e.ctx)
		return
	case e.a.Kind == sqlparse.CommitPrepared:
		w.mu.Lock()
		p, ok := w.byGid[gid]
		if err == nil {
			delete(w.byGid, gid)
		}
		w.mu.Unlock()
		if !ok {
			p.all("a transaction that was prepared elsewhere was committed", e.text)
		}
		if !p.empty() {
			s.o.tell(e.ctx, p.commit(s.o.state.Load(), err != nil))
		}
	case err == nil:
		w.mu.Lock()
		delete(w.byGid, gid)
		w.mu.Unlock()
	}
	s.settle(e.ctx, e.asOf)
}
