package keycheck

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"
)

// messagePack returns what b is in MessagePack, a map or a list, as encoding/json would
// return it, with times and bytes as they are. It reports whether b is one to its end. The
// cursors of ent's GraphQL extension are maps. The format is that of
// github.com/msgpack/msgpack, spec.md.
func messagePack(b []byte) (x any, ok bool) {
	if len(b) == 0 || b[0]&0xe0 != 0x80 && (b[0] < 0xdc || b[0] > 0xdf) {
		return nil, false // a scalar: any bytes begin with one
	}
	r := packReader{b: b}
	x = r.value(0)
	return x, !r.bad && len(r.b) == 0
}

// A packReader reads b. Once it is bad it returns nothing of use.
type packReader struct {
	b   []byte
	bad bool
}

// take returns the next n bytes.
func (r *packReader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// number returns the next n bytes as a number.
func (r *packReader) number(n uint64) (u uint64) {
	for _, c := range r.take(n) {
		u = u<<8 | uint64(c)
	}
	return u
}

func (r *packReader) value(depth int) any {
	head := r.take(1)
	if r.bad || depth > maxDepth {
		r.bad = true
		return nil
	}
	switch c := head[0]; {
	case c <= 0x7f:
		return int64(c)
	case c <= 0x8f:
		return r.dictionary(uint64(c&0xf), depth)
	case c <= 0x9f:
		return r.list(uint64(c&0xf), depth)
	case c <= 0xbf:
		return string(r.take(uint64(c & 0x1f)))
	case c >= 0xe0:
		return int64(int8(c))
	default:
		return r.sized(c, depth)
	}
}

// sized returns a value whose first byte says how long its length or its number is.
func (r *packReader) sized(c byte, depth int) any {
	switch c {
	case 0xc0:
		return nil
	case 0xc2, 0xc3:
		return c == 0xc3
	case 0xc4, 0xc5, 0xc6:
		return r.take(r.number(1 << (c - 0xc4)))
	case 0xc7, 0xc8, 0xc9:
		return r.extension(r.number(1 << (c - 0xc7)))
	case 0xca:
		return float64(math.Float32frombits(uint32(r.number(4))))
	case 0xcb:
		return math.Float64frombits(r.number(8))
	case 0xcc, 0xcd, 0xce, 0xcf:
		u := r.number(1 << (c - 0xcc))
		if u > math.MaxInt64 {
			return strconv.FormatUint(u, 10)
		}
		return int64(u)
	case 0xd0:
		return int64(int8(r.number(1)))
	case 0xd1:
		return int64(int16(r.number(2)))
	case 0xd2:
		return int64(int32(r.number(4)))
	case 0xd3:
		return int64(r.number(8))
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8:
		return r.extension(1 << (c - 0xd4))
	case 0xd9, 0xda, 0xdb:
		return string(r.take(r.number(1 << (c - 0xd9))))
	case 0xdc, 0xdd:
		return r.list(r.number(2<<(c-0xdc)), depth)
	case 0xde, 0xdf:
		return r.dictionary(r.number(2<<(c-0xde)), depth)
	}
	r.bad = true
	return nil
}

func (r *packReader) list(n uint64, depth int) any {
	var list []any
	for range n {
		list = append(list, r.value(depth+1))
		if r.bad {
			return nil
		}
	}
	return list
}

// dictionary returns a map. Members whose names are no texts are left out.
func (r *packReader) dictionary(n uint64, depth int) any {
	m := map[string]any{}
	for range n {
		name, isText := r.value(depth + 1).(string)
		x := r.value(depth + 1)
		if r.bad {
			return nil
		}
		if isText {
			m[name] = x
		}
	}
	return m
}

// extension returns a time, or the bytes of another extension.
func (r *packReader) extension(n uint64) any {
	kind := r.take(1)
	b := r.take(n)
	if r.bad || int8(kind[0]) != -1 {
		return b
	}
	switch n {
	case 4:
		return time.Unix(int64(binary.BigEndian.Uint32(b)), 0)
	case 8:
		u := binary.BigEndian.Uint64(b)
		return time.Unix(int64(u&(1<<34-1)), int64(u>>34))
	case 12:
		return time.Unix(int64(binary.BigEndian.Uint64(b[4:])), int64(binary.BigEndian.Uint32(b)))
	}
	return b
}
