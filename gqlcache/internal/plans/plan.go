package plans

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/count"
	"github.com/cascadeql/cascadeql/gqlcache/internal/opkey"
	"github.com/cascadeql/cascadeql/gqlcache/internal/reason"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/vektah/gqlparser/v2/ast"
)

// A Plan is the knowledge of one operation of a document. It is immutable once it is
// kept.
type Plan struct {
	// Definition is the operation that was planned. The text alone does not tell the
	// operation: another extension may have rewritten it for this request.
	Definition *ast.OperationDefinition
	// Bypass is the reason why a query is not looked up, "" when it is; of package
	// reason.
	Bypass string
	// Operation says what the operation reads and changes. It is nil where Bypass is
	// reason.Operation, and in queries that their fields alone keep out.
	Operation *cascade.Operation
	// Hash is the digest in the operation's keys, Tag that of all answers to operations
	// of its name, and TTL how long an answer may be kept at most. They are set for
	// queries that do not bypass the cache.
	Hash [sha256.Size]byte
	Tag  cascade.Tag
	TTL  time.Duration
	// Counts are those of a query's name, which it shares with others; nil for a
	// mutation.
	Counts *count.Operation
	// Walk says that the answer is read for its rows.
	Walk bool
	// Owner belongs to the cache. It is set before Keep.
	Owner any

	shape uint64
	// used is set when the plan is found, and cleared when the plan is looked at to make
	// room: see cache.
	used atomic.Bool
}

// ShortHash names the operation, the same in all processes: it is made of the schema and
// the client's text.
func (p *Plan) ShortHash() string { return hex.EncodeToString(p.Hash[:4]) }

// Config has the settings of Plans. MaxBytes and TTL are required, the pointers are never
// nil.
type Config struct {
	// MaxBytes bounds the plans that are kept.
	MaxBytes int64
	// TTL is how long answers are kept of which the schema says nothing.
	TTL time.Duration
	// OneRowOnly says that answers with several rows are not stored, so that one which
	// depends on everything is read, too.
	OneRowOnly bool
	// Directives are those of the servers.
	Directives *Directives
	// Operations has the counters by name.
	Operations *count.Operations
	// Once logs what cannot be planned.
	Once *safe.Once
}

// Plans makes plans and keeps them. Its methods may be called concurrently; none calls a
// function of the owner's but the logger.
type Plans struct {
	config Config
	cache  *cache
}

// New returns Plans that keeps none yet.
func New(c Config) *Plans { return &Plans{config: c, cache: newCache(c.MaxBytes)} }

// Make analyses an operation once. What cannot be planned bypasses the cache, and is
// logged.
func (p *Plans) Make(st *Schema, s *Source) *Plan {
	d := &Plan{Definition: s.Operation, shape: s.shape, Bypass: staticBypass(s.Document, s.Operation)}
	query := s.Operation.Operation == ast.Query
	if query {
		d.Counts = p.config.Operations.Of(s.Operation.Name)
	}
	if d.Bypass != "" && query {
		return d
	}
	op, err := st.Plan.Operation(s.Document, s.Operation)
	if err != nil {
		p.config.Once.Warn("operation", "gqlcache: an operation could not be planned, so it bypasses the cache", err)
		d.Bypass = reason.Operation
		return d
	}
	d.Operation = op
	// What depends on anything needs no rows: neither an answer nor a mutation that drops
	// everything.
	d.Walk = !op.Extract.Deferred && (op.Anything == "" || (query && p.config.OneRowOnly))
	if !query {
		return d
	}
	if d.Bypass = p.bypass(st, s, op); d.Bypass != "" {
		return d
	}
	if d.Hash, err = hashOf(st, s); err != nil {
		p.config.Once.Warn("operation", "gqlcache: an operation has no normal form, so it bypasses the cache", err)
		d.Bypass = reason.Operation
		return d
	}
	d.Tag = cascade.OperationTag(cmp.Or(s.Operation.Name, d.ShortHash()))
	d.TTL = p.ttl(op.Policy)
	return d
}

// hashOf returns the digest in the keys of an operation.
//
// The name is no part of the normal form. It is one of the key: Invalidate drops answers
// by the name, which would miss those that were stored under another name, here or by
// another instance.
func hashOf(st *Schema, s *Source) (sum [sha256.Size]byte, err error) {
	b := opkey.AppendPart(append([]byte(nil), st.Hash[:]...), s.Operation.Name)
	if b, err = opkey.AppendOperation(b, s.Document, s.Operation); err != nil {
		return sum, err
	}
	return sha256.Sum256(b), nil
}

// ttl is how long an answer may be kept: the shortest maxAge of its fields, where a field
// without one counts as Config.TTL.
func (p *Plans) ttl(policy cascade.Policy) time.Duration {
	ttl := p.config.TTL
	if policy.MaxAge >= 0 {
		age := time.Duration(policy.MaxAge) * time.Second
		if !policy.Default || age < ttl {
			ttl = age
		}
	}
	return ttl
}

// staticBypass returns the reason why an operation is not worth or not safe to cache by
// its fields, "" for none.
func staticBypass(doc *ast.QueryDocument, op *ast.OperationDefinition) string {
	if introspects(doc, op) {
		return reason.Introspection
	}
	others := 0
	var visit func(ast.SelectionSet, int) string
	visit = func(set ast.SelectionSet, depth int) string {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				if s.Name != "__typename" {
					others++
				}
			case *ast.InlineFragment:
				if r := visit(s.SelectionSet, depth+1); r != "" {
					return r
				}
			case *ast.FragmentSpread:
				f := doc.Fragments.ForName(s.Name)
				if f == nil || depth > maxRootFragments {
					return reason.Operation
				}
				if r := visit(f.SelectionSet, depth+1); r != "" {
					return r
				}
			}
		}
		return ""
	}
	if r := visit(op.SelectionSet, 0); r != "" {
		return r
	}
	if others == 0 {
		return reason.Typename
	}
	return ""
}

// maxRootFragments bounds the nesting of fragments around root fields.
const maxRootFragments = 50

// bypass returns the reason why a query is not looked up by what it selects and by the
// schema, "" for none.
func (p *Plans) bypass(st *Schema, s *Source, op *cascade.Operation) string {
	switch {
	case p.config.Directives.in(st, s, op) != "":
		return reason.Directive
	case op.Policy.MaxAge == 0:
		return reason.Policy
	case op.Extract.Deferred:
		return reason.Defer
	}
	return ""
}
