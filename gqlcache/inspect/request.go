package inspect

// Request is what a client puts into extensions.cache of its GraphQL request, to speak to
// the inspector instead of running the operation, or to ask for a treatment of the
// operation.
type Request struct {
	// Inspect asks for a snapshot. The operation is not run.
	Inspect *SnapshotRequest `json:"inspect,omitempty"`
	// Action changes the cache. The operation is not run.
	Action *Action `json:"action,omitempty"`
	// Bypass runs the operation without the cache: neither looked up nor stored. It needs
	// the permission for actions.
	Bypass bool `json:"bypass,omitempty"`
}

// SnapshotRequest asks for a snapshot with the log after a cursor, 0 for all of it.
type SnapshotRequest struct {
	Since uint64 `json:"since,omitempty"`
}

// Action is a change of the cache.
type Action struct {
	// Type is invalidateRow (View, ID), invalidateView (View), invalidateOperation
	// (Operation: a name or a hash) or clear.
	Type      string `json:"type"`
	View      string `json:"view,omitempty"`
	ID        string `json:"id,omitempty"`
	Operation string `json:"operation,omitempty"`
}
