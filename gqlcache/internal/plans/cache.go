package plans

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"sync"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/vektah/gqlparser/v2/ast"
)

const (
	// planOverhead is what a plan costs beside what it keeps, in bytes: the document
	// itself, and its places in the maps.
	planOverhead = 700
	// A plan of more than 1/largePlan of the bound is kept only when its text comes a
	// second time, and one of more than 1/hugePlan never: it is made for each request.
	largePlan, hugePlan = 64, 4
	// firstSights is how many texts of large plans are remembered, 8 bytes each.
	firstSights = 1024
)

// A cache holds the plans of operations. Clients choose the texts and their number, so it
// is bounded in bytes. These hold whenever the lock is free:
//
//  1. The weights of the plans that it holds add up to bytes, and to at most limit. A
//     plan keeps the client's document alive, with its text, also when gqlgen has
//     forgotten both: they are in its weight.
//  2. A plan is found only for the very operation that it was made from, and the very
//     fragments.
//  3. There is at most one plan for an operation of a text: in a server that parses each
//     request anew, the last one. Texts are known by their SHA-256 only.
//
// The oldest plan that was not used since it was last looked at makes room for a new one:
// texts that come once do not drive out those that are in use.
type cache struct {
	limit int64

	byOperation sync.Map // from *ast.OperationDefinition to *Plan; what a hit reads, without a lock

	mu struct {
		sync.Mutex
		byText map[textKey]*plannedText
		// oldest and newest are the ends of the list of plans.
		oldest, newest *plannedText
		bytes          int64
		seen           [firstSights]uint64 // of texts with large plans: the beginning of their keys
	}
}

// A textKey names an operation of a text.
type textKey [sha256.Size]byte

// A plannedText is an operation of a text with its plan.
type plannedText struct {
	key            textKey
	plan           *Plan
	weight         int64
	older, younger *plannedText
}

func newCache(limit int64) *cache {
	p := &cache{limit: limit}
	p.mu.byText = map[textKey]*plannedText{}
	return p
}

// Find returns the plan that is kept for a source, or nil. It is that of the very
// operation, with the very fragments. For the document that came last with the operation
// it takes no lock and does not allocate.
func (p *Plans) Find(s *Source) *Plan { return p.cache.get(s) }

// Keep keeps a plan that Make has made, if there is room for it. beside is the size of
// what its Owner keeps alive, in bytes. It reports whether the same text was planned
// before, for another copy of the operation.
func (p *Plans) Keep(s *Source, made *Plan, beside int) (again bool) {
	return p.cache.add(s, made, beside)
}

// Figures returns the number of plans that are kept, and the sum of their weights in
// bytes.
func (p *Plans) Figures() (plans, bytes int64) { return p.cache.figures() }

// get returns the plan of an operation in its document, or nil. For the document that
// came last with the operation it takes no lock and does not allocate.
func (p *cache) get(s *Source) *Plan {
	v, ok := p.byOperation.Load(s.Operation)
	if !ok {
		return nil
	}
	d := v.(*Plan)
	if d.shape != s.shape {
		if d = p.variant(s); d == nil {
			return nil
		}
	}
	if !d.used.Load() { // most are in use: do not take the cache line from other readers without need
		d.used.Store(true)
	}
	return d
}

// variant returns the plan of an operation that also comes in a document of another
// shape: an extension has given some callers other fragments.
func (p *cache) variant(s *Source) *Plan {
	key := keyOfText(s)
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.mu.byText[key]; t != nil && t.plan.Definition == s.Operation {
		return t.plan
	}
	return nil
}

// add keeps a plan if there is room for it, and reports whether the same text was planned
// before, for another copy of the operation. Two requests may plan the same operation at
// once; the later one wins, and either is right.
func (p *cache) add(s *Source, d *Plan, beside int) (replaced bool) {
	t := &plannedText{key: keyOfText(s), plan: d, weight: int64(d.size(s.Document) + beside + planOverhead)}
	p.mu.Lock()
	defer p.mu.Unlock()
	if before := p.mu.byText[t.key]; before != nil {
		replaced = before.plan.Definition != d.Definition
		p.remove(before)
	}
	if !p.admits(t) {
		return replaced
	}
	for p.mu.bytes+t.weight > p.limit {
		oldest := p.mu.oldest
		p.remove(oldest)
		if oldest.plan.used.Swap(false) {
			p.push(oldest)
		}
	}
	p.push(t) // after the others: a plan that nobody had the time to use is not the one to go
	return replaced
}

// admits reports whether a plan is worth its room. REQUIRES: mu.
func (p *cache) admits(t *plannedText) bool {
	switch {
	case t.weight > p.limit/hugePlan:
		return false
	case t.weight <= p.limit/largePlan:
		return true
	}
	sight := binary.LittleEndian.Uint64(t.key[:])
	seen := &p.mu.seen[sight%firstSights]
	again := *seen == sight
	*seen = sight
	return again
}

// push puts a plan at the young end. REQUIRES: mu.
func (p *cache) push(t *plannedText) {
	p.mu.byText[t.key] = t
	p.byOperation.Store(t.plan.Definition, t.plan)
	p.mu.bytes += t.weight
	t.older, t.younger = p.mu.newest, nil
	if t.older == nil {
		p.mu.oldest = t
	} else {
		t.older.younger = t
	}
	p.mu.newest = t
}

// remove takes a plan out. REQUIRES: mu.
func (p *cache) remove(t *plannedText) {
	delete(p.mu.byText, t.key)
	p.byOperation.CompareAndDelete(t.plan.Definition, t.plan)
	p.mu.bytes -= t.weight
	if t.older == nil {
		p.mu.oldest = t.younger
	} else {
		t.older.younger = t.younger
	}
	if t.younger == nil {
		p.mu.newest = t.older
	} else {
		t.younger.older = t.older
	}
}

// figures returns the number of plans and the sum of their weights.
func (p *cache) figures() (plans, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int64(len(p.mu.byText)), p.mu.bytes
}

// keyOfText hashes what a client sent, which operation of it is meant, and what
// extensions made of the document.
func keyOfText(s *Source) (k textKey) {
	h := sha256.New()
	// hash.Hash never returns an error
	_ = binary.Write(h, binary.LittleEndian, uint64(len(s.Text)))
	_, _ = io.WriteString(h, s.Text)
	_, _ = io.WriteString(h, s.Operation.Name)
	_ = binary.Write(h, binary.LittleEndian, s.shape)
	h.Sum(k[:0])
	return k
}

// size estimates the memory that a plan keeps alive, in bytes.
func (p *Plan) size(doc *ast.QueryDocument) int {
	if p.Operation != nil {
		return p.Operation.Size()
	}
	return extractor.DocumentSize(doc)
}
