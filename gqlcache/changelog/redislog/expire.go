package redislog

import (
	"context"
	"strconv"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// tend looks after intents. It is called after each round of renewal that went well.
func (l *Log) tend(ctx context.Context) error {
	l.mu.Lock()
	known := l.intents.sink != nil
	l.mu.Unlock()
	if err := l.stand(ctx); err != nil || !known {
		return err
	}
	l.hushDue()
	return l.expireDue(ctx)
}

// stand gives the signs of life of this instance's intentions, three times per IntentTTL. One that the server
// does not know, because it has begun a new epoch or somebody has ended it, is announced again.
func (l *Log) stand(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.o.TTL)
	defer cancel()
	var numbers []any
	byNumber := map[string]*intention{}
	sent := now()
	for _, in := range l.own.list() {
		id, signed, open := in.last()
		if open && (sent >= signed+l.o.IntentTTL/3 || id.Epoch != l.Applied().Epoch) {
			numbers = append(numbers, formatNumber(id.Number))
			byNumber[formatNumber(id.Number)] = in
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	gone, err := standScript.Run(ctx, l.client, l.keys, numbers...).StringSlice()
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
		in.mu.Lock()
		in.signed = sent
		in.mu.Unlock()
	}
	return nil
}

// expireDue ends the intents that nobody stands by. Whether their changes were made is not known: they count as
// made, so that an entry from before, in a store that instances share for instance, does not come back, nor is
// kept what was computed while the intent was open. It is done by a record, so every instance does it at the same
// place in the log, and those who follow the log hear of the change.
func (l *Log) expireDue(ctx context.Context) error {
	due := l.suspects()
	if len(due) == 0 {
		return nil
	}
	fields := []string{"e"}
	for _, in := range due {
		fields = append(fields, "j:"+formatNumber(in.id.Number))
	}
	asking, cancel := context.WithTimeout(ctx, l.o.TTL)
	defer cancel()
	values, err := l.client.HMGet(asking, l.keys[0], fields...).Result()
	if err != nil || len(values) != len(fields) {
		return err
	}
	for i, in := range due {
		sign, known := values[i+1].(string)
		if !l.suspect(in, sign, known) || values[0] != formatNumber(in.id.Epoch) {
			continue
		}
		if err := l.expire(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// suspects returns copies of the intents of which no new sign has been looked for in an IntentTTL.
func (l *Log) suspects() (due []openIntent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := now()
	for _, in := range l.intents.open {
		if in.id.Number != 0 && t >= in.since+l.o.IntentTTL {
			due = append(due, *in)
		}
	}
	return due
}

// suspect reports whether nobody stands by an intent, by what the server knows of it now.
func (l *Log) suspect(was openIntent, sign string, known bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	in := l.intents.open[was.id]
	switch {
	case in == nil:
		return false
	case known && sign == was.sign:
		return true
	case known:
		in.sign, in.since, in.missing = sign, now(), false
	case in.missing:
		// It was settled long ago, by a record that never came.
		at := l.Applied()
		l.flush(changelog.Position{Epoch: at.Epoch, Number: at.Number}, "an intent is lost")
	default:
		in.since, in.missing = now(), true
	}
	return false
}

func (l *Log) expire(ctx context.Context, in openIntent) error {
	change := changes{count: 1, tags: in.tags, all: in.all, settles: []changelog.Position{in.id}, unless: in.sign}
	reply, err := l.number(ctx, change)
	if err != nil || reply.number == 0 { // somebody else has, or there was a sign
		return err
	}
	l.take(reply, change)
	l.counts.expired.Add(1)
	l.event(EventIntentExpired, in.id, strconv.Itoa(len(in.tags))+" tags")
	l.trouble.log.Warn("an announced change was never settled, it counts as made", "epoch", in.id.Epoch, "number", in.id.Number)
	return nil
}
