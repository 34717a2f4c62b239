package catalog

// A body is what is known of a function: whether it may be pure, and the names of the
// functions that it calls.
type body struct {
	pure  bool
	calls []string
}

// reading are words that stand for data, or for code that is not in the text. from is not
// among them, see bodyOf.
var reading = map[string]bool{
	"insert": true, "update": true, "delete": true, "merge": true, "execute": true, "perform": true,
	"call": true, "copy": true, "truncate": true, "join": true, "table": true, "fetch": true,
	"current_timestamp": true, "current_date": true, "current_time": true, "localtime": true,
	"localtimestamp": true, "current_user": true, "session_user": true, "user": true,
	"current_role": true, "current_catalog": true, "current_schema": true, "system_user": true,
}

// bodyOf reads the body of a function of PostgreSQL that its owner calls immutable. The
// owner may be wrong: a body that names data is none of a pure function.
func bodyOf(language, source string) body {
	switch language {
	case "internal", "c":
		return body{pure: true}
	case "sql", "plpgsql":
	default:
		return body{}
	}
	tokens, ok := scan(PostgreSQL, source)
	if !ok {
		return body{}
	}
	for i, t := range tokens {
		// IS [NOT] DISTINCT FROM has no table behind it.
		compares := i > 1 && tokens[i-1].text == "distinct" && (tokens[i-2].text == "is" || tokens[i-2].text == "not")
		if t.kind == 'w' && (reading[t.text] || t.text == "from" && !compares) {
			return body{}
		}
	}
	return body{pure: true, calls: calls(tokens)}
}

// calls returns the names that are followed by a parenthesis.
func calls(tokens []token) (out []string) {
	for i, t := range tokens {
		if (t.kind == 'w' || t.kind == 'q') && i+1 < len(tokens) && tokens[i+1].kind == '(' {
			out = append(out, t.text)
		}
	}
	return out
}
