package observe

import (
	"context"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// Where the names of a statement are found. Several schemas of PostgreSQL may have tables of
// one name: one for each tenant. They are one catalog.Table, and their rows are told apart by
// rowtag.Home where it is known. Invariants:
//
//   - A home is known only if search_path and the role are, at the start of the statement.
//     They are known from when the connection was opened, or from a statement which certainly
//     has set them, and from then on unless something may have set them again: a statement
//     that was not understood, a trigger, an error after which it is not known what was
//     rolled back, the driver's connection in the application's hands.
//   - A rollback restores what was known, and what was lost, when the transaction or the
//     savepoint began.
//   - All Ambiguous names of the text are found in one schema, or nothing is known: no rule
//     of the analysis compares rows of two.
//
// A prepared statement, too, finds its names by the search_path of its execution: PostgreSQL
// analyzes it again where that is another one than before.

// The settings by which names are found.
const (
	searchPath    = "search_path"
	role          = "role"
	authorization = "session_authorization"
	anySetting    = "*" // set_config whose name is not known
)

// Finds returns the schema in which the connection finds a name, if that is known. It is for
// tests.
func (s *Session) Finds(name string) (schema string, ok bool) {
	st := s.o.state.Load()
	if st == nil || st.catalog.Places == nil {
		return "", false
	}
	path, ok := s.path()
	if !ok {
		return "", false
	}
	schema, _, ok = st.catalog.Places.Find(&path, name)
	return schema, ok
}

// findsNames reports whether a setting decides in which schemas names are found.
func findsNames(name string) bool {
	return name == searchPath || name == role || name == authorization || name == anySetting
}

// A names is what a session knows of how the connection finds names.
type names struct {
	// known says that the connection was asked when it was opened.
	known bool
	// epoch is that of the catalog from before the connection could plan a statement.
	epoch uint64
	// path is search_path as it is after RESET, and role is who asks unless SET ROLE was
	// sent, "" for not known.
	path, role string
	// unseen says that the driver may run statements that nobody sees whenever the pool
	// hands the connection out.
	unseen bool
}

// lost stands in a list of settings for one that may have any value.
func lost(name string) setting { return setting{name: name, unknown: true, lost: true} }

// withoutPath returns the settings after something that may have set search_path or the
// role. The values stay for the key check.
func withoutPath(list []setting) []setting {
	made := make([]setting, 0, len(list)+2)
	made = append(made, lost(searchPath), lost(role))
	for _, m := range list {
		if m.lost {
			continue
		}
		if findsNames(m.name) {
			m.sure = false
		}
		made = append(made, m)
	}
	return made
}

// LosePath says that search_path may have been set, or that what has set it may have been
// rolled back: it may be any, also after a rollback.
func (s *Session) LosePath() {
	if s.o.opts.Dialect != catalog.PostgreSQL {
		return
	}
	s.made = withoutPath(s.made)
	if s.tx.open {
		s.tx.before = withoutPath(s.tx.before)
	}
	for i := range s.tx.marks {
		s.tx.marks[i] = withoutPath(s.tx.marks[i])
	}
}

// Unseen says that the driver may run statements that nobody sees whenever the pool hands
// the connection out: then search_path is known only from when it is set afterwards.
func (s *Session) Unseen() { s.names.unseen = true }

// Together says that statements are sent together: they start before the first of them has
// set anything, and without a transaction SET LOCAL holds for those behind it.
func (s *Session) Together(texts []string) {
	s.contain("together", func() {
		if len(texts) > 1 && slices.ContainsFunc(texts, s.o.moves) {
			s.LosePath()
		}
	})
}

// moves reports whether a statement may set search_path or the role.
func (o *Observer) moves(text string) bool {
	var f folds
	x, _ := o.analysis(text, &f)
	switch x.Kind {
	case sqlparse.Commit, sqlparse.Rollback, sqlparse.RollbackTo, sqlparse.PrepareTransaction:
		return true // it takes back what was set
	}
	return movesPath(x.Statement) || x.Set != nil && (findsNames(x.Set.Setting) || x.Set.Setting == "all") ||
		slices.ContainsFunc(x.SetConfigs, func(c analysis.SetConfig) bool { return findsNames(c.Name) })
}

// movesPath reports whether a statement may have set search_path or the role, beside what
// it says.
func movesPath(a *analysis.Statement) bool { return a.Moves || a.Unknown != "" && !a.ReadsOnly }

// followPath notes what a statement may have done to search_path and the role.
func (s *Session) followPath(e *Execution, err error) {
	if s.o.opts.Dialect != catalog.PostgreSQL {
		return
	}
	lose := movesPath(e.a) || e.misunderstood
	s.tx.moves = s.tx.moves || s.tx.open && lose
	// SET CONSTRAINTS runs what was deferred.
	lose = lose || s.tx.moves && e.a.Set != nil && e.a.Set.Setting == "constraints"
	for i := range e.sets {
		m := &e.sets[i]
		// An error may have come after it was set.
		lose = lose || findsNames(m.name) && (err != nil || m.name == anySetting) || m.name == "all" && err != nil
	}
	if lose {
		s.LosePath()
	}
	s.tx.erred = s.tx.erred || s.tx.open && err != nil
}

// outcome says that the transaction has ended, and that it is not known how: search_path is
// known where it is the same in both cases.
func (s *Session) outcome() {
	if !s.tx.open || s.o.opts.Dialect != catalog.PostgreSQL {
		return
	}
	// Settings that end with the transaction are not asked for any more.
	if !slices.EqualFunc(ofPath(s.made), ofPath(s.tx.before), func(a, b setting) bool {
		return a.name == b.name && a.text == b.text && a.sure == b.sure && a.lost == b.lost && a.reset == b.reset
	}) {
		s.LosePath()
	}
}

// ofPath returns the settings by which names are found after the transaction.
func ofPath(list []setting) (of []setting) {
	for _, m := range list {
		if findsNames(m.name) && !m.local {
			of = append(of, m)
		}
	}
	return of
}

// effective returns what was set last of a setting, nil where it is the connection's own.
func (s *Session) effective(name string) (m *setting) {
	for i := range s.made {
		if x := &s.made[i]; x.name == name && (m == nil || x.local || m.lost) {
			m = x
		}
	}
	return m
}

// path returns the search_path. ok is false when it is not known.
func (s *Session) path() (p catalog.Path, ok bool) {
	if s.crowded || s.unsure != "" || s.raw {
		return p, false
	}
	text := s.names.path
	switch m := s.effective(searchPath); {
	case m != nil && !m.sure:
		return p, false
	case m != nil && !m.reset:
		text = m.text
	case !s.names.known:
		return p, false
	}
	p, ok = catalog.ParsePath(text, s.role())
	p.Since = s.names.epoch
	return p, ok
}

// role returns who looks for names, "" when that is not known.
func (s *Session) role() string {
	if s.effective(authorization) != nil {
		return ""
	}
	m := s.effective(role)
	switch {
	case m == nil || m.sure && m.reset:
		return s.names.role
	case !m.sure || m.text == "none":
		return ""
	}
	return m.text
}

// locate finds the schema of the statement's names, or says why it is not known.
func (e *Execution) locate() {
	st := e.st
	if st == nil || len(e.a.Several) == 0 || st.catalog.Places == nil {
		return
	}
	schema, why := e.schemaOf()
	if why != "" {
		e.found(UnknownSchema, why)
		return
	}
	one := e.known.within(func() *analysis.Statement { return e.s.o.opts.analyze(st.one, e.known.text) })
	if one.Unknown != "" && e.a.Unknown == "" {
		return
	}
	e.a, e.schema, e.home = one, schema, rowtag.HomeOf(schema)
}

// schemaOf returns the schema in which all the statement's names are that several schemas
// have. why says why it is not known, without values: SET may have been sent with a tenant's
// schema.
func (e *Execution) schemaOf() (schema, why string) {
	places := e.st.catalog.Places
	path, known := e.s.path()
	for _, n := range e.a.Several {
		at := n.Schema
		switch {
		case at != "":
			if !places.Has(at, n.Name) {
				return "", "the catalog has no " + at + "." + n.Name
			}
		case !known:
			return "", "several schemas have " + n.Name + ", and the search_path of the connection is not known"
		default:
			var absent string
			var ok bool
			if at, absent, ok = places.Find(&path, n.Name); !ok {
				if absent != "" {
					e.s.o.missed(e.st, absent)
					return "", "the catalog lacks a schema of the search_path"
				}
				return "", "it is not known which schema of the search_path has " + n.Name
			}
		}
		if schema != "" && schema != at {
			return "", "its tables are in several schemas"
		}
		schema = at
	}
	return schema, ""
}

// homeOf returns the home of a ref's rows.
func (e *Execution) homeOf(r *analysis.Ref) rowtag.Home {
	if !r.Table.Ambiguous || r.Elsewhere {
		return 0
	}
	return e.home
}

// homeOfWrite returns the home of the rows of a write, before it runs.
func (e *Execution) homeOfWrite(w *analysis.Write) rowtag.Home {
	switch {
	case !w.Table.Ambiguous || w.In.Elsewhere:
		return 0
	case w.In.ByPath == "":
		return e.home
	case e.st == nil || e.st.catalog.Places == nil || e.a.Moves:
		return 0
	}
	if path, ok := e.s.path(); ok {
		if schema, _, ok := e.st.catalog.Places.Find(&path, w.In.ByPath); ok {
			return rowtag.HomeOf(schema)
		}
	}
	return 0
}

// maxMissed bounds the schemas for which the catalog is asked earlier than usual.
const maxMissed = 1000

// missed says that a schema of a search_path is not in the catalog: it may have been created
// by another program. The catalog is asked soon, once for each name.
func (o *Observer) missed(st *state, schema string) {
	st.missing.Lock()
	defer st.missing.Unlock()
	if _, found := st.missing.names[schema]; found || len(st.missing.names) >= maxMissed {
		return
	}
	if st.missing.names == nil {
		st.missing.names = map[string]struct{}{}
	}
	st.missing.names[strings.Clone(schema)] = struct{}{}
	o.polled.Store(0)
}

// relearn asks the connection for what was lost, where names are found by it.
func (s *Session) relearn(ctx context.Context) {
	st := s.o.state.Load()
	if !s.idle() || st == nil || !st.several || s.names.unseen || !s.names.known || !slices.ContainsFunc(s.made, func(m setting) bool { return m.lost }) {
		return
	}
	c, err := s.o.opts.connection(ctx, s.o.opts.Dialect, s.conn.Query)
	if err != nil {
		return
	}
	// The role's settings are left to the key check.
	s.made = slices.DeleteFunc(slices.Clone(s.made), func(m setting) bool { return m.lost || m.name == searchPath })
	s.learn(c)
}

// learn notes what a connection says of how it finds names.
func (s *Session) learn(c catalog.Connection) {
	if s.o.opts.Dialect != catalog.PostgreSQL {
		return
	}
	s.names.known, s.names.path, s.names.role = true, c.DefaultPath, c.Role
	if c.SearchPath != c.DefaultPath {
		found := setting{name: searchPath, text: c.SearchPath, value: schemasOf(c.SearchPath), sure: true, found: true}
		s.made = append(slices.Clone(s.made), found)
	}
}

// schemasOf returns the value of a search_path as the one of SET.
func schemasOf(text string) any {
	p, ok := catalog.ParsePath(text, "$user")
	if !ok {
		return text
	}
	if len(p.Schemas) == 1 {
		return p.Schemas[0]
	}
	list := make([]any, len(p.Schemas))
	for i, s := range p.Schemas {
		list[i] = s
	}
	return list
}

// pathText returns what PostgreSQL makes of the values of SET search_path, or the one of
// another setting. ok is false where that is not known.
func pathText(name string, list []sqlparse.Expr, values []any) (text string, ok bool) {
	var b strings.Builder
	for i, v := range values {
		l, literal := list[i].(*sqlparse.Literal)
		if literal && (l.Odd || l.Number) {
			return "", false
		}
		word, ok := v.(string)
		if !ok {
			return "", false
		}
		if name != searchPath {
			return word, len(values) == 1
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(word))
	}
	return b.String(), true
}

// underPath tells the check in which schema the statement finds its names, where no setting
// that was made tells that.
func (e *Execution) underPath(tell func(name string, v any), unsaid func()) {
	if len(e.a.Several) == 0 {
		return
	}
	s := e.s
	var told []string
	unqualified := false
	for _, n := range e.a.Several {
		if n.Schema == "" {
			unqualified = true
		} else if !slices.Contains(told, n.Schema) {
			told = append(told, n.Schema)
			tell("schema", n.Schema)
		}
	}
	if !unqualified {
		return
	}
	switch m := s.effective(searchPath); {
	case m != nil && m.found:
		tell(searchPath, m.value)
	case m != nil && !m.lost && !m.reset: // told already
	case m != nil && m.lost || !s.names.known:
		unsaid()
	default:
		tell(searchPath, schemasOf(s.names.path))
	}
}
