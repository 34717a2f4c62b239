package gqlcache_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// formReads are what clients have stored when a mutation comes.
var formReads = []string{
	readAnn, `{user(id:$Bob){name email boss{name}}}`, `{users{id name email tags}}`, `{usersByName(name:"N1"){id}}`, `{userNames}`, `{userCount}`,
	`{posts{id status author{name}}}`, `{posts(status:DRAFT){id name}}`, `{posts(status:PUBLISHED){id name}}`, `{userStats(userId:$Ann){posts}}`,
	`{userStats(userId:$Bob){posts}}`, `{counter(id:1){value}}`, `{counters{id value}}`, `{post(id:$Hello){comments{text}}}`, `{post(id:$Draft){name status author{id name}}}`,
	`{comment(id:$Said){text}}`, `{doc(id:$Paper){name}}`, `{settings}`, `{usersPage(first:1){totalCount edges{node{name}}}}`, `{user(id:$Ann){posts(status:DRAFT){id} postCount}}`,
	`{user(id:$Bob){posts(status:PUBLISHED){id} postCount}}`, `query($s:Status){posts(status:$s){id}}`, `{named(id:$Paper){name}}`, `{hit(id:$Hello){... on Post{name}}}`,
}

// TestFormsOfMutations: a mutation means the same in whatever form its arguments come: as
// literals or variables, whole or in parts, one value for a list, null, absent or by default,
// in fragments, under aliases, skipped or not. No answer is stale afterwards.
func TestFormsOfMutations(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			f := &forms{Rand: rand.New(rand.NewPCG(seed, 7))}
			for range 100 {
				for range 8 {
					r.do(testgraph.Request{Query: expand(formReads[f.IntN(len(formReads))])})
				}
				q := f.mutation()
				got, _ := r.do(q)
				if strings.Contains(got.Body, "GRAPHQL_VALIDATION_FAILED") || strings.Contains(got.Body, "GRAPHQL_PARSE_FAILED") {
					t.Fatalf("%s: %s", q.Query, got.Body)
				}
				for _, read := range formReads {
					before := r.cache.Stats().Hits
					r.do(testgraph.Request{Query: expand(read)})
					if t.Failed() {
						t.Fatalf("after %s %v, %d hits more", q.Query, q.Vars, r.cache.Stats().Hits-before)
					}
				}
			}
			if s := r.cache.Stats(); s.Hits < 500 {
				t.Errorf("%d hits", s.Hits)
			}
		})
	}
}

// forms writes documents.
type forms struct {
	*rand.Rand

	defs []string
	vars map[string]any
}

func (f *forms) one(list ...string) string { return list[f.IntN(len(list))] }

// value writes a value of a type, which is given as JSON, as a literal or as a variable.
func (f *forms) value(typ string, v any) string {
	switch f.IntN(3) {
	case 0:
		return f.literal(v)
	case 1:
		name := fmt.Sprint("v", len(f.defs))
		f.defs = append(f.defs, "$"+name+":"+typ)
		f.vars[name] = v
		return "$" + name
	default:
		name := fmt.Sprint("d", len(f.defs))
		f.defs = append(f.defs, "$"+name+":"+typ+"="+f.literal(v))
		return "$" + name
	}
}

// enum is a value that is no string.
type enum string

func (f *forms) literal(v any) string {
	switch v := v.(type) {
	case enum:
		return string(v)
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, f.literal(e))
		}
		return "[" + strings.Join(all, " ") + "]"
	case map[string]any:
		var all []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all = append(all, name+":"+f.literal(v[name]))
		}
		return "{" + strings.Join(all, ",") + "}"
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // there are only values of JSON
	}
	return string(b)
}

// object writes an input object, some of whose members may be variables.
func (f *forms) object(typ string, types map[string]string, members map[string]any) string {
	if f.IntN(2) == 0 {
		return f.value(typ, members)
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		all = append(all, name+":"+f.value(types[name], members[name]))
	}
	return "{" + strings.Join(all, " ") + "}"
}

// some puts some of the members into an object, and null for others.
func (f *forms) some(object, members map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		switch f.IntN(7) {
		case 0, 1, 2:
			object[name] = members[name]
		case 3:
			object[name] = nil
		}
	}
}

// field writes a root field of a mutation.
func (f *forms) field() string {
	users, posts := []string{testgraph.Ann, testgraph.Bob, testgraph.Zed}, []string{testgraph.Hello, testgraph.Draft, testgraph.Zed}
	name, user := f.one("N1", "N2", "N3"), f.one(users...)
	author := f.one(users[:2]...) // one that there is: errors of several posts have no order
	userTypes := map[string]string{"name": "String", "email": "String", "bossId": "ID", "tags": "[String!]"}
	patch := map[string]any{}
	f.some(patch, map[string]any{"name": name, "email": f.one("e1", "e2"), "bossId": user, "tags": []any{"x", "y"}})
	if f.IntN(3) == 0 {
		patch["tags"] = "single"
	}
	postTypes := map[string]string{"name": "String", "status": "Status", "authorId": "ID"}
	post := map[string]any{}
	f.some(post, map[string]any{"name": name, "status": enum(f.one("DRAFT", "PUBLISHED")), "authorId": author})
	ids := []any{user, f.one(users...)}
	var list any = ids
	if f.IntN(2) == 0 {
		list = user
	}
	switch f.IntN(12) {
	case 0:
		return "renameUser(id:" + f.value("ID!", user) + ",name:" + f.value("String!", name) + ")"
	case 1:
		var listed string
		if f.IntN(3) == 0 {
			listed = "[" + f.value("ID!", user) + "]"
		} else {
			listed = f.value("[ID!]!", list)
		}
		return "renameUsers(ids:" + listed + ",name:" + f.value("String!", name) + ")"
	case 2, 3:
		return "updateUser(id:" + f.value("ID!", user) + ",input:" + f.object("UserPatch!", userTypes, patch) + "){" + f.one("id", "name", "__typename", "id name boss{name}") + "}"
	case 4:
		in := map[string]any{"name": name}
		if f.IntN(2) == 0 {
			in["email"] = nil
		}
		return "createUser(input:" + f.object("UserInput!", map[string]string{"name": "String!", "email": "String"}, in) + "){" + f.one("id", "name") + "}"
	case 5:
		status := ""
		if f.IntN(2) == 0 {
			status = ",status:" + f.value("Status!", enum(f.one("DRAFT", "PUBLISHED")))
		}
		return "createPost(authorId:" + f.value("ID!", author) + ",name:" + f.value("String!", name) + status + "){" + f.one("ok", "post{id}", "post{name}") + "}"
	case 6, 7:
		return "updatePost(id:" + f.value("ID!", f.one(posts...)) + ",input:" + f.object("PostPatch!", postTypes, post) + "){" + f.one("id", "name status", "__typename") + "}"
	case 8:
		return "publishAll(authorId:" + f.value("ID!", user) + ")"
	case 9:
		return "setCounter(id:" + f.value("Int!", f.IntN(4)) + ",value:" + f.value("Int!", f.IntN(100)) + "){value}"
	case 10:
		return "addComment(postId:" + f.value("ID!", f.one(posts...)) + ",text:" + f.value("String!", name) + "){" + f.one("id", "text") + "}"
	}
	return "setDoc(id:" + f.value("UUID!", f.one(testgraph.Paper, strings.ToUpper(testgraph.Paper))) + ",name:" + f.value("String!", name) + "){name}"
}

// mutation writes a document with one to three root fields.
func (f *forms) mutation() testgraph.Request {
	f.defs, f.vars = nil, map[string]any{}
	var body, fragments []string
	for i := range 1 + f.IntN(3) {
		field := f.one("", fmt.Sprintf("a%d:", i)) + f.field()
		if !strings.HasPrefix(field, "a") || !strings.Contains(field, ":") || field[1] != byte('0'+i) {
			field = fmt.Sprintf("b%d:", i) + field
		}
		if f.IntN(4) == 0 {
			at := strings.LastIndex(field, "){")
			directive := f.one("@include", "@skip") + "(if:" + f.value("Boolean!", f.IntN(2) == 0) + ")"
			if at < 0 {
				field += directive
			} else {
				field = field[:at+1] + directive + field[at+1:]
			}
		}
		switch f.IntN(4) {
		case 0:
			field = "...on Mutation{" + field + "}"
		case 1:
			fragments = append(fragments, fmt.Sprintf("fragment F%d on Mutation{%s}", i, field))
			field = fmt.Sprintf("...F%d", i)
		}
		body = append(body, field)
	}
	head := "mutation" + f.one("", " M")
	if len(f.defs) > 0 {
		if !strings.HasSuffix(head, "M") {
			head += " "
		}
		head += "(" + strings.Join(f.defs, ",") + ")"
	}
	return testgraph.Request{Query: head + "{" + strings.Join(body, " ") + "}" + strings.Join(fragments, " "), Vars: f.vars}
}
