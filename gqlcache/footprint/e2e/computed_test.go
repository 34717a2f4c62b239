package e2e

import (
	"context"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
)

const second = `{loose(id: "l2") {name}}`

// computes has a resolver get a value whose function sends a query.
func (s *seam) computes(point, text string, args ...any) (runs *int) {
	runs = new(int)
	s.store.On(point, func(ctx context.Context) error {
		_, err := gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("row"), func(ctx context.Context) (int, error) {
			*runs++
			return *runs, s.read(ctx, text, args...)
		})
		return err
	})
	return runs
}

// An answer whose resolver has found a value depends on the statements with which the value
// was computed, though it has sent none: a change of what they have read drops both.
func TestFoundValuesHideNoStatements(t *testing.T) {
	s := newSeam(t, gqlcache.Observe{Everything: true}, undeclared, nil)
	runs := s.computes("Query.loose", byID, "1")
	s.learn(first)
	s.learn(second)
	for range 2 {
		s.ask(first)  // computes the value, or has it in its answer
		s.ask(second) // finds it
	}
	if !s.ask(first) || !s.ask(second) {
		t.Fatalf("they are not stored: %v", s.cache.Stats().NotStored)
	}
	before := *runs
	s.exec(t.Context(), rename, "2")
	if !s.ask(first) || !s.ask(second) || *runs != before {
		t.Error("they depend on another row")
	}
	s.exec(t.Context(), rename, "1")
	if s.ask(second) || *runs != before+1 {
		t.Error("the value, or the answer that computed it, is served after a change")
	}
	if s.ask(first) || *runs != before+1 {
		t.Error("the answer that found the value is served after a change")
	}
	if !s.ask(first) || !s.ask(second) {
		t.Errorf("they are not stored again: %v", s.cache.Stats().NotStored)
	}
}

// The statements of a function belong to its value, also where no operation is around.
func TestStatementsOfValues(t *testing.T) {
	s := newSeam(t, gqlcache.Observe{Everything: true}, undeclared, nil)
	compute := func(fn func(ctx context.Context) error) (ran bool) {
		_, err := gqlcache.Compute(t.Context(), s.cache, gqlcache.KeyOf("job"), func(ctx context.Context) (int, error) {
			ran = true
			return 1, fn(ctx)
		}, gqlcache.ForAll())
		if err != nil {
			t.Fatal(err)
		}
		return ran
	}
	read := func(ctx context.Context) error { return s.read(ctx, byID, "1") }
	for range 2 { // its shape is new at first
		compute(read)
		s.exec(t.Context(), rename, "1")
	}
	if !compute(read) || compute(read) {
		t.Fatal("it is not kept")
	}
	s.exec(t.Context(), rename, "2")
	if compute(read) {
		t.Error("it depends on another row")
	}
	s.exec(t.Context(), rename, "1")
	if !compute(read) {
		t.Error("it is served after a change")
	}
	s.exec(t.Context(), rename, "1")
	// A change while it is computed, and rows that are not committed.
	compute(func(ctx context.Context) error {
		err := read(ctx)
		s.exec(context.Background(), rename, "1")
		return err
	})
	if !compute(func(context.Context) error { return nil }) {
		t.Error("it is kept though its row has changed meanwhile")
	}
	s.exec(t.Context(), rename, "1")
	compute(func(ctx context.Context) error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.ExecContext(ctx, rename, "1"); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, byID, "1")
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
		}
		return rows.Err()
	})
	if !compute(read) {
		t.Error("what a transaction has not committed is kept")
	}
	// No statement says what it depends on: any commit may change it.
	s.exec(t.Context(), rename, "1")
	compute(func(context.Context) error { return nil })
	s.exec(t.Context(), rename, "2")
	if !compute(read) {
		t.Error("a value without statements is kept over a commit")
	}
}

// What a function has from outside of it was read by its operation: its value depends on
// that as well, where statements alone say what it depends on.
func TestValuesOfWhatWasReadAround(t *testing.T) {
	s := newSeam(t, gqlcache.Observe{Everything: true, KeyCheck: footprint.Off}, undeclared, nil)
	name := "old"
	got := ""
	s.store.On("Query.loose", func(ctx context.Context) (err error) {
		if err := s.read(ctx, byID, "1"); err != nil {
			return err
		}
		captured := name // as a field of the parent object is
		got, err = gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("card"), func(ctx context.Context) (string, error) {
			return captured, s.read(ctx, byID, "2")
		})
		return err
	})
	s.learn(first)
	s.learn(second)
	for range 2 {
		s.ask(first)
		s.ask(second)
	}
	if !s.ask(first) {
		t.Fatalf("it is not stored: %v", s.cache.Stats().NotStored)
	}
	name = "new"
	s.exec(t.Context(), rename, "1")
	if s.ask(first); got != "new" {
		t.Errorf("after a change of the row that the function has from outside: %q", got)
	}
}
