package gqlcache

import "context"

// Commit says, from inside a resolver, that what the running mutation has written up to
// now is committed. What the mutation declares and its resolvers have said is applied and
// made known to other instances before it returns, so that whoever is told of the change
// afterwards, and asks again, sees it: a subscriber, another service. What only the
// answer would tell counts as unknown, so more may be dropped than by the mutation's end;
// declared writes of root fields that are still to run are dropped as well. In a query it
// makes known at once what Touch and Report have said. In an operation that a resolver
// runs it says the same of those around it.
//
// It adds an application and replaces none: the changes are applied again when the
// mutation ends, and at the end of a hold. A call before the commit is harmless, and does
// nothing for whoever reads before it. It waits for other instances as a mutation does,
// also within HoldUntilCommit; whether they have confirmed, the mutation's answer says.
// It returns ErrNoOperation outside of an operation.
func Commit(ctx context.Context) error {
	r := requestFrom(ctx)
	if r == nil {
		return ErrNoOperation
	}
	for ; r != nil; r = r.outer { // a transaction may be that of an operation around this one
		r.commit(ctx)
	}
	return nil
}

func (r *request) commit(ctx context.Context) {
	c := r.cache
	// What was said and applied, but is still to be made known: between a mutation's
	// answer and the end of its operation, or of the request.
	b := r.uncommitted.known()
	if r.hold != nil {
		held := r.hold.known()
		b.add(&held)
	}
	if !b.IsEmpty() {
		c.publishBatch(ctx, &b, true)
	}
	r.mu.Lock()
	running := r.mu.running
	r.mu.Unlock()
	if !running || r.planned == nil {
		return
	}
	// Unlike at the end, a root field that has not been entered is not known to have
	// written nothing: it may yet be. Whatever settles the intent comes later, so the
	// change is not published through it.
	ch, _ := c.declared(ctx, r, r.planned, nil, r.reported(false)) // settle logs it
	c.publish(ctx, ch)
}
