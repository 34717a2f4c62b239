package redislog

import (
	"context"
	"strconv"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// An upkeep gives signs of life of this instance's intentions, and ends intents of others
// that nobody stands by. It belongs to the renewer's goroutine.
type upkeep struct {
	intentTTL time.Duration
	server    *server
	applier   *applier
	publisher *publisher
	own       *own
	report    *reporter
	counts    *counters
}

// tend looks after intents. Call it after each round of renewal that went well.
func (u *upkeep) tend(ctx context.Context) error {
	if err := u.stand(ctx); err != nil {
		return err
	}
	var due []openIntent
	u.applier.withIntents(func(open *intents, at changelog.Position) {
		open.hushDue(at.Epoch)
		due = open.due()
	})
	return u.expireAll(ctx, due)
}

// stand gives the signs of life of this instance's intentions, three times per IntentTTL.
// One that the server does not know, because it has begun a new epoch or somebody has
// ended it, is announced again.
func (u *upkeep) stand(ctx context.Context) error {
	var ids []changelog.Position
	byNumber := map[string]*intention{}
	sent := now()
	for _, in := range u.own.list() {
		id, signed, open := in.last()
		if open && (sent >= signed+u.intentTTL/3 || id.Epoch != u.applier.position().Epoch) {
			ids = append(ids, id)
			byNumber[formatNumber(id.Number)] = in
		}
	}
	if len(ids) == 0 {
		return nil
	}
	gone, err := u.server.stand(ctx, ids)
	if err != nil {
		return err
	}
	for _, number := range gone {
		if in := byNumber[number]; in != nil {
			if _, err := in.announce(ctx); err != nil {
				return err
			}
			delete(byNumber, number)
		}
	}
	for _, in := range byNumber {
		in.sign(sent)
	}
	return nil
}

// expireAll ends those of the intents that nobody stands by. Whether their changes were
// made is not known: they count as made, so that an entry from before, in a store that
// instances share for instance, does not come back, nor is kept what was computed while
// the intent was open. It is done by a record, so every instance does it at the same
// place in the log, and those who follow the log hear of the change.
func (u *upkeep) expireAll(ctx context.Context, due []openIntent) error {
	if len(due) == 0 {
		return nil
	}
	signs, err := u.server.signs(ctx, due)
	if err != nil {
		return err
	}
	for i, said := range signs {
		if !u.applier.judge(due[i], said) || !said.epoch {
			continue
		}
		if err := u.expire(ctx, due[i]); err != nil {
			return err
		}
	}
	return nil
}

func (u *upkeep) expire(ctx context.Context, in openIntent) error {
	change := changes{count: 1, tags: in.tags, all: in.all, settles: []changelog.Position{in.id}, unless: in.sign}
	reply, err := u.publisher.number(ctx, change)
	if err != nil || reply.number == 0 { // somebody else has, or there was a sign
		return err
	}
	u.publisher.take(reply, change)
	u.counts.expired.Add(1)
	u.report.event(EventIntentExpired, in.id, strconv.Itoa(len(in.tags))+" tags")
	u.report.log.Warn("an announced change was never settled, it counts as made", "epoch", in.id.Epoch, "number", in.id.Number)
	return nil
}
