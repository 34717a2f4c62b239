package gqlcachetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// An Operation is one that clients of the server send.
type Operation struct {
	// Query is the text of the document. Subscriptions are left out.
	Query string
	// OperationName chooses one of several operations in Query. Defaults to the only one.
	OperationName string
	// Variables are sent as they are.
	Variables map[string]any
	// Draw returns the variables of one request, in place of Variables. It must depend on
	// nothing but r. It draws ids from few, so that operations meet. Defaults to none.
	Draw func(r *rand.Rand) map[string]any
}

// name is how reports call the operation.
func (o *Operation) name() string {
	kind, name := o.kind()
	if name == "" {
		name = strings.Join(strings.Fields(o.Query), " ")
		if len(name) > 60 {
			name = name[:60] + "…"
		}
		return name
	}
	return kind + " " + name
}

// kind returns query, mutation or subscription, and the operation's name. It reads no
// more of the document than the words outside of all braces, strings and comments.
func (o *Operation) kind() (kind, name string) {
	kind, name = "query", o.OperationName
	words := topWords(o.Query)
	for i, w := range words {
		switch w {
		case "query", "mutation", "subscription":
			n := ""
			if i+1 < len(words) && words[i+1] != "{" {
				n = words[i+1]
			}
			if o.OperationName == "" || o.OperationName == n {
				return w, n
			}
		}
	}
	return kind, name
}

// topWords returns the words of a document outside of braces and parentheses, and "{" for
// each selection set.
func topWords(doc string) (words []string) {
	depth, word := 0, ""
	end := func() {
		if word != "" {
			words, word = append(words, word), ""
		}
	}
	for i := 0; i < len(doc); i++ {
		c := doc[i]
		switch {
		case c == '#':
			for i < len(doc) && doc[i] != '\n' && doc[i] != '\r' {
				i++
			}
			end()
		case c == '"':
			i = afterString(doc, i) - 1
		case strings.IndexByte("{([", c) >= 0:
			end()
			if depth == 0 && c == '{' {
				words = append(words, "{")
			}
			depth++
		case strings.IndexByte("})]", c) >= 0:
			depth--
			word = ""
		case depth > 0:
		case c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			word += string(c)
		default:
			end()
		}
	}
	return words
}

// afterString returns where the string that begins at i ends.
func afterString(doc string, i int) int {
	if strings.HasPrefix(doc[i:], `"""`) {
		for j := i + 3; j < len(doc); j++ {
			if strings.HasPrefix(doc[j:], `\"""`) {
				j += 3
			} else if strings.HasPrefix(doc[j:], `"""`) {
				return j + 3
			}
		}
		return len(doc)
	}
	for j := i + 1; j < len(doc); j++ {
		switch doc[j] {
		case '\\':
			j++
		case '"', '\n':
			return j + 1
		}
	}
	return len(doc)
}

// A step is one request of a history.
type step struct {
	op, caller int
	variables  string // JSON; "" is none
}

func (c *Comparison) describe(s step) string {
	text := fmt.Sprintf("caller %d: %s", s.caller+1, c.Operations[s.op].name())
	if s.variables != "" {
		text += " " + clip(s.variables, 200)
	}
	return text
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}
