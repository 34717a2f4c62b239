package verify

import "strings"

// maxText bounds the bytes of a name, a path, a key and a value.
const maxText = 100

// Shorten returns the first 100 bytes of a text that a client chose, and an ellipsis if
// that is not all. The result has memory of its own, so that it does not keep the
// client's document.
func Shorten(text string) string {
	if len(text) > maxText {
		return text[:maxText] + "…"
	}
	return strings.Clone(text)
}
