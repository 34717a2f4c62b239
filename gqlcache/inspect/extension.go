package inspect

// Version is the version of the JSON.
const Version = 1

// Status says in a word what the cache did.
type Status string

// The statuses of an operation. Invalidated is that of a mutation that changed something,
// Unchanged of one that told the cache of no change. Inspected is that of a request to
// the inspector, which runs nothing.
const (
	Hit         Status = "HIT"
	Miss        Status = "MISS"
	Bypass      Status = "BYPASS"
	Invalidated Status = "INVALIDATED"
	Unchanged   Status = "UNCHANGED"
	Inspected   Status = "INSPECTED"
)

// Extension is extensions.cache.
type Extension struct {
	Version int    `json:"version"`
	Status  Status `json:"status"`
	// Hit: the answer came from the cache. DidCache: it was stored. Collapsed: another
	// request was computing it already.
	Hit       bool      `json:"hit"`
	DidCache  bool      `json:"didCache"`
	Collapsed bool      `json:"collapsed"`
	Tier      string    `json:"tier,omitempty"` // of a hit: memory or shared
	Reason    Reason    `json:"reason"`
	Operation Operation `json:"operation"`
	// Key is the fingerprint of the answer's key, KeyParts what it is made of.
	Key      string    `json:"key,omitempty"`
	KeyParts []KeyPart `json:"keyParts,omitempty"`

	AgeMS *int64 `json:"ageMs,omitempty"`
	// TTLMS is what is left of the time to live; TTLLimitedBy the field whose
	// @cacheControl decided it, empty for the default.
	TTLMS        *int64 `json:"ttlMs,omitempty"`
	TTLLimitedBy string `json:"ttlLimitedBy,omitempty"`
	Bytes        int    `json:"bytes,omitempty"`
	Tags         int    `json:"tags,omitempty"`
	// EntryHits is how often the entry was served, this time included, since the
	// inspector watches.
	EntryHits uint64 `json:"entryHits,omitempty"`
	// DependsOnAnything says why every change drops the answer; empty when only some do.
	DependsOnAnything string `json:"dependsOnAnythingBecause,omitempty"`
	// ReadsAtRuntime are the fields of the operation with @reads(atRuntime: true): what
	// they read is not among Dependencies.
	ReadsAtRuntime []string      `json:"readsAtRuntime,omitempty"`
	Dependencies   *Dependencies `json:"dependencies,omitempty"`
	Timing         *Timing       `json:"timing,omitempty"`
	DurationUS     int64         `json:"durationUs"` // in the cache and below it

	// Changes are what a mutation changed, derived views included.
	Changes      []Change      `json:"invalidatedEntities,omitempty"`
	Invalidation *Invalidation `json:"invalidation,omitempty"`

	Warnings []Warning     `json:"warnings,omitempty"`
	Inspect  *Snapshot     `json:"inspect,omitempty"`
	Action   *ActionResult `json:"action,omitempty"`

	// Consistency and Token are told to every client: see gqlcache.Options.
	Consistency string `json:"consistency,omitempty"`
	Token       string `json:"token,omitempty"`
}

// Reason says why. Code is one of gqlcache's reasons, or hit, joined, mutation, inspect,
// refreshed (before it expired), kept (computing anew has failed), stale (another request
// computes it anew), or abandoned when the request ended first; of a miss that was
// stored, it is what the inspector knows of the key: cold (never stored), expired,
// evicted, invalidated, cleared, or miss when nobody watched. Message is for people.
type Reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	// Seq is the invalidation that removed the key, where Snapshot.Log has it.
	Seq uint64 `json:"seq,omitempty"`
}

// Operation names an operation. Hash identifies its normal form.
type Operation struct {
	Name string `json:"name"`
	Type string `json:"type"` // query or mutation
	Hash string `json:"hash,omitempty"`
}

// KeyPart is one part of a key: operation, variables, predicate, schema or vary. Changed
// says that it differs from that of the nearest entry: one of the same operation with the
// most equal parts.
type KeyPart struct {
	Name        string `json:"name"`
	Label       string `json:"label,omitempty"` // for variables, their names
	Fingerprint string `json:"fingerprint"`
	Changed     bool   `json:"changed,omitempty"`
}

// Dependencies are what an answer depends on.
type Dependencies struct {
	Views []Dependency `json:"views"`
	// Rows are some of those that the answer shows, RowCount how many there are.
	Rows     []Row `json:"rows"`
	RowCount int   `json:"rowCount"`
}

// Dependency is a view that an answer depends on. How is rows (the rows shown), where
// (those that a condition selects), all (any row), or derived (through another view,
// Via).
type Dependency struct {
	View string `json:"view"`
	How  string `json:"how"`
	Via  string `json:"via,omitempty"`
}

// Row names a row of a view.
type Row struct {
	View string `json:"view"`
	ID   string `json:"id"`
}

// Timing is where the time went. Saved is what a hit saved: what its computation had
// taken, less the lookup.
type Timing struct {
	LookupUS int64 `json:"lookupUs"`
	OriginUS int64 `json:"originUs,omitempty"`
	SavedUS  int64 `json:"savedUs,omitempty"`
}

// Change is a change of one view.
type Change struct {
	View    string   `json:"view"`
	Op      string   `json:"operation"` // INSERT, UPDATE, DELETE or ANY
	IDs     []string `json:"ids,omitempty"`
	Unknown bool     `json:"unknownRows,omitempty"`
	// Derived says that it follows from another change, through the view graph.
	Derived bool `json:"derived,omitempty"`
}

// Invalidation is what a mutation did to the cache.
type Invalidation struct {
	// Seq is its event in Snapshot.Log, 0 when nobody watches.
	Seq        uint64 `json:"seq"`
	Tags       int    `json:"tags"`
	Everything string `json:"everythingBecause,omitempty"`
	DurationUS int64  `json:"durationUs"`
	// Cascade, Evicted and Kept are known only while the inspector watches.
	Cascade *Cascade `json:"cascade,omitempty"`
	Evicted *Evicted `json:"evicted,omitempty"`
	Kept    *int     `json:"kept,omitempty"` // entries that it did not reach
	// Instances is how many other instances were told, of those with a lease; Confirmed
	// that all know.
	Instances int  `json:"instances,omitempty"`
	Confirmed bool `json:"confirmed"`
}

// Cascade is the graph from the written rows to the dropped entries. Evictions of the nodes
// sum up to Evicted.Entries: an entry counts at the first node that reaches it, nearest to
// the mutation.
type Cascade struct {
	Nodes     []CascadeNode `json:"nodes"`
	Edges     []CascadeEdge `json:"edges"`
	Truncated bool          `json:"truncated,omitempty"`
}

// CascadeNode is a mutation or another cause (cause), a written row or set of rows (row),
// a view reached from it (view), or an operation whose entries were dropped (operation).
// Evicted of an operation is that of the view or row above it, by operation, and is not part
// of the sum.
type CascadeNode struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Label   string `json:"label"`
	Detail  string `json:"detail,omitempty"`
	Evicted int    `json:"evicted"`
}

// CascadeEdge says how a node follows from another.
type CascadeEdge struct {
	From string `json:"from"`
	To   string `json:"to"`
	Via  string `json:"via,omitempty"`
}

// Evicted are the entries that were dropped.
type Evicted struct {
	Entries    int                `json:"entries"`
	Bytes      int64              `json:"bytes"`
	Operations []EvictedOperation `json:"operations"`
}

// EvictedOperation is how many entries of an operation were dropped.
type EvictedOperation struct {
	Name    string `json:"name"`
	Entries int    `json:"entries"`
}

// Warning is something to look into. Severity is info, warning or critical.
type Warning struct {
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
}

// ActionResult is what became of an action. Evicted counts entries only while the
// inspector watches.
type ActionResult struct {
	OK      bool   `json:"ok"`
	Message string `json:"message"`
	Evicted *int   `json:"evicted,omitempty"`
}
