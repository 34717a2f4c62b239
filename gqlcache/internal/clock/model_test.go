package clock

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A modelStamp knows exactly what a stamp depends on.
type modelStamp struct {
	stamp *Stamp
	token Token
	tags  []Tag
	// missed by a sweep: the clock may declare it dead without reason.
	missed bool
}

type modelEvent struct {
	n     uint64
	tags  []Tag
	flush bool
}

// A modelIntent is open until it is settled.
type modelIntent struct {
	intent *Intent
	tags   []Tag
	all    bool
}

type model struct {
	clock   *Clock
	exact   bool
	draw    *rapid.Generator[[]Tag]
	events  []modelEvent
	tokens  []Token
	stamps  []*modelStamp
	intents []modelIntent
	horizon [2]uint64 // the clock's number at the last two sweeps
}

func meet(a, b Tag) bool { return a.Hash == b.Hash && maskOf(a)&maskOf(b) != 0 }

// changed tells whether anything in tags was invalidated after token, by the given
// relation.
func (m *model) changed(token Token, tags []Tag, related func(a, b Tag) bool) bool {
	return slices.ContainsFunc(m.events, func(e modelEvent) bool {
		return e.n > token && (e.flush || slices.ContainsFunc(e.tags, func(a Tag) bool {
			return slices.ContainsFunc(tags, func(b Tag) bool { return related(a, b) })
		}))
	})
}

func (m *model) apply(t *rapid.T) {
	tags := m.draw.Draw(t, "changed")
	before := m.clock.Seq()
	n := m.clock.Apply(tags)
	if len(tags) == 0 {
		if n != before {
			t.Fatalf("Apply of nothing returned %d after %d", n, before)
		}
		return
	}
	if n != before+1 || m.clock.Seq() != n {
		t.Fatalf("Apply returned %d after %d", n, before)
	}
	m.events = append(m.events, modelEvent{n: n, tags: tags})
}

func (m *model) announce(t *rapid.T) {
	before := m.clock.Seq()
	if rapid.IntRange(0, 5).Draw(t, "all") == 0 {
		m.intents = append(m.intents, modelIntent{intent: m.clock.AnnounceAll(), all: true})
		m.events = append(m.events, modelEvent{n: m.clock.Seq(), flush: true})
	} else {
		tags := m.draw.Draw(t, "announced")
		m.intents = append(m.intents, modelIntent{intent: m.clock.Announce(tags), tags: tags})
		if len(tags) == 0 {
			return
		}
		m.events = append(m.events, modelEvent{n: m.clock.Seq(), tags: tags})
	}
	if n := m.clock.Seq(); n != before+1 {
		t.Fatalf("an announcement after %d has the number %d", before, n)
	}
}

// settle ends an intent, once or twice.
func (m *model) settle(t *rapid.T) {
	if len(m.intents) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.intents)-1).Draw(t, "settled")
	for range rapid.IntRange(1, 2).Draw(t, "times") {
		m.intents[i].intent.Settle()
	}
	m.intents = slices.Delete(m.intents, i, i+1)
}

// pending tells whether an open intent names any of the tags.
func (m *model) pending(tags []Tag) bool {
	return slices.ContainsFunc(m.intents, func(in modelIntent) bool {
		return in.all || slices.ContainsFunc(in.tags, func(a Tag) bool {
			return slices.ContainsFunc(tags, func(b Tag) bool { return meet(a, b) })
		})
	})
}

func (m *model) finish(t *rapid.T) {
	if len(m.tokens) == 0 {
		m.tokens = append(m.tokens, m.clock.Begin())
	}
	token := rapid.SampledFrom(m.tokens).Draw(t, "token")
	tags := m.draw.Draw(t, "read")
	s, ok := m.clock.Finish(token, slices.Clone(tags))
	if ok && m.changed(token, tags, meet) {
		t.Fatalf("a fill from %d was accepted, its tags %v changed since: %+v", token, tags, m.events)
	}
	if ok && m.pending(tags) {
		t.Fatalf("a fill was accepted, its tags %v are announced: %+v", tags, m.intents)
	}
	sameHash := func(a, b Tag) bool { return a.Hash == b.Hash }
	if !ok && m.exact && token >= m.horizon[0] && !m.changed(token, tags, sameHash) && !m.pending(tags) {
		t.Fatalf("a fill from %d was refused, its tags %v did not change: %+v", token, tags, m.events)
	}
	if ok {
		m.stamps = append(m.stamps, &modelStamp{stamp: s, token: token, tags: tags})
	}
}

func (m *model) sweep(t *rapid.T) {
	var seen []*Stamp
	for _, s := range m.stamps {
		if rapid.IntRange(0, 4).Draw(t, "missed") == 0 {
			s.missed = true
			continue
		}
		seen = append(seen, s.stamp)
	}
	m.horizon[0], m.horizon[1] = m.horizon[1], m.clock.Seq()
	// Others go on while the sweep iterates.
	m.clock.Sweep(func(yield func(*Stamp) bool) {
		for _, s := range seen {
			if !yield(s) {
				return
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "meanwhile") {
			if rapid.Bool().Draw(t, "apply") {
				m.apply(t)
			} else {
				m.finish(t)
			}
		}
	})
}

func (m *model) check(t *rapid.T) {
	for _, s := range m.stamps {
		dead := m.changed(s.token, s.tags, meet)
		valid := m.clock.Valid(s.stamp)
		if valid && dead {
			t.Fatalf("stale: a stamp from %d on %v is valid; events %+v", s.token, s.tags, m.events)
		}
		if valid && m.pending(s.tags) {
			t.Fatalf("a stamp from %d on %v is valid, its tags are announced: %+v", s.token, s.tags, m.intents)
		}
		if !valid && !dead && m.exact && !s.missed {
			t.Fatalf("a stamp from %d on %v is dead without reason; events %+v", s.token, s.tags, m.events)
		}
	}
}

// TestModel runs random histories against a model that remembers everything. No stamp may
// be valid that the model knows dead, or announced. With room for all tombstones and
// masks that are closed under union, of which a cell holds all, no stamp may be dead that
// the model knows valid.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		exact := rapid.Bool().Draw(t, "exact")
		o, masks := Options{}, []uint64{1, 2, 3, All, 0}
		if !exact {
			o.Tombstones, masks = 1, []uint64{1, 2, 4, 8, 16, 5, 24, All, 0}
		}
		m := &model{clock: New(o), exact: exact}
		hashes := siblings(m.clock, 6)
		m.draw = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Tag {
			return Tag{Hash: rapid.SampledFrom(hashes).Draw(t, "hash"), Mask: rapid.SampledFrom(masks).Draw(t, "mask")}
		}), 0, 4)
		t.Repeat(map[string]func(*rapid.T){
			"apply":   m.apply,
			"finish":  m.finish,
			"finish2": m.finish,
			"sweep":   m.sweep,
			// More are settled than announced, or all tags would be pending most of the
			// time.
			"announce": m.announce,
			"settle":   m.settle,
			"settle2":  m.settle,
			"begin":    func(*rapid.T) { m.tokens = append(m.tokens, m.clock.Begin()) },
			"flush": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "really") == 0 {
					m.events = append(m.events, modelEvent{n: m.clock.Flush(), flush: true})
				}
			},
			"": m.check,
		})
	})
}
