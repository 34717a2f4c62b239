package blog

import (
	"context"
	"errors"
)

var (
	insertUser = sql(`INSERT INTO users (tenant, id, email, name, bio) VALUES (?1, ?2, ?3, ?4, ?5)
		RETURNING ` + userColumns(""))
	updateUser = sql(`UPDATE users SET email = coalesce(?3, email), name = coalesce(?4, name),
		bio = coalesce(?5, bio), version = version + 1
		WHERE id = ?2 AND users.VISIBLE RETURNING ` + userColumns(""))
	// In an order in which no row is left that refers to an absent one.
	untagAuthor          = sql(`DELETE FROM post_tags WHERE post_id IN (SELECT id FROM posts WHERE author_id = ?2)`)
	deleteAuthorComments = sql(`DELETE FROM comments WHERE author_id = ?2
		OR post_id IN (SELECT id FROM posts WHERE author_id = ?2) RETURNING ` + commentColumns("")).
		// It uses no index for an OR of two tables.
		inPostgres(`DELETE FROM comments WHERE seq IN (
		SELECT seq FROM comments WHERE author_id = ?2
		UNION SELECT c.seq FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.author_id = ?2)
		RETURNING ` + commentColumns(""))
	deleteAuthorPosts = sql(`DELETE FROM posts WHERE author_id = ?2 RETURNING ` + postColumns(""))
	deleteUser        = sql(`DELETE FROM users WHERE id = ?2`)
)

// CreateUser creates a user of the tenant.
func (s Session) CreateUser(ctx context.Context, in NewUser) (u *User, err error) {
	err = s.write(ctx, func(t tx) error {
		u, err = t.createUser(ctx, in)
		return err
	})
	return u, err
}

func (t tx) createUser(ctx context.Context, in NewUser) (*User, error) {
	if t.tenant == Admin {
		return nil, ErrAdmin
	}
	id, err := newID(in.ID)
	if err != nil {
		return nil, err
	}
	u, err := row(ctx, t, insertUser, scanUser, id, in.Email, in.Name, in.Bio)
	return u, t.taken("user", err)
}

// UpdateUser changes a user. Its version grows even if nothing differs.
func (s Session) UpdateUser(ctx context.Context, id string, in UserChange) (c Change[User], err error) {
	key, ok := canonical(id)
	if !ok {
		return c, notFound("user", id)
	}
	err = s.write(ctx, func(t tx) error {
		if c.Before, err = t.user(ctx, key); err != nil {
			return err
		}
		c.After, err = row(ctx, t, updateUser, scanUser, key, in.Email, in.Name, in.Bio)
		c.After, err = must(c.After, t.taken("user", err), "user", id)
		return err
	})
	return c, err
}

// DeleteUser deletes a user with their posts, the comments on these and the user's
// comments elsewhere, and returns the rows that are gone: none when there is no such
// user.
func (s Session) DeleteUser(ctx context.Context, id string) (gone Removal, err error) {
	key, ok := canonical(id)
	if !ok {
		return gone, nil
	}
	err = s.write(ctx, func(t tx) error {
		gone, err = t.deleteUser(ctx, key)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return Removal{}, nil
	}
	return gone, err
}

func (t tx) deleteUser(ctx context.Context, id string) (gone Removal, err error) {
	if gone.User, err = t.user(ctx, id); err != nil {
		return gone, err
	}
	if _, err = t.run(ctx, untagAuthor, id); err != nil {
		return gone, err
	}
	if gone.Comments, err = rows(ctx, t, deleteAuthorComments, scanComment, id); err != nil {
		return gone, err
	}
	if gone.Posts, err = rows(ctx, t, deleteAuthorPosts, scanPost, id); err != nil {
		return gone, err
	}
	_, err = t.run(ctx, deleteUser, id)
	return gone, err
}
