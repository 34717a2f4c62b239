package opkey

import "encoding/binary"

// Version is the first byte of every key. It changes with the layout.
const Version byte = 1

// AppendPart appends a part with its length, so that no part can reach into the next one.
func AppendPart[T string | []byte](dst []byte, part T) []byte {
	dst = appendCount(dst, len(part))
	return append(dst, part...)
}

func appendCount(dst []byte, n int) []byte {
	if n < 0x80 {
		return append(dst, byte(n)) // nearly always
	}
	return binary.AppendUvarint(dst, uint64(n))
}
