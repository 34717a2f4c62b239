package observe

import "context"

type (
	state    struct{}
	findings struct{}
	prepared struct{}
	pending  struct{}
)

func (*pending) all(why, text string)                        {}
func (s *Session) flush(ctx context.Context, why string)     {}
func (s *Session) settle(ctx context.Context)                {}
func (s *Session) poll(ctx context.Context)                  {}
func (s *Session) committed(ctx context.Context, err error)  {}
func (s *Session) rolledBack(ctx context.Context, err error) {}
func (o *Observer) panicked(what string, v any)              {}

// Load reads the catalog anew, on a connection without a transaction.
func (o *Observer) Load(ctx context.Context, conn Conn) error { return nil }

// Outside marks the context of what belongs to no computation.
func Outside(ctx context.Context) context.Context { return ctx }
