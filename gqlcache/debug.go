package gqlcache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// DebugHeader is the request header that asks for extensions.cache, with the value "true". A browser
// sends it to another origin only after a preflight.
const DebugHeader = "X-Gqlcache-Debug"

// debugVersion is the version of extensions.cache.
const debugVersion = 1

// debugInfo builds extensions.cache for a request that asked for it and may see it. Its methods do
// nothing on nil.
type debugInfo struct {
	name  string
	start time.Time
}

// debugFor returns nil unless the request asks for extensions.cache and may have it.
func (c *Cache) debugFor(ctx context.Context, oc *graphql.OperationContext) *debugInfo {
	if c.opts.Debug == nil || oc.Headers.Get(DebugHeader) != "true" {
		return nil
	}
	if ok, err := protect(func() (bool, error) { return c.opts.Debug(ctx), nil }); err != nil || !ok {
		return nil
	}
	return &debugInfo{name: oc.Operation.Name, start: time.Now()}
}

// debugExtension is the JSON of extensions.cache.
type debugExtension struct {
	Version     int                `json:"version"`
	Status      string             `json:"status"` // HIT, MISS, BYPASS or INVALIDATED
	Hit         bool               `json:"hit"`
	DidCache    bool               `json:"didCache"`
	Collapsed   bool               `json:"collapsed"`
	Tier        string             `json:"tier,omitempty"` // of a hit: memory or shared
	Reason      debugReason        `json:"reason"`
	Operation   debugOperation     `json:"operation"`
	Key         string             `json:"key,omitempty"` // fingerprint
	AgeMS       *int64             `json:"ageMs,omitempty"`
	TTLMS       *int64             `json:"ttlMs,omitempty"` // left
	Bytes       int                `json:"bytes,omitempty"`
	Tags        int                `json:"tags,omitempty"`
	Limited     string             `json:"ttlLimitedBy,omitempty"`
	DependsAll  string             `json:"dependsOnAnythingBecause,omitempty"`
	Changed     []debugChange      `json:"invalidatedEntities,omitempty"`
	Invalidated *debugInvalidation `json:"invalidation,omitempty"`
	DurationUS  int64              `json:"durationUs"`
	mutationExtension
}

type debugReason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type debugOperation struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Hash string `json:"hash,omitempty"`
}

// debugChange is a change of one view, derived ones included.
type debugChange struct {
	View    string   `json:"view"`
	Op      string   `json:"operation"`
	IDs     []string `json:"ids,omitempty"`
	Unknown bool     `json:"unknownRows,omitempty"`
}

type debugInvalidation struct {
	Seq        uint64 `json:"seq"`
	Tags       int    `json:"tags"`
	Everything string `json:"everythingBecause,omitempty"`
	DurationUS int64  `json:"durationUs"`
}

// attach puts the extension on a response. The map is copied: it may be shared.
func (d *debugInfo) attach(resp *graphql.Response, x debugExtension) {
	if resp == nil {
		return
	}
	x.Version = debugVersion
	x.Operation.Name = d.name
	x.DurationUS = time.Since(d.start).Microseconds()
	ext := maps.Clone(resp.Extensions)
	if ext == nil {
		ext = map[string]any{}
	}
	ext["cache"] = x
	resp.Extensions = ext
}

// fingerprint names a key without telling what is in it.
func fingerprint(key []byte) string {
	h := sha256.Sum256(key)
	return hex.EncodeToString(h[:6])
}

func queryOperation(doc *document) debugOperation {
	if doc == nil || doc.bypass != "" { // not normalized
		return debugOperation{Type: "query"}
	}
	return debugOperation{Type: "query", Hash: hex.EncodeToString(doc.hash[:4])}
}

func (d *debugInfo) hit(c *Cache, resp *graphql.Response, doc *document, key []byte, e *store.Entry, s *stamp) {
	if d == nil {
		return
	}
	now := c.opts.Now()
	d.attach(resp, debugExtension{
		Status: "HIT", Hit: true, Tier: "memory",
		Reason:    debugReason{"hit", "Nothing that this answer depends on has changed since it was computed."},
		Operation: queryOperation(doc), Key: fingerprint(key),
		AgeMS: new((now.UnixNano() - s.stored) / int64(time.Millisecond)), TTLMS: new(e.Expires.Sub(now).Milliseconds()),
		Bytes: len(e.Body), Tags: s.Len(), Limited: doc.op.Policy.LimitedBy, DependsAll: doc.op.Anything,
	})
}

func (d *debugInfo) joined(c *Cache, resp *graphql.Response, doc *document, key string, f *filled) {
	if d == nil {
		return
	}
	d.attach(resp, debugExtension{
		Status: "MISS", Collapsed: true,
		Reason:    debugReason{"joined", "Another request was computing the same answer."},
		Operation: queryOperation(doc), Key: fingerprint([]byte(key)), Bytes: len(f.body),
	})
}

func (d *debugInfo) filled(c *Cache, resp *graphql.Response, doc *document, key string, f *filled) {
	if d == nil {
		return
	}
	x := debugExtension{
		Status: "MISS", DidCache: f.why == "",
		Reason:    debugReason{"miss", "No answer was stored under this key, or a change has dropped it."},
		Operation: queryOperation(doc), Key: fingerprint([]byte(key)), Bytes: len(f.body),
		Limited: doc.op.Policy.LimitedBy, DependsAll: doc.op.Anything,
	}
	if f.found {
		x.Status, x.Hit, x.DidCache, x.Tier = "HIT", true, false, "memory"
		x.Reason = debugReason{"hit", "Another request has stored this answer a moment ago."}
	}
	if f.fromShared {
		x.Status, x.Hit, x.DidCache, x.Tier = "HIT", true, false, "shared"
		x.Reason = debugReason{"hit", "Another instance has computed this answer, and nothing that it depends on has changed since."}
	}
	if f.stamp != nil {
		x.Tags = f.stamp.Len()
		x.TTLMS = new(f.ttl.Milliseconds())
	}
	if f.why != "" {
		x.Reason = debugReason{string(f.why), "The answer was computed and not stored."}
	}
	d.attach(resp, x)
}

func (d *debugInfo) bypassed(c *Cache, resp *graphql.Response, doc *document, why Reason) {
	if d == nil {
		return
	}
	d.attach(resp, debugExtension{
		Status: "BYPASS", Reason: debugReason{string(why), "The query was not looked up."},
		Operation: queryOperation(doc),
	})
}

func (d *debugInfo) mutated(c *Cache, resp *graphql.Response, doc *document, s settled) {
	if d == nil {
		return
	}
	x := debugExtension{
		Status: "INVALIDATED", Reason: debugReason{"mutation", "Answers that these changes reach are not served any more."},
		Operation:         debugOperation{Type: "mutation"},
		mutationExtension: c.confession(s.announced),
		Invalidated:       &debugInvalidation{Seq: s.number, Tags: s.tags, Everything: s.everything, DurationUS: s.took.Microseconds()},
	}
	for _, e := range c.schema.Load().plan.Cascade(s.events) {
		x.Changed = append(x.Changed, debugChange{View: e.View.Name, Op: e.Op.String(), IDs: e.Rows, Unknown: e.All})
	}
	d.attach(resp, x)
}
