package cascade

import (
	"path"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/extractor"
)

// Payloads is what the GraphQL Cascade payloads of a mutation's answer say was changed.
// It adds to what the schema declares, and replaces nothing of it.
type Payloads struct {
	Events []Event
	// Tags are those of the queries that the payloads name.
	Tags []Tag
	// Everything is not empty when a payload says that more changed than it lists, and
	// why.
	Everything string
}

// Payloads reads the GraphQL Cascade payloads of an answer. What it cannot make sense of
// widens.
func (p *Plan) Payloads(res *extractor.Result) Payloads {
	var out Payloads
	for _, raw := range res.Cascade {
		out.add(p, raw.Parse(), "cascade payload of "+raw.Root.Definition.Name)
	}
	return out
}

func (out *Payloads) add(p *Plan, c extractor.Cascade, what string) {
	switch {
	case c.Malformed:
		out.Everything = what + " is malformed"
		return
	case c.Truncated && len(c.Updated)+len(c.Deleted) == 0:
		out.Everything = what + " is incomplete"
		return
	}
	// A payload that reports a failure adds what it lists all the same. That it lists
	// nothing says nothing: what the schema declares counts.
	for _, list := range [][]extractor.Change{c.Updated, c.Deleted} {
		for _, ch := range list {
			views := p.viewsNamed(ch.Type)
			if ch.Type == "" || len(views) == 0 || p.isEnvelope(ch.Type) {
				out.Everything = what + " names the unknown type " + ch.Type
				return
			}
			var id Value
			if ch.ID != "" && !c.Truncated {
				id = Value{kind: valueText, text: ch.ID}
			}
			for _, v := range views {
				out.Events = append(out.Events, p.rowEvent(v, ch.Type, payloadOps[ch.Op], id))
			}
		}
	}
	for _, inv := range c.Invalidations {
		if !out.queries(p, inv) {
			out.Everything = what + " invalidates all queries"
			return
		}
	}
}

// isEnvelope says that a type is that of the entries in a payload's lists, and no type of
// rows: its name tells nothing about what was changed. Such types have an id like rows
// do, and so a view by default.
func (p *Plan) isEnvelope(name string) bool {
	vs := p.byType[name]
	return p.envelopes[name] && (len(vs) == 0 || !vs[0].explicit)
}

// findEnvelopes notes the types of the entries in lists of changes.
func (p *Plan) findEnvelopes() {
	p.envelopes = map[string]bool{}
	for _, def := range p.schema.Types {
		updated, deleted := def.Fields.ForName("updated"), def.Fields.ForName("deleted")
		if updated == nil || deleted == nil {
			continue
		}
		for _, f := range []*ast.FieldDefinition{updated, deleted} {
			p.envelopes[f.Type.Name()] = true
		}
	}
}

var payloadOps = map[extractor.ChangeOp]Op{
	extractor.ChangeUnknown: Any,
	extractor.ChangeCreated: Create,
	extractor.ChangeUpdated: Update,
	extractor.ChangeDeleted: Delete,
}

// queries adds the tags of the query fields that an invalidation means. Arguments narrow
// it to a part of their answers. All of their answers are dropped nevertheless.
func (out *Payloads) queries(p *Plan, inv extractor.Invalidation) bool {
	var match func(field string) bool
	switch {
	case inv.Scope == extractor.ScopeExact && inv.QueryName != "":
		match = func(f string) bool { return f == inv.QueryName }
	case inv.Scope == extractor.ScopePrefix:
		match = func(f string) bool { return strings.HasPrefix(f, inv.QueryName) }
	case inv.Scope == extractor.ScopePattern:
		if _, err := path.Match(inv.QueryPattern, ""); err != nil {
			return false
		}
		match = func(f string) bool { ok, _ := path.Match(inv.QueryPattern, f); return ok }
	default:
		return false
	}
	found := false
	if p.schema.Query != nil {
		for _, f := range p.schema.Query.Fields {
			if match(f.Name) {
				out.Tags = append(out.Tags, RootField(f.Name))
				found = true
			}
		}
	}
	return found
}
