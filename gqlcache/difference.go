package gqlcache

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// A step is one member on the way to a place in an answer, with the indexes that follow it.
type step struct {
	name    string
	indexes []int
}

// jsonPath is the way to a place in an answer.
type jsonPath []step

// String returns the path as people write it: posts[2].title.
func (p jsonPath) String() string {
	var b strings.Builder
	for i, s := range p {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
		for _, n := range s.indexes {
			b.WriteString("[" + strconv.Itoa(n) + "]")
		}
	}
	return b.String()
}

func (p jsonPath) names() []string {
	names := make([]string, len(p))
	for i, s := range p {
		names[i] = s.name
	}
	return names
}

// difference returns the way to the first place at which two answers differ: a value, or an element
// that only one of two lists has. Of two equal ones, it is empty.
func difference(a, b []byte) jsonPath {
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
	path jsonPath // to where the comparison is
}

// same compares one value of each side. When it returns false the path is left where they differ.
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
		d.path = append(d.path, step{name: name})
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
	outer := d.path[at].indexes
	for n := 0; d.a.More() || d.b.More(); n++ {
		d.path[at].indexes = append(slices.Clip(outer), n)
		if d.a.More() != d.b.More() || !d.same() {
			return false
		}
	}
	d.path[at].indexes = outer
	return d.closed()
}

// closed reads the end of an object or a list.
func (d *differ) closed() bool {
	x, errX := d.a.Token()
	y, errY := d.b.Token()
	return errX == nil && errY == nil && x == y
}
