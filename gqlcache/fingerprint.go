package gqlcache

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"weak"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// newSecret returns what fingerprints are keyed with: random, and the same for as long as the cache lives.
func newSecret() (s [32]byte) {
	_, _ = rand.Read(s[:]) // never fails
	return s
}

// fingerprint names something without telling what it is. Whoever guesses a predicate or a variable
// cannot check the guess: the fingerprint depends on a secret of this process.
func (c *Cache) fingerprint(what string, b []byte) string {
	h := hmac.New(sha256.New, c.secret[:])
	h.Write([]byte(what))
	h.Write([]byte{0})
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// keyParts takes a key apart; nil when it is none.
func (c *Cache) keyParts(d *document, vars map[string]any, key []byte) []inspect.KeyPart {
	cut, ok := d.Cut(key, vars)
	if !ok {
		return nil
	}
	label := ""
	if !c.opts.Inspector.HideVariables {
		label = strings.Join(slices.Sorted(maps.Keys(vars)), ", ")
	}
	hash := c.schema.Load().Hash
	parts := []inspect.KeyPart{
		{Name: "operation", Label: d.Definition.Name, Fingerprint: d.ShortHash()},
		{Name: "variables", Label: label, Fingerprint: c.fingerprint("variables", cut.Variables)},
		{Name: "predicate", Fingerprint: c.fingerprint("predicate", cut.Predicate)},
		{Name: "schema", Fingerprint: hex.EncodeToString(hash[:6])},
	}
	if cut.Public {
		parts[2].Label = "public"
	}
	if c.opts.Vary != nil {
		parts = append(parts, inspect.KeyPart{Name: "vary", Fingerprint: c.fingerprint("vary", cut.Vary)})
	}
	return parts
}

// dependenciesOf lists the views that an operation's answers depend on.
func dependenciesOf(op *cascade.Operation) *inspect.Dependencies {
	deps := &inspect.Dependencies{Views: []inspect.Dependency{}, Rows: []inspect.Row{}}
	for _, d := range op.Dependencies() {
		x := inspect.Dependency{View: d.View.Name, How: d.How.String()}
		if d.Via != nil {
			x.Via = d.Via.Name
		}
		deps.Views = append(deps.Views, x)
	}
	return deps
}

// sample is what is remembered, of some entries, for explanations: the rows that the answer shows. It is
// found by a hash of the key, and holds the stamp weakly: keys have the client's variables in them, stamps the
// tags of an answer, and of neither is there a bound on 1,000 but the store's own.
type sample struct {
	stamp weak.Pointer[stamp]
	rows  []inspect.Row
	count int
}

const (
	samples       = 1000 // entries of which the rows are remembered
	rowsPerSample = 20
	maxRowID      = 80
)

// sample remembers the rows of an answer that was stored, if somebody may want to see them.
func (c *Cache) sample(ctx context.Context, op *cascade.Operation, key string, res *extractor.Result, s *stamp) {
	defer c.shield.Recover()
	x := &sample{stamp: weak.Make(s), rows: []inspect.Row{}}
	var rows []cascade.Row
	rows, x.count = op.Rows(res, rowsPerSample)
	for _, row := range rows {
		if len(row.Key) > maxRowID {
			row.Key = row.Key[:maxRowID] + "…"
		}
		x.rows = append(x.rows, inspect.Row{View: row.View.Name, ID: strings.ToValidUTF8(row.Key, "")})
	}
	c.samples.Add(ctx, sampleKey(key), x)
}

func sampleKey[T ~string | ~[]byte](key T) string {
	sum := sha256.Sum256([]byte(key))
	return string(sum[:])
}

// recall adds the rows that an entry's answer shows, where they are remembered.
func (c *Cache) recall(ctx context.Context, x *inspect.Extension, key []byte, s *stamp) {
	if x.Dependencies == nil {
		return
	}
	if known, ok := c.samples.Get(ctx, sampleKey(key)); ok && known.stamp.Value() == s {
		x.Dependencies.RowCount = known.count
		if !c.opts.Inspector.HideIDs {
			x.Dependencies.Rows = known.rows
		}
	}
}
