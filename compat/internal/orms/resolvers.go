package orms

import (
	"context"
	"strconv"
)

type (
	query      struct{ *Server }
	mutation   struct{ *Server }
	postFields struct{ *Server }
	userFields struct{ *Server }
)

func call(f func()) {
	if f != nil {
		f()
	}
}

func (q query) Post(ctx context.Context, id int) (*Post, error) {
	if !q.Single {
		return q.Store.Post(ctx, id)
	}
	v, err, _ := q.flights.Do(strconv.Itoa(id), func() (any, error) {
		call(q.Flying)
		defer call(q.Landing)
		return q.Store.Post(ctx, id)
	})
	p, _ := v.(*Post)
	return p, err
}

func (q query) Posts(ctx context.Context, author *int, status *string) ([]*Post, error) {
	return q.Store.Posts(ctx, author, status)
}

func (q query) Feed(ctx context.Context, first int) ([]*FeedPost, error) {
	return q.Store.Feed(ctx, first)
}

func (q query) Search(ctx context.Context, term string) ([]*Post, error) {
	return q.Store.Search(ctx, term)
}

func (q query) User(ctx context.Context, id int) (*User, error) { return q.Store.User(ctx, id) }

func (q query) Users(ctx context.Context) ([]*User, error) { return q.Store.Users(ctx) }

func (q query) Tagged(ctx context.Context, tag string) ([]*Post, error) {
	return q.Store.Tagged(ctx, tag)
}

func (q query) Counts(ctx context.Context) ([]*Count, error) { return q.Store.Counts(ctx) }

func (p postFields) Author(ctx context.Context, obj *Post) (*User, error) {
	if p.Kept != nil {
		if u := p.Kept(obj.AuthorID); u != nil {
			return u, nil
		}
	}
	if p.shared != nil {
		return p.shared.Load(ctx, obj.AuthorID)
	}
	return ctx.Value(loadersKey{}).(*loaders).users.Load(ctx, obj.AuthorID)
}

func (p postFields) Comments(ctx context.Context, obj *Post) ([]*Comment, error) {
	return ctx.Value(loadersKey{}).(*loaders).comments.Load(ctx, obj.ID)
}

func (p postFields) Tags(ctx context.Context, obj *Post) ([]*Tag, error) {
	return p.TagsOf(ctx, obj.ID)
}

func (u userFields) Posts(ctx context.Context, obj *User) ([]*Post, error) {
	return u.Store.Posts(ctx, &obj.ID, nil)
}

func (m mutation) CreatePost(ctx context.Context, author int, title string) (*Post, error) {
	return m.Store.CreatePost(ctx, author, title)
}

// written returns a post after a write.
func (m mutation) written(ctx context.Context, id int, err error) (*Post, error) {
	if err != nil {
		return nil, err
	}
	return m.Store.Post(ctx, id)
}

func (m mutation) SetTitle(ctx context.Context, id int, title string) (*Post, error) {
	return m.written(ctx, id, m.Store.SetTitle(ctx, id, title))
}

func (m mutation) SetStatus(ctx context.Context, id int, status string) (*Post, error) {
	return m.written(ctx, id, m.Store.SetStatus(ctx, id, status))
}

func (m mutation) DeletePost(ctx context.Context, id int) (bool, error) {
	return m.Store.DeletePost(ctx, id)
}

func (m mutation) AddComments(ctx context.Context, post int, texts []string) (int, error) {
	return len(texts), m.Store.AddComments(ctx, post, texts)
}

func (m mutation) TagPost(ctx context.Context, post int, tag string) (*Post, error) {
	return m.written(ctx, post, m.Store.TagPost(ctx, post, tag))
}

func (m mutation) RenameUser(ctx context.Context, id int, name string) (*User, error) {
	if err := m.Store.RenameUser(ctx, id, name); err != nil {
		return nil, err
	}
	return m.Store.User(ctx, id)
}

func (m mutation) HandOver(ctx context.Context, from, to int) (int, error) {
	return m.Store.HandOver(ctx, from, to)
}

func (m mutation) FailTitle(ctx context.Context, id int, title string) (*Post, error) {
	err := within(ctx, m.Store, func(ctx context.Context) error {
		if err := m.Store.SetTitle(ctx, id, title); err != nil {
			return err
		}
		return errRolledBack
	})
	return nil, err
}
