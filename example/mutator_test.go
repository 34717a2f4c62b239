package main

import (
	"fmt"
	"strconv"
	"strings"
)

// madeID is the alias under which a creation without an id tells the id.
const madeID = "madeId"

// placeholder stands for the id that a server makes in a step.
func placeholder(step int) string { return fmt.Sprintf("eeeeeeee-eeee-4eee-8eee-%012d", step) }

// A change makes the arguments of a mutation and says what it does to the world.
type change struct {
	name string
	args func(m *mutator) []arg
}

// A mutator makes mutations.
type mutator struct {
	*generator
	step  int
	makes bool // this step has a creation without an id
	fresh func() string
	after []func(*world)
}

var changes = []change{
	{"createUser", func(m *mutator) []arg { return m.input("CreateUserInput!", m.newUser()) }},
	{"createUser", func(m *mutator) []arg { return m.input("CreateUserInput!", m.newUser()) }},
	{"updateUser", func(m *mutator) []arg {
		return append(m.target("user"), m.input("UpdateUserInput!", m.some(
			member{"email", m.email}, member{"name", m.word}, member{"bio", m.orNull}))...)
	}},
	{"deleteUser", func(m *mutator) []arg { return m.victim("user", 8) }},
	{"createPost", func(m *mutator) []arg { return m.input("CreatePostInput!", m.newPost()) }},
	{"createPost", func(m *mutator) []arg { return m.input("CreatePostInput!", m.newPost()) }},
	{"updatePost", func(m *mutator) []arg {
		return append(m.target("post"), m.input("UpdatePostInput!", m.some(
			member{"authorId", m.of("user")}, member{"title", m.word}, member{"body", m.word}, member{"status", m.status}))...)
	}},
	{"deletePost", func(m *mutator) []arg { return m.victim("post", 25) }},
	{"publishPost", func(m *mutator) []arg { return m.target("post") }},
	{"setPostsStatus", func(m *mutator) []arg {
		return append(m.ids(), m.plain("status", "PostStatus!", m.status))
	}},
	{"archiveAuthorPosts", func(m *mutator) []arg { return []arg{m.plain("authorId", "ID!", m.of("user"))} }},
	{"addComment", func(m *mutator) []arg { return m.input("AddCommentInput!", m.newComment()) }},
	{"addComment", func(m *mutator) []arg { return m.input("AddCommentInput!", m.newComment()) }},
	{"updateComment", func(m *mutator) []arg { return append(m.target("comment"), m.plain("body", "String!", m.word)) }},
	{"deleteComment", func(m *mutator) []arg { return m.victim("comment", 40) }},
	{"createTag", func(m *mutator) []arg { return m.input("CreateTagInput!", m.newTag()) }},
	{"renameTag", func(m *mutator) []arg { return append(m.target("tag"), m.plain("name", "String!", m.word)) }},
	{"deleteTag", func(m *mutator) []arg { return m.victim("tag", 6) }},
	{"tagPost", func(m *mutator) []arg { return m.pair() }},
	{"tagPost", func(m *mutator) []arg { return m.pair() }},
	{"untagPost", func(m *mutator) []arg { return m.pair() }},
	{"importData", func(m *mutator) []arg { return m.imported() }},
}

// mutation makes a request of one to three mutation fields.
func (m *mutator) mutation() *doc {
	m.begin("mutation")
	fields := 1
	if m.chance(20) {
		fields = 2 + m.IntN(2)
	}
	for i := range fields {
		ch := pick(m, changes)
		made := m.makes
		s := &sel{field: ch.name, args: ch.args(m)}
		if fields > 1 {
			s.alias = fmt.Sprintf("m%d", i)
		}
		if t := m.schema.Types[m.schema.Mutation.Fields.ForName(ch.name).Type.Name()]; t.IsCompositeType() {
			s.sub = m.selection(t, 1+m.IntN(3))
			if m.makes && !made && t.Fields.ForName("id") != nil {
				s.sub = append(s.sub, &sel{alias: madeID, field: "id"})
			}
		}
		m.doc.root = append(m.doc.root, s)
	}
	return m.doc
}

// A part is a value as GraphQL and as JSON.
type part struct{ lit, js string }

type member struct {
	name string
	val  func() part
}

func quoted(s string) part { return part{strconv.Quote(s), strconv.Quote(s)} }

func (m *mutator) word() part {
	return quoted(pick(m, []string{"alpha", "beta", "Post a", "user 1", "Tag", "", "é\u2603", `q"\`, "zz"}) + strconv.Itoa(m.IntN(3)))
}

func (m *mutator) email() part { return quoted(m.world.email(m)) }

func (m *mutator) orNull() part {
	if m.chance(30) {
		return part{"null", "null"}
	}
	return m.word()
}

func (m *mutator) status() part {
	s := pick(m, []string{"PUBLISHED", "DRAFT", "ARCHIVED"})
	return part{s, strconv.Quote(s)}
}

func (m *mutator) of(kind string) func() part {
	return func() part {
		switch n := m.IntN(100); {
		case n < 93:
			return quoted(m.world.id(m, kind))
		case n < 96:
			return quoted(strings.ToUpper(m.world.id(m, kind)))
		case n < 98:
			return quoted(absentID(m.IntN(3)))
		}
		return quoted(pick(m, []string{"nope", ""}))
	}
}

func object(members []member) part {
	var lit, js []string
	for _, f := range members {
		p := f.val()
		lit = append(lit, f.name+": "+p.lit)
		js = append(js, strconv.Quote(f.name)+":"+p.js)
	}
	return part{"{" + strings.Join(lit, ", ") + "}", "{" + strings.Join(js, ",") + "}"}
}

// some leaves members out.
func (m *mutator) some(members ...member) part {
	var list []member
	for _, f := range members {
		switch n := m.IntN(100); {
		case n < 45:
			list = append(list, f)
		case n < 52:
			list = append(list, member{f.name, func() part { return part{"null", "null"} }})
		}
	}
	return object(list)
}

// newID is the id of a row to create: a new one, one that the server makes, or a wrong
// one.
func (m *mutator) newID(kind string) []member {
	n := m.IntN(100)
	if n >= 82 && n < 90 && !m.makes {
		m.makes = true
		id := placeholder(m.step)
		m.after = append(m.after, func(w *world) { w.add(kind, id) })
		if n < 86 {
			return []member{{"id", func() part { return part{"null", "null"} }}}
		}
		return nil
	}
	id := m.fresh()
	switch {
	case n >= 97:
		return []member{{"id", func() part { return quoted(pick(m, []string{"nope", "", m.world.id(m, kind)})) }}}
	case n >= 94 && len(m.world.gone[kind]) > 0:
		id = pick(m, m.world.gone[kind]) // an id that was used before
	case n >= 92:
		m.after = append(m.after, func(w *world) { w.add(kind, id) })
		return []member{{"id", func() part { return quoted(strings.ToUpper(id)) }}}
	}
	m.after = append(m.after, func(w *world) { w.add(kind, id) })
	return []member{{"id", func() part { return quoted(id) }}}
}

func (m *mutator) newUser() part {
	return object(append(m.newID("user"), member{"email", m.email}, member{"name", m.word}))
}

func (m *mutator) newPost() part {
	list := append(m.newID("post"), member{"authorId", m.of("user")}, member{"title", m.word}, member{"body", m.word})
	if m.chance(70) {
		list = append(list, member{"status", m.status})
	}
	return object(list)
}

func (m *mutator) newComment() part {
	return object(append(m.newID("comment"), member{"postId", m.of("post")}, member{"authorId", m.of("user")}, member{"body", m.word}))
}

func (m *mutator) newTag() part {
	return object(append(m.newID("tag"), member{"name", m.word}))
}

func (m *mutator) input(typ string, p part) []arg {
	return []arg{m.plain("input", typ, func() part { return p })}
}

func (m *mutator) plain(name, typ string, val func() part) arg {
	p := val()
	return arg{name, m.form(value{lit: p.lit, js: p.js, typ: typ}, false)}
}

func (m *mutator) target(kind string) []arg {
	if kind == "comment" && m.chance(2) {
		kind = "post"
	}
	return []arg{m.plain("id", "ID!", m.of(kind))}
}

// victim names a row to delete, rarely one of few.
func (m *mutator) victim(kind string, many int) []arg {
	a := m.target(kind)
	if len(m.world.rows[kind]) < many && m.chance(90) {
		a[0].val = value{lit: strconv.Quote(absentID(0)), js: strconv.Quote(absentID(0)), typ: "ID!"}
	}
	id := strings.ToLower(strings.Trim(a[0].val.lit, `"`))
	m.after = append(m.after, func(w *world) { w.drop(kind, id) })
	return a
}

func (m *mutator) pair() []arg {
	return []arg{m.plain("postId", "ID!", m.of("post")), m.plain("tagId", "ID!", m.of("tag"))}
}

// ids is a list of posts, now and then a single value in its place.
func (m *mutator) ids() []arg {
	if m.chance(10) {
		return []arg{m.plain("ids", "[ID!]!", m.of("post"))}
	}
	return []arg{m.plain("ids", "[ID!]!", func() part { return m.list(m.of("post"), m.IntN(4)) })}
}

func (m *mutator) list(val func() part, n int) part {
	var lit, js []string
	for range n {
		p := val()
		lit, js = append(lit, p.lit), append(js, p.js)
	}
	return part{"[" + strings.Join(lit, ", ") + "]", "[" + strings.Join(js, ",") + "]"}
}

func (m *mutator) imported() []arg {
	var list []arg
	for _, p := range []struct {
		name, typ string
		val       func() part
	}{
		{"users", "[CreateUserInput!]!", m.newUser}, {"posts", "[CreatePostInput!]!", m.newPost},
		{"comments", "[AddCommentInput!]!", m.newComment}, {"tags", "[CreateTagInput!]!", m.newTag},
	} {
		if m.chance(40) {
			list = append(list, m.plain(p.name, p.typ, func() part { return m.list(p.val, 1+m.IntN(2)) }))
		}
	}
	return list
}
