package redisstore

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A value is a header, then key, Meta and body, numbers big-endian:
//
//	 0  'g' 'c'
//	 2  layout version
//	 3  flags
//	 4  CRC-32C of all other bytes, those before it included
//	 8  Entry.Version
//	16  time to live when it was put, in milliseconds; 0 is for ever
//	24  Entry.Size
//	32  length of the key
//	36  length of Meta
//	40  length of the body before compression
//	44  key, Meta, body; then, in a store with Options.Keys, 32 bytes of authentication: see mac.go
//
// Invariants of the decoder: a value is accepted only if every byte of it is accounted
// for; no length is used to allocate before it was compared with the limit; nothing but
// the layout version and the CRC is looked at in a value that is not ours. The CRC covers
// the header, since a flipped bit there is as wrong as one in the body: it could move an
// entry's version or make it live longer.
const (
	layout    = 1
	headerLen = 44
	maxLen    = math.MaxInt32

	versionAt = 8 // the script of DeleteEntry reads it there
	crcAt     = 4

	flagZstd  = 1 << 0              // the body is compressed
	flagMeta  = 1 << 1              // there is a Meta, perhaps an empty one
	flagsUsed = flagZstd | flagMeta // and flagMAC in a store with keys
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum leaves out its own four bytes. REQUIRES: len(value) >= headerLen.
func checksum(value []byte) uint32 {
	sum := crc32.Update(0, castagnoli, value[:crcAt])
	return crc32.Update(sum, castagnoli, value[crcAt+4:])
}

// Why a value is not one of ours, as it was written.
var (
	errShort    = errors.New("shorter than its header")
	errForeign  = errors.New("no value of this package")
	errLayout   = errors.New("of an unknown layout")
	errChecksum = errors.New("checksum does not match")
	errFlags    = errors.New("unknown flags")
	errLengths  = errors.New("lengths do not add up")
	errLarge    = errors.New("larger than MaxEntryBytes")
	errKey      = errors.New("belongs to another key")
	errBody     = errors.New("body cannot be decompressed")
	errMeta     = errors.New("meta cannot be decoded")
	errAge      = errors.New("its age was changed")
)

// A record is a value taken apart. Its slices are parts of the value, but for a body that
// was compressed.
type record struct {
	key, meta, body []byte
	hasMeta         bool
	version         uint64
	ttl             time.Duration // 0 is for ever
	size            int
}

// A format makes values of entries and entries of values. It is safe for concurrent use.
type format struct {
	maxBytes      int // of a value without its seal
	compressAbove int // the length of a body; 0 is never
	decodeMeta    func([]byte) (encoding.BinaryAppender, error)
	codec         codec
	seal          seal
}

func newFormat(o Options) *format {
	return &format{
		maxBytes: o.MaxEntryBytes, compressAbove: o.CompressAbove, decodeMeta: o.DecodeMeta,
		codec: newCodec(o.MaxEntryBytes), seal: seal{prefix: o.Prefix, keys: o.Keys},
	}
}

// encode makes the value of an entry, or returns store.ErrTooLarge or the error of its
// Meta.
func (f *format) encode(key []byte, e *store.Entry, ttl time.Duration) ([]byte, error) {
	var header [headerLen]byte // filled in at the end
	value := append(make([]byte, 0, headerLen+len(key)+len(e.Body)+256), header[:]...)
	value = append(value, key...)
	flags := f.seal.flags()
	if e.Meta != nil {
		flags |= flagMeta
		var err error
		if value, err = e.Meta.AppendBinary(value); err != nil {
			return nil, err
		}
	}
	metaLen := len(value) - headerLen - len(key)
	if len(value)+len(e.Body) > f.maxBytes {
		return nil, store.ErrTooLarge
	}
	before := len(value)
	if f.compressAbove > 0 && len(e.Body) >= f.compressAbove {
		if value = f.codec.compress(value, e.Body); len(value)-before < len(e.Body) {
			flags |= flagZstd
		} else {
			value = value[:before]
		}
	}
	if flags&flagZstd == 0 {
		value = append(value, e.Body...)
	}
	value[0], value[1], value[2], value[3] = 'g', 'c', layout, flags
	binary.BigEndian.PutUint64(value[versionAt:], e.Version)
	binary.BigEndian.PutUint64(value[16:], uint64(ttl.Milliseconds()))
	binary.BigEndian.PutUint64(value[24:], uint64(max(e.Size, 0)))
	binary.BigEndian.PutUint32(value[32:], uint32(len(key)))
	binary.BigEndian.PutUint32(value[36:], uint32(metaLen))
	binary.BigEndian.PutUint32(value[40:], uint32(len(e.Body)))
	binary.BigEndian.PutUint32(value[crcAt:], checksum(value))
	return f.seal.apply(value), nil
}

// decode takes a value apart.
func (f *format) decode(value []byte) (record, error) {
	value, err := f.seal.open(value)
	if err != nil {
		return record{}, err
	}
	switch {
	case len(value) > f.maxBytes:
		return record{}, errLarge
	case len(value) < headerLen:
		return record{}, errShort
	case value[0] != 'g' || value[1] != 'c':
		return record{}, errForeign
	case value[2] != layout:
		return record{}, errLayout
	case binary.BigEndian.Uint32(value[crcAt:]) != checksum(value):
		return record{}, errChecksum
	case value[3]&^(flagsUsed|f.seal.flags()) != 0:
		return record{}, errFlags
	}
	ttl, size := binary.BigEndian.Uint64(value[16:]), binary.BigEndian.Uint64(value[24:])
	if ttl > math.MaxInt64/uint64(time.Millisecond) || size > math.MaxInt {
		return record{}, errLengths
	}
	return f.parts(value, record{
		hasMeta: value[3]&flagMeta != 0,
		version: binary.BigEndian.Uint64(value[versionAt:]),
		ttl:     time.Duration(ttl) * time.Millisecond,
		size:    int(size),
	})
}

// parts finds the key, the Meta and the body of a value whose header is sound. The sums
// are of 64 bits, so that no three lengths can wrap around.
func (f *format) parts(value []byte, r record) (record, error) {
	keyLen := int64(binary.BigEndian.Uint32(value[32:]))
	metaLen := int64(binary.BigEndian.Uint32(value[36:]))
	bodyLen := int64(binary.BigEndian.Uint32(value[40:]))
	rest := value[headerLen:]
	if headerLen+keyLen+metaLen+bodyLen > int64(f.maxBytes) {
		return record{}, errLarge
	}
	stored := int64(len(rest)) - keyLen - metaLen
	compressed := value[3]&flagZstd != 0
	if stored < 0 || !compressed && stored != bodyLen || !r.hasMeta && metaLen != 0 {
		return record{}, errLengths
	}
	r.key = rest[:keyLen:keyLen]
	r.meta = rest[keyLen : keyLen+metaLen : keyLen+metaLen]
	r.body = rest[keyLen+metaLen:]
	if compressed {
		var err error
		if r.body, err = f.codec.decompress(r.body, int(bodyLen)); err != nil {
			return record{}, errBody
		}
	}
	return r, nil
}

// entry makes an entry of a value that was read, given the key it must belong to and the
// time that it has left by Redis: see expiry.
func (f *format) entry(value, key []byte, left time.Duration, asked time.Time) (*store.Entry, error) {
	r, err := f.decode(value)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(r.key, key) {
		return nil, errKey
	}
	return f.fromRecord(r, left, asked)
}

func (f *format) fromRecord(r record, left time.Duration, asked time.Time) (*store.Entry, error) {
	expires, err := expiry(r.ttl, left, asked)
	if err != nil {
		return nil, err
	}
	e := &store.Entry{Body: r.body, Expires: expires, Version: r.version, Size: r.size}
	if r.hasMeta {
		if e.Meta, err = f.decodeMeta(r.meta); err != nil {
			return nil, errMeta
		}
	}
	return e, nil
}
