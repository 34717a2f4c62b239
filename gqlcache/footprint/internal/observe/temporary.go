package observe

import (
	"context"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// A connection of SQLite may have triggers, tables and views of its own, which are in no
// catalog. The invariants:
//
//   - What is written on a connection that may have triggers of its own is published as
//     everything, unless the database tells of the rows (Session.Hook) and has no virtual
//     tables: it tells of those that triggers change, too.
//   - What is read on a connection on which a table or view of its own may hide another one
//     depends on anything, and what is written there changes everything.
//
// A connection may have them if it has said so, or if something ran since it was asked that
// may have made them: a change of definitions, a text that is not understood, the
// application with the driver's connection in its hands. Hooks of drivers make them before
// the session is opened, so it is asked then.

// The reasons.
const (
	ownTriggers = "the connection has temporary triggers"
	ownNames    = "the connection has a temporary table or view that hides another one"
)

// askOwn asks the connection what it has of its own, where that may have changed and it can
// be asked. Until it can, it may have anything.
func (s *Session) askOwn(ctx context.Context) {
	if !s.asks || s.o.opts.Dialect != catalog.SQLite {
		return
	}
	if s.conn != nil && s.open == 0 && !s.raw {
		if own, err := s.o.opts.temporary(ctx, s.conn.Query); err == nil {
			s.own, s.asks = own, s.tx.redefines // which a rollback may take back
			return
		}
	}
	s.own = catalog.Temporary{Triggers: true, Hides: true}
}

// suspect says that the connection may have something of its own from here on. Within a
// transaction it is asked at each statement then, since a rollback takes back what was made
// or dropped.
func (s *Session) suspect() { s.asks, s.tx.redefines = true, s.tx.open }

// suspects reports whether a statement may make, or take away, something of the connection's
// own.
func (e *Execution) suspects() bool {
	return e.a.Reloads || e.a.Unknown != "" && !e.a.ReadsOnly
}

// owned notes what a statement may do that only the connection knows of.
func (e *Execution) owned() {
	switch e.s.askOwn(e.ctx); {
	case e.s.own.Hides:
		e.hidden = ownNames
	case e.s.own.Triggers:
		e.triggers = ownTriggers
	}
}
