package gqlcache

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// HTTP says what clients and HTTP caches are told of answers, a part of Options. It
// counts for transports that Cache.Transport has wrapped.
//
// By default an answer to GET has a strong ETag, so that a client that has it already
// gets 304 in place of the body, and a Cache-Control that has everybody ask again before
// it is used: no-cache, or private, no-cache unless all that it shows is PUBLIC. A
// mutation's client would else see, in its own browser's cache, what it has just changed.
// no-store is what is not an answer of the cache: errors, what is not cached, answers
// with a Set-Cookie. A Cache-Control that the server sets itself, before or in a
// resolver, is left alone, and so is an ETag.
//
// Answers to POST have none of these.
type HTTP struct {
	// CacheControl changes what is said of an answer to GET. proposed is what would be
	// sent without it; "" sends no Cache-Control at all. It may be called concurrently.
	// When it panics, proposed is sent.
	CacheControl func(ctx context.Context, proposed string) string
	// CacheStatus is the name that the cache has in the header Cache-Status (RFC 9211) of
	// all that the transports send: whether it is a hit, and otherwise why not, as in
	// "gqlcache; fwd=miss; detail=errors". It never has a key. It is not added where
	// somebody who may use the inspector is told more. Defaults to "", which is no such
	// header.
	CacheStatus string
	// Edge is for HTTP caches in front of the server that answer without asking, and are
	// told what to purge.
	Edge Edge
	// VaryHeaders names the headers of the request that Options.Vary looks at. Without it
	// an answer of a server with Options.Vary counts as private.
	VaryHeaders []string
	// Encodings are those that answers are kept in beside the plain one, the best first:
	// see Gzip and Zstd. Only answers that are PUBLIC are compressed: in another, a
	// client that chooses a part of it may learn, from its length, what else is in it.
	// What a middleware around the server compresses is the middleware's business.
	// Defaults to none.
	Encodings []Encoding
	// Direct sends hits past the hooks of all extensions: an operation that came before,
	// with the same text and variables, is looked up before it is dispatched. What
	// decides the answer, and who may have it, is looked at as ever: Enabled, Predicate,
	// Vary, the lease and what has changed. It is your promise that no extension refuses
	// an operation, or changes one or its response, for one caller and not for another,
	// and that none has to see every operation. Where the server has an extension that
	// could, this is said once in the log, and hits go through the hooks: but for
	// gqlgen's Introspection, AutomaticPersistedQuery and FixedComplexityLimit, for
	// interceptors of fields, which do not run on hits anyway, and for those that
	// DirectPast names. The predicate is evaluated on the context of the HTTP request:
	// what authenticates has to be a middleware around the server. Defaults to false.
	Direct bool
	// ContentLength sends answers over HTTP/1.1 with their length also where gqlgen sends
	// them in chunks: those of more than 2 KB. This saves up to a fifth of the CPU time of
	// a hit. It is your promise that no middleware around the server writes to the
	// response after the server has, and that none sends a trailer that it has not
	// announced in the field Trailer before: with a length, both are lost, and over
	// HTTP/2 the first breaks the response. Where a middleware gives the server a writer
	// of its own, and where the header announces a trailer, no length is sent. Defaults
	// to false.
	ContentLength bool
	// DirectPast names the types of extensions, as %T prints them
	// ("*apollotracing.Tracer"), that need not see hits.
	DirectPast []string
	// CompressAfter is how often an answer is asked for in an encoding until it is
	// compressed. Defaults to 2.
	CompressAfter int
}

// An Encoding is a content coding of HTTP: Gzip and Zstd make one, and any other is
//
//	gqlcache.Encoding{Name: "br", Encode: func(dst, body []byte) ([]byte, error) { … }}
//
// Encode appends the encoded body to dst, and may be called concurrently.
type Encoding = wire.Encoding

// Gzip returns the encoding gzip.
func Gzip() Encoding { return wire.Gzip() }

// Zstd returns the encoding zstd.
func Zstd() Encoding { return wire.Zstd() }

// validate reports every fault of the options.
func (o *HTTP) validate(fault func(string, ...any)) {
	o.Edge.validate(fault)
	if o.CacheStatus != "" && !wire.IsToken(o.CacheStatus) {
		fault("HTTP.CacheStatus is %q; it must be a token: a letter, then letters, digits and some signs, without a space", o.CacheStatus)
	}
	for _, name := range o.VaryHeaders {
		if !wire.IsToken(name) {
			fault("HTTP.VaryHeaders has %q; each must be the name of one header, such as Accept-Language", name)
		}
	}
	for i, e := range o.Encodings {
		switch {
		case !wire.IsToken(e.Name) || strings.ToLower(e.Name) != e.Name || e.Name == "identity" || e.Name == "*":
			fault("HTTP.Encodings[%d].Name is %q; it must be a content coding in lower case, such as br", i, e.Name)
		case e.Encode == nil:
			fault("HTTP.Encodings[%d], %s, has no Encode; use Gzip, Zstd or a function of yours", i, e.Name)
		case slices.ContainsFunc(o.Encodings[:i], func(other Encoding) bool { return other.Name == e.Name }):
			fault("HTTP.Encodings has %s twice; take one out", e.Name)
		}
	}
	if len(o.Encodings) > wire.MaxEncodings {
		fault("HTTP.Encodings has %d encodings; use at most %d", len(o.Encodings), wire.MaxEncodings)
	}
	if o.CompressAfter < 0 {
		fault("HTTP.CompressAfter is %d; it must be 1 or more, or 0 for the default", o.CompressAfter)
	}
}

// varyOf returns the headers that answers to GET depend on.
func varyOf(o *HTTP) []string {
	vary := append([]string{"Accept"}, o.VaryHeaders...)
	if len(o.Encodings) > 0 {
		vary = append(vary, "Accept-Encoding")
	}
	return slices.Clip(vary)
}

// sends says whether a transport sends answers as they are kept.
func (c *Cache) sends() bool { return c.transports.Load() > 0 }

// ready returns an answer as gqlgen's transports send it, and the data again: a part of
// that, where it is the same. It returns no answer when nobody sends it, or when it
// cannot be encoded.
func (c *Cache) ready(data json.RawMessage) (*wire.Ready, json.RawMessage) {
	if !c.sends() || len(data) > c.opts.MaxEntryBytes {
		return nil, fitted(data)
	}
	whole, err := json.Marshal(&graphql.Response{Data: data})
	if err != nil {
		return nil, fitted(data)
	}
	if at := dataOf(whole); string(at) == string(data) {
		data = at[:len(at):len(at)]
	} else {
		data = fitted(data) // it has characters that are escaped in a response
	}
	return wire.NewReady(whole), data
}

// dataOf returns the data of a response with nothing else.
func dataOf(whole []byte) []byte { return whole[len(`{"data":`) : len(whole)-len(`}`)] }

// fitted returns data in memory of its size: gqlgen's buffer has grown by doubling. There
// is no room behind it: an extension that cuts the last brace off and appends a member
// would else write into the entry.
func fitted(data json.RawMessage) json.RawMessage {
	if cap(data)-len(data) > len(data)/8 {
		data = append(make(json.RawMessage, 0, len(data)), data...)
	}
	return data[:len(data):len(data)]
}

// readySize is what an answer as it is sent takes beside its data.
func readySize(a *wire.Ready, data []byte) int {
	if a == nil {
		return 0
	}
	size := a.Size() + len(a.Body())
	if unsafe.SliceData(dataOf(a.Body())) == unsafe.SliceData(data) {
		size -= len(data)
	}
	return size
}

// send sends an answer as it is kept.
func (c *Cache) send(ctx context.Context, w http.ResponseWriter, r *http.Request, k *keptAnswer) {
	c.counts.sent.Add(1)
	s := plainly
	if c.opts.HTTP.ContentLength {
		s = withLength
	}
	if c.encodes(k.public) || r.Method == http.MethodGet {
		s = c.sending(ctx, w.Header(), r, *k)
	}
	k.stamp.ready.Send(w, r, s)
}

// plainly is how an answer is sent about which nothing is said, and which nobody
// compresses; withLength is the same with HTTP.ContentLength.
var plainly, withLength = &wire.Sending{}, &wire.Sending{Length: true}

// sending says how an answer is sent.
func (c *Cache) sending(ctx context.Context, h http.Header, r *http.Request, k keptAnswer) *wire.Sending {
	s := &wire.Sending{Length: c.opts.HTTP.ContentLength}
	if c.encodes(k.public) {
		s.Encodings, s.CompressAfter, s.OnError = c.opts.HTTP.Encodings, c.opts.HTTP.CompressAfter, c.failedToEncode
		if k.key == "" || k.entry == nil {
			s.Encodings = nil // there is nothing to charge, and another request will compress it
		}
		s.Grow = func(n int) bool { return c.grow(ctx, &k, n) }
	}
	if r.Method == http.MethodGet {
		keeping := c.keeping(&k)
		s.CacheControl, s.Age = c.cacheControl(ctx, keeping)
		s.Vary = k.d.vary
		if keeping.Public { // also if nobody may store it: the server may have said otherwise
			c.addKeys(h, r, k.stamp)
		}
	}
	return s
}

func (c *Cache) failedToEncode(err error) {
	c.once.Warn("encode", "gqlcache: one of Options.HTTP.Encodings failed, so answers are sent as they are", err)
}

// grow charges the entry of an answer for n bytes more, which a variant takes.
func (c *Cache) grow(ctx context.Context, k *keptAnswer, n int) bool {
	return c.engine.Valid(&k.stamp.Stamp) && c.engine.Grow(context.WithoutCancel(ctx), k.key, k.entry, n)
}

// keeping says what decides who may keep an answer.
func (c *Cache) keeping(k *keptAnswer) wire.Keeping {
	return wire.Keeping{
		Public:  k.public && (c.opts.Vary == nil || len(c.opts.HTTP.VaryHeaders) > 0),
		EdgeAge: c.edgeAge(k),
		// An answer that is changed already, or may be, or has expired, is for its own
		// client alone.
		DoNotStore: !c.fresh() || !c.engine.Valid(&k.stamp.Stamp) || c.schema.Load().keepsExpired && k.stamp.ExpiredFor(c.opts.Now()) >= 0,
	}
}

// edgeAge is how long caches that many clients share may show an answer that is not so any
// more: what the schema says, and for an answer to which a resolver has given an age no
// longer than that lasts.
func (c *Cache) edgeAge(k *keptAnswer) time.Duration {
	age := time.Duration(k.d.Operation.Policy.SMaxAge) * time.Second
	if age > 0 && k.stamp.bounded {
		age = min(age, k.stamp.Expires().Sub(c.opts.Now()))
	}
	return age
}

// cacheControl says who may keep an answer, and how old it is, "" where that is not said.
func (c *Cache) cacheControl(ctx context.Context, k wire.Keeping) (said, age string) {
	proposed, age := wire.CacheControlFor(k)
	if c.opts.HTTP.CacheControl == nil {
		return proposed, age
	}
	said, err := safe.Call(func() (string, error) { return c.opts.HTTP.CacheControl(ctx, proposed), nil })
	if err != nil {
		c.once.Warn("cachecontrol", "gqlcache: Options.HTTP.CacheControl failed, so the default is sent", err)
		return proposed, age
	}
	return said, age
}
