package redisstore

import (
	"crypto/sha256"
	"encoding/base64"
)

// keyNames are the beginnings of the names that Redis holds things under, the hash tag's
// brace included.
// Released is the channel on which leases that are given up are told, by their names.
type keyNames struct{ entries, leases, released string }

func newKeyNames(prefix string) keyNames {
	return keyNames{entries: prefix + ":q:{", leases: prefix + ":l:{", released: prefix + ":l"}
}

// entry returns where Redis holds the entry of a key.
func (n keyNames) entry(key []byte) string { return tagged(n.entries, key) }

// lease returns where Redis holds the lease of a key: in the slot of its entry. The
// writer's pipeline is then one for both, on the same node, and keeps their order.
func (n keyNames) lease(key []byte) string { return tagged(n.leases, key) }

// pattern matches all entries.
func (n keyNames) pattern() string { return n.entries + "*" }

func tagged(begin string, key []byte) string {
	sum := sha256.Sum256(key)
	b := make([]byte, 0, len(begin)+base64.RawURLEncoding.EncodedLen(len(sum))+1)
	b = append(b, begin...)
	b = base64.RawURLEncoding.AppendEncode(b, sum[:])
	return string(append(b, '}'))
}
