package redislog

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// The payload of a record is one byte that says what it is, and what follows. Whoever reads one that it
// does not understand, in kind or in length, takes it for "everything".
const (
	kindTags = 1 // then 16 bytes a tag: hash and mask, little endian
	kindAll  = 2 // then nothing

	tagBytes = 16
	// maxTags is the most that one record names; more are everything. It keeps a record to 64 KiB, and
	// the time that the server takes for one.
	maxTags = 4096
)

func encode(tags []cascade.Tag, all bool) string {
	if all || len(tags) > maxTags {
		return string([]byte{kindAll})
	}
	b := make([]byte, 1, 1+tagBytes*len(tags))
	b[0] = kindTags
	for _, t := range tags {
		b = binary.LittleEndian.AppendUint64(b, t.Hash)
		b = binary.LittleEndian.AppendUint64(b, t.Mask)
	}
	return string(b)
}

// decode returns what a payload says, or false if it is of no kind that is known.
func decode(payload string) (tags []cascade.Tag, all, ok bool) {
	if payload == "" {
		return nil, false, false
	}
	kind, rest := payload[0], []byte(payload[1:])
	switch {
	case kind == kindAll && len(rest) == 0:
		return nil, true, true
	case kind == kindTags && len(rest)%tagBytes == 0:
		tags = make([]cascade.Tag, 0, len(rest)/tagBytes)
		for ; len(rest) > 0; rest = rest[tagBytes:] {
			tags = append(tags, cascade.Tag{
				Hash: binary.LittleEndian.Uint64(rest),
				Mask: binary.LittleEndian.Uint64(rest[8:]),
			})
		}
		return tags, false, true
	}
	return nil, false, false
}

// A streamRecord is a record as it comes from the stream.
type streamRecord struct {
	changelog.Record
	// unknown records are understood by nobody here.
	unknown bool
}

// parseRecord reads an entry of the stream. An ID that is none of ours makes the record unknown.
func parseRecord(id, payload, origin string) streamRecord {
	number, sequence, _ := strings.Cut(id, "-")
	n, err := strconv.ParseUint(number, 10, 64)
	tags, all, ok := decode(payload)
	r := streamRecord{Record: changelog.Record{Number: n, Tags: tags, All: all, Origin: origin}}
	r.unknown = !ok || err != nil || sequence != "0"
	return r
}
