package extractor

import "bytes"

// A cursor reads JSON text without interpreting values. It does not validate: it follows
// the structure as far as it needs to find the end of a value, and reports false where it
// cannot.
type cursor struct {
	data []byte
	pos  int
}

// next skips white space and returns the byte at the new position, or 0 at the end.
func (c *cursor) next() byte {
	for c.pos < len(c.data) {
		switch b := c.data[c.pos]; b {
		case ' ', '\t', '\n', '\r':
			c.pos++
		default:
			return b
		}
	}
	return 0
}

// accept moves past b if it comes next.
func (c *cursor) accept(b byte) bool {
	if c.next() != b || c.pos >= len(c.data) {
		return false
	}
	c.pos++
	return true
}

// member reads a member's name and the colon. The name is the raw text between the
// quotes.
func (c *cursor) member() ([]byte, bool) {
	if c.next() != '"' {
		return nil, false
	}
	start := c.pos + 1
	if !c.skipString() {
		return nil, false
	}
	name := c.data[start : c.pos-1]
	return name, c.accept(':')
}

// value returns the raw text of the value that comes next.
func (c *cursor) value() ([]byte, bool) {
	b := c.next()
	start := c.pos
	var ok bool
	switch b {
	case '"':
		ok = c.skipString()
	case '{', '[':
		ok = c.skipContainer()
	default:
		ok = c.skipLiteral()
	}
	return c.data[start:c.pos], ok
}

// skipString moves past a string; the cursor is at its opening quote.
func (c *cursor) skipString() bool {
	start := c.pos + 1
	for at := start; ; {
		i := bytes.IndexByte(c.data[at:], '"')
		if i < 0 {
			return false
		}
		at += i
		// The quote ends the string unless an odd number of backslashes is before it.
		b := at
		for b > start && c.data[b-1] == '\\' {
			b--
		}
		at++
		if (at-1-b)%2 == 0 {
			c.pos = at
			return true
		}
	}
}

// skipContainer moves past an array or object; the cursor is at its opening bracket. It
// counts instead of descending, so that nothing in the data can exhaust the stack.
func (c *cursor) skipContainer() bool {
	depth := 0
	for c.pos < len(c.data) {
		switch c.data[c.pos] {
		case '"':
			if !c.skipString() {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		c.pos++
		if depth == 0 {
			return true
		}
	}
	return false
}

// skipLiteral moves past a number, true, false or null.
func (c *cursor) skipLiteral() bool {
	start := c.pos
	for c.pos < len(c.data) {
		switch b := c.data[c.pos]; {
		case b >= '0' && b <= '9', b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b == '-', b == '+', b == '.':
			c.pos++
		default:
			return c.pos > start
		}
	}
	return c.pos > start
}
