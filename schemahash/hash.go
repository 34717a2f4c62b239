package schemahash

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/vektah/gqlparser/v2/ast"
)

// version is the first byte of what is hashed. It changes with the canonical form, so
// that hashes of different forms never meet.
const version = 1

// A Hash is the SHA-256 of a schema's canonical form.
type Hash [sha256.Size]byte

// String returns the hash in lower-case hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Sum returns the content hash of a schema. It reads the schema and keeps nothing of it,
// so calls may run concurrently as long as nobody changes the schema. A nil schema hashes
// like an empty one.
func Sum(schema *ast.Schema) Hash {
	w := writer{buf: make([]byte, 0, 4096)}
	w.buf = append(w.buf, version)
	w.schema(schema)
	return sha256.Sum256(w.buf)
}
