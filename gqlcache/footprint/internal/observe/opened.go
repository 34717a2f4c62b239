package observe

import (
	"context"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// Opened asks a new connection what it is, before the application has it: whether it reads
// from a replica, reads what is not committed, or writes without looking at foreign keys.
// Several addresses may be behind one name, so each connection is asked.
func (s *Session) Opened(ctx context.Context) {
	s.contain("opened", func() { s.opened(ctx) })
}

func (s *Session) opened(ctx context.Context) {
	o := s.o
	if s.conn == nil {
		return
	}
	c, err := o.opts.connection(ctx, o.opts.Dialect, s.conn.Query)
	switch {
	case err != nil:
		s.elsewhere = "it was read on a connection that does not say what it is"
	case c.Replica:
		s.elsewhere = "it was read from a replica"
	case c.ReadUncommitted:
		s.elsewhere = "it was read on a connection that reads what is not committed"
	}
	if err == nil {
		s.learn(c)
	}
	s.suspect() // hooks of drivers run before
	if s.elsewhere != "" {
		o.found(ctx, Finding{Kind: Elsewhere, Why: s.elsewhere})
	}
	if o.opts.Dialect == catalog.SQLite && (err != nil || !c.ForeignKeys && !c.ReadOnly) && !o.unenforced.Swap(true) {
		_ = o.Load(ctx, s.conn) // a finding
	}
}
