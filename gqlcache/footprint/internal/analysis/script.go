package analysis

import (
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// script says what is known of a text of several statements, such as the schema that a
// program sends when it starts. It reads and writes anything. But it begins and ends no
// transaction, also where a driver runs the first of its statements alone, as some do with
// a prepared text. Without that the connection is in doubt, and what the text has changed is
// of unknown outcome, for a minute in which no answer is kept. It returns nil for
// a text of which that is not known.
func script(text string, d sqlparse.Dialect) *Statement {
	if d == sqlparse.SQLite && enforces(text) {
		return &Statement{Unknown: "PRAGMA foreign_keys = ON", Columns: -1}
	}
	list, err := sqlparse.ParseScriptDialect(text, d)
	if err != nil || len(list) < 2 || strings.Contains(strings.ToLower(text), "set_config") {
		return nil // what a setting holds then is a part of the key
	}
	out := &Statement{Unknown: "several statements in one text", Columns: -1}
	for _, s := range list {
		switch s.Kind {
		case sqlparse.Select, sqlparse.Insert, sqlparse.Update, sqlparse.Delete, sqlparse.Merge, sqlparse.Truncate:
		case sqlparse.NoData: // PostgreSQL's DISCARD forgets what was prepared
			if d != sqlparse.SQLite {
				return nil
			}
		case sqlparse.DDL:
			out.Reloads = true
		default:
			return nil
		}
	}
	if out.Reloads {
		out.Unknown += ", DDL among them"
	}
	return out
}

// enforces reports whether a text has SQLite look at foreign keys, as many programs send it when
// they start. It is unknown, since deletions reach further rows from then on.
func enforces(text string) bool {
	toks, err := sqlparse.TokensDialect(text, sqlparse.SQLite)
	if n := len(toks); err == nil && n > 0 && toks[n-1].Text == ";" {
		toks = toks[:n-1]
	}
	var words strings.Builder
	for _, t := range toks {
		words.WriteString(t.Text + " ")
	}
	switch words.String() {
	case "pragma foreign_keys = on ", "pragma foreign_keys = 1 ", "pragma foreign_keys = true ", "pragma foreign_keys = yes ",
		"pragma foreign_keys ( on ) ", "pragma foreign_keys ( 1 ) ", "pragma foreign_keys ( true ) ", "pragma foreign_keys ( yes ) ":
		return err == nil
	}
	return false
}
