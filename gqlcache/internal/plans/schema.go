package plans

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/schemahash"
	"github.com/vektah/gqlparser/v2/ast"
)

// A Schema is a schema whose directives are compiled. Immutable.
type Schema struct {
	Definition *ast.Schema
	Hash       schemahash.Hash
	Plan       *cascade.Plan
	// Mark names what tags mean: see markOf.
	Mark cascade.Tag
}

// Compile compiles the directives of a schema with that hash. The error lists all faults
// of the directives. partitions is the version of the names of partitions.
func Compile(s *ast.Schema, hash schemahash.Hash, o cascade.Options, partitions string) (*Schema, error) {
	plan, err := cascade.Compile(s, o)
	if err != nil {
		return nil, err
	}
	return &Schema{Definition: s, Hash: hash, Plan: plan, Mark: markOf(hash, plan, o, partitions)}, nil
}

// tagsVersion is part of every mark. It changes when the same schema gives other tags.
const tagsVersion = 4

// markOf returns the tag that names what tags mean: the schema with its directives, and
// what else they are derived from. It is not the build: a deployment that changes none of
// these keeps its answers.
func markOf(schema schemahash.Hash, plan *cascade.Plan, o cascade.Options, partitions string) cascade.Tag {
	h := sha256.New()
	fmt.Fprintf(h, "%d %#v %q ", tagsVersion, o, partitions)
	h.Write(schema[:])
	h.Write(plan.AppendLayout(nil))
	sum := h.Sum(nil)
	return cascade.Tag{Hash: binary.LittleEndian.Uint64(sum), Mask: binary.LittleEndian.Uint64(sum[8:])}
}
