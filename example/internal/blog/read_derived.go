package blog

import (
	"context"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
)

const statsColumns = `s.author_id, s.post_count, s.published_count, s.comment_count, s.latest_post_id`

var (
	statsByAuthor = sql(`SELECT ` + statsColumns + ` FROM EACH(?2)
		CROSS JOIN author_stats s ON s.author_id = k.value WHERE s.VISIBLE`)
	leaderboard = sql(`SELECT ` + statsColumns + ` FROM author_stats s WHERE s.VISIBLE
		ORDER BY s.published_count DESC, s.comment_count DESC, s.seq LIMIT ?2`)

	usersByName = sql(`SELECT ` + userColumns("u.") + ` FROM users u
		WHERE HAS(u.name, ?2) AND u.VISIBLE ORDER BY u.seq LIMIT ?3`)
	postsByTitle = sql(`SELECT ` + postColumns("p.") + ` FROM posts p
		WHERE HAS(p.title, ?2) AND p.VISIBLE ORDER BY p.seq DESC LIMIT ?3`)
	tagsByName = sql(`SELECT ` + tagColumns("t.") + ` FROM tags t
		WHERE HAS(t.name, ?2) AND t.VISIBLE ORDER BY t.name, t.seq LIMIT ?3`)
)

// Stats returns the stats of the visible authors among these, by their id.
func (s Session) Stats(ctx context.Context, authors []string) (map[string]AuthorStats, error) {
	all, err := read(ctx, s, statsByAuthor, scanStats, list(authors))
	return index(all, func(a *AuthorStats) string { return a.AuthorID }), err
}

// AuthorStats returns the stats of one author, or nil.
func (s Session) AuthorStats(ctx context.Context, author string) (*AuthorStats, error) {
	return byID(ctx, s, statsByAuthor, scanStats, author)
}

// Leaderboard returns the stats of the users with most published posts, then most
// comments on their posts, then oldest.
func (s Session) Leaderboard(ctx context.Context, limit int) ([]AuthorStats, error) {
	return read(ctx, s, leaderboard, scanStats, max(limit, 0))
}

// Found is what a search found.
type Found struct {
	Users []User
	Posts []Post
	Tags  []Tag
}

// Search looks for a term in names of users, titles of posts and names of tags, in this
// order, until it has found limit rows.
func (s Session) Search(ctx context.Context, term string, limit int) (f Found, err error) {
	if term == "" || limit <= 0 {
		return f, nil
	}
	if f.Users, err = read(ctx, s, usersByName, scanUser, term, limit); err != nil {
		return Found{}, err
	}
	if limit -= len(f.Users); limit == 0 {
		return f, nil
	}
	footprint.Known(ctx, limit) // made of the argument and of how many rows there were
	if f.Posts, err = read(ctx, s, postsByTitle, scanPost, term, limit); err != nil {
		return Found{}, err
	}
	if limit -= len(f.Posts); limit == 0 {
		return f, nil
	}
	footprint.Known(ctx, limit)
	if f.Tags, err = read(ctx, s, tagsByName, scanTag, term, limit); err != nil {
		return Found{}, err
	}
	return f, nil
}
