package blog

import (
	"fmt"

	"github.com/google/uuid"
)

// canonical returns the lower-case form of a UUID written with hyphens, and whether id is
// one.
func canonical(id string) (string, bool) {
	if len(id) != 36 {
		return "", false
	}
	u, err := uuid.Parse(id)
	return u.String(), err == nil
}

// newID returns the id that a new row gets: the given one, or a random one.
func newID(given *string) (string, error) {
	if given == nil {
		return uuid.NewString(), nil
	}
	id, ok := canonical(*given)
	if !ok {
		return "", fmt.Errorf("id %q: %w", *given, ErrInvalid)
	}
	return id, nil
}

// keys is an argument of a statement: ids, each once, so that one text serves lists of any
// length.
type keys []string

// list makes an argument of ids. What is no UUID is left out: it is no row's id.
func list(ids []string) keys {
	known := make(keys, 0, len(ids))
	seen := make(map[string]bool, len(ids))
	for _, id := range ids {
		if id, ok := canonical(id); ok && !seen[id] {
			seen[id] = true
			known = append(known, id)
		}
	}
	return known
}
