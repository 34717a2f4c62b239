package analysis

import "github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"

// script says what is known of a text of several statements, such as the schema that a
// program sends when it starts. It reads and writes anything. But it begins and ends no
// transaction, also where a driver runs the first of its statements alone, as some do with
// a prepared text. Without that the connection is in doubt, and what the text has changed is
// of unknown outcome, for a minute and more in which no answer is kept. It returns nil for
// a text of which that is not known.
func script(text string, d sqlparse.Dialect) *Statement {
	list, err := sqlparse.ParseScriptDialect(text, d)
	if err != nil || len(list) < 2 {
		return nil
	}
	out := &Statement{Unknown: "several statements in one text", Columns: -1}
	for _, s := range list {
		switch s.Kind {
		case sqlparse.Select, sqlparse.Insert, sqlparse.Update, sqlparse.Delete, sqlparse.Truncate:
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
