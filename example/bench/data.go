package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"github.com/cascadeql/cascadeql/example/internal/blog"
)

// tenant is whose rows the measured requests read.
const tenant = "11111111-1111-4111-8111-111111111111"

// limits are how many posts an answer of so many KB has.
var limits = map[int]int{1: 3, 10: 31, 100: 310}

const (
	authors = 10
	posts   = 310
	// The posts of the mode entries are of authors from draftAuthor on, by how many KB
	// their answer has.
	draftAuthor = 100
)

// feedQuery is the measured operation.
const feedQuery = `query Feed($limit: Int!) { feed(limit: $limit) { id title body status version author { id name email } tags { id name } } }`

// feedBody is the body of its request for an answer of some KB.
func feedBody(size int) []byte {
	return requestBody(feedQuery, map[string]any{"limit": limits[size]})
}

// entryQuery has a variable that changes the key of the answer, and not the answer.
const entryQuery = `query Posts($author: ID!, $limit: Int!) { posts(authorId: $author, limit: $limit) { total items { id title body } } }`

// drafts are the lengths that entries may have, in KB, which is also how many posts are
// in them.
var drafts = []int{1, 10}

// entryBody is the body of a request whose answer is entry n of the mode entries, of some
// KB.
func entryBody(size, n int) []byte {
	return requestBody(entryQuery, map[string]any{"author": rowID(1, draftAuthor+size), "limit": size + 1 + n})
}

func requestBody(query string, vars map[string]any) []byte {
	b, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return b
}

func rowID(kind, n int) string { return fmt.Sprintf("a1111111-0000-4000-8000-%04d%08d", kind, n) }

func databaseIn(dir string) string { return filepath.Join(dir, "blog.db") }

// seed creates the database that all servers read.
func seed(ctx context.Context, dir string) (err error) {
	store, err := blog.Open(ctx, databaseIn(dir))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return store.As(tenant).ImportTagged(ctx, rows())
}

// rows are posts of several authors in the feed, and long drafts of others.
func rows() (in blog.Import) {
	random := rand.New(rand.NewPCG(1, 2)) // the same texts in each run
	author := func(n int) {
		in.Users = append(in.Users, &blog.NewUser{
			ID: new(rowID(1, n)), Email: fmt.Sprintf("author%d@example.org", n), Name: fmt.Sprintf("Author %d", n),
		})
	}
	for n := range authors {
		author(n)
	}
	for n := range posts {
		in.Posts = append(in.Posts, &blog.NewPost{
			ID: new(rowID(2, n)), AuthorID: rowID(1, n%authors), Status: blog.Published,
			Title: fmt.Sprintf("Post %d of the feed", n), Body: text(random, 8),
		})
	}
	for _, size := range drafts {
		author(draftAuthor + size)
		for n := range size {
			in.Posts = append(in.Posts, &blog.NewPost{
				ID: new(rowID(3, 100*size+n)), AuthorID: rowID(1, draftAuthor+size), Status: blog.Draft,
				Title: fmt.Sprintf("Draft %d", n), Body: text(random, 170),
			})
		}
	}
	for n, name := range []string{"caching", "graphql", "sqlite"} {
		in.Tags = append(in.Tags, &blog.NewTag{ID: new(rowID(4, n)), Name: name})
	}
	return in
}

// text is n words of four or five letters, which compress about as well as prose.
func text(random *rand.Rand, n int) string {
	const consonants, vowels = "bcdfghklmnprstvw", "aeiou"
	var b strings.Builder
	for range n {
		for range 2 {
			b.WriteByte(consonants[random.IntN(len(consonants))])
			b.WriteByte(vowels[random.IntN(len(vowels))])
		}
		b.WriteString("n "[random.IntN(2):])
	}
	return b.String()
}
