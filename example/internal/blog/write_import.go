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
