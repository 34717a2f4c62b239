package verify

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// A Step is one member on the way to a place in an answer, with the indexes that follow
// it.
type Step struct {
	Name    string
	Indexes []int
}

// A Path is the way to a place in an answer.
type Path []Step

// String returns the path as in posts[2].title.
func (p Path) String() string {
	var b strings.Builder
	for i, s := range p {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.Name)
		for _, n := range s.Indexes {
			b.WriteString("[" + strconv.Itoa(n) + "]")
		}
	}
	return b.String()
}

// names returns the names of the members, without the indexes.
func (p Path) names() []string {
	names := make([]string, len(p))
	for i, s := range p {
		names[i] = s.Name
	}
	return names
}

// difference returns the path of the first place at which two answers differ: a value, or
// an element that only one of two lists has. The path of equal answers is empty.
func difference(a, b []byte) Path {
	d := differ{a: json.NewDecoder(bytes.NewReader(a)), b: json.NewDecoder(bytes.NewReader(b))}
	d.a.UseNumber()
	d.b.UseNumber()
	if d.same() {
		return nil
	}
	return d.path
}

type differ struct {
	a, b *json.Decoder
	path Path // of the values that are compared
}

// same reads a value of each answer and reports whether they are equal. If not, the path
// stays where they differ.
func (d *differ) same() bool {
	x, errX := d.a.Token()
	y, errY := d.b.Token()
	if errX != nil || errY != nil || x != y {
		return false
	}
	switch x {
	case json.Delim('{'):
		return d.sameObjects()
	case json.Delim('['):
		return d.sameLists()
	}
	return true
}

func (d *differ) sameObjects() bool {
	for d.a.More() && d.b.More() {
		x, errX := d.a.Token()
		y, errY := d.b.Token()
		if errX != nil || errY != nil || x != y {
			return false
		}
		name, _ := x.(string)
		d.path = append(d.path, Step{Name: name})
		if !d.same() {
			return false
		}
		d.path = d.path[:len(d.path)-1]
	}
	return d.closed()
}

func (d *differ) sameLists() bool {
	if len(d.path) == 0 {
		return false // an answer is an object
	}
	at := len(d.path) - 1
	outer := d.path[at].Indexes
	for n := 0; d.a.More() || d.b.More(); n++ {
		d.path[at].Indexes = append(slices.Clip(outer), n)
		if d.a.More() != d.b.More() || !d.same() {
			return false
		}
	}
	d.path[at].Indexes = outer
	return d.closed()
}

// closed reads the end of an object or a list.
func (d *differ) closed() bool {
	x, errX := d.a.Token()
	y, errY := d.b.Token()
	return errX == nil && errY == nil && x == y
}
