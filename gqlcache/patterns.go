package gqlcache

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/values"
)

// maxPattern bounds a pattern, and a name that is matched by itself, in bytes.
const maxPattern = 64

// maxNames bounds the names of operations, and those of values, that are matched by
// themselves. Clients choose them.
const maxNames = 1000

// knownNames are the names of operations that answers were stored for, or those of keys that
// values were kept under. What matches a pattern is told by them.
//
// Invariant: an answer that is older than a pattern which matches its operation's name has a
// tag that the pattern publishes: that of its name, if the name was known when the answer's
// token was read, and cascade.OtherOperations if not, which every pattern publishes. So it
// is with a name for which there is no room, and with values, for which it is
// cascade.OtherValues.
type knownNames struct {
	mu sync.Mutex // protects since
	// since has the clock's number when a name had become known.
	since map[string]uint64
}

// knew says whether a name was known at a number of the clock, and has it known from now
// on if there is room. seq returns the clock's number.
func (n *knownNames) knew(name string, at uint64, seq func() uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	since, known := n.since[name]
	if !known {
		if len(name) > maxPattern || len(n.since) >= maxNames {
			return false
		}
		if n.since == nil {
			n.since = map[string]uint64{}
		}
		since = seq() // nobody who looks for names before it is there has a later number by now
		n.since[strings.Clone(name)] = since
	}
	return since <= at
}

// appendMatching appends the tags of the names that some of the patterns fit, each once. The
// lock, which each miss takes, is not held while names are compared.
func (n *knownNames) appendMatching(tags []cascade.Tag, patterns []string, tagOf func(name string) cascade.Tag) []cascade.Tag {
	n.mu.Lock()
	names := slices.Collect(maps.Keys(n.since))
	n.mu.Unlock()
	for _, name := range names {
		if slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, name) }) {
			tags = append(tags, tagOf(name))
		}
	}
	return tags
}

// maxPatterns bounds the patterns of one kind in a change, each of which is compared with
// each name. More of them are the pattern that fits every name.
const maxPatterns = 64

// patterns are those of one change.
type patterns struct{ operations, values []string }

// addPattern adds a pattern that is not there yet.
func addPattern(list []string, pattern string) []string {
	switch {
	case slices.Contains(list, pattern), len(list) == 1 && list[0] == "*":
		return list
	case pattern == "*", len(list) == maxPatterns:
		return []string{"*"}
	}
	return append(list, pattern)
}

// appendTags appends the tags of the answers and values that the patterns may reach.
func (p *patterns) appendTags(c *Cache, tags []cascade.Tag) []cascade.Tag {
	if len(p.operations) > 0 {
		tags = c.names.appendMatching(append(tags, cascade.OtherOperations), p.operations, cascade.OperationTag)
	}
	if len(p.values) > 0 {
		tags = c.valueNames.appendMatching(append(tags, cascade.OtherValues), p.values, cascade.ValueNameTag)
	}
	return tags
}

// appendWords appends the words by which other instances learn of the patterns.
func (p *patterns) appendWords(words []cascade.Tag) []cascade.Tag {
	for _, pattern := range p.operations {
		words = fleet.AppendText(words, fleet.Text{Kind: fleet.OperationPattern, Text: pattern})
	}
	for _, pattern := range p.values {
		words = fleet.AppendText(words, fleet.Text{Kind: fleet.ValuePattern, Text: pattern})
	}
	return words
}

// ofName adds the tags by which changes of a name, and by patterns, reach a value that is
// based on a number. Which names another instance knew when a pattern came, nobody can tell.
func (q *valueQuery) ofName(s *values.Sum, token uint64) {
	s.Tags = append(s.Tags, cascade.ValueNameTag(q.name))
	if !q.c.valueNames.knew(q.name, token, q.c.clock.Seq) {
		s.Tags = append(s.Tags, cascade.OtherValues)
	}
	if q.c.opts.Shared != nil {
		s.Coarse = append(slices.Clip(s.Coarse), cascade.OtherValues) // it may be a part of s.Tags
	}
}

// matches says whether a name fits a pattern: an asterisk stands for any text, a question
// mark for one byte.
func matches(pattern, name string) bool {
	// at and from are where to go on when what came after the last asterisk does not fit.
	p, at, from := 0, -1, 0
	for i := 0; i < len(name); {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			at, from = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[i]):
			p++
			i++
		case at >= 0:
			from++
			p, i = at+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// isPattern reports whether a change is by a pattern.
func (ch *Change) isPattern() bool {
	return ch.kind == changeOperations || ch.kind == changeComputedMatching
}

// patternFault is the error for a change by a pattern that is none, nil for other changes.
func (ch *Change) patternFault() error {
	switch ch.kind {
	case changeOperations:
		return patternFault(ch.name)
	case changeComputedMatching:
		return valuePatternFault(ch.name)
	}
	return nil
}

// patternFault is the error for a text that is no pattern of names.
func patternFault(pattern string) error {
	other := func(r rune) bool {
		letter := 'a' <= r|0x20 && r|0x20 <= 'z'
		return !letter && (r < '0' || r > '9') && !strings.ContainsRune("_*?", r)
	}
	if pattern == "" || len(pattern) > maxPattern || strings.ContainsFunc(pattern, other) {
		return fmt.Errorf("gqlcache: %s is no pattern for names of operations; use letters, digits and _, with * for any text and ? for one character, at most %d", quoted(pattern), maxPattern)
	}
	return nil
}

// valuePatternFault is the error for a text that is no pattern of names of values, which may
// be any text.
func valuePatternFault(pattern string) error {
	if pattern == "" || len(pattern) > maxPattern || !utf8.ValidString(pattern) {
		return fmt.Errorf("gqlcache: %s is no pattern for names of values; use the text of the name, with * for any text and ? for one byte, at most %d bytes", quoted(pattern), maxPattern)
	}
	return nil
}

// appendOwn appends the tags by which changes by patterns, and of all that a tenant has,
// reach an answer. That of its operation's name is apart.
func (c *Cache) appendOwn(tags []cascade.Tag, d *document, who *caller, token uint64) []cascade.Tag {
	if !c.names.knew(cmp.Or(d.Definition.Name, d.ShortHash()), token, c.clock.Seq) {
		tags = append(tags, cascade.OtherOperations)
	}
	if t, ok := who.partition.Tag(); ok {
		tags = append(tags, t)
	}
	return tags
}

// appendTexts appends the tags that texts of a change have in this instance. It returns
// false when they may reach everything.
func (c *Cache) appendTexts(tags []cascade.Tag, texts []fleet.Text) ([]cascade.Tag, bool) {
	var p patterns
	for _, t := range texts {
		switch t.Kind {
		case fleet.OperationPattern:
			p.operations = addPattern(p.operations, t.Text)
		case fleet.ValuePattern:
			p.values = addPattern(p.values, t.Text)
		case fleet.Tenant:
			own, ok := cascade.PartitionOf(t.Text).Tag()
			if !ok {
				return nil, false
			}
			tags = append(tags, own)
		default:
			return nil, false
		}
	}
	return p.appendTags(c, tags), true
}

// tenantTags returns what a change of all that a tenant has reaches beside his own answers:
// those of callers outside of all partitions that show his rows. It returns false when
// that is everything.
func tenantTags(plan *cascade.Plan, name string) ([]cascade.Tag, bool) {
	part := cascade.PartitionOf(name)
	own, ok := part.Tag()
	if !ok {
		return nil, false
	}
	var views []*cascade.View
	for _, v := range plan.Views() {
		if v.Partitioned {
			views = append(views, v)
		}
	}
	return append(plan.Publish(nil, cascade.WholeViews(views), part), own, cascade.Anything), true
}
