package observe

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/keycheck"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// What the key check is told. Invariants:
//
//   - A statement is told of to the recording of its own context alone. One without a
//     context may be anybody's: its values say nothing of this computation's key.
//   - What was read before the recording began, by a middleware, is not told: a value that
//     comes from its rows has no source but the key.
//   - Arguments are told once rows come, and before the application has the first: a
//     statement whose rows are not read, such as the UPDATE of a time of last visit,
//     decides nothing that is answered.
//   - A setting is told with each statement whose rows are read under it, whoever made it.
//   - What is computed as a part of another computation is a part of that one's answer: its
//     statements are told to both. The key of each must explain them, since either may be
//     kept without the other.
//   - A part that is found sends no statements. So its key is told to what is around it, and
//     what it holds is a source there, as the rows are that it was made of.

// check returns the check of the recording's key, nil for none.
func (r *Recording) check() *keycheck.Fill {
	if r == nil || r.start.Check == nil {
		return nil
	}
	r.checking.Do(func() { r.fill = r.start.Check() })
	return r.fill
}

// endCheck ends the check, and reports what was found. A check that has not begun does not
// begin any more.
func (r *Recording) endCheck() (v keycheck.Verdict) {
	r.checking.Do(func() {})
	if r.fill == nil {
		return v
	}
	v = r.fill.End()
	for i := range v.Convicted {
		if p := &v.Convicted[i]; len(r.watched) > 0 && p.New {
			r.watched[0].found(r.ctx, Finding{Kind: IncompleteKey, Text: r.watched[0].positionText(p), Why: positionWhy(p)})
		}
	}
	return v
}

func (o *Observer) positionText(p *keycheck.Position) string {
	switch {
	case p.Setting != "":
		return "setting " + p.Setting
	case p.Of != "":
		return fmt.Sprintf("%s of the key of computed values %q", p.Part, p.Of)
	}
	return fmt.Sprintf("argument %d of %s", p.Ordinal, o.normalized(p.Text))
}

func positionWhy(p *keycheck.Position) string {
	why := fmt.Sprintf("in operation %q, field %q, its value comes from nothing that the cache key has: no variable, literal, Predicate or Vary, "+
		"and no row that was read; add it to Predicate or Vary, or vouch for it with footprint.Known", p.Operation, p.Field)
	if p.Value {
		why = fmt.Sprintf("in computed values %q, it comes from nothing that their key has: no argument, tenant, Predicate or Vary, "+
			"and no row that was read; add it to the key with Arg, or vouch for it with footprint.Known within the function", p.Operation)
		if p.Clock {
			return why + "; it is about the time of the computation: give the value a TTL, and vouch for the time"
		}
		return why
	}
	if p.Clock {
		why += "; it is about the time of the computation: give the field a maxAge, and vouch for the time"
	}
	return why
}

// Known vouches for a value that the computation of a context has made in Go from its key
// or from rows: a digest of a variable, say. It must be called before the statement that
// has the value.
func Known(ctx context.Context, v any) {
	for r := checked(ctx); r != nil; r = r.around() {
		if f := r.check(); f != nil {
			f.Known(v)
		}
	}
}

// Checks reports whether the key of a computation that a context belongs to is checked.
func Checks(ctx context.Context) bool { return checked(ctx) != nil }

// Asks says that the computation of a context asks for a computed value, whose key has a
// name and parts.
func Asks(ctx context.Context, name string, parts iter.Seq2[string, any]) {
	for r := checked(ctx); r != nil; r = r.around() {
		f := r.check()
		if f == nil {
			continue
		}
		field := r.field(ctx)
		for part, v := range parts {
			f.Part(field, name, part, v)
		}
	}
}

// Got says that the computation of a context has got a computed value. What it holds may be
// in the statements to come: its key was told with Asks.
func Got(ctx context.Context, name string, v any) {
	for r := checked(ctx); r != nil; r = r.around() {
		if f := r.check(); f != nil {
			f.Got(r.field(ctx), name, v)
		}
	}
}

// checked returns the innermost recording of a context whose key is checked, nil for none.
// What is computed within another computation, under a key of its own that is not checked,
// is a part of that one's answer.
func checked(ctx context.Context) *Recording {
	r, _ := ctx.Value(recordingKey{}).(*Recording)
	return r.orAround()
}

// orAround returns the recording, or the next one around it, whose key is checked.
func (r *Recording) orAround() *Recording {
	for r != nil && r.start.Check == nil {
		r = r.parent
	}
	return r
}

// around returns the next recording whose key must explain what this one reads, nil for
// none.
func (r *Recording) around() *Recording {
	if !r.start.Part {
		return nil
	}
	return r.parent.orAround()
}

// field returns the path of the field that a context belongs to.
func (r *Recording) field(ctx context.Context) string {
	if r.start.Field == nil {
		return ""
	}
	return r.start.Field(ctx)
}

// A checking is a check that is told of a statement, and the field that has sent it there.
type checking struct {
	fill  *keycheck.Fill
	field string
}

// checkLater keeps the arguments of a statement whose rows may be read.
func (e *Execution) checkLater(args arguments) {
	if r := checked(e.ctx); r != nil && e.known != nil {
		e.args, e.checks = args, r
	}
}

// check tells of the statement, whose rows are about to be read.
func (e *Execution) check() {
	args := e.args
	e.args = arguments{}
	if e.checks == nil || e.known == nil {
		return
	}
	for r := e.checks; r != nil; r = r.around() {
		f := r.check()
		if f == nil {
			continue
		}
		if e.s.contain("key check", func() { e.tell(f, r.field(e.ctx), args) }) {
			continue
		}
		f.Doubt()
	}
}

// tell tells a check of the statement.
func (e *Execution) tell(f *keycheck.Fill, field string, args arguments) {
	e.underSettings(f)
	f.Literal(e.known.shape)
	for i := range args.list {
		a := &args.list[i]
		position := a.Ordinal
		if n := e.folds.placeholder(a.Ordinal); a.Name == "" && n >= 1 && n <= len(e.known.positions) && e.known.positions[n-1] > 0 {
			position = e.known.positions[n-1]
		}
		f.Argument(field, e.text, e.known.shape, position, a.Ordinal, a.Value)
	}
	if e.told == nil {
		e.told = e.first[:0]
	}
	e.told = append(e.told, checking{f, field})
}

// underSettings tells of the settings that the statement runs under.
func (e *Execution) underSettings(f *keycheck.Fill) {
	s := e.s
	if s.crowded || s.unsure != "" {
		f.Doubt()
	}
	for i := range s.made {
		m := &s.made[i]
		switch {
		case m.reset, m.lost, m.found, !m.local && s.hasLocal(m.name):
		case decidesNothing[m.name] && !slices.Contains(e.a.Settings, m.name) && !slices.Contains(e.a.Settings, "*"):
		case m.unknown:
			f.Doubt()
		default:
			f.Setting(m.name, m.value)
		}
	}
	e.underPath(f.Setting, f.Unsaid)
}

// decidesNothing are settings that change no row, but for a statement that asks for them.
// Servers set them to what is left of a request's time, or to its id.
var decidesNothing = map[string]bool{
	"application_name": true, "statement_timeout": true, "lock_timeout": true, "transaction_timeout": true,
	"idle_in_transaction_session_timeout": true, "idle_session_timeout": true, "work_mem": true,
	"deadlock_timeout": true, "client_min_messages": true, "synchronous_commit": true,
}

// A setting was made on a connection.
type setting struct {
	name  string
	value any
	// unknown says that the value is not known, reset that it is the connection's default
	// again.
	unknown, reset bool
	// local says that it ends with the transaction.
	local bool
	// text is what PostgreSQL makes of a setting by which names are found, and sure that it
	// has that value, or the connection's own. lost stands for one that may have any value,
	// and found for one that was there when the connection was opened: see path.go.
	text              string
	sure, lost, found bool
}

// maxSettings bounds the settings of a connection that are remembered.
const maxSettings = 64

// settings returns what the statement sets if it succeeds.
func (e *Execution) settings(args arguments) (list []setting) {
	if set := e.a.Set; set != nil && set.Kind == sqlparse.Setting {
		switch set.Setting {
		case "transaction", "session characteristics", "constraints":
		default:
			list = append(list, settingOf(set, args))
		}
	}
	for _, c := range e.a.SetConfigs {
		m := setting{name: c.Name, local: c.Local, unknown: true}
		if c.Value != nil {
			switch c.Value.Kind {
			case analysis.Constant:
				m.value, m.unknown = c.Value.Text, false
			case analysis.Param:
				v, ok := args.get(c.Value.Param, c.Value.Name)
				m.value, m.unknown = copied(v), !ok
			}
		}
		if text, ok := m.value.(string); ok && c.Sure && !m.unknown && findsNames(c.Name) {
			m.text, m.sure = text, true
		}
		list = append(list, m)
	}
	return list
}

func settingOf(set *sqlparse.Statement, args arguments) setting {
	m := setting{name: set.Setting, local: set.Local, reset: len(set.Values) == 0}
	var values []any
	for _, x := range set.Values {
		switch x := x.(type) {
		case *sqlparse.Literal:
			values = append(values, x.Text)
		case *sqlparse.Param:
			v, ok := args.get(x.N, x.Name)
			values, m.unknown = append(values, copied(v)), m.unknown || !ok
		default:
			m.unknown = true
		}
	}
	if findsNames(m.name) && !m.unknown {
		m.text, m.sure = pathText(m.name, set.Values, values)
	}
	switch len(values) {
	case 0:
	case 1:
		m.value = values[0]
	default:
		m.value = values
	}
	return m
}

// copied returns a value that is the application's once the statement has returned, as one
// that is not.
func copied(v any) any {
	switch v := v.(type) {
	case []byte:
		return slices.Clone(v)
	case string:
		return strings.Clone(v)
	}
	return v
}

// set remembers what a statement has set. Without a transaction SET LOCAL sets nothing.
func (s *Session) set(list []setting) {
	for _, m := range list {
		if m.local && !s.tx.open {
			continue
		}
		if m.reset && m.name == "all" {
			s.crowded = false
		}
		made := make([]setting, 0, len(s.made)+1)
		for _, old := range s.made {
			switch {
			case m.reset && m.name == "all" && (old.name == role || old.name == authorization): // it leaves them
				made = append(made, old)
			case m.reset && m.name == "all", old.name == m.name && (old.local || !m.local):
			default:
				made = append(made, old)
			}
		}
		if m.name == authorization && !slices.ContainsFunc(made, func(x setting) bool { return x.lost && x.name == role }) {
			made = append(made, lost(role)) // who it is afterwards is not known
		}
		switch {
		case m.reset && !m.local:
		case len(made) >= maxSettings:
			s.crowded = true
		default:
			made = append(made, m)
		}
		s.made = made
	}
}

// hasLocal reports whether a setting has a value until the transaction ends.
func (s *Session) hasLocal(name string) bool {
	return slices.ContainsFunc(s.made, func(m setting) bool { return m.local && m.name == name })
}

// withoutLocal returns the settings that outlive the transaction.
func withoutLocal(list []setting) []setting {
	if !slices.ContainsFunc(list, func(m setting) bool { return m.local }) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(m setting) bool { return m.local })
}
