package watch

import "github.com/cascadeql/cascadeql/gqlcache/inspect"

// weigh returns about how many bytes of JSON an event is.
func weigh(e *inspect.LogEvent) int {
	const fixed, each = 400, 80 // names of members and numbers, of an event and of what is in it
	n := fixed + quoted(e.Cause.Name) + quoted(e.Everything)
	for i := range e.Changes {
		c := &e.Changes[i]
		n += each + quoted(c.View)
		for _, id := range c.IDs {
			n += quoted(id)
		}
	}
	for i := range e.Cascade.Nodes {
		node := &e.Cascade.Nodes[i]
		n += each + quoted(node.Label) + quoted(node.Detail)
	}
	for i := range e.Cascade.Edges {
		n += each + quoted(e.Cascade.Edges[i].Via)
	}
	return n
}

// quoted returns how many bytes a text is at most as a JSON string: six for each that may
// be escaped.
func quoted(text string) int {
	n := len(`"",`) + len(text)
	for i := range len(text) {
		switch b := text[i]; {
		case b < ' ', b > '~', b == '<', b == '>', b == '&', b == '"', b == '\\':
			n += len(`\u0000`) - 1
		}
	}
	return n
}
