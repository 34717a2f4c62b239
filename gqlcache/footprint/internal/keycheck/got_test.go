package keycheck

import (
	"fmt"
	"testing"
	"time"
)

type rank int

func (r rank) String() string { return fmt.Sprintf("rank-%d", int(r)) }

type person struct {
	ID      [16]byte
	Name    *string
	Rank    rank
	Since   time.Time
	Tags    []string
	Meta    map[string]any
	Friends []*person
	base
}

type base struct{ Team any }

type sealed struct{ secret string } //nolint:unused // it is there to be not looked at

// A statement's arguments come from anywhere in a value that was got.
func TestGot(t *testing.T) {
	t.Parallel()
	name := "Ann Smith"
	since := time.Now().Add(-48 * time.Hour)
	p := &person{
		ID: [16]byte{1, 2, 255}, Name: &name, Rank: 7, Since: since, Tags: []string{"tag-a", "tag-b"},
		Meta: map[string]any{"plan": "plan-x", "cells": `["cell-1","cell-2"]`}, base: base{Team: "team-9"},
	}
	p.Friends = []*person{p, {Tags: []string{"tag-c"}}}
	for _, v := range []any{p.ID[:], name, int64(7), "rank-7", since, "tag-a", "tag-c", "plan-x", "cell-2", "team-9", "%team-9%"} {
		f := New(Options{}).Begin(Key{})
		f.Argument("field", "select 1", 1, 1, 1, v)
		f.Got("field", "people", p)
		f.Argument("field", "select 2", 2, 1, 1, v)
		f.Argument("field", "select 2", 2, 1, 1, fmt.Sprint("other ", v))
		for i, want := range []bool{false, true, false} {
			if ob := f.b.seen[i]; (ob.from < ob.until) != want {
				t.Errorf("%v, %d: explained %v", v, i, !want)
			}
		}
		if f.b.origins.partial {
			t.Error("it counts as too much")
		}
		f.End()
	}
}

// What a value holds and is not looked at may explain anything: then nothing is proven.
func TestGotInPart(t *testing.T) {
	t.Parallel()
	large := make([]int, maxPieces+1)
	for i := range large {
		large[i] = i
	}
	type node struct{ A, B *node }
	shared := &node{}
	for range 60 {
		shared = &node{shared, shared}
	}
	for name, v := range map[string]any{"not exported": sealed{}, "large": large, "shared pointers": shared, "a function": func() {}} {
		c := New(Options{})
		for i := range 2 {
			f := c.Begin(Key{Document: 1, Caller: Caller(i + 1)})
			f.Got("field", "v", v)
			f.Argument("field", "select 1", 1, 1, 1, fmt.Sprint("of nowhere ", i))
			if got := f.End(); len(got.Convicted) > 0 || !got.Coincidental {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
}

// The parts of a value's key are judged as arguments, each by its name.
func TestPart(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	var v Verdict
	for i := range 2 {
		f := c.Begin(Key{Document: 1, Caller: Caller(i + 1), Variables: map[string]any{"limit": fmt.Sprint("of the key ", i)}})
		f.Part("field", "board", "limit", fmt.Sprint("of the key ", i))
		f.Part("field", "board", "user", fmt.Sprint("of nowhere ", i))
		v = f.End()
	}
	if len(v.Convicted) != 1 || v.Convicted[0].Of != "board" || v.Convicted[0].Part != "user" || v.Convicted[0].Field != "field" {
		t.Errorf("%+v", v)
	}
}
