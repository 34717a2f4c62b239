package redislog

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// The payload of a record is one byte that says what it is, and what follows. Whoever
// reads one that it does not understand, in kind or in length, takes it for "everything".
const (
	kindTags      = 1 // then 16 bytes a tag: hash and mask, little endian
	kindAll       = 2 // then nothing
	kindIntent    = 3 // as kindTags: what may change
	kindIntentAll = 4 // then nothing: everything may change
	kindSettle    = 5 // then 4 bytes, how many; 16 bytes each, epoch and number of an intent; a payload of kind 1 or 2, or nothing

	tagBytes = 16
	// maxTags is the most that one record names; more are everything. It keeps a record
	// to 64 KiB, and the time that the server takes for one.
	maxTags = 4096
)

func appendChange(b []byte, some, every byte, tags []tag.Tag, all bool) []byte {
	if all || len(tags) > maxTags {
		return append(b, every)
	}
	b = append(b, some)
	for _, t := range tags {
		b = appendPair(b, t.Hash, t.Mask)
	}
	return b
}

func appendPair(b []byte, x, y uint64) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, x), y)
}

// payload returns the changes as a record says them.
func (c *changes) payload() string {
	if c.intent {
		return string(appendChange(nil, kindIntent, kindIntentAll, c.tags, c.all))
	}
	var b []byte
	if len(c.settles) > 0 {
		b = binary.LittleEndian.AppendUint32([]byte{kindSettle}, uint32(len(c.settles)))
		for _, id := range c.settles {
			b = appendPair(b, id.Epoch, id.Number)
		}
		if c.nothing() {
			return string(b)
		}
	}
	return string(appendChange(b, kindTags, kindAll, c.tags, c.all))
}

// decode returns what a change's payload says, or false if it is of no kind that is
// known.
func decode(payload string) (tags []tag.Tag, all, ok bool) {
	r, ok := decodeRecord(payload)
	if !ok || r.intent || len(r.settles) > 0 {
		return nil, false, false
	}
	return r.Tags, r.All, true
}

// A streamRecord is a record as it comes from the stream.
type streamRecord struct {
	changelog.Record
	// unknown records are understood by nobody here.
	unknown bool
	// misnumbered records have an ID that is none of the log's: their number says
	// nothing.
	misnumbered bool
	// intent says that the record announces what it names.
	intent bool
	// settles are the intents that it ends, after the change that it is, if it names one.
	settles []changelog.Position
}

// silent records change nothing.
func (r *streamRecord) silent() bool {
	return !r.unknown && (r.intent || len(r.settles) > 0 && len(r.Tags) == 0 && !r.All)
}

// behind reports whether a position has reached the record, so that the sink knows it or
// was flushed since. Numbers of an epoch are greater than the epoch.
func (r *streamRecord) behind(at changelog.Position) bool {
	return !r.misnumbered && at.Epoch < r.Number && r.Number <= at.Number
}

// decodeRecord reads a payload, or returns false if it is of no kind that is known.
func decodeRecord(payload string) (r streamRecord, ok bool) {
	if payload == "" {
		return r, false
	}
	kind, rest := payload[0], payload[1:]
	switch kind {
	case kindAll, kindIntentAll:
		r.All, ok = true, rest == ""
	case kindTags, kindIntent:
		r.Tags, ok = decodeTags(rest)
	case kindSettle:
		return decodeSettle([]byte(rest))
	}
	r.intent = kind == kindIntent || kind == kindIntentAll
	if !ok {
		return streamRecord{}, false
	}
	return r, true
}

func decodeSettle(b []byte) (streamRecord, bool) {
	if len(b) < 4 {
		return streamRecord{}, false
	}
	count, b := uint64(binary.LittleEndian.Uint32(b)), b[4:]
	if count == 0 || count > uint64(len(b)/tagBytes) {
		return streamRecord{}, false
	}
	settles := make([]changelog.Position, 0, count)
	for range count {
		settles = append(settles, changelog.Position{Epoch: binary.LittleEndian.Uint64(b), Number: binary.LittleEndian.Uint64(b[8:])})
		b = b[tagBytes:]
	}
	if len(b) == 0 {
		return streamRecord{settles: settles}, true
	}
	if b[0] != kindTags && b[0] != kindAll {
		return streamRecord{}, false
	}
	r, ok := decodeRecord(string(b))
	if !ok {
		return streamRecord{}, false
	}
	r.settles = settles
	return r, true
}

func decodeTags(s string) ([]tag.Tag, bool) {
	if len(s)%tagBytes != 0 {
		return nil, false
	}
	tags := make([]tag.Tag, 0, len(s)/tagBytes)
	for rest := []byte(s); len(rest) > 0; rest = rest[tagBytes:] {
		tags = append(tags, tag.Tag{
			Hash: binary.LittleEndian.Uint64(rest),
			Mask: binary.LittleEndian.Uint64(rest[8:]),
		})
	}
	return tags, true
}

// parseRecord reads an entry of the stream. An ID that is none of ours makes the record
// unknown.
func parseRecord(id, payload, origin string) streamRecord {
	number, sequence, _ := strings.Cut(id, "-")
	n, err := strconv.ParseUint(number, 10, 64)
	r, ok := decodeRecord(payload)
	r.Number, r.Origin = n, origin
	r.misnumbered = err != nil || sequence != "0"
	r.unknown = !ok || r.misnumbered
	return r
}
