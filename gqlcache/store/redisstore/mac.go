package redisstore

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// With Options.Keys a value has the flag flagMAC, and ends with an HMAC-SHA256 of the
// prefix, its length before it in 8 bytes, big-endian, and all bytes before. It covers
// the key, so no value can be moved to another one, and Meta, by which the cache knows
// whether an entry is still true.
const (
	flagMAC = 1 << 2
	macLen  = sha256.Size

	leastKey = 16 // bytes
)

var errMAC = errors.New("not authenticated by any of Options.Keys")

// A seal authenticates the values below a prefix, if it has keys. It is safe for
// concurrent use.
type seal struct {
	prefix string
	keys   [][]byte // the first one writes, each of them reads
}

func (s seal) mac(secret, value []byte) []byte {
	h := hmac.New(sha256.New, secret)
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(s.prefix)))
	_, _ = h.Write(n[:]) // never fails
	_, _ = h.Write([]byte(s.prefix))
	_, _ = h.Write(value)
	return h.Sum(nil)
}

// apply appends the authentication, if there is to be any, to a value that is complete.
func (s seal) apply(value []byte) []byte {
	if len(s.keys) == 0 {
		return value
	}
	return append(value, s.mac(s.keys[0], value)...)
}

// flags returns those of all values that are sealed.
func (s seal) flags() byte {
	if len(s.keys) == 0 {
		return 0
	}
	return flagMAC
}

// open returns a value without its authentication, or errMAC. A value that is of no
// layout of ours is returned as it is: decode refuses it.
func (s seal) open(value []byte) ([]byte, error) {
	if len(s.keys) == 0 || len(value) < headerLen || value[0] != 'g' || value[1] != 'c' || value[2] != layout {
		return value, nil
	}
	if value[3]&flagMAC == 0 || len(value) < headerLen+macLen {
		return nil, errMAC
	}
	end := len(value) - macLen
	for _, secret := range s.keys {
		if hmac.Equal(value[end:], s.mac(secret, value[:end])) {
			return value[:end:end], nil
		}
	}
	return nil, errMAC
}

func validateKeys(keys [][]byte, fault func(string, ...any)) {
	for i, k := range keys {
		if len(k) < leastKey {
			fault("%s has %d bytes; use at least %d, from a random generator", fmt.Sprintf("Keys[%d]", i), len(k), leastKey)
		}
	}
}
