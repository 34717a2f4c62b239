package blog

import "context"

// Import creates users, posts, comments and tags in this order, all or nothing. Rows may
// refer to rows of the same import.
func (s Session) Import(ctx context.Context, in Import) (*Imported, error) {
	if s.tenant == Admin {
		return nil, ErrAdmin
	}
	err := s.write(ctx, func(t tx) error {
		if err := each(in.Users, func(u NewUser) error { _, err := t.createUser(ctx, u); return err }); err != nil {
			return err
		}
		if err := each(in.Posts, func(p NewPost) error { _, err := t.createPost(ctx, p); return err }); err != nil {
			return err
		}
		if err := each(in.Comments, func(c NewComment) error { _, err := t.addComment(ctx, c); return err }); err != nil {
			return err
		}
		return each(in.Tags, func(g NewTag) error { _, err := t.createTag(ctx, g); return err })
	})
	if err != nil {
		return nil, err
	}
	return &Imported{len(in.Users), len(in.Posts), len(in.Comments), len(in.Tags)}, nil
}

func each[T any](all []*T, create func(T) error) error {
	for _, in := range all {
		if err := create(*in); err != nil {
			return err
		}
	}
	return nil
}

// ImportTagged imports rows, and gives each post one of the tags, in turn. Posts and tags
// have their ids. It is not one transaction: after an error a part of it may be there.
func (s Session) ImportTagged(ctx context.Context, in Import) error {
	if _, err := s.Import(ctx, in); err != nil {
		return err
	}
	for i, p := range in.Posts {
		if _, _, err := s.TagPost(ctx, *p.ID, *in.Tags[i%len(in.Tags)].ID); err != nil {
			return err
		}
	}
	return nil
}
