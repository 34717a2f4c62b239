package extractor

import (
	"bytes"
	"encoding/json"
)

// A Cascade is what a GraphQL Cascade payload says about a mutation. Every field that
// widens says more was written than is listed; nothing in a payload says that less was.
type Cascade struct {
	Updated       []Change
	Deleted       []Change
	Invalidations []Invalidation
	// Truncated: the lists are incomplete, but the types are those that they name.
	Truncated bool
	// Malformed: the payload is not what the specification says. Anything may have been
	// written.
	Malformed bool
	// Failed: the mutation says that it did not succeed. It may have written something
	// all the same.
	Failed bool
}

// A Change is one row of updated or deleted.
type Change struct {
	// Type is the object type; "" when the payload does not tell.
	Type string
	// ID is the canonical key, see CanonicalID; "" when the payload does not tell: any
	// row.
	ID string
	Op ChangeOp
}

// ChangeOp is what happened to a row.
type ChangeOp uint8

// The operations. ChangeUnknown covers the others.
const (
	ChangeUnknown ChangeOp = iota
	ChangeCreated
	ChangeUpdated
	ChangeDeleted
)

// An Invalidation names queries whose answers changed.
type Invalidation struct {
	QueryName    string
	QueryHash    string
	QueryPattern string
	// Arguments is the raw JSON of the arguments; nil when absent or null.
	Arguments json.RawMessage
	Scope     Scope
}

// Scope says which queries an Invalidation means.
type Scope uint8

// The scopes. ScopeAll also stands for what is unknown or lacks the name that it needs,
// and for unknown strategies: every known strategy removes the answers.
const (
	ScopeAll     Scope = iota
	ScopeExact         // the query QueryName with at least Arguments, or the one with QueryHash
	ScopePrefix        // queries whose name starts with QueryName
	ScopePattern       // queries whose name matches QueryPattern
)

// ParseCascade reads the JSON of a cascade member, or of a payload that has one. It
// accepts any bytes: what cannot be read makes the result Malformed, and what was read
// before stays in it. Members are matched exactly; members that the specification does
// not have are ignored.
func ParseCascade(raw []byte) Cascade {
	raw = bytes.ReplaceAll(raw, []byte(`"`+nonce+string(aliasInner)), []byte(`"`))
	var c Cascade
	top, ok := objectOf(raw)
	if !ok {
		return Cascade{Malformed: true}
	}
	if s, ok := top["success"]; ok && string(s) != "true" {
		c.Failed = true
	}
	if inner, ok := top["cascade"]; ok && top["updated"] == nil {
		if top, ok = objectOf(inner); !ok {
			c.Malformed = true
			return c
		}
	}
	c.changes(top["updated"], &c.Updated, ChangeUnknown)
	c.changes(top["deleted"], &c.Deleted, ChangeDeleted)
	if list, ok := top["invalidations"]; ok {
		c.invalidations(list)
	}
	if meta, ok := top["metadata"]; ok {
		c.metadata(meta)
	}
	return c
}

func (c *Cascade) changes(raw json.RawMessage, out *[]Change, op ChangeOp) {
	for _, m := range c.elements(raw) {
		change := Change{Type: changedType(m), Op: op, ID: string(CanonicalID(m["id"]))}
		if op == ChangeUnknown {
			change.Op = changeOps[textOf(m["operation"])]
		}
		*out = append(*out, change)
	}
}

var changeOps = map[string]ChangeOp{"CREATED": ChangeCreated, "UPDATED": ChangeUpdated, "DELETED": ChangeDeleted}

// changedType tells the type of a row. The __typename of a list element is that of the
// wrapper in a server that follows the specification, so everything else is better.
func changedType(m map[string]json.RawMessage) string {
	if t := textOf(m["entityType"]); t != "" {
		return t
	}
	if entity, ok := objectOf(m["entity"]); ok {
		if t := textOf(entity["__typename"]); t != "" {
			return t
		}
	}
	switch t := textOf(m["__typename"]); t {
	case "UpdatedEntity", "DeletedEntity":
		return ""
	default:
		return t
	}
}

func (c *Cascade) invalidations(raw json.RawMessage) {
	for _, m := range c.elements(raw) {
		i := Invalidation{
			QueryName: textOf(m["queryName"]), QueryHash: textOf(m["queryHash"]), QueryPattern: textOf(m["queryPattern"]),
			Scope: scopeOf(m),
		}
		if a := m["arguments"]; a != nil && string(a) != "null" {
			i.Arguments = a
		}
		c.Invalidations = append(c.Invalidations, i)
	}
}

func scopeOf(m map[string]json.RawMessage) Scope {
	switch textOf(m["strategy"]) {
	case "INVALIDATE", "REFETCH", "REMOVE":
	default:
		return ScopeAll
	}
	name := textOf(m["queryName"]) != ""
	switch scope := textOf(m["scope"]); {
	case scope == "EXACT" && (name || textOf(m["queryHash"]) != ""):
		return ScopeExact
	case scope == "PREFIX" && name:
		return ScopePrefix
	case scope == "PATTERN" && textOf(m["queryPattern"]) != "":
		return ScopePattern
	}
	return ScopeAll
}

// metadata widens unless it says that the lists are complete. A null is no such
// statement.
func (c *Cascade) metadata(raw json.RawMessage) {
	m, ok := objectOf(raw)
	if !ok {
		c.Truncated = true
		return
	}
	if t, ok := m["truncated"]; ok && string(t) != "false" {
		c.Truncated = true
	}
	if n, ok := m["affectedCount"]; ok {
		var count int
		if string(n) == "null" || json.Unmarshal(n, &count) != nil || count != len(c.Updated)+len(c.Deleted) {
			c.Truncated = true
		}
	}
}

// elements returns the objects of a list. Anything else makes the payload malformed.
func (c *Cascade) elements(raw json.RawMessage) []map[string]json.RawMessage {
	var list []json.RawMessage
	if len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, &list) != nil {
		c.Malformed = true
		return nil
	}
	out := make([]map[string]json.RawMessage, 0, len(list))
	for _, e := range list {
		m, ok := objectOf(e)
		if !ok {
			c.Malformed = true
			continue
		}
		out = append(out, m)
	}
	return out
}

func objectOf(raw json.RawMessage) (map[string]json.RawMessage, bool) {
	var m map[string]json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &m) != nil || m == nil {
		return nil, false
	}
	return m, true
}

// textOf returns the text of a JSON string, "" for everything else.
func textOf(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
