package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/example/internal/blog"
)

const (
	oracleTenants = 2
	oracleTags    = 12
	oraclePage    = 10
)

// oracleSize is the size of each tenant's database.
type oracleSize struct{ users, posts, comments int }

var (
	oracleFull  = oracleSize{users: 50, posts: 400, comments: 1500}
	oracleSmall = oracleSize{users: 20, posts: 80, comments: 250} // for tests that take seconds
)

// A workload draws requests from a seed. What it asks for depends on nothing but the
// seed, so that it can be replayed against servers that keep more or less.
type workload struct {
	rng     *rand.Rand
	size    oracleSize
	writes  int // in a thousand requests
	tenants []*oracleTenant
}

// oracleTenant is what a workload knows of a tenant: the ids it has handed out. Rows may
// be gone.
type oracleTenant struct {
	id                            blog.Tenant
	born                          int // posts before the first request
	users, posts, comments, draft []string
	tags                          []string
	popularPost, popularUser      *rand.Zipf
	renamed                       int
}

// oracleRequest is one request. Requests with equal tenant, operation and variables have
// one answer.
type oracleRequest struct {
	tenant    blog.Tenant
	name      string // of the kind in the tables
	variables string
	mutation  bool
}

var oracleDocuments = map[string]string{
	"post": `query($id: ID!) { post(id: $id) { id title body status author { id name }
		comments { id body author { id name } } tags { id name } } }`,
	"posts": `query($by: ID!, $at: Int!) { posts(authorId: $by, limit: 10, offset: $at) {
		total items { id title status } } }`,
	"feed":   `query($at: Int!) { feed(limit: 10, offset: $at) { id title author { id name } } }`,
	"stats":  `query($id: ID!) { authorStats(authorId: $id) { postCount publishedCount commentCount author { name } latestPost { id title } } }`,
	"status": `query($is: PostStatus!, $at: Int!) { postsByStatus(status: $is, limit: 10, offset: $at) { id title author { id name } } }`,
	"email":  `query($email: String!) { userByEmail(email: $email) { id name karma } }`,
	"node": `query($id: ID!) { node(id: $id) { __typename id ... on User { name } ... on Post { title status }
		... on Comment { body author { name } } } }`,
	"search": `query($term: String!) { search(term: $term) { __typename ... on User { id name }
		... on Post { id title } ... on Tag { id name } } }`,
	"leaderboard": `{ leaderboard { author { id name } publishedCount commentCount } }`,
	"tags":        `{ tags { id name } }`,

	"updatePost":     `mutation($id: ID!, $in: UpdatePostInput!) { updatePost(id: $id, input: $in) { id title } }`,
	"addComment":     `mutation($in: AddCommentInput!) { addComment(input: $in) { id } }`,
	"createPost":     `mutation($in: CreatePostInput!) { createPost(input: $in) { id } }`,
	"publishPost":    `mutation($id: ID!) { publishPost(id: $id) { id status } }`,
	"updateUser":     `mutation($id: ID!, $in: UpdateUserInput!) { updateUser(id: $id, input: $in) { id name } }`,
	"deleteComment":  `mutation($id: ID!) { deleteComment(id: $id) { id } }`,
	"setPostsStatus": `mutation($ids: [ID!]!, $is: PostStatus!) { setPostsStatus(ids: $ids, status: $is) }`,
	"deletePost":     `mutation($id: ID!) { deletePost(id: $id) { deletedId } }`,
}

// A share is how often a kind of request comes, in a hundred.
type share struct {
	name    string
	percent int
	vars    func(*workload, *oracleTenant) map[string]any
}

var oracleReads = []share{
	{"post", 34, func(_ *workload, t *oracleTenant) map[string]any { return map[string]any{"id": t.post()} }},
	{"posts", 14, func(w *workload, t *oracleTenant) map[string]any {
		return map[string]any{"by": t.user(), "at": oraclePage * w.rng.IntN(2)}
	}},
	{"feed", 14, func(w *workload, _ *oracleTenant) map[string]any { return map[string]any{"at": w.offset()} }},
	{"stats", 10, func(_ *workload, t *oracleTenant) map[string]any { return map[string]any{"id": t.user()} }},
	{"status", 8, func(w *workload, _ *oracleTenant) map[string]any {
		return map[string]any{"is": w.status(), "at": w.offset()}
	}},
	{"email", 5, func(w *workload, t *oracleTenant) map[string]any {
		who := "user"
		if w.rng.IntN(3) == 0 {
			who = "nobody"
		}
		return map[string]any{"email": email(who, int(t.popularUser.Uint64()))}
	}},
	{"node", 5, func(w *workload, t *oracleTenant) map[string]any {
		id := t.post()
		switch w.rng.IntN(3) {
		case 0:
			id = t.user()
		case 1:
			id = t.comments[int(t.popularPost.Uint64())%len(t.comments)]
		}
		return map[string]any{"id": id}
	}},
	{"search", 5, func(w *workload, _ *oracleTenant) map[string]any {
		return map[string]any{"term": words[w.zipf(len(words))]}
	}},
	{"leaderboard", 3, func(*workload, *oracleTenant) map[string]any { return map[string]any{} }},
	{"tags", 2, func(*workload, *oracleTenant) map[string]any { return map[string]any{} }},
}

var oracleWrites = []share{
	{"updatePost", 30, func(w *workload, t *oracleTenant) map[string]any {
		return map[string]any{"id": t.post(), "in": map[string]any{"title": w.title()}}
	}},
	{"addComment", 30, func(w *workload, t *oracleTenant) map[string]any {
		id := w.id()
		t.comments = append(t.comments, id)
		return map[string]any{"in": map[string]any{"id": id, "postId": t.post(), "authorId": t.user(), "body": w.title()}}
	}},
	{"createPost", 10, func(w *workload, t *oracleTenant) map[string]any {
		id := w.id()
		t.posts, t.draft = append(t.posts, id), append(t.draft, id)
		return map[string]any{"in": map[string]any{"id": id, "authorId": t.user(), "title": w.title(), "body": w.title()}}
	}},
	{"publishPost", 10, func(w *workload, t *oracleTenant) map[string]any {
		if len(t.draft) == 0 || w.rng.IntN(2) == 0 {
			return map[string]any{"id": t.post()}
		}
		i := w.rng.IntN(len(t.draft))
		id := t.draft[i]
		t.draft = slices.Delete(t.draft, i, i+1)
		return map[string]any{"id": id}
	}},
	{"updateUser", 8, func(_ *workload, t *oracleTenant) map[string]any {
		t.renamed++
		return map[string]any{"id": t.user(), "in": map[string]any{"name": fmt.Sprintf("Renamed %d", t.renamed)}}
	}},
	{"deleteComment", 4, func(w *workload, t *oracleTenant) map[string]any {
		i := w.rng.IntN(len(t.comments))
		id := t.comments[i]
		t.comments = slices.Delete(t.comments, i, i+1)
		return map[string]any{"id": id}
	}},
	{"setPostsStatus", 4, func(w *workload, t *oracleTenant) map[string]any {
		return map[string]any{"ids": []string{t.post(), t.post()}, "is": w.status()}
	}},
	{"deletePost", 4, func(w *workload, t *oracleTenant) map[string]any {
		i := w.rng.IntN(len(t.posts))
		return map[string]any{"id": t.posts[i]}
	}},
}

// words are what titles are made of, and what is searched for.
var words = strings.Fields(`apple basket candle desert engine forest garden harbor island jungle kettle
	ladder market needle orange pepper quarry rabbit saddle timber umbrella valley window yellow zipper
	anchor bridge copper dragon feather glacier hammer insect jacket lantern magnet notebook oyster
	pillow rocket shadow tunnel velvet walnut blossom cabinet dolphin emerald fountain gravel horizon`)

// newWorkload returns a workload with that many writes in a thousand requests.
func newWorkload(seed uint64, size oracleSize, writes int) *workload {
	w := &workload{rng: rand.New(rand.NewPCG(seed, 3)), size: size, writes: writes}
	for range oracleTenants {
		t := &oracleTenant{id: blog.Tenant(w.id()), born: size.posts}
		t.popularUser = rand.NewZipf(w.rng, 1.1, 1, uint64(size.users-1))
		t.popularPost = rand.NewZipf(w.rng, 1.1, 1, uint64(size.posts-1))
		w.tenants = append(w.tenants, t)
	}
	return w
}

// rows returns what to create for a tenant before the first request.
func (w *workload) rows(t *oracleTenant) (in blog.Import) {
	for n := range w.size.users {
		id := w.id()
		t.users = append(t.users, id)
		in.Users = append(in.Users, &blog.NewUser{ID: &id, Email: email("user", n), Name: fmt.Sprintf("User %d", n)})
	}
	for range w.size.posts {
		id := w.id()
		p := &blog.NewPost{ID: &id, AuthorID: t.user(), Title: w.title(), Body: w.title(), Status: blog.Published}
		switch n := w.rng.IntN(10); {
		case n < 3:
			p.Status = blog.Draft
			t.draft = append(t.draft, id)
		case n < 4:
			p.Status = blog.Archived
		}
		t.posts = append(t.posts, id)
		in.Posts = append(in.Posts, p)
	}
	// the oldest post is not the most popular
	w.rng.Shuffle(len(t.posts), func(i, j int) { t.posts[i], t.posts[j] = t.posts[j], t.posts[i] })
	for range w.size.comments {
		id := w.id()
		t.comments = append(t.comments, id)
		in.Comments = append(in.Comments, &blog.NewComment{ID: &id, PostID: t.post(), AuthorID: t.user(), Body: w.title()})
	}
	for n := range oracleTags {
		id := w.id()
		t.tags = append(t.tags, id)
		in.Tags = append(in.Tags, &blog.NewTag{ID: &id, Name: words[n]})
	}
	return in
}

// next draws a request.
func (w *workload) next() oracleRequest {
	t := w.tenants[w.rng.IntN(len(w.tenants))]
	r := oracleRequest{tenant: t.id, mutation: w.rng.IntN(1000) < w.writes}
	kinds := oracleReads
	if r.mutation {
		kinds = oracleWrites
	}
	n := w.rng.IntN(100)
	for _, k := range kinds {
		if n -= k.percent; n < 0 {
			vars, err := json.Marshal(k.vars(w, t)) // sorts the names
			if err != nil {
				panic(err)
			}
			r.name, r.variables = k.name, string(vars)
			break
		}
	}
	return r
}

func (t *oracleTenant) user() string { return t.users[t.popularUser.Uint64()] }

// post returns a popular post. New posts become popular at the expense of the least
// popular ones.
func (t *oracleTenant) post() string {
	n := int(t.popularPost.Uint64())
	if extra := len(t.posts) - t.born; n > t.born/2 && extra > 0 && n%2 == 0 {
		return t.posts[t.born+n%extra]
	}
	return t.posts[n]
}

func (w *workload) zipf(n int) int {
	return int(rand.NewZipf(w.rng, 1.1, 1, uint64(n-1)).Uint64())
}

func (w *workload) offset() int { return oraclePage * w.zipf(6) }

func (w *workload) status() blog.Status {
	return []blog.Status{blog.Draft, blog.Published, blog.Archived}[w.rng.IntN(3)]
}

func (w *workload) title() string {
	return fmt.Sprintf("%s %s %s", words[w.rng.IntN(len(words))], words[w.rng.IntN(len(words))], words[w.rng.IntN(len(words))])
}

func (w *workload) id() string {
	a, b := w.rng.Uint64(), w.rng.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", uint32(a>>32), uint16(a>>16), a&0xfff, b>>52, b&(1<<48-1))
}

func email(who string, n int) string { return fmt.Sprintf("%s%d@example.org", who, n) }
