package verify

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

const (
	// maxMismatches bounds the mismatches that are kept, the last ones.
	maxMismatches = 50
	// maxLines bounds the lines that are logged: one for each operation, kind and missing
	// declaration.
	maxLines = 100
)

// findings are the mismatches found.
type findings struct {
	mu     sync.Mutex
	last   []inspect.Mismatch // the oldest first
	logged map[finding]bool
}

// A finding is logged once.
type finding struct{ operation, kind, missing string }

// The kinds of inspect.Mismatch.
const (
	mismatchStale = "stale"
	mismatchError = "error"
)

const (
	staleText = "gqlcache: a hit was stale: an annotation is missing, or a change that the cache was not told of"
	errorText = "gqlcache: a hit was served where recomputing it fails: the server would answer with an error now, or its resolvers need something that Options.Verify's context lacks"
	nobody    = "no mutation of this instance was seen since: was something changed by another program, or does an extension that was added after the cache change answers?"
)

// report counts a mismatch, keeps it and logs it if it is a new one.
func (v *Verifier) report(j *job) {
	h, computed := &j.hit, j.differing
	var at *place
	if computed.Failed {
		at = placeAt(h.Op, computed.Path, &extractor.Result{})
	} else {
		at = placeAt(h.Op, difference(h.Body, computed.Data), computed.Result)
	}
	since := v.mutations.appliedAfter(h.lastRight())
	repeated := h.Entry.wrong.Swap(true)
	decides := at.decides(h.Op, h.Promises, v.writes.after(h.lastRight(), math.MaxUint64), &v.explanations, repeated)
	suspects := at.suspects(v.cfg.Plan(), since, decides, &v.explanations, repeated)
	m := inspect.Mismatch{
		At:        v.cfg.Now().UnixMilli(),
		Operation: h.Operation,
		Key:       v.cfg.Fingerprint("key", []byte(h.Key)),
		AgeMS:     (j.at.UnixNano() - h.Stored) / int64(time.Millisecond),
		Path:      Shorten(at.path.String()),
		Field:     at.field(),
		Suspects:  suspects,
		Kind:      mismatchStale,
	}
	text, missing := staleText, nobody
	if computed.Failed {
		m.Kind, text = mismatchError, errorText
	}
	if len(suspects) > 0 {
		missing = suspects[0].Missing
	}
	if v.found.add(m, missing) {
		// Neither rows nor values: the path has response names only, and names of the
		// schema tell of no caller.
		v.cfg.Logger.Warn(text,
			"operation", m.Operation.Name, "hash", m.Operation.Hash, "key", m.Key, "age_ms", m.AgeMS,
			"path", m.Path, "field", m.Field, "suspect", missing, "further", "counted, not logged")
	}
	j.finish(&v.counts.mismatched)
}

// add keeps a mismatch, and reports whether it is to be logged.
func (f *findings) add(m inspect.Mismatch, missing string) (log bool) {
	what := finding{operation: m.Operation.Hash, kind: m.Kind, missing: missing}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.last) == maxMismatches {
		f.last = slices.Delete(f.last, 0, 1)
	}
	f.last = append(f.last, m)
	if f.logged[what] || len(f.logged) >= maxLines {
		return false
	}
	if f.logged == nil {
		f.logged = map[finding]bool{}
	}
	f.logged[what] = true
	return true
}

// Stats returns what was found, and nil when no hits are sampled. The result belongs to
// the caller.
func (v *Verifier) Stats() *inspect.Verify {
	if v == nil || v.cfg.Rate == 0 {
		return nil
	}
	n := &v.counts
	s := &inspect.Verify{
		Rate: v.cfg.Rate, Confirmed: n.confirmed.Load(), Discounted: n.discounted.Load(), SkippedBy: map[string]uint64{},
		Unstable: n.unstable.Load(), Mismatched: n.mismatched.Load(),
	}
	for why := range n.skipped {
		if count := n.skipped[why].Load(); count > 0 {
			s.Skipped += count
			s.SkippedBy[skipNames[why]] = count
		}
	}
	s.Sampled = n.sampled.Load() // last, so that it is not less than the sum of the others
	v.found.mu.Lock()
	defer v.found.mu.Unlock()
	s.Mismatches = append([]inspect.Mismatch{}, v.found.last...)
	return s
}
