package keycheck

import (
	"database/sql/driver"
	"fmt"
	"testing"
)

// BenchmarkArguments is of arguments of positions that exist, with all that a computation
// costs divided among them.
func BenchmarkArguments(b *testing.B) {
	c := newChecker(Options{})
	variables := vars{"id": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "first": int64(10)}
	texts, hashes := make([]string, 20), make([]uint64, 20)
	for i := range texts {
		texts[i] = fmt.Sprintf("SELECT %d FROM posts WHERE id = $1", i)
		hashes[i] = hashString(texts[i])
	}
	values := []any{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "PUBLISHED", int64(11), nil}
	b.ReportAllocs()
	caller, left := 0, 0
	var f *Fill
	for b.Loop() {
		if left == 0 {
			if f != nil {
				if v := f.End(); len(v.Convicted) > 0 {
					b.Fatal(v)
				}
			}
			caller++
			f, left = c.Begin(Key{Document: 1, Variables: variables, Caller: Caller(caller % 8), Predicate: "tenant:7"}), 100
		}
		left--
		f.Argument("posts", texts[left%20], hashes[left%20], 1+left/20, 1+left/20, values[left%4])
	}
}

// BenchmarkRows is of the values of rows.
func BenchmarkRows(b *testing.B) {
	c := newChecker(Options{})
	names := make([]any, 50)
	for i := range names {
		names[i] = fmt.Sprintf("a0eebc99-9c0b-4ef8-bb6d-6bb9bd38%04x", i)
	}
	row := make([]driver.Value, 4)
	b.ReportAllocs()
	n := 0
	var f *Fill
	for b.Loop() {
		if n%50 == 0 {
			if f != nil {
				f.End()
			}
			f = c.Begin(Key{Document: 1})
		}
		row[0], row[1], row[2], row[3] = names[n%50], int64(n), "PUBLISHED", "A title of some words"
		f.Row("posts", 1, row)
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(4*n), "ns/value")
}

// BenchmarkBegin is of a computation without arguments.
func BenchmarkBegin(b *testing.B) {
	c := newChecker(Options{})
	b.ReportAllocs()
	for b.Loop() {
		c.Begin(Key{Document: 1}).End()
	}
}
