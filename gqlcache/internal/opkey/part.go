package opkey

import "encoding/binary"

// AppendPart appends a part with its length, so that no part can reach into the next one.
func AppendPart[T string | []byte](dst []byte, part T) []byte {
	dst = appendCount(dst, len(part))
	return append(dst, part...)
}

// CutPart takes what AppendPart has appended from the beginning of b. ok is false when
// there is none.
func CutPart(b []byte) (part, rest []byte, ok bool) {
	n, width := binary.Uvarint(b)
	if width <= 0 || n > uint64(len(b)-width) {
		return nil, b, false
	}
	end := width + int(n)
	return b[width:end], b[end:], true
}

func appendCount(dst []byte, n int) []byte {
	if n < 0x80 {
		return append(dst, byte(n)) // nearly always
	}
	return binary.AppendUvarint(dst, uint64(n))
}
