package wire

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// minEncoded is the size from which bodies are encoded: a smaller one fits into a packet
// as it is.
const minEncoded = 1400

// An Encoding is a content encoding of HTTP.
type Encoding struct {
	// Name is the name of the content coding, as it is in Accept-Encoding, in lower case.
	Name string
	// Encode appends the encoded body to dst. It may be called concurrently, must not
	// change the body, and keeps neither.
	Encode func(dst, body []byte) ([]byte, error)
}

// A variant is an answer in one encoding: what it comes to, and before that how often it
// was asked for.
type variant struct {
	name  string
	asked atomic.Int64
	begun atomic.Bool // somebody makes it, or has
	made  atomic.Pointer[representation]
}

// A representation is a body in an encoding, with its values of headers.
type representation struct {
	body                []byte
	length, coding, tag []string
}

// none is made of an encoding that is of no use for an answer.
var none = &representation{}

// variantSize is the memory of a variant without its body.
const variantSize = int(unsafe.Sizeof(variant{})) + int(unsafe.Sizeof(representation{})) + 3*int(unsafe.Sizeof("")) + 64

// choose returns the representation that the client likes best, nil for the body as it
// is. It counts a request for an encoding that is not made yet, and makes it when it is
// time. An encoding that is of no use for this answer makes room for the next one.
func (a *Ready) choose(r *http.Request, s *Sending) *representation {
	list := weights(r.Header[acceptEncoding], s.Encodings)
	for i := best(&list); i >= 0; i = best(&list) {
		v := a.variant(s.Encodings[i].Name)
		made := v.made.Load()
		if made == nil && s.Grow != nil && r.Method != http.MethodHead && v.asked.Add(1) >= int64(s.CompressAfter) && v.begun.CompareAndSwap(false, true) {
			made = a.encode(v, s.Encodings[i], s)
		}
		if made != none {
			return made
		}
		list[i] = 0
	}
	return nil
}

// variant returns the variant of the encoding of a name.
func (a *Ready) variant(name string) *variant {
	for {
		old := a.variants.Load()
		if old == nil {
			a.variants.CompareAndSwap(nil, new([]*variant))
			continue
		}
		for _, v := range *old {
			if v.name == name {
				return v
			}
		}
		longer := append(slices.Clip(*old), &variant{name: name})
		a.variants.CompareAndSwap(old, &longer)
	}
}

// encode makes a variant, and none of it if it would save nothing, if it fails, or if
// there is no room. It does so once: an Encode that failed would fail again, and an
// answer that may not grow stays as it is. The others who ask meanwhile get the body as
// it is.
func (a *Ready) encode(v *variant, e Encoding, s *Sending) *representation {
	made := none
	defer func() { v.made.Store(made) }() // also after runtime.Goexit
	body, err := safe.Call(func() ([]byte, error) { return e.Encode(nil, a.body) })
	if err == nil && len(body) == 0 {
		err = errNothing
	}
	if err != nil {
		if s.OnError != nil {
			s.OnError(fmt.Errorf("encoding %s: %w", e.Name, err))
		}
		return none
	}
	if len(body) >= len(a.body) {
		return none
	}
	if n := len(body) + variantSize; s.Grow(n) {
		a.kept.Add(int64(n))
		made = &representation{
			body:   append(make([]byte, 0, len(body)), body...), // of its size
			length: []string{strconv.Itoa(len(body))},
			coding: []string{e.Name},
			tag:    []string{strings.TrimSuffix(a.ETag(), `"`) + "-" + e.Name + `"`},
		}
	}
	return made
}

var errNothing = errors.New("no byte was encoded")
