package redislog

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// errReply is what a server answers that runs no such scripts, or a broken control key.
var errReply = errors.New("redislog: a reply of the server is not what the script returns")

// A reply reads what a script returned, item by item, and remembers the first fault.
type reply struct {
	items []any
	err   error
}

func (r *reply) next() any {
	if len(r.items) == 0 {
		r.err = errors.Join(r.err, errReply)
		return nil
	}
	item := r.items[0]
	r.items = r.items[1:]
	return item
}

func (r *reply) number() uint64 {
	switch v := r.next().(type) {
	case int64:
		if v >= 0 {
			return uint64(v)
		}
	case string:
		if n, err := strconv.ParseUint(v, 10, 64); err == nil {
			return n
		}
	}
	if r.err == nil {
		r.err = errReply
	}
	return 0
}

func (r *reply) list() []any {
	v, ok := r.next().([]any)
	if !ok && r.err == nil {
		r.err = errReply
	}
	return v
}

func (r *reply) records() []streamRecord {
	list := r.list()
	records := make([]streamRecord, 0, len(list))
	for _, item := range list {
		entry := reply{items: asList(item)}
		id, fields := fmt.Sprint(entry.next()), entry.list()
		if entry.err != nil {
			r.err = entry.err
			return nil
		}
		var payload, origin string
		for i := 0; i+1 < len(fields); i += 2 {
			value, _ := fields[i+1].(string)
			switch fields[i] {
			case "t":
				payload = value
			case "o":
				origin = value
			}
		}
		records = append(records, parseRecord(id, payload, origin))
	}
	return records
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

// numbered is the reply to a publication.
type numbered struct {
	epoch, number uint64
	members       map[string]uint64 // what each is known to have applied
	longest       time.Duration     // the longest lease
	missed        []streamRecord
}

func parseNumbered(items []any) (numbered, error) {
	r := reply{items: items}
	n := numbered{epoch: r.number(), number: r.number(), members: map[string]uint64{}}
	fields := r.list()
	for i := 0; i+1 < len(fields); i += 2 {
		field, _ := fields[i].(string)
		value, _ := fields[i+1].(string)
		number, err := strconv.ParseUint(value, 10, 64)
		if id, ok := strings.CutPrefix(field, "m:"); ok {
			// What cannot be read is waited for.
			n.members[id] = number
		} else if field == "t" && err == nil {
			n.longest = time.Duration(number) * time.Millisecond
		}
	}
	n.missed = r.records()
	return n, r.err
}

// renewal is the reply to a request for a lease.
type renewal struct {
	epoch, number, first uint64
	missed               []streamRecord
	nonce                uint64
	granted              bool
	longest              time.Duration
	replicas             int
	alone                bool // the server has replicas, and takes changes without them
	named                bool
	quiet                bool
	looked               bool // open is what the server knows; else it was not asked
	open                 []openIntent
}

func parseRenewal(items []any) (renewal, error) {
	r := reply{items: items}
	n := renewal{epoch: r.number(), number: r.number(), first: r.number()}
	n.missed = r.records()
	n.nonce = r.number()
	n.granted = r.number() == 1
	n.longest = time.Duration(r.number()) * time.Millisecond
	n.replicas = int(r.number())
	n.alone = r.number() == 1
	n.named = r.number() == 1
	n.quiet = r.number() == 1
	n.open = r.intents(n.epoch)
	return n, r.err
}

// intents reads the fields of open intents. One that cannot be read, or has lost its
// payload, names everything.
func (r *reply) intents(epoch uint64) []openIntent {
	fields := r.list()
	byNumber := map[uint64]openIntent{}
	for i := 0; i+1 < len(fields); i += 2 {
		field, _ := fields[i].(string)
		value, _ := fields[i+1].(string)
		kind, text, _ := strings.Cut(field, ":")
		number, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			continue
		}
		in, known := byNumber[number]
		if !known {
			in.id, in.all = changelog.Position{Epoch: epoch, Number: number}, true
		}
		if kind == "j" {
			in.sign = value
		} else if said, ok := decodeRecord(value); ok && said.intent {
			in.tags, in.all = said.Tags, said.All
		}
		byNumber[number] = in
	}
	return slices.Collect(maps.Values(byNumber))
}
