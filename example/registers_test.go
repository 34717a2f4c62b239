package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
)

// A register is something that one writer changes, state after state, and that reads
// show: state 0 is what the tables are filled with.
type register struct {
	name   string
	tenant string
	// write returns the mutation that brings about a state from the one before.
	write func(n int) string
	// fails says that the mutation answers with errors although it has written.
	fails bool
	views []sight

	// acked is the last state whose mutation was answered, begun the last whose mutation
	// was sent.
	acked, begun atomic.Int64
}

// A sight is a query that shows a register.
type sight struct {
	query string
	// marker is the text before what is shown; without it in the answer the sight shows
	// absent.
	marker string
	shows  func(n int) string
}

const absent = "absent"

// see returns what an answer shows: the text after the marker, to the end of the value.
func (s sight) see(data []byte) string {
	_, rest, ok := strings.Cut(string(data), s.marker)
	if !ok {
		return absent
	}
	if i := strings.IndexAny(rest, `",}]`); i >= 0 {
		return rest[:i]
	}
	return rest
}

// stale tells whether what a read shows is older than the state that was acknowledged
// before it began, or from nowhere.
func (s sight) stale(shown string, acked, begun int64) bool {
	for n := acked; n <= begun; n++ {
		if s.shows(int(n)) == shown {
			return false
		}
	}
	return true
}

// rowOf is the marker of a field v in the row with the id, of a selection that begins
// with the id.
func rowOf(id, before string) string { return `"id":"` + id + `","v":"` + before }

func number(n int) string { return strconv.Itoa(n) }

// odd shows a row in odd states only.
func odd(value func(n int) string) func(int) string {
	return func(n int) string {
		if n%2 == 0 {
			return absent
		}
		return value(n)
	}
}

// even shows a row in even states only.
func even(value func(n int) string) func(int) string {
	return func(n int) string {
		if n%2 == 1 {
			return absent
		}
		return value(n)
	}
}

// there shows the value in odd states.
func there(value string) func(int) string { return odd(func(int) string { return value }) }

// count shows base, and one more in odd states.
func count(base int) func(int) string { return func(n int) string { return number(base + n%2) } }

// A board is the rows that registers of one tenant are about. Ids are derived from names.
type board struct {
	tenant string
	serial int
	seeds  []string
}

func (b *board) id(name string) string {
	sum := uint64(0)
	for _, c := range name {
		sum = (sum*31 + uint64(c)) % (1 << 48)
	}
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", b.serial, sum)
}

// text fills in what tells the boards apart: <name> stands for an id, {b} for the number
// of the board.
func (b *board) text(template string) string {
	template = strings.ReplaceAll(template, "{b}", number(b.serial))
	for {
		from := strings.Index(template, "<")
		if from < 0 {
			return template
		}
		to := from + strings.Index(template[from:], ">")
		template = template[:from] + b.id(template[from+1:to]) + template[to+1:]
	}
}

func (b *board) seed(mutation string) { b.seeds = append(b.seeds, b.text(mutation)) }

func (b *board) user(name string) {
	b.seed(`importData(users: [{id: "<` + name + `>", email: "` + name + `@{b}", name: "` + name + `"}]) { users }`)
}

func (b *board) post(name, author, status string) {
	b.seed(`createPost(input: {id: "<` + name + `>", authorId: "<` + author + `>", title: "` + name + `", body: "b", status: ` + status + `}) { id }`)
}

func (b *board) register(name string, write func(n int) string, views ...sight) *register {
	return &register{name: name, tenant: b.tenant, views: views, write: func(n int) string {
		return requestBody("mutation {" + b.text(strings.ReplaceAll(write(n), "{n}", number(n))) + "}")
	}}
}

func (b *board) sight(query, marker string, shows func(n int) string) sight {
	return sight{query: requestBody(b.text(query)), marker: b.text(marker), shows: shows}
}

// registers returns the registers of a board.
func (b *board) registers() []*register {
	return []*register{
		b.titles("title", ""), b.titles("failing", ` x: publishPost(id: "<none>") { id }`),
		b.names(), b.emails(), b.comments(), b.posts(), b.statuses(), b.authors(), b.relations(),
		b.tagNames(), b.tagRows(), b.userRows(),
	}
}

func (b *board) titles(name, then string) *register {
	b.user(name + "W")
	b.post(name+"P", name+"W", "PUBLISHED")
	b.seed(`addComment(input: {id: "<` + name + `C>", postId: "<` + name + `P>", authorId: "<` + name + `W>", body: "b"}) { id }`)
	b.seed(`createTag(input: {id: "<` + name + `T>", name: "` + name + `"}) { id }`)
	b.seed(`tagPost(postId: "<` + name + `P>", tagId: "<` + name + `T>") { id }`)
	b.seed(`updatePost(id: "<` + name + `P>", input: {title: "hot0"}) { id }`)
	p, w := "<"+name+"P>", "<"+name+"W>"
	row := rowOf(p, "hot")
	r := b.register(name, func(int) string { return `updatePost(id: "` + p + `", input: {title: "hot{n}"}) { version }` + then },
		b.sight(`{ post(id: "`+p+`") { v: title } }`, `"v":"hot`, number),
		b.sight(`{ post(id: "`+strings.ToUpper(b.text(p))+`") { ...f } } fragment f on Post { v: title }`, `"v":"hot`, number),
		b.sight(`{ node(id: "`+p+`") { id ... on Post { v: title } } }`, row, number),
		b.sight(`{ user(id: "`+w+`") { posts { id v: title } } }`, row, number),
		b.sight(`{ posts(authorId: "`+w+`") { items { id v: title } } }`, row, number),
		b.sight(`{ feed(limit: 100) { id v: title } }`, row, number),
		b.sight(`{ search(term: "HOT", limit: 100) { ... on Post { id v: title } } }`, row, number),
		b.sight(`{ node(id: "<`+name+`C>") { ... on Comment { post { v: title } } } }`, `"v":"hot`, number),
		b.sight(`{ tag(id: "<`+name+`T>") { posts { v: title } } }`, `"v":"hot`, number),
		b.sight(`{ authorStats(authorId: "`+w+`") { latestPost { v: title } } }`, `"v":"hot`, number),
		b.sight(`{ post(id: "`+p+`") { author { posts { comments { post { v: title } } } } } }`, `"v":"hot`, number),
		b.sight(`{ post(id: "`+p+`") { v: version } }`, `"v":`, func(n int) string { return number(n + 2) }),
	)
	r.fails = then != ""
	return r
}

func (b *board) names() *register {
	b.user("nU")
	b.post("nP", "nU", "DRAFT")
	b.seed(`updateUser(id: "<nU>", input: {name: "name0"}) { id }`)
	return b.register("name", func(int) string { return `updateUser(id: "<nU>", input: {name: "name{n}"}) { id }` },
		b.sight(`{ user(id: "<nU>") { v: name } }`, `"v":"name`, number),
		b.sight(`{ userByEmail(email: "nU@{b}") { v: name } }`, `"v":"name`, number),
		b.sight(`{ post(id: "<nP>") { author { v: name } } }`, `"v":"name`, number),
		b.sight(`{ leaderboard(limit: 100) { author { id v: name } } }`, rowOf("<nU>", "name"), number),
		b.sight(`{ search(term: "name", limit: 100) { ... on User { id v: name } } }`, rowOf("<nU>", "name"), number),
		b.sight(`{ postsByStatus(status: DRAFT) { author { id v: name } } }`, rowOf("<nU>", "name"), number),
	)
}

func (b *board) emails() *register {
	b.user("eU")
	b.seed(`updateUser(id: "<eU>", input: {name: "m0", email: "even@{b}"}) { id }`)
	return b.register("email", func(n int) string {
		return `updateUser(id: "<eU>", input: {name: "m{n}", email: "` + []string{"even@{b}", "odd@{b}"}[n%2] + `"}) { id }`
	},
		b.sight(`{ userByEmail(email: "odd@{b}") { id v: name } }`, rowOf("<eU>", "m"), odd(number)),
		b.sight(`{ userByEmail(email: "even@{b}") { id v: name } }`, rowOf("<eU>", "m"), even(number)),
		b.sight(`{ user(id: "<eU>") { v: name } }`, `"v":"m`, number),
	)
}

func (b *board) comments() *register {
	b.user("cU")
	b.user("cV")
	b.post("cP", "cU", "PUBLISHED")
	b.seed(`addComment(input: {id: "<cOld>", postId: "<cP>", authorId: "<cU>", body: "old"}) { id }`)
	return b.register("comment", func(n int) string {
		if n%2 == 0 {
			return `deleteComment(id: "<cC>") { id }`
		}
		return `addComment(input: {id: "<cC>", postId: "<cP>", authorId: "<cV>", body: "c{n}"}) { body }`
	},
		b.sight(`{ node(id: "<cC>") { id ... on Comment { v: body } } }`, rowOf("<cC>", "c"), odd(number)),
		b.sight(`{ post(id: "<cP>") { comments { id v: body } } }`, rowOf("<cC>", "c"), odd(number)),
		b.sight(`{ post(id: "<cP>") { v: commentCount } }`, `"v":`, count(1)),
		b.sight(`{ authorStats(authorId: "<cU>") { v: commentCount } }`, `"v":`, count(1)),
		b.sight(`{ user(id: "<cU>") { stats { v: commentCount } } }`, `"v":`, count(1)),
		b.sight(`{ feed(limit: 100) { id v: commentCount } }`, `"id":"<cP>","v":`, count(1)),
		b.sight(`{ leaderboard(limit: 100) { id: authorId v: commentCount } }`, `"id":"<cU>","v":`, count(1)),
	)
}

func (b *board) posts() *register {
	b.user("pU")
	b.post("pOld", "pU", "DRAFT")
	return b.register("post", func(n int) string {
		if n%2 == 0 {
			return `deletePost(id: "<pP>") { deletedId }`
		}
		return `createPost(input: {id: "<pP>", authorId: "<pU>", title: "p{n}", body: "", status: PUBLISHED}) { title }`
	},
		b.sight(`{ post(id: "<pP>") { v: title } }`, `"v":"p`, odd(number)),
		b.sight(`{ posts(authorId: "<pU>") { v: total } }`, `"v":`, count(1)),
		b.sight(`{ user(id: "<pU>") { posts(limit: 1) { id v: title } } }`, rowOf("<pP>", "p"), odd(number)),
		b.sight(`{ feed(limit: 100) { id v: title } }`, rowOf("<pP>", "p"), odd(number)),
		b.sight(`{ authorStats(authorId: "<pU>") { v: postCount } }`, `"v":`, count(1)),
		b.sight(`{ authorStats(authorId: "<pU>") { latestPost { id v: title } } }`, rowOf("<pP>", "p"), odd(number)),
		b.sight(`{ leaderboard(limit: 100) { id: authorId v: publishedCount } }`, `"id":"<pU>","v":`, count(0)),
		b.sight(`{ search(term: "p", limit: 500) { ... on Post { id v: title } } }`, rowOf("<pP>", "p"), odd(number)),
	)
}

func (b *board) statuses() *register {
	b.user("sU")
	b.post("sP", "sU", "ARCHIVED")
	return b.register("status", func(n int) string {
		switch n % 4 {
		case 0:
			return `archiveAuthorPosts(authorId: "<sU>")`
		case 2:
			return `setPostsStatus(ids: ["<sP>", "<none>"], status: ARCHIVED)`
		}
		return `publishPost(id: "<sP>") { id }`
	},
		b.sight(`{ post(id: "<sP>") { v: status } }`, `"v":"`, func(n int) string { return []string{"ARCHIVED", "PUBLISHED"}[n%2] }),
		b.sight(`{ feed(limit: 100) { id } }`, `"id":"<sP>`, there("")),
		b.sight(`{ postsByStatus(status: ARCHIVED, limit: 100) { id } }`, `"id":"<sP>`, even(func(int) string { return "" })),
		b.sight(`{ posts(authorId: "<sU>", status: PUBLISHED) { v: total } }`, `"v":`, count(0)),
		b.sight(`{ user(id: "<sU>") { posts(status: PUBLISHED) { id } } }`, `"id":"<sP>`, there("")),
		b.sight(`{ authorStats(authorId: "<sU>") { v: publishedCount } }`, `"v":`, count(0)),
		b.sight(`{ leaderboard(limit: 100) { id: authorId v: publishedCount } }`, `"id":"<sU>","v":`, count(0)),
		b.sight(`{ user(id: "<sU>") { v: karma } }`, `"v":`, func(n int) string { return number((n + 1) / 2 * 10) }),
	)
}

func (b *board) authors() *register {
	b.user("aU")
	b.user("aV")
	b.post("aP", "aU", "DRAFT")
	b.seed(`addComment(input: {id: "<aC>", postId: "<aP>", authorId: "<aU>", body: "b"}) { id }`)
	return b.register("author", func(n int) string {
		return `updatePost(id: "<aP>", input: {authorId: "` + []string{"<aU>", "<aV>"}[n%2] + `"}) { id }`
	},
		b.sight(`{ user(id: "<aU>") { posts { id } } }`, `"id":"<aP>`, even(func(int) string { return "" })),
		b.sight(`{ user(id: "<aV>") { posts { id } } }`, `"id":"<aP>`, there("")),
		b.sight(`{ posts(authorId: "<aV>") { v: total } }`, `"v":`, count(0)),
		b.sight(`{ post(id: "<aP>") { author { v: name } } }`, `"v":"a`, func(n int) string { return []string{"U", "V"}[n%2] }),
		b.sight(`{ authorStats(authorId: "<aV>") { v: commentCount } }`, `"v":`, count(0)),
		b.sight(`{ leaderboard(limit: 100) { id: authorId v: postCount } }`, `"id":"<aV>","v":`, count(0)),
		b.sight(`{ node(id: "<aC>") { ... on Comment { post { author { v: name } } } } }`, `"v":"a`, func(n int) string { return []string{"U", "V"}[n%2] }),
	)
}

func (b *board) relations() *register {
	b.user("rU")
	b.post("rP", "rU", "DRAFT")
	b.seed(`createTag(input: {id: "<rT>", name: "rT"}) { id }`)
	return b.register("relation", func(n int) string {
		return []string{"untagPost", "tagPost"}[n%2] + `(postId: "<rP>", tagId: "<rT>")` + []string{"", " { id }"}[n%2]
	},
		b.sight(`{ post(id: "<rP>") { tags { id } } }`, `"id":"<rT>`, there("")),
		b.sight(`{ tag(id: "<rT>") { posts { id } } }`, `"id":"<rP>`, there("")),
		b.sight(`{ node(id: "<rP>") { ... on Post { tags { posts { id } } } } }`, `"id":"<rP>`, there("")),
		b.sight(`{ search(term: "rT") { ... on Tag { posts { id } } } }`, `"id":"<rP>`, there("")),
	)
}

func (b *board) tagNames() *register {
	b.user("gU")
	b.post("gP", "gU", "DRAFT")
	b.seed(`createTag(input: {id: "<gT>", name: "g0"}) { id }`)
	b.seed(`tagPost(postId: "<gP>", tagId: "<gT>") { id }`)
	return b.register("tag name", func(int) string { return `renameTag(id: "<gT>", name: "g{n}") { id }` },
		b.sight(`{ tag(id: "<gT>") { v: name } }`, `"v":"g`, number),
		b.sight(`{ tags { id v: name } }`, rowOf("<gT>", "g"), number),
		b.sight(`{ post(id: "<gP>") { tags { v: name } } }`, `"v":"g`, number),
		b.sight(`{ search(term: "G", limit: 100) { ... on Tag { id v: name } } }`, rowOf("<gT>", "g"), number),
	)
}

func (b *board) tagRows() *register {
	return b.register("tag", func(n int) string {
		if n%2 == 0 {
			return `deleteTag(id: "<kT>")`
		}
		return `createTag(input: {id: "<kT>", name: "k{n}"}) { name }`
	},
		b.sight(`{ tag(id: "<kT>") { v: name } }`, `"v":"k`, odd(number)),
		b.sight(`{ tags { id v: name } }`, rowOf("<kT>", "k"), odd(number)),
		b.sight(`{ node(id: "<kT>") { ... on Tag { v: name } } }`, `"v":"k`, odd(number)),
	)
}

func (b *board) userRows() *register {
	b.user("xFan")
	b.post("xHost", "xFan", "DRAFT")
	return b.register("user", func(n int) string {
		if n%2 == 0 {
			return `deleteUser(id: "<xU>")`
		}
		return `importData(users: [{id: "<xU>", email: "xU@{b}", name: "x{n}"}],
			posts: [{id: "<xP>", authorId: "<xU>", title: "x{n}", body: "", status: PUBLISHED}],
			comments: [{id: "<xC>", postId: "<xHost>", authorId: "<xU>", body: "x{n}"}]) { users }`
	},
		b.sight(`{ user(id: "<xU>") { v: name } }`, `"v":"x`, odd(number)),
		b.sight(`{ userByEmail(email: "xU@{b}") { v: name } }`, `"v":"x`, odd(number)),
		b.sight(`{ post(id: "<xP>") { v: title } }`, `"v":"x`, odd(number)),
		b.sight(`{ post(id: "<xHost>") { comments { id v: body } } }`, rowOf("<xC>", "x"), odd(number)),
		b.sight(`{ authorStats(authorId: "<xFan>") { v: commentCount } }`, `"v":`, count(0)),
		b.sight(`{ authorStats(authorId: "<xU>") { v: postCount } }`, `"v":`, there("1")),
		b.sight(`{ feed(limit: 100) { id v: title } }`, rowOf("<xP>", "x"), odd(number)),
		b.sight(`{ leaderboard(limit: 100) { author { id v: name } } }`, rowOf("<xU>", "x"), odd(number)),
		b.sight(`{ posts(authorId: "<xU>") { v: total } }`, `"v":`, count(0)),
	)
}
