package blog

import "context"

var (
	// The row belongs to the author's tenant, whoever creates it.
	insertPost = sql(`INSERT INTO posts (tenant, id, author_id, title, body, status)
		SELECT u.tenant, ?2, u.id, ?4, ?5, ?6 FROM users u WHERE u.id = ?3 AND u.VISIBLE
		RETURNING ` + postColumns(""))
	authorOfPostsTenant = sql(`SELECT count(*) FROM posts p JOIN users u ON u.tenant = p.tenant
		WHERE p.id = ?2 AND u.id = ?3 AND p.VISIBLE`)
	updatePost = sql(`UPDATE posts SET author_id = coalesce(?3, author_id), title = coalesce(?4, title),
		body = coalesce(?5, body), status = coalesce(?6, status), version = version + 1
		WHERE id = ?2 AND posts.VISIBLE RETURNING ` + postColumns(""))
	publishPost = sql(`UPDATE posts SET status = 'PUBLISHED', version = version + 1
		WHERE id = ?2 AND status <> 'PUBLISHED' AND posts.VISIBLE RETURNING ` + postColumns(""))
	praiseAuthor = sql(`UPDATE users SET karma = karma + 10, version = version + 1 WHERE id = ?2`)
	seePosts     = sql(`SELECT ` + postColumns("") + ` FROM posts
		WHERE id IN LIST(?2) AND +posts.VISIBLE`)
	setStatus = sql(`UPDATE posts SET status = ?3, version = version + 1
		WHERE id IN LIST(?2) AND +posts.VISIBLE`)
	seeUnarchived = sql(`SELECT ` + postColumns("") + ` FROM posts
		WHERE author_id = ?2 AND status <> 'ARCHIVED' AND +posts.VISIBLE`)
	archivePosts = sql(`UPDATE posts SET status = 'ARCHIVED', version = version + 1
		WHERE author_id = ?2 AND status <> 'ARCHIVED' AND +posts.VISIBLE`)
	untagAll           = sql(`DELETE FROM post_tags WHERE post_id = ?2`)
	deletePostComments = sql(`DELETE FROM comments WHERE post_id = ?2 RETURNING ` + commentColumns(""))
	deletePost         = sql(`DELETE FROM posts WHERE id = ?2`)
)

// CreatePost creates a post of the author's tenant.
func (s Session) CreatePost(ctx context.Context, in NewPost) (p *Post, err error) {
	err = s.write(ctx, func(t tx) error {
		p, err = t.createPost(ctx, in)
		return err
	})
	return p, err
}

func (t tx) createPost(ctx context.Context, in NewPost) (*Post, error) {
	id, err := newID(in.ID)
	if err != nil {
		return nil, err
	}
	author, ok := canonical(in.AuthorID)
	if !ok {
		return nil, notFound("user", in.AuthorID)
	}
	p, err := row(ctx, t, insertPost, scanPost, id, author, in.Title, in.Body, string(in.Status))
	return must(p, t.taken("post", err), "user", author)
}

// UpdatePost changes a post. Its version grows even if nothing differs.
func (s Session) UpdatePost(ctx context.Context, id string, in PostChange) (c Change[Post], err error) {
	key, ok := canonical(id)
	if !ok {
		return c, notFound("post", id)
	}
	err = s.write(ctx, func(t tx) error {
		if c.Before, err = t.post(ctx, key); err != nil {
			return err
		}
		if in.AuthorID != nil {
			author, err := t.newAuthor(ctx, key, *in.AuthorID)
			if err != nil {
				return err
			}
			in.AuthorID = &author
		}
		c.After, err = row(ctx, t, updatePost, scanPost, key, in.AuthorID, in.Title, in.Body, (*string)(in.Status))
		c.After, err = must(c.After, err, "post", id)
		return err
	})
	return c, err
}

// newAuthor checks that a post may get this author: a user of the post's own tenant. The
// administrator sees users of other tenants too, but a row never refers to one of another
// tenant.
func (t tx) newAuthor(ctx context.Context, post, author string) (string, error) {
	key, ok := canonical(author)
	if !ok {
		return "", notFound("user", author)
	}
	n, err := row(ctx, t, authorOfPostsTenant, scanCount, post, key)
	if err == nil && *n == 0 {
		err = notFound("post or user", author)
	}
	return key, err
}

// PublishPost publishes a post and gives its author 10 karma. Nothing happens to a
// published one.
func (s Session) PublishPost(ctx context.Context, id string) (c Change[Post], err error) {
	key, ok := canonical(id)
	if !ok {
		return c, notFound("post", id)
	}
	err = s.write(ctx, func(t tx) error {
		if c.Before, err = t.post(ctx, key); err != nil {
			return err
		}
		c.After, err = row(ctx, t, publishPost, scanPost, key)
		if err != nil {
			return err
		}
		if c.After == nil {
			c.After = c.Before
			return nil
		}
		_, err = t.run(ctx, praiseAuthor, c.After.AuthorID)
		return err
	})
	return c, err
}

// SetPostsStatus sets the status of the visible posts among ids and returns these as they
// were.
func (s Session) SetPostsStatus(ctx context.Context, ids []string, status Status) (before []Post, err error) {
	err = s.write(ctx, func(t tx) error {
		if before, err = rows(ctx, t, seePosts, scanPost, list(ids)); err != nil {
			return err
		}
		_, err = t.run(ctx, setStatus, list(ids), string(status))
		return err
	})
	return before, err
}

// ArchiveAuthorPosts archives the posts of an author that are not, and returns these as
// they were.
func (s Session) ArchiveAuthorPosts(ctx context.Context, author string) (before []Post, err error) {
	key, ok := canonical(author)
	if !ok {
		return nil, notFound("user", author)
	}
	err = s.write(ctx, func(t tx) error {
		if _, err := t.user(ctx, key); err != nil {
			return err
		}
		if before, err = rows(ctx, t, seeUnarchived, scanPost, key); err != nil {
			return err
		}
		_, err = t.run(ctx, archivePosts, key)
		return err
	})
	return before, err
}

// DeletePost deletes a post with its comments and its relations to tags, and returns the
// rows that are gone.
func (s Session) DeletePost(ctx context.Context, id string) (gone Removal, err error) {
	key, ok := canonical(id)
	if !ok {
		return gone, notFound("post", id)
	}
	err = s.write(ctx, func(t tx) error {
		post, err := t.post(ctx, key)
		if err != nil {
			return err
		}
		gone.Posts = []Post{*post}
		if _, err = t.run(ctx, untagAll, key); err != nil {
			return err
		}
		if gone.Comments, err = rows(ctx, t, deletePostComments, scanComment, key); err != nil {
			return err
		}
		_, err = t.run(ctx, deletePost, key)
		return err
	})
	return gone, err
}
