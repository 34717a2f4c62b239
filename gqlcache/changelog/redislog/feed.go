package redislog

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// Changes implements changelog.Feed. A loop occupies a connection of the client's pool
// while it waits for records; it may take 200 ms to notice that its context has ended.
func (l *Log) Changes(ctx context.Context, since changelog.Position) iter.Seq2[changelog.Change, error] {
	if since == (changelog.Position{}) {
		since = l.Applied()
	}
	return func(yield func(changelog.Change, error) bool) {
		ctx, stop, err := l.life.within(ctx)
		if err == nil {
			defer stop()
			f := follower{server: l.server, applier: l.applier, rounds: l.rounds, report: l.report, at: since}
			err = f.follow(ctx, func(c changelog.Change) bool { return yield(c, nil) })
		}
		if err != nil {
			yield(changelog.Change{}, err)
		}
	}
}

// A follower reads the log for one loop over a feed. It leaves the instance's own
// position alone.
type follower struct {
	server  *server
	applier *applier // for its position and its first epoch only
	rounds  *rounds
	report  *reporter

	at   changelog.Position // of the last record handed out
	last string             // ID after which to read on: that of at, or of a record without a number
	// logged is a number that the log had reached before the read that is running: a read
	// that finds nothing before it has found a gap.
	logged uint64
}

// follow hands out changes until there is an error, which it returns, or yield says that
// it was the last.
func (f *follower) follow(ctx context.Context, yield func(changelog.Change) bool) error {
	if err := f.persist(ctx, func() error { return f.begin(ctx) }); err != nil {
		return err
	}
	for {
		var records []streamRecord
		err := f.persist(ctx, func() (err error) { records, err = f.more(ctx); return err })
		if err != nil {
			return err
		}
		for _, r := range records {
			c, err := f.accept(r)
			if err != nil {
				return err
			}
			if !r.silent() && !yield(c) {
				return nil
			}
		}
	}
}

// persist tries until f succeeds or fails with an error that is the caller's to know.
func (f *follower) persist(ctx context.Context, try func() error) error {
	for failures := 1; ; failures++ {
		err := context.Cause(ctx)
		if err != nil {
			return err
		}
		err = try()
		switch {
		case err == nil:
			f.report.end(troubleFeed)
			return nil
		case errors.Is(err, changelog.ErrEpoch):
			f.rounds.kickOff() // the sooner this instance knows the new epoch, the sooner a feed can begin in it
			return err
		case errors.Is(err, changelog.ErrGap), errors.Is(err, changelog.ErrBehind), errors.Is(err, redis.ErrClosed):
			return err
		case ctx.Err() != nil:
			continue
		}
		f.report.begin(troubleFeed, err)
		pause(ctx, backoff(20*time.Millisecond, failures))
	}
}

// errNoEpoch says that the server knows of no epoch: a renewal is about to begin one.
var errNoEpoch = errors.New("redislog: the server has no epoch")

// begin checks the position against the server's, which is taken when there is none.
func (f *follower) begin(ctx context.Context) error {
	select {
	case <-f.applier.joined:
	case <-ctx.Done():
		return ctx.Err()
	}
	head, err := f.server.head(ctx)
	switch {
	case err != nil:
		return err
	case f.at.Epoch == 0 && head.Epoch == 0:
		return errNoEpoch
	case f.at.Epoch == 0:
		f.at = head
	case head.Epoch != f.at.Epoch:
		return changelog.ErrEpoch
	case head.Number < f.at.Number:
		return changelog.ErrBehind
	}
	f.last, f.logged = formatNumber(f.at.Number)+"-0", head.Number
	return nil
}

// more waits for records once.
func (f *follower) more(ctx context.Context) ([]streamRecord, error) {
	// Before the read. Records up to this position were logged by now, so that the read
	// finds them, or they are gone.
	switch seen := f.applier.position(); {
	case seen.Epoch > f.at.Epoch:
		return nil, changelog.ErrEpoch
	case seen.Epoch == f.at.Epoch:
		f.logged = max(f.logged, seen.Number)
	}
	records, last, err := f.server.read(ctx, f.last)
	switch {
	case err != nil:
		return nil, err
	case len(records) > 0:
		f.last = last
	case f.at.Number < f.logged:
		return nil, changelog.ErrGap
	}
	return records, nil
}

// accept makes a change of a record, by the rules of applier.apply: but a hole is
// reported, not made up for.
func (f *follower) accept(r streamRecord) (changelog.Change, error) {
	switch n := f.at.Number; {
	case r.Number >= n+epochStep:
		return changelog.Change{}, changelog.ErrEpoch
	case r.unknown:
		// It may be anything, what is missing before it included.
		r.Record = changelog.Record{Number: max(n, r.Number), All: true, Origin: r.Origin}
	case r.Number != n+1:
		return changelog.Change{}, changelog.ErrGap
	}
	f.at.Number = r.Number
	return changelog.Change{Epoch: f.at.Epoch, Record: r.Record}, nil
}
