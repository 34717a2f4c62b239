package inspect

// Snapshot is the state of a cache, and what its inspector has seen since it watches.
type Snapshot struct {
	Now      int64  `json:"now"`
	Instance string `json:"instance"`
	UptimeMS int64  `json:"uptimeMs"`
	// WatchingSince is when the inspector began to watch, 0 when it does not. Operations'
	// and views' entries, the log and reasons of misses are known from then on; totals
	// are since the start.
	WatchingSince int64       `json:"watchingSince"`
	Totals        Totals      `json:"totals"`
	Series        Series      `json:"series"`
	Tiers         []Tier      `json:"tiers"`
	Operations    []OpStats   `json:"operations"`
	Views         []ViewStats `json:"views"`
	// Values are some of the values that the program has computed and that are still true:
	// see gqlcache.Compute.
	Values []Value `json:"values,omitempty"`
	// Log are the invalidations after the request's cursor, oldest first, as far as they
	// are kept; LogNext is the next cursor.
	Log     []LogEvent `json:"log"`
	LogNext uint64     `json:"logNext"`
	Verify  *Verify    `json:"verify,omitempty"`
	Shadow  *Shadow    `json:"shadow,omitempty"`
	Cluster *Cluster   `json:"cluster,omitempty"`
	// Observed is what SQL statements tell, left out where no handle is observed.
	Observed     *Observed    `json:"observed,omitempty"`
	Security     Security     `json:"security"`
	Warnings     []Warning    `json:"warnings"`
	Capabilities Capabilities `json:"capabilities"`
}

// Totals count since the start. Requests is the sum of hits, misses, collapsed, bypasses
// and abandoned.
type Totals struct {
	Requests      uint64            `json:"requests"`
	Hits          uint64            `json:"hits"`
	Misses        uint64            `json:"misses"`
	Collapsed     uint64            `json:"collapsed"`
	Abandoned     uint64            `json:"abandoned"`
	Bypasses      uint64            `json:"bypasses"`
	BypassedBy    map[string]uint64 `json:"bypassedBy"`
	NotStored     map[string]uint64 `json:"notStored"`
	Invalidations uint64            `json:"invalidations"`
	Flushes       uint64            `json:"flushes"`
	StoreErrors   uint64            `json:"storeErrors"`
	SavedMS       int64             `json:"savedMs"` // while the inspector watches
}

// Series are counts per step, the newest last; End is the end of the last step.
type Series struct {
	StepMS        int64    `json:"stepMs"`
	End           int64    `json:"end"`
	Hits          []uint64 `json:"hits"`
	Misses        []uint64 `json:"misses"` // collapsed ones included
	Bypasses      []uint64 `json:"bypasses"`
	Invalidations []uint64 `json:"invalidations"`
}

// Tier is one store. Status is up, degraded or down.
type Tier struct {
	Name        string `json:"name"`
	Status      string `json:"status"`
	Note        string `json:"note,omitempty"`
	Entries     int64  `json:"entries"`
	MaxEntries  int64  `json:"maxEntries,omitempty"`
	Bytes       int64  `json:"bytes"`
	MaxBytes    int64  `json:"maxBytes,omitempty"`
	Hits        uint64 `json:"hits"`
	Misses      uint64 `json:"misses"`
	Evictions   uint64 `json:"evictions"`
	Expirations uint64 `json:"expirations"`
	Errors      uint64 `json:"errors"`
}

// OpStats are the figures of one operation. Those beyond a bound are counted together, as
// "(other)".
type OpStats struct {
	Name             string            `json:"name"`
	Hash             string            `json:"hash"`
	Hits             uint64            `json:"hits"`
	Misses           uint64            `json:"misses"`
	Bypasses         uint64            `json:"bypasses"`
	Entries          int               `json:"entries"`
	Bytes            int64             `json:"bytes"`
	SavedMS          int64             `json:"savedMs"`
	Views            []string          `json:"views"`
	LastInvalidation *LastInvalidation `json:"lastInvalidation,omitempty"`
}

// Value is a value that the program has computed. Key is as it was built, without who
// shares the value; where the inspector hides variables or ids it is the name and a
// fingerprint. LeftMS is the time until it expires.
type Value struct {
	// ID tells values apart that have one key, for callers who do not share them.
	ID  string `json:"id"`
	Key string `json:"key"`
	// Name is that of the key.
	Name string `json:"name"`
	// Scope says who shares it: ScopeAll and the others.
	Scope string `json:"scope"`
	// Caller is the fingerprint of the predicate, as in KeyPart, where Scope is
	// ScopeCallers.
	Caller string `json:"caller,omitempty"`
	Type   string `json:"type"`
	// Absent says that there is no value, which is what is kept.
	Absent bool `json:"absent,omitempty"`
	Bytes  int  `json:"bytes"`
	// Tags is how many tags it depends on. Hits is how often it was found since it was
	// kept, as far as the inspector watches.
	Tags   int    `json:"tags"`
	Hits   uint64 `json:"hits"`
	AgeMS  int64  `json:"ageMs"`
	LeftMS int64  `json:"leftMs"`
}

// The scopes of values: everybody, everybody outside of requests, those who ask operations
// that are public, callers with one predicate.
const (
	ScopeAll     = "all"
	ScopeOutside = "outside"
	ScopePublic  = "public"
	ScopeCallers = "callers"
)

// LastInvalidation is the last one that reached an operation or a view.
type LastInvalidation struct {
	Seq   uint64 `json:"seq"`
	At    int64  `json:"at"`
	Cause string `json:"cause"`
}

// ViewStats are the figures of one view. Entries are the watched entries that depend on
// it.
type ViewStats struct {
	Name             string            `json:"name"`
	Entries          int               `json:"entries"`
	Hits             uint64            `json:"hits"`
	Misses           uint64            `json:"misses"`
	Invalidations    uint64            `json:"invalidations"`
	DependsOn        []string          `json:"dependsOn"`
	Dependents       []string          `json:"dependents"`
	LastInvalidation *LastInvalidation `json:"lastInvalidation,omitempty"`
}

// LogEvent is one invalidation. Seq numbers the events of this instance.
type LogEvent struct {
	Seq        uint64   `json:"seq"`
	At         int64    `json:"at"`
	Cause      Cause    `json:"cause"`
	Changes    []Change `json:"changes"`
	Cascade    Cascade  `json:"cascade"`
	Everything string   `json:"everythingBecause,omitempty"`
	Evicted    int      `json:"evicted"`
	Kept       int      `json:"kept"`
	DurationUS int64    `json:"durationUs"`
}

// Cause is what invalidated. Kind is mutation, resolver (Touch outside of a mutation),
// manual (an action of the inspector, Invalidate, Clear), commit (seen by a handle of
// Options.Observe; Name is one of its statements, without values) or peer (another
// instance).
type Cause struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// Verify are the figures of verify mode. Each sampled hit ends up as one of the others.
type Verify struct {
	Rate      float64 `json:"rate"`
	Sampled   uint64  `json:"sampled"`
	Confirmed uint64  `json:"confirmed"`
	// Discounted were overtaken by a change, Skipped were not judged. Unstable came out
	// differently each time, without a change: they say nothing.
	Discounted uint64 `json:"discounted"`
	Skipped    uint64 `json:"skipped"`
	// SkippedBy counts the skipped ones by reason: repeated, the entry is being verified
	// already; full, too many wait; servers, the cache has several; context,
	// Verify.Context failed, or its context ended; caller, its context is another
	// caller's; timeout; unreadable, the answer is no JSON that the operation could give;
	// unstored, resolvers said that it must not be stored; mutations, one that ran
	// meanwhile did not end; busy, mutations ran during all of several recomputations,
	// and no two agreed; closed; ended, a resolver ended the goroutine.
	SkippedBy  map[string]uint64 `json:"skippedBy"`
	Unstable   uint64            `json:"unstable"`
	Mismatched uint64            `json:"mismatched"`
	Mismatches []Mismatch        `json:"mismatches"` // the last ones
}

// Mismatch is a hit that was not what recomputing gave. Nothing in it is a value of
// either answer.
type Mismatch struct {
	// Kind is stale, or error: recomputing failed.
	Kind      string    `json:"kind"`
	At        int64     `json:"at"`
	Operation Operation `json:"operation"`
	Key       string    `json:"key"`
	AgeMS     int64     `json:"ageMs"`
	Path      string    `json:"path"`            // of the first difference: posts[2].title
	Field     string    `json:"field,omitempty"` // whose value differs: Post.title
	// Suspects are the mutations since the entry was computed, whose metadata may lack an
	// edge.
	Suspects []Suspect `json:"suspects"`
}

// Suspect is a mutation that ran after a wrong entry was computed. Missing says what
// declaration is perhaps missing, as "@writes of Mutation.renameUser does not reach
// v_user". Of a column that @view(decides:) may lack, Mutation and Field are who has changed
// it, empty for a commit outside of mutations.
type Suspect struct {
	Mutation string `json:"mutation"`
	Field    string `json:"field"` // Mutation.renameUser
	At       int64  `json:"at"`
	Missing  string `json:"missing"`
}

// Cluster is the instance's place among others.
type Cluster struct {
	Fresh       bool   `json:"fresh"` // it holds a lease
	Position    string `json:"position"`
	Members     int    `json:"members"`
	Published   uint64 `json:"published"`
	Unconfirmed uint64 `json:"unconfirmed"`
	Pending     int    `json:"pending"`
	LeasesLost  uint64 `json:"leasesLost"`
	Records     uint64 `json:"records"`
	Flushes     uint64 `json:"flushes"`
	Epochs      uint64 `json:"epochs"`
}

// Security says who shares answers with whom.
type Security struct {
	// Callers is predicate, same (Options.Callers says that all see the same) or public;
	// Predicate whether a predicate function is set, Partitioned whether changes stay in
	// their tenants.
	Callers     string `json:"callers"`
	Predicate   bool   `json:"predicate"`
	Partitioned bool   `json:"partitioned"`
	// Predicates is how many different ones the watched entries have.
	Predicates    int    `json:"predicates"`
	SchemaHash    string `json:"schemaHash"`
	SchemaSinceMS int64  `json:"schemaSinceMs"`
}

// Capabilities say what the caller may do.
type Capabilities struct {
	Actions bool `json:"actions"`
	// HidesIDs says that the keys of rows are left out.
	HidesIDs bool `json:"hidesIds,omitempty"`
}

// Shadow are the figures of Options.Shadow: what the cache would have done.
type Shadow struct {
	Operations []ShadowOperation `json:"operations"`
	// Findings are the last answers that would have been wrong, the oldest first.
	Findings []ShadowFinding `json:"findings"`
}

// ShadowOperation are the figures of one operation. Those beyond a bound are counted
// together, as "(other)".
type ShadowOperation struct {
	Name string `json:"name"`
	Hash string `json:"hash"`
	// Queries were looked up. Hits would have been answered from the cache: the sum of
	// the six below.
	Queries uint64 `json:"queries"`
	Hits    uint64 `json:"hits"`
	// Right are hits whose answer was computed again, byte for byte. Overtaken differ
	// because of a change that was on its way, or nobody knows: too many were being
	// judged.
	Right     uint64 `json:"right"`
	Overtaken uint64 `json:"overtaken"`
	// Stale lack a change that the same caller sees, OtherCaller show what only another
	// caller sees, Unstable are of operations that answer one caller differently each
	// time. Unsettled is which of them they are not known yet: the caller has not asked
	// again.
	Stale       uint64 `json:"stale"`
	OtherCaller uint64 `json:"otherCaller"`
	Unstable    uint64 `json:"unstable"`
	Unsettled   uint64 `json:"unsettled"`
}

// ShadowFinding is an answer that would have been wrong. Answers and callers are given as
// digests, keyed with a secret of the process.
type ShadowFinding struct {
	At        int64     `json:"at"`
	Operation Operation `json:"operation"`
	Kind      string    `json:"kind"` // stale, otherCaller, unstable or unsettled
	Path      string    `json:"path"` // of the first difference: posts[2].title
	AgeMS     int64     `json:"ageMs"`
	Stored    string    `json:"stored"`
	StoredFor string    `json:"storedFor"`
	Computed  string    `json:"computed"`
	Caller    string    `json:"caller"`
}

// Observed is what the SQL statements of a server tell. No value of a statement is in it:
// constants and parameters are shown as ?.
type Observed struct {
	Statements ObservedStatements `json:"statements"`
	Commits    ObservedCommits    `json:"commits"`
	// Findings are what makes answers wider, the widest first; among those that are as
	// wide, the most frequent.
	Findings []ObservedFinding `json:"findings"`
	// MoreFindings is how many a snapshot leaves out.
	MoreFindings int `json:"moreFindings,omitempty"`
	// Operations are those whose statements were seen, by name. A snapshot has only those
	// that read or write tables which no directive of theirs names.
	Operations []ObservedOperation `json:"operations"`
}

// ObservedStatements counts the runs of statements that read or write.
type ObservedStatements struct {
	// Known is how many there were of which it is known what they read and write, Widened
	// how many of which that is known, and which count for more: they came without the
	// context of an operation, or on a connection in doubt.
	Known   uint64 `json:"known"`
	Widened uint64 `json:"widened"`
	// NotUnderstood depend on anything, and may have changed everything if they write.
	NotUnderstood uint64 `json:"notUnderstood"`
}

// ObservedCommits counts commits, and what else has changed the data.
type ObservedCommits struct {
	Seen uint64 `json:"seen"`
	// Everything is how many of them may have changed everything, Outside how many belong
	// to no mutation, and Uncertain those whose outcome nobody saw.
	Everything uint64 `json:"everything"`
	Outside    uint64 `json:"outside"`
	Uncertain  uint64 `json:"uncertain"`
}

// An ObservedFinding is something that makes answers wider, or that the owner should know.
type ObservedFinding struct {
	Kind string `json:"kind"`
	// Effect is what it does to answers: everything (they depend on anything, or everything
	// is dropped), notStored, wider (they depend on more than they need), or none.
	Effect string `json:"effect"`
	// Text is a statement without its values, a field's name, or what is missing in a key.
	Text string `json:"text,omitempty"`
	Why  string `json:"why,omitempty"`
	// Place is the file and line that the first such statement came from, Operation the
	// name of its operation, where that is known.
	Place     string `json:"place,omitempty"`
	Operation string `json:"operation,omitempty"`
	// Advice says what to do.
	Advice string `json:"advice"`
	Count  uint64 `json:"count"`
}

// An ObservedOperation is what the statements of an operation read and write.
type ObservedOperation struct {
	Operation Operation `json:"operation"`
	// Undeclared is the first field that does not declare what it reads, "" when all do.
	Undeclared string `json:"undeclared,omitempty"`
	// Reads are statements in words, Writes tables.
	Reads  []string `json:"reads,omitempty"`
	Writes []string `json:"writes,omitempty"`
	// Uncovered are tables that no directive of the operation names.
	Uncovered []string `json:"uncovered,omitempty"`
	// Unmatched are sets of rows that were read, in words, of tables of which the directives
	// name other sets: by columns that the statements do not compare.
	Unmatched []string `json:"unmatched,omitempty"`
}
