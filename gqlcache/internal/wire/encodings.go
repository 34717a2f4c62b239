package wire

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Gzip returns the content encoding gzip.
func Gzip() Encoding {
	pool := sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
	return Encoding{Name: "gzip", Encode: func(dst, body []byte) ([]byte, error) {
		w := pool.Get().(*gzip.Writer)
		defer pool.Put(w)
		buf := bytes.NewBuffer(dst)
		w.Reset(buf)
		_, err := w.Write(body)
		if err == nil {
			err = w.Close()
		}
		return buf.Bytes(), err
	}}
}

// zstdWindow bounds the memory that a body costs its reader and the writer. Browsers read
// windows of up to 8 MiB.
const zstdWindow = 1 << 20

// Zstd returns the content encoding zstd. Its buffers are made when it is first used.
func Zstd() Encoding {
	encoder := sync.OnceValues(func() (*zstd.Encoder, error) {
		// Without a stream to work on it runs no goroutines, so there is nothing to
		// close.
		return zstd.NewWriter(nil, zstd.WithEncoderCRC(false), zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true))
	})
	return Encoding{Name: "zstd", Encode: func(dst, body []byte) ([]byte, error) {
		w, err := encoder()
		if err != nil {
			return dst, err
		}
		return w.EncodeAll(body, dst), nil
	}}
}
