package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A step of a history: a request, or a word to the cache.
type step struct {
	tenant, body string
	sweep        bool
	makes        bool // its answer tells the id for its placeholder
	number       int
}

// String is the step as a line of a shell script.
func (s step) String() string {
	if s.sweep {
		return "# the cache sweeps"
	}
	line := "curl -s localhost:8080/graphql -H 'Content-Type: application/json'"
	if s.tenant != "" {
		line += fmt.Sprintf(" -H '%s: %s'", tenantHeader, s.tenant)
	}
	line += " -d '" + strings.ReplaceAll(s.body, "'", `'\''`) + "'"
	if s.makes {
		line += " # " + madeID + " is called " + placeholder(s.number) + " below"
	}
	return line
}

// historyTenants are weighed by repetition: two with rows, the administrator, one without
// rows.
var historyTenants = slices.Concat(
	slices.Repeat([]string{"ta"}, 9), slices.Repeat([]string{"tb"}, 5), slices.Repeat([]string{"*"}, 4), []string{"o'brien"})

// A story makes histories: everything follows from the seed.
type story struct {
	rng     *rand.Rand
	schema  *ast.Schema
	worlds  map[string]*world
	pool    []step // queries that are asked again and again
	popular *rand.Zipf
	made    int
	// changes is how many of a thousand steps are mutations.
	changes int
}

// poolSize is how many queries are popular at a time.
const poolSize = 60

func newStory(seed uint64, schema *ast.Schema) *story {
	s := &story{rng: rand.New(rand.NewPCG(seed, 0)), schema: schema, changes: 100, worlds: map[string]*world{"ta": newWorld(), "tb": newWorld()}}
	s.popular = rand.NewZipf(s.rng, 1.2, 2, poolSize-1)
	return s
}

// history makes n steps after those that fill the tables.
func (s *story) history(n int) []step {
	list := append(s.seed("ta"), s.seed("tb")...)
	for range poolSize {
		s.pool = append(s.pool, s.query())
	}
	for len(list) < n {
		st := step{}
		switch p := s.rng.IntN(1000); {
		case p < s.changes:
			st = s.mutation(len(list))
			if s.rng.IntN(3) == 0 {
				s.pool[s.rng.IntN(poolSize)] = s.query()
			}
		case p < s.changes+50:
			st = s.query()
		case p < s.changes+55:
			st.sweep = true
		default:
			st = s.pool[s.popular.Uint64()]
		}
		st.number = len(list)
		list = append(list, st)
	}
	return list
}

func (s *story) fresh() string {
	s.made++
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", s.rng.Uint32(), s.made)
}

// seed fills the tables of a tenant.
func (s *story) seed(tenant string) []step {
	w := s.worlds[tenant]
	var users, posts, comments, tags []string
	for i := range 5 {
		id := s.fresh()
		w.add("user", id)
		users = append(users, fmt.Sprintf(`{id: %q, email: "e%d@x", name: "user %d"}`, id, i, i))
	}
	for i := range 10 {
		id := s.fresh()
		w.add("post", id)
		posts = append(posts, fmt.Sprintf(`{id: %q, authorId: %q, title: "Post %d", body: "b", status: %s}`,
			id, w.rows["user"][i%3], i, []string{"PUBLISHED", "DRAFT", "ARCHIVED"}[i%3]))
	}
	for i := range 12 {
		id := s.fresh()
		w.add("comment", id)
		comments = append(comments, fmt.Sprintf(`{id: %q, postId: %q, authorId: %q, body: "c%d"}`,
			id, w.rows["post"][i%7], w.rows["user"][i%4], i))
	}
	for i := range 4 {
		id := s.fresh()
		w.add("tag", id)
		tags = append(tags, fmt.Sprintf(`{id: %q, name: "Tag %d"}`, id, i))
	}
	list := []step{{tenant: tenant, body: requestBody(fmt.Sprintf("mutation { importData(users: [%s], posts: [%s], comments: [%s], tags: [%s]) { users } }",
		strings.Join(users, ", "), strings.Join(posts, ", "), strings.Join(comments, ", "), strings.Join(tags, ", ")))}}
	for i := range 8 {
		list = append(list, step{tenant: tenant, body: requestBody(fmt.Sprintf("mutation { tagPost(postId: %q, tagId: %q) { id } }",
			w.rows["post"][i], w.rows["tag"][i%3]))})
	}
	return list
}

// as returns who asks and whose rows are meant.
func (s *story) as() (tenant string, w *world) {
	tenant = pick(s.rng, historyTenants)
	meant := tenant
	if s.worlds[meant] == nil || s.rng.IntN(100) < 5 {
		meant = pick(s.rng, []string{"ta", "tb"})
	}
	if s.rng.IntN(60) == 0 {
		tenant = "" // no header
	}
	return tenant, s.worlds[meant]
}

func (s *story) query() step {
	tenant, w := s.as()
	g := &generator{chooser: s.rng, schema: s.schema, world: w}
	return step{tenant: tenant, body: g.query().body(s.spelling())}
}

func (s *story) mutation(number int) step {
	tenant, w := s.as()
	m := &mutator{generator: &generator{chooser: s.rng, schema: s.schema, world: w}, step: number, fresh: s.fresh}
	st := step{tenant: tenant, body: m.mutation().body(s.spelling()), makes: m.makes}
	for _, f := range m.after {
		f(w)
	}
	return st
}

func (s *story) spelling() spelling {
	sp := plain
	if s.rng.IntN(3) == 0 {
		sp = spelling{space: pick(s.rng, []string{" ", "\n", "\t", ", ", "  "}), comma: pick(s.rng, []string{",", " ", "\n"}), prefix: "x",
			reversed: s.rng.IntN(2) == 0, last: s.rng.IntN(2) == 0, comment: s.rng.IntN(4) == 0}
	}
	return sp
}
