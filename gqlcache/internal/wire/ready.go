package wire

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// A Ready is the whole body of a response, ready to be sent, and what is made of it when
// somebody asks: an ETag, and variants in content encodings. A Ready may be used
// concurrently. Nobody may change its body.
type Ready struct {
	body   []byte
	length []string // the value of Content-Length

	tags     atomic.Pointer[tags]
	variants atomic.Pointer[[]*variant] // replaced as a whole
	kept     atomic.Int64               // bytes of the variants
}

// tags are the entity tags of a body without a content encoding, as values of the header.
type tags struct{ strong, weak []string }

// A Sending says how an answer is sent. Send changes nothing in it, and the values of its
// slices end in headers: neither may change afterwards.
type Sending struct {
	// CacheControl is the value of the header. Empty means that the header stays as it
	// is.
	CacheControl string
	// Age is sent where CacheControl is. Empty means none.
	Age string
	// Vary has the names of headers to add to Vary. Where Encodings are looked at, Send
	// adds Accept-Encoding; a list that has it already saves an allocation.
	Vary []string
	// Encodings are those that the answer may be sent in, the best first. Without any it
	// is never compressed. Send looks at no more than MaxEncodings.
	Encodings []Encoding
	// CompressAfter is how often an answer is asked for in an encoding until it is
	// encoded.
	CompressAfter int
	// Grow asks whether n bytes more may be kept for a variant. Without it, and if it
	// returns false, the variant is not kept, and the body is sent as it is.
	Grow func(n int) bool
	// OnError gets the failure of an Encode, at most one per answer and encoding. It may
	// be nil.
	OnError func(error)
	// Length says that nobody around writes to the response after Send, so that it may
	// have a Content-Length.
	Length bool
}

// readySize is the memory of a Ready without its body and its variants.
const readySize = int(unsafe.Sizeof(Ready{})) + int(unsafe.Sizeof(tags{})) + 3*int(unsafe.Sizeof("")) + 128

// NewReady returns the answer with a body, which it keeps.
func NewReady(body []byte) *Ready {
	return &Ready{body: body, length: []string{strconv.Itoa(len(body))}}
}

// Body returns the body. It must not be changed.
func (a *Ready) Body() []byte { return a.body }

// ETag returns the strong entity tag of the body without a content encoding, in quotes.
// It depends on the body alone: all instances have the same.
func (a *Ready) ETag() string { return a.entityTags().strong[0] }

// Size returns the bytes of memory that the answer keeps beside its body. It grows with
// each variant, by what Grow was asked for.
func (a *Ready) Size() int { return readySize + int(a.kept.Load()) }

func (a *Ready) entityTags() *tags {
	if t := a.tags.Load(); t != nil {
		return t
	}
	sum := sha256.Sum256(a.body)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
	t := &tags{strong: []string{tag}, weak: []string{"W/" + tag}}
	a.tags.Store(t) // whoever comes second stores the same
	return t
}

// Send writes the answer with the status 200, or 304 to a GET that has it already. What
// the header of the response says already counts:
//
//   - With a Content-Encoding, somebody around encodes the body: it is sent without a
//     length, and without an ETag.
//   - There is a Content-Length only with Length, and where w is net/http's own writer,
//     or one of this package over it. gqlgen names no length, so a middleware that
//     changes the body, by a prefix or a compression that it begins with the first byte,
//     need not know that there may be one.
//   - With a Trailer there is none: HTTP/1.1 has trailers only after chunks.
//   - Cache-Control and ETag stay as they are.
//   - Vary is added to.
//   - With Set-Cookie the answer is the caller's own: unless Cache-Control says
//     otherwise, nobody may store it.
//
// Ranges are not served. If-Modified-Since, If-Match and If-Range are ignored.
func (a *Ready) Send(w http.ResponseWriter, r *http.Request, s *Sending) {
	h := w.Header()
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	encoded := len(h["Content-Encoding"]) > 0
	own := len(h["Set-Cookie"]) > 0 && len(h["Cache-Control"]) == 0
	stored := setCacheControl(h, s, read, own)

	encodes := !encoded && !own && len(s.Encodings) > 0 && len(a.body) >= minEncoded
	addVary(h, s.Vary, encodes)
	tagged := read && stored && !encoded && len(h["Etag"]) == 0 && len(h["ETag"]) == 0 //nolint:staticcheck // some write the map past Set
	if tagged {
		if tag := a.matching(r.Header, s.Encodings); tag != nil {
			sendNotModified(w, tag)
			return
		}
	}

	var v *representation
	if encodes {
		v = a.choose(r, s)
	}
	if tagged {
		h["Etag"] = a.tag(r.Header, v)
	}
	body, length := a.body, a.length
	if v != nil {
		body, length = v.body, v.length
		h["Content-Encoding"] = v.coding
	}
	if s.Length && !encoded && len(h["Trailer"]) == 0 && sendsAsIs(w) {
		h["Content-Length"] = length
	}
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return
	}
	_, _ = w.Write(body) // as with any handler, a lost client is the server's business
}

// sendsAsIs reports whether a writer is known to send what is written to it, and no more.
func sendsAsIs(w http.ResponseWriter) bool {
	for {
		own, ok := w.(interface{ within() http.ResponseWriter })
		if !ok {
			break
		}
		w = own.within()
	}
	t := reflect.TypeOf(w)
	known, ok := asIs.Load(t)
	if !ok {
		known = isServers(t)
		asIs.Store(t, known)
	}
	return known.(bool)
}

// asIs has what is known of types of writers: map[reflect.Type]bool. It is bounded by the
// types of the program.
var asIs sync.Map

// isServers says whether a type is that of a writer which a server gives to the outermost
// handler. A http.TimeoutHandler's is not: what is around that gets the same header.
func isServers(t reflect.Type) bool {
	if t == nil || t.Kind() != reflect.Pointer {
		return false
	}
	switch t = t.Elem(); t.PkgPath() {
	case "net/http":
		return t.Name() == "response" || t.Name() == "http2responseWriter"
	case "golang.org/x/net/http2":
		return t.Name() == "responseWriter"
	case "net/http/httptest":
		return t.Name() == "ResponseRecorder"
	}
	return false
}

// tag returns the entity tag that a representation is sent with. The one without an
// encoding of ours has a weak tag if the client accepts an encoding: a writer around may
// encode it after us, and its bytes are not ours then. Who accepts none gets our bytes. A
// strong tag of ours is thus never that of other bytes, whoever encodes.
func (a *Ready) tag(request http.Header, v *representation) []string {
	switch {
	case v != nil:
		return v.tag
	case acceptsEncoding(request["Accept-Encoding"]):
		return a.entityTags().weak
	}
	return a.entityTags().strong
}

// sendNotModified answers that the client has the representation of the tag.
func sendNotModified(w http.ResponseWriter, tag []string) {
	h := w.Header()
	delete(h, "Content-Type")
	delete(h, "Content-Length")
	h["Etag"] = tag
	w.WriteHeader(http.StatusNotModified)
}

// setCacheControl sets Cache-Control, and reports whether a cache may store the answer as
// far as this package says. own means that the answer is the caller's own.
func setCacheControl(h http.Header, s *Sending, read, own bool) (stored bool) {
	if len(h["Cache-Control"]) > 0 {
		return true
	}
	if own {
		if read || s.CacheControl != "" {
			h["Cache-Control"] = valueNoStore
		}
		return false
	}
	if s.CacheControl == "" {
		return true
	}
	h["Cache-Control"] = cacheControlValue(s.CacheControl)
	if s.Age != "" {
		h["Age"] = []string{s.Age}
	}
	return s.CacheControl != noStore
}

const acceptEncoding = "Accept-Encoding"

var valueAcceptEncoding = []string{acceptEncoding}

// addVary adds names to Vary, and Accept-Encoding where the encoding depends on it.
func addVary(h http.Header, names []string, encodes bool) {
	if len(h["Vary"]) == 0 && len(names) > 0 {
		h["Vary"] = slices.Clip(names) // who appends to it makes a copy
	} else {
		for _, name := range names {
			addVaryName(h, name)
		}
	}
	if encodes {
		addVaryName(h, acceptEncoding)
	}
}

func addVaryName(h http.Header, name string) {
	lines := h["Vary"]
	for _, line := range lines {
		for one := range strings.SplitSeq(line, ",") {
			if one = strings.TrimSpace(one); one == "*" || strings.EqualFold(one, name) {
				return
			}
		}
	}
	if len(lines) == 0 && name == acceptEncoding {
		h["Vary"] = valueAcceptEncoding
		return
	}
	h["Vary"] = append(slices.Clip(lines), name)
}
