package blog

import (
	"context"
	stdsql "database/sql"
)

var (
	commentsByPost = first(commentColumns("p."), "comments", `comments q
		WHERE q.post_id = k.value ORDER BY q.seq LIMIT ?3`, "p.seq")
	commentCounts = sql(`SELECT c.post_id, count(*) FROM EACH(?2)
		CROSS JOIN comments c ON c.post_id = k.value WHERE c.VISIBLE GROUP BY c.post_id`)
	tagsByPost = sql(`SELECT x.post_id, ` + tagColumns("t.") + ` FROM EACH(?2)
		CROSS JOIN post_tags x ON x.post_id = k.value
		CROSS JOIN tags t ON t.id = x.tag_id
		WHERE t.VISIBLE ORDER BY t.name, t.seq`)
)

// CommentsByPosts returns the oldest comments on each post.
func (s Session) CommentsByPosts(ctx context.Context, posts []string, limit int) (map[string][]Comment, error) {
	all, err := read(ctx, s, commentsByPost, scanComment, list(posts), max(limit, 0))
	groups := make(map[string][]Comment)
	for _, c := range all {
		groups[c.PostID] = append(groups[c.PostID], c)
	}
	return groups, err
}

// CommentCounts returns the number of comments on each post that has any.
func (s Session) CommentCounts(ctx context.Context, posts []string) (map[string]int, error) {
	all, err := read(ctx, s, commentCounts, func(r *stdsql.Rows, o *owned[int]) error {
		return r.Scan(&o.owner, &o.row)
	}, list(posts))
	counts := make(map[string]int, len(all))
	for _, o := range all {
		counts[o.owner] = o.row
	}
	return counts, err
}

// TagsByPosts returns the tags of each post by name, then by age.
func (s Session) TagsByPosts(ctx context.Context, posts []string) (map[string][]Tag, error) {
	all, err := read(ctx, s, tagsByPost, func(r *stdsql.Rows, o *owned[Tag]) error {
		return r.Scan(append([]any{&o.owner}, o.row.targets()...)...)
	}, list(posts))
	return byOwner(all), err
}
