package blog

import (
	"context"
	stdsql "database/sql"
)

var (
	feed = sql(`SELECT ` + postColumns("p.") + ` FROM feed p
		WHERE p.VISIBLE ORDER BY p.seq DESC LIMIT ?2 OFFSET ?3`)
	postsByStatus = sql(`SELECT ` + postColumns("p.") + ` FROM posts p
		WHERE p.status = ?2 AND p.VISIBLE ORDER BY p.seq DESC LIMIT ?3 OFFSET ?4`)
	// The status is any when it is null.
	countPosts = sql(`SELECT count(*) FROM posts p
		WHERE p.author_id = ?2 AND (?3 IS NULL OR p.status = ?3) AND +p.VISIBLE`)
	postsByAuthor = first(`k.value, `+postColumns("p."), "posts", `posts q
		WHERE q.author_id = k.value AND (?3 IS NULL OR q.status = ?3)
		ORDER BY q.seq DESC LIMIT ?4 OFFSET ?5`, "p.seq DESC")
	postsByTag = first(`k.value, `+postColumns("p."), "posts", `post_tags x
		CROSS JOIN posts q ON q.id = x.post_id WHERE x.tag_id = k.value
		ORDER BY q.seq DESC LIMIT ?3`, "p.seq DESC")
)

// Feed returns the published posts, newest first.
func (s Session) Feed(ctx context.Context, page Page) ([]Post, error) {
	page = page.clamp()
	return read(ctx, s, feed, scanPost, page.Limit, page.Offset)
}

// PostsByStatus returns the posts with a status, newest first.
func (s Session) PostsByStatus(ctx context.Context, status Status, page Page) ([]Post, error) {
	page = page.clamp()
	return read(ctx, s, postsByStatus, scanPost, string(status), page.Limit, page.Offset)
}

// CountPosts counts an author's posts with a status; nil means any.
func (s Session) CountPosts(ctx context.Context, author string, status *Status) (int, error) {
	id, ok := canonical(author)
	if !ok {
		return 0, nil
	}
	n, err := readOne(ctx, s, countPosts, scanCount, id, (*string)(status))
	if err != nil {
		return 0, err
	}
	return *n, nil
}

// PostsByAuthors returns a page of the posts of each author, newest first. A nil status
// means any.
func (s Session) PostsByAuthors(
	ctx context.Context, authors []string, status *Status, page Page,
) (map[string][]Post, error) {
	page = page.clamp()
	all, err := read(ctx, s, postsByAuthor, scanOwnedPost,
		list(authors), (*string)(status), page.Limit, page.Offset)
	return byOwner(all), err
}

// PostsByTags returns the newest posts with each tag.
func (s Session) PostsByTags(ctx context.Context, tags []string, limit int) (map[string][]Post, error) {
	all, err := read(ctx, s, postsByTag, scanOwnedPost, list(tags), max(limit, 0))
	return byOwner(all), err
}

func scanOwnedPost(r *stdsql.Rows, o *owned[Post]) error {
	return r.Scan(append([]any{&o.owner}, o.row.targets()...)...)
}
