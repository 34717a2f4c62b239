package redislog_test

import (
	"slices"
	"testing"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
)

func FuzzDecode(f *testing.F) {
	f.Add("")
	f.Add("\x02")
	f.Add("\x01")
	f.Add(redislog.Encode([]tag.Tag{{Hash: 1, Mask: 2}}, false))
	f.Add(redislog.Encode(nil, true))
	f.Fuzz(func(t *testing.T, payload string) {
		tags, all, ok := redislog.Decode(payload)
		if !ok {
			if all || tags != nil {
				t.Errorf("%q is not understood, and says %v, %v", payload, tags, all)
			}
			return
		}
		if len(tags) > 4096 {
			return // more than Encode writes
		}
		if back := redislog.Encode(tags, all); back != payload {
			t.Errorf("%q was read as %v, %v, which is %q", payload, tags, all, back)
		}
	})
}

func TestEncode(t *testing.T) {
	t.Parallel()
	tags := []tag.Tag{{Hash: 0x0102030405060708, Mask: 0xf0}}
	want := "\x01\x08\x07\x06\x05\x04\x03\x02\x01\xf0\x00\x00\x00\x00\x00\x00\x00"
	if got := redislog.Encode(tags, false); got != want {
		t.Errorf("%q, want %q: the bytes are those that other programs write", got, want)
	}
	if back, all, ok := redislog.Decode(want); !ok || all || !slices.Equal(back, tags) {
		t.Errorf("%v, %v, %v", back, all, ok)
	}
}

func FuzzPayload(f *testing.F) {
	for _, row := range payloads {
		f.Add(row.bytes)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		p, ok := redislog.ReadPayload(payload)
		if !ok {
			if p.All || p.Intent || p.Tags != nil || p.Settles != nil {
				t.Errorf("%q is not understood, and says %+v", payload, p)
			}
			return
		}
		if len(p.Tags) > 4096 {
			return // more than is written
		}
		back, ok := redislog.ReadPayload(p.String())
		if !ok || back.All != p.All || back.Intent != p.Intent || !slices.Equal(back.Tags, p.Tags) || !slices.Equal(back.Settles, p.Settles) {
			t.Errorf("%q was read as %+v, which is %q, which is %+v, %v", payload, p, p.String(), back, ok)
		}
	})
}

const (
	tagBytes      = "\x08\x07\x06\x05\x04\x03\x02\x01\xf0\x00\x00\x00\x00\x00\x00\x00"
	positionBytes = "\x02\x01\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00"
)

var payloads = []struct {
	name, bytes string
	want        redislog.Payload
	ok          bool
}{
	{"announcement", "\x03" + tagBytes, redislog.Payload{Tags: []tag.Tag{{Hash: 0x0102030405060708, Mask: 0xf0}}, Intent: true}, true},
	{"announcement of everything", "\x04", redislog.Payload{All: true, Intent: true}, true},
	{"settlement alone", "\x05\x01\x00\x00\x00" + positionBytes, redislog.Payload{Settles: []changelog.Position{{Epoch: 0x102, Number: 3}}}, true},
	{"settlement of two, and a change", "\x05\x02\x00\x00\x00" + positionBytes + positionBytes + "\x01" + tagBytes,
		redislog.Payload{Tags: []tag.Tag{{Hash: 0x0102030405060708, Mask: 0xf0}}, Settles: []changelog.Position{{Epoch: 0x102, Number: 3}, {Epoch: 0x102, Number: 3}}}, true},
	{"settlement, and everything", "\x05\x01\x00\x00\x00" + positionBytes + "\x02", redislog.Payload{All: true, Settles: []changelog.Position{{Epoch: 0x102, Number: 3}}}, true},
	{"half a tag", "\x03" + tagBytes[:8], redislog.Payload{}, false},
	{"everything, and more", "\x04\x00", redislog.Payload{}, false},
	{"settlement of nothing", "\x05\x00\x00\x00\x00", redislog.Payload{}, false},
	{"settlement without a count", "\x05\x01\x00", redislog.Payload{}, false},
	{"settlement of more than there are", "\x05\x02\x00\x00\x00" + positionBytes, redislog.Payload{}, false},
	{"settlement of very many", "\x05\xff\xff\xff\xff" + positionBytes, redislog.Payload{}, false},
	{"settlement, and an announcement", "\x05\x01\x00\x00\x00" + positionBytes + "\x04", redislog.Payload{}, false},
	{"settlement in a settlement", "\x05\x01\x00\x00\x00" + positionBytes + "\x05\x01\x00\x00\x00" + positionBytes, redislog.Payload{}, false},
	{"settlement, and half a change", "\x05\x01\x00\x00\x00" + positionBytes + "\x01" + tagBytes[:8], redislog.Payload{}, false},
	{"later kind", "\x06", redislog.Payload{}, false},
}

// TestPayloads: the bytes are those that docs/log-format.md tells.
func TestPayloads(t *testing.T) {
	t.Parallel()
	for _, row := range payloads {
		got, ok := redislog.ReadPayload(row.bytes)
		if ok != row.ok || got.All != row.want.All || got.Intent != row.want.Intent || !slices.Equal(got.Tags, row.want.Tags) || !slices.Equal(got.Settles, row.want.Settles) {
			t.Errorf("%s: %+v, %v, want %+v, %v", row.name, got, ok, row.want, row.ok)
		}
		if row.ok && row.want.String() != row.bytes {
			t.Errorf("%s is written as %q, want %q", row.name, row.want.String(), row.bytes)
		}
	}
}
