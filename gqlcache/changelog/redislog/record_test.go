package redislog_test

import (
	"slices"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
)

func FuzzDecode(f *testing.F) {
	f.Add("")
	f.Add("\x02")
	f.Add("\x01")
	f.Add(redislog.Encode([]cascade.Tag{{Hash: 1, Mask: 2}}, false))
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
	tags := []cascade.Tag{{Hash: 0x0102030405060708, Mask: 0xf0}}
	want := "\x01\x08\x07\x06\x05\x04\x03\x02\x01\xf0\x00\x00\x00\x00\x00\x00\x00"
	if got := redislog.Encode(tags, false); got != want {
		t.Errorf("%q, want %q: the bytes are those that other programs write", got, want)
	}
	if back, all, ok := redislog.Decode(want); !ok || all || !slices.Equal(back, tags) {
		t.Errorf("%v, %v, %v", back, all, ok)
	}
}
