package blog

import "context"

var (
	// The row belongs to the post's tenant, whoever creates it, and so does its author.
	insertComment = sql(`INSERT INTO comments (tenant, id, post_id, author_id, body)
		SELECT p.tenant, ?2, p.id, u.id, ?5 FROM posts p JOIN users u ON u.tenant = p.tenant
		WHERE p.id = ?3 AND u.id = ?4 AND +p.VISIBLE RETURNING ` + commentColumns(""))
	updateComment = sql(`UPDATE comments SET body = ?3, version = version + 1
		WHERE id = ?2 AND comments.VISIBLE RETURNING ` + commentColumns(""))
	deleteComment = sql(`DELETE FROM comments WHERE id = ?2 AND comments.VISIBLE
		RETURNING ` + commentColumns(""))
)

// AddComment creates a comment of the post's tenant.
func (s Session) AddComment(ctx context.Context, in NewComment) (c *Comment, err error) {
	err = s.write(ctx, func(t tx) error {
		c, err = t.addComment(ctx, in)
		return err
	})
	return c, err
}

func (t tx) addComment(ctx context.Context, in NewComment) (*Comment, error) {
	id, err := newID(in.ID)
	if err != nil {
		return nil, err
	}
	post, ok := canonical(in.PostID)
	if !ok {
		return nil, notFound("post", in.PostID)
	}
	author, ok := canonical(in.AuthorID)
	if !ok {
		return nil, notFound("user", in.AuthorID)
	}
	c, err := row(ctx, t, insertComment, scanComment, id, post, author, in.Body)
	return must(c, t.taken("comment", err), "post or user of", post)
}

// UpdateComment changes a comment's body.
func (s Session) UpdateComment(ctx context.Context, id, body string) (*Comment, error) {
	return s.oneComment(ctx, updateComment, id, body)
}

// DeleteComment deletes a comment and returns it as it was.
func (s Session) DeleteComment(ctx context.Context, id string) (*Comment, error) {
	return s.oneComment(ctx, deleteComment, id)
}

func (s Session) oneComment(ctx context.Context, st statement, id string, args ...any) (c *Comment, err error) {
	key, ok := canonical(id)
	if !ok {
		return nil, notFound("comment", id)
	}
	err = s.write(ctx, func(t tx) error {
		c, err = row(ctx, t, st, scanComment, append([]any{key}, args...)...)
		c, err = must(c, err, "comment", id)
		return err
	})
	return c, err
}
