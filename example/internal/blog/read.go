package blog

import (
	"context"
	stdsql "database/sql"
)

// The statements that take several ids join the list first (CROSS JOIN keeps SQLite's
// planner from turning that around), so that each id is one look-up in an index.

var (
	usersByID = sql(`SELECT ` + userColumns("u.") + ` FROM EACH(?2)
		CROSS JOIN users u ON u.id = k.value WHERE u.VISIBLE`)
	userByEmail = sql(`SELECT ` + userColumns("u.") + ` FROM users u
		WHERE u.email = ?2 AND u.VISIBLE ORDER BY u.seq LIMIT 1`)
	postsByID = sql(`SELECT ` + postColumns("p.") + ` FROM EACH(?2)
		CROSS JOIN posts p ON p.id = k.value WHERE p.VISIBLE`)
	commentsByID = sql(`SELECT ` + commentColumns("c.") + ` FROM EACH(?2)
		CROSS JOIN comments c ON c.id = k.value WHERE c.VISIBLE`)
	tagsByID = sql(`SELECT ` + tagColumns("t.") + ` FROM EACH(?2)
		CROSS JOIN tags t ON t.id = k.value WHERE t.VISIBLE`)
	allTags = sql(`SELECT ` + tagColumns("t.") + ` FROM tags t WHERE t.VISIBLE ORDER BY t.name, t.seq`)
)

// Users returns the visible users with these ids, by id.
func (s Session) Users(ctx context.Context, ids []string) (map[string]User, error) {
	all, err := read(ctx, s, usersByID, scanUser, list(ids))
	return index(all, func(u *User) string { return u.ID }), err
}

// Posts returns the visible posts with these ids, by id.
func (s Session) Posts(ctx context.Context, ids []string) (map[string]Post, error) {
	all, err := read(ctx, s, postsByID, scanPost, list(ids))
	return index(all, func(p *Post) string { return p.ID }), err
}

// User returns the user, or nil.
func (s Session) User(ctx context.Context, id string) (*User, error) {
	return byID(ctx, s, usersByID, scanUser, id)
}

// Post returns the post, or nil.
func (s Session) Post(ctx context.Context, id string) (*Post, error) {
	return byID(ctx, s, postsByID, scanPost, id)
}

// Comment returns the comment, or nil.
func (s Session) Comment(ctx context.Context, id string) (*Comment, error) {
	return byID(ctx, s, commentsByID, scanComment, id)
}

// Tag returns the tag, or nil.
func (s Session) Tag(ctx context.Context, id string) (*Tag, error) {
	return byID(ctx, s, tagsByID, scanTag, id)
}

// byID is a read by one id. A text that is no UUID is the id of no row: nothing is sent.
func byID[T any](
	ctx context.Context, s Session, st statement, scan func(*stdsql.Rows, *T) error, id string,
) (*T, error) {
	if _, ok := canonical(id); !ok {
		return nil, nil
	}
	return readOne(ctx, s, st, scan, list([]string{id}))
}

// UserByEmail returns the oldest visible user with the address, or nil.
func (s Session) UserByEmail(ctx context.Context, email string) (*User, error) {
	return readOne(ctx, s, userByEmail, scanUser, email)
}

// Tags returns all visible tags by name, then by age.
func (s Session) Tags(ctx context.Context) ([]Tag, error) { return read(ctx, s, allTags, scanTag) }
