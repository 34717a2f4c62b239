package gqlcache

// refuseToStore notes, from anywhere below the request, that the answer which is being computed must
// neither be stored nor be given to others. The first reason counts.
func (r *request) refuseToStore(why Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.unstored == "" {
		r.mu.unstored = why
	}
}

// refusedToStore returns the reason given to refuseToStore, "" when there is none.
func (r *request) refusedToStore() Reason {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.unstored
}
