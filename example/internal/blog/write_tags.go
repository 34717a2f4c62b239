package blog

import (
	"context"
	"errors"
)

var (
	insertTag = sql(`INSERT INTO tags (tenant, id, name) VALUES (?1, ?2, ?3) RETURNING ` + tagColumns(""))
	renameTag = sql(`UPDATE tags SET name = ?3, version = version + 1
		WHERE id = ?2 AND tags.VISIBLE RETURNING ` + tagColumns(""))
	deleteTag = []statement{
		sql(`DELETE FROM post_tags WHERE tag_id = ?2`),
		sql(`DELETE FROM tags WHERE id = ?2`),
	}
	insertRelation = sql(`INSERT INTO post_tags (tenant, post_id, tag_id) VALUES (?2, ?3, ?4)
		ON CONFLICT DO NOTHING`)
	deleteRelation = sql(`DELETE FROM post_tags WHERE post_id = ?2 AND tag_id = ?3`)
)

// CreateTag creates a tag of the tenant.
func (s Session) CreateTag(ctx context.Context, in NewTag) (g *Tag, err error) {
	err = s.write(ctx, func(t tx) error {
		g, err = t.createTag(ctx, in)
		return err
	})
	return g, err
}

func (t tx) createTag(ctx context.Context, in NewTag) (*Tag, error) {
	if t.tenant == Admin {
		return nil, ErrAdmin
	}
	id, err := newID(in.ID)
	if err != nil {
		return nil, err
	}
	g, err := row(ctx, t, insertTag, scanTag, id, in.Name)
	return g, t.taken("tag", err)
}

// RenameTag changes a tag's name.
func (s Session) RenameTag(ctx context.Context, id, name string) (c Change[Tag], err error) {
	key, ok := canonical(id)
	if !ok {
		return c, notFound("tag", id)
	}
	err = s.write(ctx, func(t tx) error {
		if c.Before, err = t.tag(ctx, key); err != nil {
			return err
		}
		c.After, err = row(ctx, t, renameTag, scanTag, key, name)
		c.After, err = must(c.After, err, "tag", id)
		return err
	})
	return c, err
}

// DeleteTag deletes a tag with its relations and returns it, or nil when there is no such
// tag.
func (s Session) DeleteTag(ctx context.Context, id string) (gone *Tag, err error) {
	key, ok := canonical(id)
	if !ok {
		return nil, nil
	}
	err = s.write(ctx, func(t tx) error {
		if gone, err = t.tag(ctx, key); err != nil {
			return err
		}
		return t.all(ctx, deleteTag, key)
	})
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return gone, err
}

// TagPost relates a post and a tag of one tenant. It returns the post, and whether they
// were not related already.
func (s Session) TagPost(ctx context.Context, post, tag string) (p *Post, related bool, err error) {
	err = s.related(ctx, post, tag, func(t tx, found *Post, g *Tag) error {
		if found.Tenant != g.Tenant { // seen together by the administrator only
			return notFound("tag", tag)
		}
		p = found
		n, err := t.run(ctx, insertRelation, p.Tenant, p.ID, g.ID)
		related = n > 0
		return err
	})
	return p, related, err
}

// UntagPost removes the relation of a post and a tag, and returns whether there was one.
func (s Session) UntagPost(ctx context.Context, post, tag string) (was bool, err error) {
	err = s.related(ctx, post, tag, func(t tx, p *Post, g *Tag) error {
		n, err := t.run(ctx, deleteRelation, p.ID, g.ID)
		was = n > 0
		return err
	})
	return was, err
}

// related runs f in a transaction in which both rows are visible.
func (s Session) related(ctx context.Context, post, tag string, f func(tx, *Post, *Tag) error) error {
	postID, ok := canonical(post)
	if !ok {
		return notFound("post", post)
	}
	tagID, ok := canonical(tag)
	if !ok {
		return notFound("tag", tag)
	}
	return s.write(ctx, func(t tx) error {
		p, err := t.post(ctx, postID)
		if err != nil {
			return err
		}
		g, err := t.tag(ctx, tagID)
		if err != nil {
			return err
		}
		return f(t, p, g)
	})
}
