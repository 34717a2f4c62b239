package redisstore

import (
	"errors"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A codec compresses and decompresses. Its two halves are made when they are first
// needed: a store that sees no compressed body holds no buffers for them. Without a
// stream to work on they run no goroutines, so there is nothing to close.
type codec struct {
	encoder func() *zstd.Encoder
	decoder func() *zstd.Decoder
}

func newCodec(maxBytes int) codec {
	return codec{
		encoder: sync.OnceValue(func() *zstd.Encoder {
			// The value has a checksum of its own.
			w, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(false), zstd.WithEncoderLevel(zstd.SpeedFastest))
			if err != nil {
				panic(err) // assertion: these options do not depend on anything, and are valid
			}
			return w
		}),
		decoder: sync.OnceValue(func() *zstd.Decoder {
			r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0),
				zstd.WithDecoderMaxMemory(uint64(maxBytes)), zstd.WithDecodeAllCapLimit(true))
			if err != nil {
				panic(err) // assertion: validate has made sure that maxBytes is positive
			}
			return r
		}),
	}
}

// compress appends the compressed body.
func (c codec) compress(to, body []byte) []byte { return c.encoder().EncodeAll(body, to) }

var errLength = errors.New("another length than its header says")

// decompress returns a body of exactly the given length, which the caller has compared
// with the limit. The capacity of the buffer is what the decoder obeys.
func (c codec) decompress(stored []byte, length int) ([]byte, error) {
	body, err := c.decoder().DecodeAll(stored, make([]byte, 0, length))
	if err == nil && len(body) != length {
		err = errLength
	}
	return body, err
}
