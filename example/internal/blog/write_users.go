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
	deleteUser = []statement{
		sql(`DELETE FROM post_tags WHERE post_id IN (SELECT id FROM posts WHERE author_id = ?2)`),
		sql(`DELETE FROM comments WHERE author_id = ?2
			OR post_id IN (SELECT id FROM posts WHERE author_id = ?2)`),
		sql(`DELETE FROM posts WHERE author_id = ?2`),
		sql(`DELETE FROM users WHERE id = ?2`),
	}
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
	return u, taken("user", err)
}

// UpdateUser changes a user. Its version grows even if nothing differs.
func (s Session) UpdateUser(ctx context.Context, id string, in UserChange) (u *User, err error) {
	key, ok := canonical(id)
	if !ok {
		return nil, notFound("user", id)
	}
	err = s.write(ctx, func(t tx) error {
		u, err = row(ctx, t, updateUser, scanUser, key, in.Email, in.Name, in.Bio)
		u, err = must(u, taken("user", err), "user", id)
		return err
	})
	return u, err
}

// DeleteUser deletes a user with their posts, the comments on these and the user's comments
// elsewhere. It returns false when there is no such user.
func (s Session) DeleteUser(ctx context.Context, id string) (bool, error) {
	key, ok := canonical(id)
	if !ok {
		return false, nil
	}
	err := s.write(ctx, func(t tx) error {
		if _, err := t.user(ctx, key); err != nil {
			return err
		}
		return t.all(ctx, deleteUser, key)
	})
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
