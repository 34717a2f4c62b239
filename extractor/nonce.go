package extractor

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// nonce starts every hidden alias of this process. It is random so that neither a client
// nor data can name a hidden member except by guessing 64 bits.
var nonce = func() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return "__c" + hex.EncodeToString(b[:])
}()

// What follows the nonce: a letter for the kind, then a number or a name.
const (
	aliasKey      = 'k' // + type number: the key field of that type
	aliasTypename = 't' // + type number: __typename of a type without key
	aliasPath     = 'p' // + path node: a step of a hidden path
	aliasCascade  = 'c' // the cascade member of a payload
	aliasSuccess  = 's' // the success member of a payload
	aliasData     = 'd' // the data member of a payload that holds the cascade member
	aliasInner    = '_' // + field name: a field inside the cascade member
)

// Nonce returns the text that every hidden alias starts with. It is different in every
// process and constant within one.
func Nonce() string { return nonce }

// IsHidden reports whether a response name was made by Prepare in this process.
func IsHidden(alias string) bool { return strings.HasPrefix(alias, nonce) }

// hiddenNumber reads the number of a hidden alias, given what follows the kind.
func hiddenNumber(s []byte) (int, bool) {
	if len(s) == 0 || len(s) > 9 {
		return 0, false
	}
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
