package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// The judges: what the databases themselves say that a statement reads and writes. Each
// table and column that they name is one of those of the analysis, or the analysis says
// that it does not understand the statement. The analysis may name more.

// A mention is a column of a table, or the table alone, that a judge names.
type mention struct {
	table, column string
	// read says that the statement reads the column, and wrote that it does to rows what
	// write says. Without both it is not told which.
	read, wrote bool
	write       analysis.WriteKind
}

// A verdict is what a judge says of a statement, with the catalog in which it says so.
type verdict struct {
	mentions []mention
	catalog  *catalog.Catalog
}

// A judge reads what a database says of a statement over some tables. An error is one of
// the statement's: the tables do not fit.
type judge func(tables []string, text string) (verdict, error)

// corpora are the files with statements of a dialect: those of the parser, over tables that
// are made for each statement, and those of the analysis, over the tables of the property.
func corpora(t *testing.T, d catalog.Dialect) (loose, world []string) {
	t.Helper()
	name, reviewed := "sqlite", "sqlite.txt"
	if d == catalog.PostgreSQL {
		name, reviewed = "postgresql", "postgres.txt"
	}
	files, err := filepath.Glob("../internal/sqlparse/testdata/corpus/" + name + "_*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus: ", err)
	}
	for _, file := range files {
		loose = append(loose, strings.Split(strings.TrimSpace(fileText(t, file)), "\n\n")...)
	}
	for line := range strings.SplitSeq(fileText(t, "../internal/analysis/testdata/"+reviewed), "\n") {
		if line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, " ") {
			world = append(world, line)
		}
	}
	return slices.DeleteFunc(loose, noData), slices.DeleteFunc(world, noData)
}

func fileText(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var dataText = regexp.MustCompile(`(?is)^(\s|--[^\n]*\n|\()*(SELECT|INSERT|REPLACE|UPDATE|DELETE|WITH|VALUES|TABLE)\b`)

// noData reports whether a statement is none that reads or writes rows.
func noData(text string) bool { return !dataText.MatchString(text) }

// missing returns what the analysis does not say of what a judge names.
func missing(v *verdict, s *analysis.Statement) (list []string) {
	for _, m := range v.mentions {
		table, view, ok := v.catalog.Lookup("", m.table)
		switch {
		case view != nil:
			continue // the tables below it are named, too
		case !ok:
			list = append(list, fmt.Sprintf("%+v: no such table in the catalog", m))
		case !says(s, table, m):
			list = append(list, fmt.Sprintf("%+v", m))
		}
	}
	return list
}

// says reports whether the analysis names a column.
func says(s *analysis.Statement, t *catalog.Table, m mention) bool {
	column, known := t.Index(m.column)
	in := func(mask catalog.Mask) bool { return !known || mask&catalog.Bit(column) != 0 }
	for _, w := range s.Writes {
		if w.Table.Name != t.Name || m.read {
			continue
		}
		switch {
		case w.Kind == analysis.Any:
			return true
		case m.wrote && w.Kind == m.write, !m.wrote && (w.Kind != analysis.Deletes || !known):
			if w.Kind != analysis.Updates || in(w.Changed) {
				return true
			}
		}
	}
	if m.wrote {
		return false
	}
	return slices.ContainsFunc(s.Refs, func(r *analysis.Ref) bool {
		return r.Table.Name == t.Name && in(r.Where|r.Selected|r.Order)
	})
}

// judged compares the analysis of each statement with what a judge says of it. It demands
// that the database accepts at least so many of a hundred statements, and that so many of
// these are understood. The reviewed statements of the analysis have some that no database
// accepts.
func judged(t *testing.T, d catalog.Dialect, by judge, fit, understood int) {
	t.Helper()
	loose, world := corpora(t, d)
	if testing.Short() {
		loose = everyFourth(loose)
	}
	accepted, known, named := 0, 0, 0
	one := func(text string, v verdict) {
		accepted++
		s := analysis.Analyze(v.catalog, text)
		if s.Unknown != "" {
			if s.ReadsOnly && slices.ContainsFunc(v.mentions, func(m mention) bool { return m.wrote }) {
				t.Errorf("%s\n is said to read only", text)
			}
			return
		}
		known++
		named += len(v.mentions)
		for _, m := range missing(&v, s) {
			t.Errorf("%s\n says nothing of %s:\n%s", text, m, s)
		}
	}
	definitions := slices.Concat(modelDefinitions(d), worldOnly(d))
	var refused []string
	for _, text := range world {
		v, err := by(definitions, text)
		if err != nil {
			refused = append(refused, fmt.Sprintf("%s: %v", text, err))
			continue
		}
		one(text, v)
	}
	for _, text := range loose {
		v, err := fitted(by, d, text)
		if err != nil {
			refused = append(refused, fmt.Sprintf("%s: %v", text, err))
			continue
		}
		one(text, v)
	}
	all := len(loose) + len(world)
	t.Logf("%d statements, %d accepted, %d of these understood, %d mentions", all, accepted, known, named)
	if accepted*100 < fit*all || known*100 < understood*accepted {
		t.Errorf("%d of %d statements are accepted, %d of these are understood: too few; refused:\n%s", accepted, all, known, strings.Join(refused, "\n"))
	}
}

func everyFourth(list []string) (some []string) {
	for i := 0; i < len(list); i += 4 {
		some = append(some, list[i])
	}
	return some
}

// worldOnly are tables that the reviewed statements have beside those of the property.
func worldOnly(d catalog.Dialect) []string {
	list := []string{
		`CREATE TABLE loose (id TEXT PRIMARY KEY NOT NULL, author_id TEXT NOT NULL)`,
		`CREATE TABLE derived (id TEXT PRIMARY KEY NOT NULL, name TEXT, folded TEXT GENERATED ALWAYS AS (lower(name)) STORED, at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)`,
		`CREATE TABLE pair (id TEXT PRIMARY KEY NOT NULL, other TEXT NOT NULL)`,
		`CREATE TABLE twin (id TEXT PRIMARY KEY NOT NULL, other TEXT NOT NULL)`,
		`CREATE TABLE secured (id TEXT PRIMARY KEY NOT NULL, tenant TEXT NOT NULL, body TEXT)`,
		`CREATE VIEW renamed (a, b) AS SELECT id, author_id FROM posts`,
	}
	if d == catalog.PostgreSQL {
		return append(list, `CREATE TABLE flags (id UUID PRIMARY KEY, "on" BOOLEAN NOT NULL, raw BYTEA)`)
	}
	return append(list, `CREATE TABLE flags (id TEXT PRIMARY KEY NOT NULL, "on" BOOLEAN NOT NULL, raw BLOB)`,
		`CREATE TABLE totals (id TEXT PRIMARY KEY NOT NULL, n INT)`, `CREATE VIRTUAL TABLE words USING fts5(id, body)`,
		`CREATE VIRTUAL TABLE texts USING fts5(body, content=posts, content_rowid=seq)`, `CREATE VIRTUAL TABLE feeding USING fts5(body, content=feed)`)
}

// A draft is tables that are made to fit a statement.
type draft struct {
	tables []*draftTable
	text   string
	// kind is the type of columns whose names do not tell one.
	kind  string
	tried map[string]int
}

type draftTable struct {
	name    string
	columns []string
}

// maxRepairs bounds how often a draft is changed.
const maxRepairs = 40

// fitted has a judge say what a statement does over tables that are made until it accepts
// it.
func fitted(by judge, d catalog.Dialect, text string) (v verdict, err error) {
	kinds := []string{"TEXT"}
	if d == catalog.PostgreSQL {
		kinds = append(kinds, "BIGINT", "BOOLEAN", "TIMESTAMPTZ", "JSONB", "TEXT[]")
	}
	for _, kind := range kinds {
		m := &draft{text: text, kind: kind, tried: map[string]int{}}
		for range maxRepairs {
			if v, err = by(m.definitions(d), text); err == nil {
				return v, nil
			}
			if !m.repair(err.Error()) {
				break
			}
		}
	}
	return v, err
}

var (
	noTable    = regexp.MustCompile(`no such table: (?:\w+\.)?([^\s(]+)|relation "(?:\w+\.)?([^"]+)" does not exist`)
	ofRelation = regexp.MustCompile(`table (\S+) has no column named (\S+)|column "([^"]+)" of relation "([^"]+)" does not exist`)
	noColumn   = regexp.MustCompile(`no such column: ([^\s(]+)|column "?([^\s"]+)"? does not exist`)
	ambiguous  = regexp.MustCompile(`ambiguous column name: ([^\s(]+)|column reference "([^"]+)" is ambiguous`)
	tooFew     = regexp.MustCompile(`table (\S+) has (\d+) columns but`)
)

// part returns the first group of a pattern that has something.
func part(re *regexp.Regexp, text string) string {
	m := re.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	for _, s := range m[1:] {
		if s != "" {
			return s
		}
	}
	return ""
}

// repair changes the tables so that a statement may get further. It reports whether it has.
func (m *draft) repair(err string) bool {
	if c := ofRelation.FindStringSubmatch(err); c != nil {
		table, column := c[1], c[2]
		if table == "" {
			table, column = c[4], c[3]
		}
		return m.add(m.table(table), column)
	}
	if name := part(noTable, err); name != "" && m.table(name) == nil {
		m.tables = append(m.tables, &draftTable{name: name})
		return true
	}
	if name := part(ambiguous, err); name != "" {
		n := 0
		for _, t := range m.tables {
			if i := slices.Index(t.columns, name); i >= 0 {
				if n++; n > 1 {
					t.columns = slices.Delete(t.columns, i, i+1)
					return true
				}
			}
		}
		return false
	}
	if c := tooFew.FindStringSubmatch(err); c != nil {
		t := m.table(c[1])
		return t != nil && len(t.columns) < 20 && m.add(t, fmt.Sprint("more_", len(t.columns)))
	}
	name := part(noColumn, err)
	if name == "" {
		return false
	}
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return m.add(m.table(m.named(name[:i])), name[i+1:])
	}
	for m.tried[name] < len(m.tables) { // the next table that it may be in
		m.tried[name]++
		for _, t := range m.tables {
			t.columns = slices.DeleteFunc(t.columns, func(c string) bool { return c == name && m.tried[name] > 1 })
		}
		if m.add(m.tables[m.tried[name]-1], name) {
			return true
		}
	}
	return false
}

func (m *draft) table(name string) *draftTable {
	name = strings.Trim(name, "\"`[]")
	for _, t := range m.tables {
		if strings.EqualFold(t.name, name) {
			return t
		}
	}
	return nil
}

func (m *draft) add(t *draftTable, column string) bool {
	column = strings.Trim(column, "\"`[]")
	if t == nil || slices.Contains(t.columns, column) {
		return false
	}
	t.columns = append(t.columns, column)
	return true
}

// named returns the table that a statement calls so.
func (m *draft) named(alias string) string {
	alias = strings.Trim(alias, "\"`")
	if m.table(alias) != nil {
		return alias
	}
	for _, t := range m.tables {
		re := regexp.MustCompile("(?i)\\b[\"`]?" + regexp.QuoteMeta(t.name) + "[\"`]?\\s+(AS\\s+)?[\"`]?" + regexp.QuoteMeta(alias) + "[\"`]?(\\s|,|$|\\))")
		if re.MatchString(m.text) {
			return t.name
		}
	}
	return ""
}

var conflict = regexp.MustCompile("(?i)ON CONFLICT \\(([\\w\\s,\"`]+)\\)")

// definitions are those of the tables.
func (m *draft) definitions(d catalog.Dialect) (list []string) {
	for _, t := range m.tables {
		var columns []string
		for _, c := range t.columns {
			columns = append(columns, `"`+c+`" `+m.kindOf(d, c))
		}
		if len(columns) == 0 {
			columns = append(columns, `"id" `+m.kindOf(d, "id"))
		}
		if c := conflict.FindStringSubmatch(m.text); c != nil {
			all := true
			for name := range strings.SplitSeq(c[1], ",") {
				all = all && slices.Contains(t.columns, strings.Trim(strings.TrimSpace(name), "\"`"))
			}
			if all {
				columns = append(columns, "UNIQUE ("+strings.ReplaceAll(c[1], "`", `"`)+")")
			}
		}
		list = append(list, `CREATE TABLE "`+t.name+`" (`+strings.Join(columns, ", ")+`)`)
	}
	return list
}

// kindOf is the type of a column.
func (m *draft) kindOf(d catalog.Dialect, column string) string {
	if d == catalog.SQLite {
		return m.kind
	}
	switch {
	case strings.HasSuffix(column, "_at"):
		return "TIMESTAMPTZ"
	case slices.Contains([]string{"id", "age", "version", "karma", "points", "price", "n"}, column), m.kind != "TEXT" && strings.HasSuffix(column, "_id"):
		return "BIGINT"
	case column == "tags" || column == "emails":
		return "TEXT[]"
	case column == "data" || column == "settings":
		return "JSONB"
	}
	return m.kind
}
