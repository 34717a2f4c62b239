package gqlcache

import (
	"context"
	"sync"

	"github.com/cascadeql/cascadeql/gqlcache/internal/opkey"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// keyVersion is the first byte of every key. It changes with the layout.
const keyVersion = 2

// appendKey appends the key of an answer: version · SHA-256 of schema hash, name and normal form · coerced
// variables · scope and predicate · Vary parts. Every part but the first two is length-prefixed, so
// that no two requests which differ in one meet in the same bytes. Stores compare keys in full; the
// one hash in it is collision-resistant, and there so that a key is short and names its operation on
// every machine.
func (c *Cache) appendKey(ctx context.Context, b []byte, d *document, vars map[string]any, caller *caller) ([]byte, Reason) {
	b, why := c.appendQuestion(b, d, vars)
	if why != "" {
		return b, why
	}
	return c.appendCaller(ctx, b, caller)
}

// appendQuestion appends the part of a key that all callers share.
func (c *Cache) appendQuestion(b []byte, d *document, vars map[string]any) ([]byte, Reason) {
	b = append(b, keyVersion)
	b = append(b, d.hash[:]...)
	b, err := opkey.AppendVariables(b, vars)
	if err != nil {
		return b, ReasonVariables
	}
	return b, ""
}

// appendCaller appends the part of a key that tells callers apart.
func (c *Cache) appendCaller(ctx context.Context, b []byte, caller *caller) ([]byte, Reason) {
	if caller.public {
		b = append(b, 'P')
	} else {
		b = opkey.AppendPart(append(b, 'R'), caller.predicate.Text)
	}
	if c.opts.Vary == nil {
		return b, ""
	}
	parts, err := safe.Call(func() ([]string, error) { return c.opts.Vary(ctx), nil })
	if err != nil {
		c.once.Warn("vary", "gqlcache: Options.Vary failed, so the request bypasses the cache", err)
		return b, ReasonFailed
	}
	for _, p := range parts {
		b = opkey.AppendPart(b, p)
	}
	return b, ""
}

// keyBuffers holds scratch for keys.
var keyBuffers = sync.Pool{New: func() any { return new([]byte) }}

// maxKeyBuffer bounds the scratch that is kept: keys have the client's variables in them.
const maxKeyBuffer = 64 << 10

// freeKeyBuffer gives scratch back.
func freeKeyBuffer(buf *[]byte) {
	if cap(*buf) <= maxKeyBuffer {
		keyBuffers.Put(buf)
	}
}
