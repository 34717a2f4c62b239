package gqlcache

import (
	"reflect"

	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
)

// keepVariables notes the variables with which a mutation's first resolver runs.
func (r *request) keepVariables() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.asked == nil {
		r.mu.asked = plans.CopyVariables(r.operation.Variables)
	}
}

// variables returns those of a mutation: as its first resolver had them, and as they are now where that differs, which
// later root fields had.
func (r *request) variables() []map[string]any {
	r.mu.Lock()
	first := r.mu.asked
	r.mu.Unlock()
	now := r.operation.Variables
	if first == nil || reflect.DeepEqual(first, now) {
		return []map[string]any{now}
	}
	return []map[string]any{first, now}
}
