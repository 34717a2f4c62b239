package wire

import (
	"iter"
	"net/http"
	"slices"
	"strings"
)

// usualCodings are content codings that a writer around the cache may append to our tag,
// as servers do that tell their representations apart.
var usualCodings = []string{"gzip", "br", "zstd", "deflate"}

// matching returns the tag of a representation that the client has already, if it still
// is the answer; nil otherwise. Tags are compared weakly, which is right for GET and
// HEAD.
//
// The tag is returned as the client names it: a cache finds the representation that it
// has by this tag. Where it belongs to a content encoding, the client must accept this
// encoding: a cache may name all that it has, on behalf of a client that understands
// fewer. Whether an instance has made this encoding itself does not matter, the body is
// the same.
func (a *Ready) matching(request http.Header, own []Encoding) []string {
	lines := request["If-None-Match"]
	if len(lines) == 0 {
		return nil
	}
	if len(lines) == 1 && trimSpace(lines[0]) == "*" {
		return a.tag(request, nil)
	}
	ours := a.entityTags()
	opaque := strings.Trim(ours.strong[0], `"`)
	for _, line := range lines {
		for tag := range entityTagList(line) {
			coding, ok := strings.CutPrefix(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`), opaque)
			if !ok || coding != "" && !acceptsTagged(request[acceptEncoding], coding, own) {
				continue
			}
			switch tag {
			case ours.strong[0]:
				return ours.strong
			case ours.weak[0]:
				return ours.weak
			}
			return []string{tag}
		}
	}
	return nil
}

// acceptsTagged reports whether the end of a tag names an encoding that the client
// accepts.
func acceptsTagged(accepted []string, end string, own []Encoding) bool {
	coding, ok := strings.CutPrefix(end, "-")
	if !ok || len(accepted) == 0 {
		return false
	}
	known := slices.Contains(usualCodings, coding) || slices.ContainsFunc(own, func(e Encoding) bool { return e.Name == coding })
	return known && weight(accepted, coding) > 0
}

// entityTagList yields the entity tags of a list, as they are, up to the first place
// where it is malformed.
func entityTagList(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			list = strings.TrimLeft(list, ", \t")
			tag, rest, ok := cutEntityTag(list)
			if !ok || !yield(tag) {
				return
			}
			list = trimSpace(rest)
			if list != "" && list[0] != ',' {
				return
			}
		}
	}
}

// cutEntityTag cuts an entity tag off the beginning of a list: in quotes, with W/ before
// it or not, and without what RFC 9110, section 8.8.3, does not allow in it.
func cutEntityTag(list string) (tag, rest string, ok bool) {
	opening := len(list) - len(strings.TrimPrefix(list, "W/"))
	if opening == len(list) || list[opening] != '"' {
		return "", "", false
	}
	for i := opening + 1; i < len(list); i++ {
		switch c := list[i]; {
		case c == '"':
			return list[:i+1], list[i+1:], true
		case c < 0x21 || c == 0x7f:
			return "", "", false
		}
	}
	return "", "", false
}

// trimSpace removes the white space that may be around the elements of a header.
func trimSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
