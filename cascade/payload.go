package cascade

import (
	"path"
	"strings"

	"github.com/cascadeql/cascadeql/extractor"
)

// Payloads is what the GraphQL Cascade payloads of a mutation's answer say was changed. It adds to
// what the schema declares, and replaces nothing of it.
type Payloads struct {
	Events []Event
	// Tags are those of the queries that the payloads name.
	Tags []Tag
	// Everything is not empty when a payload says that more changed than it lists, and why.
	Everything string
}

// Payloads reads the GraphQL Cascade payloads of an answer. What it cannot make sense of widens.
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
	// A payload that reports a failure adds what it lists all the same. That it lists nothing says
	// nothing: what the schema declares counts.
	for _, list := range [][]extractor.Change{c.Updated, c.Deleted} {
		for _, ch := range list {
			views := p.viewsNamed(ch.Type)
			if ch.Type == "" || len(views) == 0 {
				out.Everything = what + " names the unknown type " + ch.Type
				return
			}
			id := Value{kind: valueText, text: ch.ID}
			for _, v := range views {
				known := ch.ID != "" && !c.Truncated && keyedLike(v, views)
				out.Events = append(out.Events, rowEvent(v, payloadOps[ch.Op], id, known))
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

var payloadOps = map[extractor.ChangeOp]Op{
	extractor.ChangeUnknown: Any,
	extractor.ChangeCreated: Create,
	extractor.ChangeUpdated: Update,
	extractor.ChangeDeleted: Delete,
}

// queries adds the tags of the query fields that an invalidation means. Arguments narrow it to a part
// of their answers: all of them fall.
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
