package catalog

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
)

// A digest hashes texts so that no two lists of them are alike.
type digest struct{ hash.Hash }

func (d digest) text(list ...string) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(list)))
	_, _ = d.Write(n[:])
	for _, s := range list {
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		_, _ = d.Write(n[:])
		_, _ = d.Write([]byte(s))
	}
}

func (d digest) sum() (out Version) {
	d.Sum(out[:0])
	return out
}

// joined is one text of several, for a list that is sorted.
func joined(list ...string) string {
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, "%d:%s", len(s), s)
	}
	return b.String()
}

// fingerprint hashes what is in the catalog, and what else a reader found. Object numbers
// of the database are not in it, so that copies of a database have one.
func (c *Catalog) fingerprint(extra []string) [32]byte {
	d := digest{sha256.New()}
	d.text(fmt.Sprint(c.Dialect))
	for _, name := range slices.Sorted(maps.Keys(c.Tables)) {
		t := c.Tables[name]
		d.text("table", name, t.Name)
		if t.Name != name {
			continue
		}
		d.text(t.Definition, fmt.Sprint(t.Columns, t.Keys, t.Rules, t.Policies, t.Virtual, t.Materialized, t.Ambiguous, t.ForeignData, t.Contained, t.Content))
		d.text(t.Conditions...)
		for _, f := range t.Foreign {
			d.text("key", f.Table.Name, fmt.Sprint(f.Columns, f.RefColumns, f.OnDelete, f.OnUpdate, f.Enforced, f.Within, f.Same))
		}
		for _, g := range t.Triggers {
			d.text("trigger", g.Name, g.Body, fmt.Sprint(g.Insert, g.Update, g.Delete, g.Truncate, g.Instead, g.Path, g.Expression))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Views)) {
		v := c.Views[name]
		d.text("view", name, v.Definition, fmt.Sprint(len(v.Columns), v.Ambiguous))
		d.text(v.Columns...)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Unresolvable)) {
		d.text("unresolvable", name)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Functions)) {
		d.text("function", name, fmt.Sprint(c.Functions[name].Pure, c.Functions[name].Quiet, c.Functions[name].Made))
	}
	for _, sign := range slices.Sorted(maps.Keys(c.Behind)) {
		d.text("behind", sign, c.Behind[sign])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Schemas)) {
		d.text("schema", name)
	}
	extra = slices.Clone(extra)
	slices.Sort(extra)
	d.text("more")
	d.text(extra...)
	return d.sum()
}
