package engine_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/engine"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/memstore"
)

// A rig is an engine over a store and a clock of its own.
type rig struct {
	*engine.Engine
	t     *testing.T
	clock *clock.Clock
	store store.Store
	calls []string // to the store that failed
}

func memory(t *testing.T) store.Store {
	t.Helper()
	s, err := memstore.New(memstore.Options{MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newRig(t *testing.T, s store.Store) *rig {
	t.Helper()
	r := &rig{t: t, clock: clock.New(clock.Options{}), store: s}
	r.Engine = engine.New(engine.Config{
		Store: s, Clock: r.clock, MaxBytes: 1 << 20, MaxBody: 100, Now: time.Now,
		Failed: func(call string, _ error) { r.calls = append(r.calls, call) },
	})
	return r
}

// An answer is the meta of an owner who has more to remember than the engine.
type answer struct {
	engine.Stamp
	note string
}

func (r *rig) put(key, body string, tags ...uint64) *store.Entry {
	r.t.Helper()
	e, kept := r.Keep(r.t.Context(), key, engine.Answer{
		Body: []byte(body), Meta: &answer{note: "of " + key}, Expires: time.Now().Add(time.Hour),
		Took: 1500 * time.Nanosecond, Token: r.clock.Begin(), Tags: tagged(tags...),
	})
	if kept != engine.Stored {
		r.t.Fatalf("%s is not stored: %d", key, kept)
	}
	return e
}

func tagged(hashes ...uint64) []cascade.Tag {
	tags := make([]cascade.Tag, len(hashes))
	for i, h := range hashes {
		tags[i] = cascade.Tag{Hash: h, Mask: 1}
	}
	return tags
}

func (r *rig) found(key string) (string, engine.Found) {
	e, found := r.Lookup(r.t.Context(), []byte(key))
	if e == nil {
		return "", found
	}
	return string(e.Body), found
}

// TestLookup: an entry is returned until a change reaches one of its tags, and is gone
// then.
func TestLookup(t *testing.T) {
	t.Parallel()
	r := newRig(t, memory(t))
	e := r.put("a", "A", 1, 2)
	r.put("b", "B", 3)
	if m := e.Meta.(*answer); m.note != "of a" || m.Took() != time.Microsecond || m.Stored == 0 {
		t.Errorf("meta %q, took %v, stored %d", m.note, m.Took(), m.Stored)
	}
	if body, found := r.found("a"); body != "A" || found != engine.Alive {
		t.Errorf("got %q, %d", body, found)
	}
	r.clock.Apply(tagged(2))
	for _, want := range []engine.Found{engine.Dead, engine.Nothing} {
		if body, found := r.found("a"); body != "" || found != want {
			t.Errorf("after a change: got %q, %d, want %d", body, found, want)
		}
	}
	if body, _ := r.found("b"); body != "B" {
		t.Errorf("another entry: %q", body)
	}
	if s := r.Stats(); s.Dead != 1 || s.Errors != 0 {
		t.Errorf("%+v", s)
	}
}

// TestKeep: an answer that a change has reached since its computation began, or that is
// too large, makes no entry. One with a stamp of its own needs neither token nor tags,
// and may be as large as it is elsewhere.
func TestKeep(t *testing.T) {
	t.Parallel()
	r := newRig(t, memory(t))
	token := r.clock.Begin()
	r.clock.Apply(tagged(1))
	proven, ok := r.Finish(token, tagged(2))
	if !ok {
		t.Fatal("the answer was reached")
	}
	large := make([]byte, 101)
	for _, row := range []struct {
		name string
		a    engine.Answer
		kept engine.Kept
	}{
		{"reached", engine.Answer{Body: []byte("A"), Tags: tagged(1)}, engine.Reached},
		{"something else", engine.Answer{Body: []byte("A"), Tags: tagged(2)}, engine.Stored},
		{"large", engine.Answer{Body: large, Tags: tagged(2)}, engine.TooLarge},
		{"large and reached", engine.Answer{Body: large, Tags: tagged(1)}, engine.Reached},
		{"proven", engine.Answer{Body: large, Proven: proven}, engine.Stored},
	} {
		row.a.Meta, row.a.Token, row.a.Took, row.a.Expires = &answer{}, token, engine.UnknownCost, time.Now().Add(time.Hour)
		e, kept := r.Keep(t.Context(), row.name, row.a)
		if kept != row.kept || (e != nil) != (kept == engine.Stored) {
			t.Errorf("%s: got %d, entry %v", row.name, kept, e)
		}
		body, _ := r.found(row.name)
		if want := string(row.a.Body); kept == engine.Stored && body != want || kept != engine.Stored && body != "" {
			t.Errorf("%s: then got %q", row.name, body)
		}
	}
}

// TestKeepWithoutTheStore: what the store refuses is an entry all the same.
func TestKeepWithoutTheStore(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokenStore{memory(t), false})
	e, kept := r.Keep(t.Context(), "a", engine.Answer{
		Body: []byte("A"), Meta: &answer{}, Expires: time.Now().Add(time.Hour), Token: r.clock.Begin(), Tags: tagged(1),
	})
	if kept != engine.Refused || e == nil || e.Size == 0 || r.Stats().Errors != 1 {
		t.Errorf("got %d, entry %v, %+v", kept, e, r.Stats())
	}
}

// TestEntriesOfOthers: what another engine has stored, or somebody else, is neither
// served nor removed.
func TestEntriesOfOthers(t *testing.T) {
	t.Parallel()
	shared := memory(t)
	r, other := newRig(t, shared), newRig(t, shared)
	other.put("theirs", "T", 1)
	foreign := &store.Entry{Body: []byte("F"), Size: 10}
	if err := shared.Put(t.Context(), []byte("foreign"), foreign); err != nil {
		t.Fatal(err)
	}
	r.clock.Apply(tagged(1))
	for _, key := range []string{"theirs", "foreign"} {
		if body, found := r.found(key); body != "" || found != engine.Unknown {
			t.Errorf("%s: got %q, %d", key, body, found)
		}
	}
	if rep := r.Sweep(t.Context(), nil); rep.LiveEntries+rep.DeadEntries != 0 {
		t.Errorf("a sweep looked at %+v", rep)
	}
	if body, _ := other.found("theirs"); body != "T" {
		t.Errorf("its own engine gets %q", body)
	}
}

// A brokenStore fails when it is asked to remove, and to put unless puts is set, and ends
// its enumeration with the context.
type brokenStore struct {
	store.Store
	puts bool
}

var errBroken = errors.New("broken")

func (s brokenStore) Put(ctx context.Context, key []byte, e *store.Entry) error {
	if !s.puts {
		return errBroken
	}
	return s.Store.Put(ctx, key, e)
}

func (brokenStore) DeleteEntry(context.Context, []byte, *store.Entry) error { return errBroken }

func (s brokenStore) All(ctx context.Context) iter.Seq2[[]byte, *store.Entry] {
	return func(yield func([]byte, *store.Entry) bool) {
		for k, e := range s.Store.All(ctx) {
			if ctx.Err() != nil || !yield(k, e) {
				return
			}
		}
	}
}

// TestWithdraw: a withdrawn entry is not served, though the store keeps it and nothing
// has changed.
func TestWithdraw(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokenStore{memory(t), true})
	e := r.put("a", "A", 1)
	r.Withdraw(t.Context(), []byte("a"), e)
	if body, found := r.found("a"); body != "" || found != engine.Dead {
		t.Errorf("got %q, %d", body, found)
	}
	if s := r.Stats(); s.Errors != 2 || len(r.calls) != 2 || r.calls[0] != "delete" {
		t.Errorf("%+v, failed calls %q", s, r.calls)
	}
}

// TestSweepLooksAtAll: a sweep whose context has ended removes nothing, and keeps what
// live entries depend on.
func TestSweepLooksAtAll(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokenStore{memory(t), true})
	for i, key := range []string{"a", "b", "c"} {
		r.put(key, key, uint64(i+1))
	}
	r.clock.Apply(tagged(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if rep := r.Sweep(ctx, nil); rep.LiveEntries != 2 || rep.DeadEntries != 0 || rep.Tags != 2 {
		t.Errorf("%+v", rep)
	}
	r.clock.Apply(tagged(99))
	for _, key := range []string{"b", "c"} {
		if body, _ := r.found(key); body != key {
			t.Errorf("%s: got %q", key, body)
		}
	}
}

// TestStampsStayHere: a store that encodes entries cannot take a stamp along.
func TestStampsStayHere(t *testing.T) {
	t.Parallel()
	if _, err := (&answer{}).AppendBinary(nil); !errors.Is(err, engine.ErrLocal) {
		t.Errorf("got %v", err)
	}
}

// TestGrow: an entry is charged for more bytes, and one that was withdrawn is not
// returned again.
func TestGrow(t *testing.T) {
	t.Parallel()
	r := newRig(t, memory(t))
	e := r.put("a", "A", 1)
	if !r.Grow(t.Context(), "a", e, 100) {
		t.Fatal("no room")
	}
	grown, found := r.Lookup(t.Context(), []byte("a"))
	if found != engine.Alive || grown.Size != e.Size+100 {
		t.Fatalf("found %d, %d bytes, before %d", found, grown.Size, e.Size)
	}
	r.Withdraw(t.Context(), []byte("a"), grown)
	r.Grow(t.Context(), "a", grown, 100)
	if _, found := r.found("a"); found == engine.Alive {
		t.Error("an entry that was withdrawn is back")
	}
}
