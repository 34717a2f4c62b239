package plans

import (
	"sync"

	"github.com/cascadeql/cascadeql/gqlcache/internal/opkey"
	"github.com/cascadeql/cascadeql/gqlcache/internal/reason"
)

// The key of an answer. This is the only place that says how it is laid out; package
// opkey writes its parts.
//
//	key       = version · operation · variables · scope · vary*
//	version   = 1 byte: 2
//	operation = 32 bytes: SHA-256 of schema · name · form
//	schema    = 32 bytes: the schema's content hash
//	name      = part: the operation's name
//	form      = the operation's normal form: opkey.AppendOperation
//	variables = the coerced variables: opkey.AppendVariables
//	scope     = 'P' for a public answer | 'R' · part: the text of the caller's predicate
//	vary      = part: a text of Options.Vary
//	part      = length as a uvarint · bytes: opkey.AppendPart
//
// No two requests that differ in one of these meet in the same bytes. Version and digest
// have a fixed length, variables say where they end, and each part begins with its
// length; so a reader takes the key apart from the front, and Vary parts go on to its
// end. In the digest the form is the last, as it goes on to the end. Stores compare keys
// in full. The one hash in it is collision-resistant, and there so that a key is short
// and names its operation on every machine.
//
// The key of
//
//	query Names($id: ID!) { user(id: $id) { name } }
//
// with {"id": "u1"}, for the predicate "viewer ann" and the Vary parts "de" and "", is
//
//	version    02
//	operation  SHA-256 of schema · name · form
//	variables  01 02 "id" 's' 02 "u1"
//	scope      'R' 0a "viewer ann"
//	vary       02 "de"
//	vary       00
//
// and for a public answer without variables and Vary parts
//
//	version    02
//	operation  SHA-256 of schema · name · form
//	variables  00
//	scope      'P'

// keyVersion is the first byte of every key. It changes with the layout.
const keyVersion = 2

// Bytes of a key that say whether it has a predicate.
const (
	scopePublic    = 'P'
	scopePredicate = 'R'
)

// AppendQuestion appends the part of a key that all callers share. The reason is "", or
// why there is no such key.
func (p *Plan) AppendQuestion(b []byte, vars map[string]any) (key []byte, why string) {
	b = append(b, keyVersion)
	b = append(b, p.Hash[:]...)
	b, err := opkey.AppendVariables(b, vars)
	if err != nil {
		return b, reason.Variables
	}
	return b, ""
}

// A Scope says who may get an answer, as the caller has evaluated it. The strings are not
// kept.
type Scope struct {
	// Public says that everybody may; Predicate, which counts only if not, is the text of
	// the caller's condition.
	Public    bool
	Predicate string
	// Vary are the texts of Options.Vary, which keep callers apart, too.
	Vary []string
}

// Append appends the part of a key that keeps callers apart. It comes after the question.
func (s *Scope) Append(b []byte) []byte {
	if s.Public {
		b = append(b, scopePublic)
	} else {
		b = opkey.AppendPart(append(b, scopePredicate), s.Predicate)
	}
	for _, p := range s.Vary {
		b = opkey.AppendPart(b, p)
	}
	return b
}

// Parts are those of a key that a person may want to compare. The bytes are the key's.
type Parts struct {
	// Variables and Vary are encoded as they are in the key. Predicate is the text, nil
	// when Public is set.
	Variables, Predicate, Vary []byte
	Public                     bool
}

// Cut takes a key apart that was made of the plan and of these variables. It returns
// false for any other.
func (p *Plan) Cut(key []byte, vars map[string]any) (parts Parts, ok bool) {
	head := 1 + len(p.Hash)
	enc, err := opkey.AppendVariables(nil, vars)
	if err != nil || len(key) <= head+len(enc) {
		return Parts{}, false
	}
	scope := key[head+len(enc):]
	parts = Parts{Variables: key[head : head+len(enc)], Public: scope[0] == scopePublic, Vary: scope[1:]}
	if !parts.Public {
		parts.Predicate, parts.Vary, ok = opkey.CutPart(parts.Vary)
		return parts, ok
	}
	return parts, true
}

// keyBuffers holds scratch for keys.
var keyBuffers = sync.Pool{New: func() any { return new([]byte) }}

// maxKeyBuffer bounds the scratch that is kept: keys have the client's variables in them.
const maxKeyBuffer = 64 << 10

// KeyBuffer returns scratch for a key, with bytes of an earlier one. Give it back with
// FreeKeyBuffer.
func KeyBuffer() *[]byte { return keyBuffers.Get().(*[]byte) }

// FreeKeyBuffer takes scratch back. Nothing may refer to its bytes any more.
func FreeKeyBuffer(buf *[]byte) {
	if cap(*buf) <= maxKeyBuffer {
		keyBuffers.Put(buf)
	}
}
