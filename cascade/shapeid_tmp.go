package cascade

import "hash/fnv"

// shapeID identifies a shape of a view.
func shapeID(view *View, columns []string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(view.Name))
	for _, column := range columns {
		h.Write([]byte{0})
		h.Write([]byte(column))
	}
	return h.Sum64()
}
