package observe

import (
	"slices"
	"strings"
	"sync"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// waiting are the changes of transactions that were prepared, by gid, until some
// connection commits them. What is not there is taken for a change of everything.
//
// Invariant: what is there under a gid is of the last transaction that was prepared under
// it here. Another process may have ended the one before, whose changes are still there:
//
//	this process                      another one
//	PREPARE g, of posts: noted
//	                                  COMMIT PREPARED g
//	PREPARE g, of users: not noted
//	COMMIT PREPARED g: must not be taken for a change of posts alone
type waiting struct {
	mu    sync.Mutex
	byGid map[string]pending
	order []string // the gids in byGid, the oldest first
}

// maxPrepared bounds them, maxGid the length of a gid, as PostgreSQL does. The oldest make
// room: what another process has ended stays here otherwise, and nothing else is noted.
const (
	maxPrepared = 256
	maxGid      = 200
)

// forget removes what is noted under a gid. REQUIRES: mu is held.
func (w *waiting) forget(gid string) {
	if _, noted := w.byGid[gid]; noted {
		delete(w.byGid, gid)
		w.order = slices.DeleteFunc(w.order, func(g string) bool { return g == gid })
	}
}

// note notes what a transaction has changed that was prepared. REQUIRES: mu is held.
func (w *waiting) note(gid string, p pending) {
	if gid == "" || len(gid) > maxGid {
		return
	}
	if len(w.order) >= maxPrepared {
		w.forget(w.order[0])
	}
	if w.byGid == nil {
		w.byGid = map[string]pending{}
	}
	gid = strings.Clone(gid) // it is a part of the statement's text
	w.byGid[gid], w.order = p, append(w.order, gid)
}

// prepared follows the statements of two-phase commit.
func (s *Session) prepared(e *Execution, err error) {
	gid := e.a.Savepoint
	w := &s.o.waiting
	switch {
	case e.a.Kind == sqlparse.PrepareTransaction:
		w.mu.Lock()
		w.forget(gid)
		if err == nil && s.unsure == "" {
			w.note(gid, s.pending)
		}
		w.mu.Unlock()
		if err != nil { // rolled back, or not
			s.doubt("a transaction could not be prepared")
			break
		}
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
			w.forget(gid)
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
		w.forget(gid)
		w.mu.Unlock()
	}
	s.settle(e.ctx, e.asOf)
}
