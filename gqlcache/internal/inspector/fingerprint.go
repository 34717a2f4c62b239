package inspector

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
)

// newSecret returns what fingerprints are keyed with: random, and the same for as long as
// the cache lives.
func newSecret() (s [32]byte) {
	_, _ = rand.Read(s[:]) // never fails
	return s
}

// Fingerprint names something without telling what it is. Whoever guesses a predicate or
// a variable cannot check the guess: the fingerprint depends on a secret of this process.
func (i *Inspector) Fingerprint(what string, b []byte) string {
	h := hmac.New(sha256.New, i.secret[:])
	h.Write([]byte(what))
	h.Write([]byte{0})
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// keyParts takes a key apart; nil when it is none.
func (i *Inspector) keyParts(p *plans.Plan, vars map[string]any, key []byte) []inspect.KeyPart {
	cut, ok := p.Cut(key, vars)
	if !ok {
		return nil
	}
	label := ""
	if !i.config.HideVariables {
		label = strings.Join(slices.Sorted(maps.Keys(vars)), ", ")
	}
	hash := i.config.Schema().Hash
	parts := []inspect.KeyPart{
		{Name: "operation", Label: p.Definition.Name, Fingerprint: p.ShortHash()},
		{Name: "variables", Label: label, Fingerprint: i.Fingerprint("variables", cut.Variables)},
		{Name: "predicate", Fingerprint: i.Fingerprint("predicate", cut.Predicate)},
		{Name: "schema", Fingerprint: hex.EncodeToString(hash[:6])},
	}
	if cut.Public {
		parts[2].Label = "public"
	}
	if i.config.Vary {
		parts = append(parts, inspect.KeyPart{Name: "vary", Fingerprint: i.Fingerprint("vary", cut.Vary)})
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
