package redislog

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

const (
	// pageSize is the most records in one reply.
	pageSize  = 1024
	readCount = 512
	// readBlock is how long one read of the log waits for a record. It is also how long
	// Close may wait.
	readBlock = 200 * time.Millisecond
)

// A server runs the log's scripts, and the few commands beside them, for one instance. It
// is the only part that knows the keys and the form of requests and replies. It knows
// nothing of the instance but its name: whoever calls it hands in the position. It is
// safe for concurrent use.
type server struct {
	client   redis.UniversalClient
	control  string // the hash
	stream   string
	keys     []string // both
	channel  string   // where the members publish what they have applied, for this instance
	instance string
	ttl      time.Duration // of a lease; also the most that a call waits for, but a read of the stream
	level    changelog.Level
	maxLen   int
	report   *reporter

	replicas atomic.Int64 // as of the last renewal
}

func newServer(client redis.UniversalClient, o Options, report *reporter) *server {
	prefix := "{gqlc:" + o.Namespace + "}:"
	return &server{
		client:   client,
		control:  prefix + "c",
		stream:   prefix + "log",
		keys:     []string{prefix + "c", prefix + "log"},
		channel:  prefix + "c:" + o.Instance,
		instance: o.Instance,
		ttl:      o.TTL,
		level:    o.Level,
		maxLen:   o.MaxLen,
		report:   report,
	}
}

func formatNumber(n uint64) string { return strconv.FormatUint(n, 10) }

// publish logs a change of an instance at a position.
func (s *server) publish(ctx context.Context, at changelog.Position, c changes) (numbered, error) {
	ctx, cancel := context.WithTimeout(ctx, s.ttl)
	defer cancel()
	intent := 0
	if c.intent {
		intent = 1
	}
	args := []any{c.payload(), s.instance, formatNumber(at.Epoch), formatNumber(at.Number), s.maxLen, pageSize, intent, c.unless}
	for _, id := range c.settles {
		args = append(args, formatNumber(id.Number))
	}
	run := s.runPublish
	if s.level == changelog.Strong && s.replicas.Load() > 0 {
		run = s.runReplicated
	}
	items, err := run(ctx, args)
	if err != nil {
		return numbered{}, err
	}
	return parseNumbered(items)
}

func (s *server) runPublish(ctx context.Context, args []any) ([]any, error) {
	return publishScript.Run(ctx, s.client, s.keys, args...).Slice()
}

// renew asks for a lease, and for the records after a position. The nonce is that of the
// last reply received. With hushed the server is told that intents of older epochs are
// over; with look it is asked for the open intents.
func (s *server) renew(ctx context.Context, at changelog.Position, nonce uint64, hushed, look bool) (renewal, error) {
	ctx, cancel := context.WithTimeout(ctx, s.ttl)
	defer cancel()
	items, err := renewScript.Run(ctx, s.client, s.keys, s.instance, formatNumber(at.Epoch), formatNumber(at.Number),
		formatNumber(nonce), s.ttl.Milliseconds(), pageSize, flag(hushed), flag(look)).Slice()
	if err != nil {
		return renewal{}, err
	}
	reply, err := parseRenewal(items)
	reply.looked = look
	if err == nil {
		s.replicas.Store(int64(reply.replicas))
	}
	return reply, err
}

// flag is a bool as the scripts read one.
func flag(set bool) int {
	if set {
		return 1
	}
	return 0
}

// acknowledge says that the instance has applied everything up to a position. The origins
// hear of it at once.
func (s *server) acknowledge(ctx context.Context, at changelog.Position, origins map[string]bool) error {
	ctx, cancel := context.WithTimeout(ctx, s.ttl)
	defer cancel()
	args := []any{s.instance, formatNumber(at.Epoch), formatNumber(at.Number)}
	for origin := range origins {
		args = append(args, origin)
	}
	return ackScript.Run(ctx, s.client, s.keys, args...).Err()
}

// reap drops the members whose last lease is from before a position. It returns how many,
// or less than 0 when the server does not know the position.
func (s *server) reap(ctx context.Context, p changelog.Position) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, s.ttl)
	defer cancel()
	return reapScript.Run(ctx, s.client, s.keys, formatNumber(p.Epoch), formatNumber(p.Number)).Int64()
}

// stand gives a sign of life of each of the intents. It returns the numbers of those that
// the server does not know.
func (s *server) stand(ctx context.Context, intents []changelog.Position) (gone []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.ttl)
	defer cancel()
	numbers := make([]any, 0, len(intents))
	for _, id := range intents {
		numbers = append(numbers, formatNumber(id.Number))
	}
	return standScript.Run(ctx, s.client, s.keys, numbers...).StringSlice()
}

// leave ends the membership.
func (s *server) leave(ctx context.Context) error {
	return leaveScript.Run(ctx, s.client, s.keys, s.instance).Err()
}

// head returns the server's position, zero if there is none that can be read.
func (s *server) head(ctx context.Context) (changelog.Position, error) {
	ctx, cancel := context.WithTimeout(ctx, s.ttl)
	defer cancel()
	values, err := s.client.HMGet(ctx, s.control, "e", "s").Result()
	if err != nil || len(values) != 2 {
		return changelog.Position{}, errors.Join(err, ctx.Err())
	}
	return parsePosition(values), nil
}

// parsePosition reads an epoch and a number, zero if either is none.
func parsePosition(values []any) changelog.Position {
	epoch, _ := values[0].(string)
	number, _ := values[1].(string)
	var p changelog.Position
	var faults [2]error
	p.Epoch, faults[0] = strconv.ParseUint(epoch, 10, 64)
	p.Number, faults[1] = strconv.ParseUint(number, 10, 64)
	if faults != [2]error{} {
		return changelog.Position{}
	}
	return p
}

// members reads what members have applied. Those that are not in the control key any more
// are gone. It returns false where the server does not know the position.
//
// Who is gone has left, or holds no lease, only where the position is known. A replica
// may be promoted that has neither it nor the member who joined just before it, and is of
// the same epoch until somebody renews there: it would say that nobody is left to wait
// for, while the lease from the old primary runs. Replication keeps the order, so a
// server that has the number has every member that it was published to.
func (s *server) members(ctx context.Context, ids []string, at changelog.Position, wait time.Duration) (applied map[string]uint64, gone []string, known bool) {
	fields := make([]string, 0, len(ids)+2)
	fields = append(fields, "e", "s")
	for _, id := range ids {
		fields = append(fields, "m:"+id)
	}
	ctx, cancel := context.WithTimeout(ctx, min(s.ttl, wait))
	defer cancel()
	values, err := s.client.HMGet(ctx, s.control, fields...).Result()
	if err != nil || len(values) != len(fields) || values[0] != formatNumber(at.Epoch) {
		return nil, nil, false
	}
	last, _ := values[1].(string)
	if n, err := strconv.ParseUint(last, 10, 64); err != nil || n < at.Number {
		return nil, nil, false
	}
	applied = map[string]uint64{}
	for i, id := range ids {
		text, member := values[i+2].(string)
		if !member {
			gone = append(gone, id)
		} else if n, err := strconv.ParseUint(text, 10, 64); err == nil {
			applied[id] = n
		}
	}
	return applied, gone, true
}

// A lastSign is the server's answer about an intent.
type lastSign struct {
	sign  string
	known bool // else the server does not know the intent
	epoch bool // the server's epoch is the intent's
}

// signs reads the last signs of life of some intents, one for each, none if the reply is
// not one.
func (s *server) signs(ctx context.Context, intents []openIntent) ([]lastSign, error) {
	fields := []string{"e"}
	for _, in := range intents {
		fields = append(fields, "j:"+formatNumber(in.id.Number))
	}
	ctx, cancel := context.WithTimeout(ctx, s.ttl)
	defer cancel()
	values, err := s.client.HMGet(ctx, s.control, fields...).Result()
	if err != nil || len(values) != len(fields) {
		return nil, err
	}
	signs := make([]lastSign, len(intents))
	for i, in := range intents {
		signs[i].sign, signs[i].known = values[i+1].(string)
		signs[i].epoch = values[0] == formatNumber(in.id.Epoch)
	}
	return signs, nil
}

// read waits for entries of the stream after an ID, for readBlock. It returns their
// records and the ID of the last one; none if nothing was logged.
func (s *server) read(ctx context.Context, after string) (records []streamRecord, last string, err error) {
	ctx, cancel := context.WithTimeout(ctx, readBlock+s.ttl)
	defer cancel()
	streams, err := s.client.XRead(ctx, &redis.XReadArgs{
		Streams: []string{s.stream, after}, Count: readCount, Block: readBlock,
	}).Result()
	if errors.Is(err, redis.Nil) || err == nil && len(streams) == 0 {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	records = make([]streamRecord, 0, len(streams[0].Messages))
	for _, m := range streams[0].Messages {
		payload, _ := m.Values["t"].(string)
		origin, _ := m.Values["o"].(string)
		records = append(records, parseRecord(m.ID, payload, origin))
		last = m.ID
	}
	return records, last, nil
}

// subscribe opens a connection of its own, on which messages to this instance arrive.
func (s *server) subscribe(ctx context.Context) *redis.PubSub {
	return s.client.Subscribe(ctx, s.channel)
}
