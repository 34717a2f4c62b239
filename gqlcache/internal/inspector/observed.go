package inspector

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// The effects of inspect.ObservedFinding, the widest first.
const (
	effectEverything = "everything"
	effectNotStored  = "notStored"
	effectWider      = "wider"
	effectNone       = "none"
)

// A finding is what a kind of findings means to the owner.
type finding struct {
	effect, advice string
	// quiet says that its reason quotes errors of the database, which may have values.
	quiet bool
}

// findings are by the kinds of package footprint.
var findings = map[string]finding{
	"not understood": {effect: effectEverything, advice: "Write the statement in a simpler way, or have it run less often. A change of the schema (DDL) drops everything, as it must: send it before the server serves."},
	"no catalog":     {effect: effectEverything, quiet: true, advice: "Check that footprint.Options.Dialect is the database's, and let the user of the database read its catalog. The server's log has the error."},
	"panic":          {effect: effectEverything, quiet: true, advice: "This is a fault of the cache: report it, with the stack in the server's log."},

	"incomplete key":    {effect: effectNotStored, advice: "Add what the value depends on to Options.Predicate or Options.Vary, or vouch for the value with footprint.Known."},
	"unexplained field": {effect: effectNotStored, advice: "Name the field in Observe.Computed if it computes from its object, its arguments and what Options.Predicate and Options.Vary have, in Observe.Foreign if it takes data from elsewhere, and leave out a cache above the driver."},
	"late statement":    {effect: effectNotStored, advice: "Have resolvers wait for all that they start, or start it on a context that is not the request's."},
	"elsewhere":         {effect: effectNotStored, advice: "Give the replica a handle of its own with Options.Replica, and let cached fields read from the primary."},

	"no computation":   {effect: effectWider, advice: "Pass the resolver's context to the statement (db.QueryContext), and give jobs the handle of footprintsql.Outside or footprintpgx.Outside."},
	"shared statement": {effect: effectWider, advice: "Make the loader, or the singleflight, once for each request. A loader that requests share is right, and wide."},
	"unknown column":   {effect: effectWider, advice: "Correct the name in @view(decides:)."},
	"uncertain commit": {effect: effectWider, advice: "Nothing, if it is rare: a connection broke during COMMIT, and for a minute nothing is stored that it may have changed. Otherwise look for time limits that cut connections off, and send statements one by one where a text has several, BEGIN or COMMIT among them."},
	"no row images":    {effect: effectWider, quiet: true, advice: "Add RETURNING to the statement, or grant the user of the database SELECT on the table. The server's log has the error."},
	"too many shapes":  {effect: effectWider, advice: "Reads compare too many different sets of columns of one table: write them with fewer, for instance without optional conditions that are left out."},
	"unknown schema":   {effect: effectWider, advice: "Name the schema in the statement, or set search_path by a statement of its own. docs/observe.md says after what it is not known."},

	"outside commit": {effect: effectNone, advice: "Nothing, if it is a job's or another handler's. If a mutation has caused it, have the mutation wait for it; if a middleware commits for each request, put Cache.HoldUntilCommit around it."},
}

// Explain completes a finding with what it means and what to do. It leaves out a reason
// that may quote values.
func Explain(f *inspect.ObservedFinding) {
	about, ok := findings[f.Kind]
	if !ok {
		about = finding{effect: effectEverything, quiet: true, advice: "The server's log has more."}
	}
	f.Effect, f.Advice = about.effect, about.advice
	if about.quiet {
		f.Why = ""
	}
}

// Widest sorts findings that were explained: by effect, and then by how often they were
// found.
func Widest(list []inspect.ObservedFinding) {
	order := []string{effectEverything, effectNotStored, effectWider, effectNone}
	slices.SortFunc(list, func(a, b inspect.ObservedFinding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.Effect), slices.Index(order, b.Effect)),
			cmp.Compare(b.Count, a.Count), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Text, b.Text),
		)
	})
}

// The bounds of a snapshot's part about statements, which is asked for each second.
const (
	maxFindings           = 50
	maxObservedOperations = 20
)

// ShowObserved returns the part of a report that a snapshot has: the widest findings, and
// operations of which a directive is missing, without what they read and write.
func ShowObserved(o inspect.Observed) *inspect.Observed {
	if more := len(o.Findings) - maxFindings; more > 0 {
		o.Findings, o.MoreFindings = o.Findings[:maxFindings], more
	}
	operations := []inspect.ObservedOperation{}
	for _, op := range o.Operations {
		if len(op.Uncovered)+len(op.Unmatched) > 0 && len(operations) < maxObservedOperations {
			op.Reads, op.Writes = nil, nil
			operations = append(operations, op)
		}
	}
	o.Operations = operations
	return &o
}
