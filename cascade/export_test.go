package cascade

import "github.com/cascadeql/cascadeql/extractor"

// Reads is ReadsOf with the parts of an answer one by one.
func (o *Operation) Reads(dst []Tag, vars map[string]any, res *extractor.Result, part Partition, extra []string) ([]Tag, error) {
	return o.ReadsOf(dst, Answer{Vars: vars, Result: res, Part: part, Predicate: extra})
}
