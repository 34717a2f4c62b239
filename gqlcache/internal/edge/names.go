package edge

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"

	"github.com/cascadeql/cascadeql/cascade/tag"
)

// NameSize is the length of a name, and MaxNames is how many an answer has at most: as
// many as RFC 9875 promises room for.
const (
	NameSize = 22
	MaxNames = 32
)

// MinSecret is how long a secret must be.
const MinSecret = 16

// MinNames is how few names an answer may have.
const MinNames = 2

// MaxChange bounds the names of a change, and of one call of a purge. It is the least
// that the usual services take in one call.
const MaxChange = 100

// The kinds of names.
const (
	kindEverything = 'e' // each answer has it
	kindAnyChange  = 'c' // an answer of too many views; each change has it
	kindTag        = 't' // a tag
	kindView       = 'v' // an answer that depends on a view, without its tags; each change of the view has it
	kindWide       = 'w' // an answer that depends on a view, with its tags; a change of too many tags has it
	kindPadding    = 'p' // nothing
)

// Names makes names with a secret. It may be used concurrently.
type Names struct{ Secret []byte }

// name returns the name of something of a kind.
func (n Names) name(kind byte, of ...uint64) string {
	mac := hmac.New(sha256.New, n.Secret)
	b := append(make([]byte, 0, 64), kind)
	for _, x := range of {
		b = binary.LittleEndian.AppendUint64(b, x)
	}
	_, _ = mac.Write(b) // never fails
	return encode(mac.Sum(nil))
}

// padding returns the i-th name that stands for nothing, of the answer under a key. The
// same answer keeps its own: what comes and goes would tell which they are.
func (n Names) padding(key string, i int) string {
	mac := hmac.New(sha256.New, n.Secret)
	_, _ = mac.Write(append([]byte{kindPadding, byte(i)}, key...))
	return encode(mac.Sum(nil))
}

func encode(sum []byte) string { return base64.RawURLEncoding.EncodeToString(sum[:16]) }

// Everything returns the name that each answer has.
func (n Names) Everything() string { return n.name(kindEverything) }

// Answer returns the names of an answer with some tags, sorted. operation is the hash of
// the tag of its operation, key the entry's key. There are as many as most, which is from
// MinNames to MaxNames.
func (n Names) Answer(s *Schema, tags []tag.Tag, operation uint64, key string, most int) []string {
	depends := views(tags, s.whole)
	names := []string{n.Everything()}
	if partitioned := slices.ContainsFunc(depends, func(v *View) bool { return v.Partitioned }); !partitioned && len(tags)+len(depends) < most {
		for _, t := range tags {
			names = append(names, n.name(kindTag, t.Hash))
		}
		for _, v := range depends {
			names = append(names, n.name(kindWide, v.Name))
		}
	} else {
		for _, t := range tags {
			if s.beside[t.Hash] || t.Hash == operation {
				names = append(names, n.name(kindTag, t.Hash))
			}
		}
		for _, v := range depends {
			names = append(names, n.name(kindView, v.Name))
		}
		if len(names) > most {
			names = []string{names[0], n.name(kindAnyChange)}
		}
	}
	for len(names) < most {
		names = append(names, n.padding(key, len(names)))
	}
	slices.Sort(names)
	return names
}

// Change returns the names of the answers that a change with some tags may reach: at most
// so many, of which more answers may have one than the change reaches. Without a schema,
// and with all, it is the name of everything.
func (n Names) Change(s *Schema, tags []tag.Tag, all bool, most int) []string {
	if all || s == nil {
		return []string{n.Everything()}
	}
	reached := views(tags, s.reached)
	names := []string{n.name(kindAnyChange)}
	for _, v := range reached {
		names = append(names, n.name(kindView, v.Name))
	}
	if len(names)+len(tags) <= most {
		for _, t := range tags {
			names = append(names, n.name(kindTag, t.Hash))
		}
		return names
	}
	for _, t := range tags {
		switch {
		case t.Hash == s.unnamed:
			return []string{n.Everything()} // some tags are of no view that is known
		case s.beside[t.Hash]:
			names = append(names, n.name(kindTag, t.Hash))
		}
	}
	for _, v := range reached {
		names = append(names, n.name(kindWide, v.Name))
	}
	if len(names) > most {
		return []string{n.Everything()}
	}
	return names
}
