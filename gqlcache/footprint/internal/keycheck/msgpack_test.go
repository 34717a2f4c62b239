package keycheck

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestMessagePack has each form of the format.
func TestMessagePack(t *testing.T) {
	for _, c := range []struct {
		in   string // in hexadecimal, an element of a list
		want any
	}{
		{"00", int64(0)}, {"7f", int64(127)}, {"ff", int64(-1)}, {"e0", int64(-32)},
		{"c0", nil}, {"c2", false}, {"c3", true},
		{"cc80", int64(128)}, {"cd0100", int64(256)}, {"ce00010000", int64(65536)}, {"cf0000000100000000", int64(1 << 32)},
		{"cfffffffffffffffff", "18446744073709551615"},
		{"d080", int64(-128)}, {"d1ff00", int64(-256)}, {"d2ffff0000", int64(-65536)}, {"d3ffffffff00000000", int64(-1 << 32)},
		{"ca3fc00000", 1.5}, {"cb3ff8000000000000", 1.5},
		{"a0", ""}, {"a26162", "ab"}, {"d9026162", "ab"}, {"da00026162", "ab"}, {"db000000026162", "ab"},
		{"c402ff00", []byte{0xff, 0}}, {"c50002ff00", []byte{0xff, 0}}, {"c600000002ff00", []byte{0xff, 0}},
		{"920102", []any{int64(1), int64(2)}}, {"dc00020102", []any{int64(1), int64(2)}}, {"dd000000020102", []any{int64(1), int64(2)}},
		{"81a16101", map[string]any{"a": int64(1)}}, {"de0001a16101", map[string]any{"a": int64(1)}}, {"df00000001a16101", map[string]any{"a": int64(1)}},
		{"8201a161a16202", map[string]any{"b": int64(2)}},
		{"d6ff00000001", time.Unix(1, 0)},
		{"d7ff0000000800000001", time.Unix(1, 2)},
		{"c70cff00000002ffffffffffffffff", time.Unix(-1, 2)},
		{"c703ff010203", []byte{1, 2, 3}},
		{"d401ab", []byte{0xab}}, {"d501abcd", []byte{0xab, 0xcd}}, {"d80100112233445566778899aabbccddeeff", []byte{0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}},
		{"c8000101ab", []byte{0xab}}, {"c90000000101ab", []byte{0xab}},
	} {
		b, err := hex.DecodeString("91" + c.in)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := messagePack(b)
		if !ok || fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", []any{c.want}) {
			t.Errorf("%s is %#v, %v; want %#v", c.in, got, ok, c.want)
		}
		for end := range len(b) {
			if got, ok := messagePack(b[:end]); ok {
				t.Errorf("%x is %#v", b[:end], got)
			}
		}
		if got, ok := messagePack(append(b, 0)); ok {
			t.Errorf("%s and more is %#v", c.in, got)
		}
	}
	for _, in := range []string{"", "\x01", "\xa1a", "\x91\xc1", "\xddffff", strings.Repeat("\x91", maxDepth+2) + "\x01"} {
		if got, ok := messagePack([]byte(in)); ok {
			t.Errorf("%x is %#v", in, got)
		}
	}
}

// FuzzMessagePack has any bytes: no beginning of what is a message is one.
func FuzzMessagePack(f *testing.F) {
	f.Add([]byte("\x82\xa1i\x01\xa1v\xd6\xff\x00\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, ok := messagePack(b); !ok || len(b) > 500 {
			return
		}
		for end := range len(b) {
			if x, ok := messagePack(b[:end]); ok {
				t.Errorf("%x is %#v", b[:end], x)
			}
		}
	})
}
