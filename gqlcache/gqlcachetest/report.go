package gqlcachetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Kind says how an answer with the cache differs.
type Kind string

// The kinds of differences.
const (
	Stale       Kind = "stale"        // it is what this caller was answered before a mutation
	OtherCaller Kind = "other caller" // it is what another caller was answered
	Bytes       Kind = "bytes"        // another body, errors and extensions included
	Status      Kind = "status"       // another status code
	Header      Kind = "header"       // another response header
)

// fixes say what to do.
var fixes = map[Kind]string{
	Stale: "a mutation of the history changes what the answer shows, and its @writes do not say so: name the view, row or column that is missing, or take the @writes away, which drops everything. Options.Verify names the edge that lacks. " +
		"If the history says that readers asked while it ran: the transaction was committed after gqlgen had answered. Wrap what commits it with Cache.HoldUntilCommit.",
	OtherCaller: "the answer depends on something about the caller that is in neither Options.Predicate nor Options.Vary. Directives, permissions in resolvers and headers count: put them into the predicate, or keep the operation out with @cacheControl(maxAge: 0).",
	Bytes: "the answer depends on something that is in neither the operation, Predicate nor Vary, or something outside of resolvers changes it: an extension that was added after the cache, a directive, an error presenter that differs, graphql.RegisterExtension. " +
		"Add the cache last, give both servers the same configuration, or keep the operation out with @cacheControl(maxAge: 0).",
	Status: "the status code is decided by something that does not run on a hit: move it outside of the GraphQL handler, or keep the operation out with @cacheControl(maxAge: 0).",
	Header: "a resolver, directive or field middleware sets the header, and they do not run on a hit. Set it in a middleware around the GraphQL handler, or keep the operation out with @cacheControl(maxAge: 0); if it is of no importance, name it in IgnoreHeaders.",
}

// A Difference is an answer that the cache has changed.
type Difference struct {
	Kind      Kind
	Operation string
	Caller    int      // counted from 1
	At        string   // the first place that differs
	History   []string // the requests that show it, as far as it could be shortened
	Plain     string   // the body without the cache
	Cached    string   // and with it
	// Reproduced says that the history showed it again when it was run once more.
	Reproduced bool

	op int
}

func (d *Difference) id() string { return fmt.Sprint(d.Kind, d.op) }

// Fix says how to mend what makes such a difference.
func (d *Difference) Fix() string { return fixes[d.Kind] }

// String describes the difference, over several lines.
func (d *Difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "with the cache an answer is different: %s\n", d.Kind)
	fmt.Fprintf(&b, "  operation  %s, asked by caller %d\n", d.Operation, d.Caller)
	fmt.Fprintf(&b, "  at         %s\n", d.At)
	for i, line := range d.History {
		label := ""
		if i == 0 {
			label = "history"
		}
		fmt.Fprintf(&b, "  %-9s  %d. %s\n", label, i+1, line)
	}
	fmt.Fprintf(&b, "  plain      %s\n", clip(strings.TrimSpace(d.Plain), 500))
	fmt.Fprintf(&b, "  cached     %s\n", clip(strings.TrimSpace(d.Cached), 500))
	if !d.Reproduced {
		b.WriteString("  note       it was not seen again when the history was repeated: it depends on timing, or on something outside\n")
	}
	fmt.Fprintf(&b, "  fix        %s", d.Fix())
	return b.String()
}

// A Report is what a comparison has found.
type Report struct {
	// Requests is how many were sent, to both servers.
	Requests int
	// Unstable are the operations that the server without the cache answers differently
	// each time, with the reason. They were sent and not compared.
	Unstable map[string]string
	// Differences are of distinct kinds and operations.
	Differences []*Difference
}

// firstDifference returns the path of the first place at which two bodies differ.
func firstDifference(a, b []byte) string {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return "the body, which is no JSON"
	}
	if path, ok := differentAt("", x, y); ok {
		return strings.TrimPrefix(path, ".")
	}
	return "the bytes, of which the meaning is the same: order of members, or white space"
}

func differentAt(path string, x, y any) (string, bool) {
	switch x := x.(type) {
	case map[string]any:
		y, ok := y.(map[string]any)
		if !ok {
			return path, true
		}
		var names []string
		for name := range x {
			names = append(names, name)
		}
		for name := range y {
			if _, ok := x[name]; !ok {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			a, inA := x[name]
			b, inB := y[name]
			if inA != inB {
				return path + "." + name, true
			}
			if at, ok := differentAt(path+"."+name, a, b); ok {
				return at, true
			}
		}
		return "", false
	case []any:
		y, ok := y.([]any)
		if !ok {
			return path, true
		}
		for i := range max(len(x), len(y)) {
			at := fmt.Sprintf("%s[%d]", path, i)
			if i >= len(x) || i >= len(y) {
				return at, true
			}
			if at, ok := differentAt(at, x[i], y[i]); ok {
				return at, true
			}
		}
		return "", false
	}
	return path, x != y
}
