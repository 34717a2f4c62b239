package keycheck

import (
	"database/sql/driver"
	"encoding/base64"
	"fmt"
	"testing"
	"time"
)

// noon is when all computations of the tests begin.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newChecker(o Options) *Checker {
	if o.Now == nil {
		o.Now = func() time.Time { return noon }
	}
	return New(o)
}

// An event is something that a wrapper reports.
type event func(*Fill)

// arg is the first argument of a statement.
func arg(text string, v any) event { return argAt("", text, 1, v) }

func argAt(field, text string, ordinal int, v any) event {
	return func(f *Fill) { f.Argument(field, text, hashString(text), ordinal, ordinal, v) }
}

func row(text string, cells ...driver.Value) event { return rowAt("", text, cells...) }

func rowAt(field, text string, cells ...driver.Value) event {
	return func(f *Fill) { f.Row(field, hashString(text), cells) }
}

func setting(name string, v any) event { return func(f *Fill) { f.Setting(name, v) } }

func literal(text string) event { return func(f *Fill) { f.Literal(hashString(text)) } }

// vars are variables.
type vars = map[string]any

// A fill is one computation of a test.
type fill struct {
	key    Key
	events []event
}

// by is a computation for a caller.
func by(caller int, variables vars, events ...event) fill {
	return fill{Key{Caller: Caller(caller), Variables: variables}, events}
}

// under adds a predicate.
func (f fill) under(predicate string) fill {
	f.key.Predicate = predicate
	return f
}

// run judges a computation.
func (f fill) run(c *Checker) Verdict {
	f.key.Document, f.key.Operation = f.key.Document+1, "op"
	b := c.Begin(f.key)
	for _, e := range f.events {
		e(b)
	}
	return b.End()
}

// The grades of an answer.
const (
	shared  = "shared"
	private = "private"
	refused = "refused"
)

func grade(v Verdict) string {
	switch {
	case len(v.Convicted) > 0:
		return refused
	case v.Coincidental:
		return private
	}
	return shared
}

// grades judges computations one after the other.
func grades(c *Checker, fills []fill) (list []string) {
	for _, f := range fills {
		list = append(list, grade(f.run(c)))
	}
	return list
}

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func wantGrades(t *testing.T, c *Checker, fills []fill, want ...string) {
	t.Helper()
	if got := grades(c, fills); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
