package orms

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/cascadeql/cascadeql/compat/internal/orms/ent"
	"github.com/cascadeql/cascadeql/compat/internal/orms/ent/comment"
	"github.com/cascadeql/cascadeql/compat/internal/orms/ent/hook"
	"github.com/cascadeql/cascadeql/compat/internal/orms/ent/post"
	"github.com/cascadeql/cascadeql/compat/internal/orms/ent/tag"
	"github.com/cascadeql/cascadeql/compat/internal/orms/ent/user"
)

// An entStore is on ent.
type entStore struct{ client *ent.Client }

// migrating is held while ent makes tables: it fills in their descriptions, which are
// global.
var migrating sync.Mutex

// NewEnt returns a store on ent. It makes its tables.
func NewEnt(ctx context.Context, db *sql.DB) (Store, error) {
	s := &entStore{ent.NewClient(ent.Driver(entsql.OpenDB(dialect.SQLite, db)))}
	migrating.Lock()
	err := s.client.Schema.Create(ctx)
	migrating.Unlock()
	// Rows that are marked as deleted are not returned.
	s.client.Post.Intercept(ent.TraverseFunc(func(_ context.Context, q ent.Query) error {
		if q, ok := q.(*ent.PostQuery); ok {
			q.Where(post.DeletedAtIsNil())
		}
		return nil
	}))
	// A hook counts the comments of a post.
	s.client.Comment.Use(func(next ent.Mutator) ent.Mutator {
		return hook.CommentFunc(func(ctx context.Context, m *ent.CommentMutation) (ent.Value, error) {
			v, err := next.Mutate(ctx, m)
			if id, ok := m.PostID(); ok && err == nil {
				err = m.Client().Post.UpdateOneID(id).AddCommentCount(1).Exec(ctx)
			}
			return v, err
		})
	})
	return s, err
}

func (s *entStore) q(ctx context.Context) *ent.Client {
	if tx := ent.TxFromContext(ctx); tx != nil {
		return tx.Client()
	}
	return s.client
}

// Begin implements Store.
func (s *entStore) Begin(ctx context.Context) (context.Context, Tx, error) {
	if ent.TxFromContext(ctx) != nil {
		return ctx, joined{}, nil
	}
	tx, err := s.client.Tx(ctx)
	if err != nil {
		return nil, nil, err
	}
	return ent.NewTxContext(ctx, tx), tx, nil
}

func entPost(p *ent.Post) *Post {
	return &Post{p.ID, p.Title, p.Status, p.CommentCount, p.AuthorID}
}
func entUser(u *ent.User) *User          { return &User{u.ID, u.Name} }
func entComment(c *ent.Comment) *Comment { return &Comment{c.ID, c.Text, c.PostID} }
func entTag(t *ent.Tag) *Tag             { return &Tag{t.ID, t.Name} }

// Post implements Store.
func (s *entStore) Post(ctx context.Context, id int) (*Post, error) {
	p, err := s.q(ctx).Post.Get(ctx, id)
	if err != nil {
		return nil, ent.MaskNotFound(err)
	}
	return entPost(p), nil
}

// Posts implements Store.
func (s *entStore) Posts(ctx context.Context, author *int, status *string) ([]*Post, error) {
	q := s.q(ctx).Post.Query().Order(ent.Asc(post.FieldID))
	if author != nil {
		q = q.Where(post.HasAuthorWith(user.ID(*author)))
	}
	if status != nil {
		q = q.Where(post.Status(*status))
	}
	list, err := q.All(ctx)
	return all(list, entPost), err
}

// Feed implements Store. It loads authors and comments by further queries.
func (s *entStore) Feed(ctx context.Context, first int) ([]*FeedPost, error) {
	list, err := s.q(ctx).Post.Query().Where(post.Status("PUBLISHED")).WithAuthor().
		WithComments(func(q *ent.CommentQuery) { q.Order(ent.Asc(comment.FieldID)) }).
		Order(ent.Desc(post.FieldID)).Limit(first).All(ctx)
	return all(list, func(p *ent.Post) *FeedPost {
		return &FeedPost{p.ID, p.Title, entUser(p.Edges.Author), all(p.Edges.Comments, entComment)}
	}), err
}

// Search implements Store.
func (s *entStore) Search(ctx context.Context, term string) ([]*Post, error) {
	list, err := s.q(ctx).Post.Query().Where(post.TitleContains(term)).Order(ent.Asc(post.FieldID)).All(ctx)
	return all(list, entPost), err
}

// User implements Store.
func (s *entStore) User(ctx context.Context, id int) (*User, error) {
	u, err := s.q(ctx).User.Query().Where(user.ID(id)).Only(ctx)
	if err != nil {
		return nil, ent.MaskNotFound(err)
	}
	return entUser(u), nil
}

// Users implements Store.
func (s *entStore) Users(ctx context.Context) ([]*User, error) {
	list, err := s.q(ctx).User.Query().Order(ent.Asc(user.FieldID)).All(ctx)
	return all(list, entUser), err
}

// Tagged implements Store.
func (s *entStore) Tagged(ctx context.Context, name string) ([]*Post, error) {
	list, err := s.q(ctx).Tag.Query().Where(tag.Name(name)).QueryPosts().Order(ent.Asc(post.FieldID)).All(ctx)
	return all(list, entPost), err
}

// Counts implements Store.
func (s *entStore) Counts(ctx context.Context) ([]*Count, error) {
	var list []*Count
	err := s.q(ctx).Post.Query().Order(ent.Asc(post.FieldStatus)).GroupBy(post.FieldStatus).
		Aggregate(ent.As(ent.Count(), "posts")).Scan(ctx, &list)
	return list, err
}

// UsersByID implements Store.
func (s *entStore) UsersByID(ctx context.Context, ids []int) ([]*User, error) {
	list, err := s.q(ctx).User.Query().Where(user.IDIn(ids...)).All(ctx)
	return all(list, entUser), err
}

// CommentsOf implements Store.
func (s *entStore) CommentsOf(ctx context.Context, posts []int) ([]*Comment, error) {
	list, err := s.q(ctx).Comment.Query().Where(comment.PostIDIn(posts...)).Order(ent.Asc(comment.FieldID)).All(ctx)
	return all(list, entComment), err
}

// TagsOf implements Store.
func (s *entStore) TagsOf(ctx context.Context, id int) ([]*Tag, error) {
	list, err := s.q(ctx).Tag.Query().Where(tag.HasPostsWith(post.ID(id))).Order(ent.Asc(tag.FieldID)).All(ctx)
	return all(list, entTag), err
}

// CreateUser implements Store.
func (s *entStore) CreateUser(ctx context.Context, name string) (*User, error) {
	u, err := s.q(ctx).User.Create().SetName(name).Save(ctx)
	if err != nil {
		return nil, err
	}
	return entUser(u), nil
}

// CreatePost implements Store.
func (s *entStore) CreatePost(ctx context.Context, author int, title string) (*Post, error) {
	p, err := s.q(ctx).Post.Create().SetTitle(title).SetAuthorID(author).Save(ctx)
	if err != nil {
		return nil, err
	}
	return entPost(p), nil
}

// SetTitle implements Store.
func (s *entStore) SetTitle(ctx context.Context, id int, title string) error {
	_, err := s.q(ctx).Post.UpdateOneID(id).Where(post.DeletedAtIsNil()).SetTitle(title).Save(ctx)
	return ent.MaskNotFound(err)
}

// SetStatus implements Store.
func (s *entStore) SetStatus(ctx context.Context, id int, status string) error {
	return s.q(ctx).Post.Update().Where(post.ID(id), post.DeletedAtIsNil()).SetStatus(status).Exec(ctx)
}

// DeletePost implements Store.
func (s *entStore) DeletePost(ctx context.Context, id int) (bool, error) {
	n, err := s.q(ctx).Post.Update().Where(post.ID(id), post.DeletedAtIsNil()).SetDeletedAt(time.Now()).Save(ctx)
	return n > 0, err
}

// AddComments implements Store.
func (s *entStore) AddComments(ctx context.Context, id int, texts []string) error {
	return within(ctx, s, func(ctx context.Context) error {
		c := s.q(ctx).Comment
		return c.MapCreateBulk(texts, func(b *ent.CommentCreate, i int) { b.SetText(texts[i]).SetPostID(id) }).Exec(ctx)
	})
}

// TagPost implements Store.
func (s *entStore) TagPost(ctx context.Context, id int, name string) error {
	return within(ctx, s, func(ctx context.Context) error {
		c := s.q(ctx)
		at, err := c.Tag.Create().SetName(name).OnConflictColumns(tag.FieldName).UpdateNewValues().ID(ctx)
		if err != nil {
			return err
		}
		has, err := c.Tag.Query().Where(tag.ID(at), tag.HasPostsWith(post.ID(id))).Exist(ctx)
		if err != nil || has {
			return err
		}
		return c.Post.UpdateOneID(id).AddTagIDs(at).Exec(ctx)
	})
}

// RenameUser implements Store.
func (s *entStore) RenameUser(ctx context.Context, id int, name string) error {
	return s.q(ctx).User.UpdateOneID(id).SetName(name).Exec(ctx)
}

// HandOver implements Store.
func (s *entStore) HandOver(ctx context.Context, from, to int) (n int, err error) {
	err = within(ctx, s, func(ctx context.Context) error {
		n, err = s.q(ctx).Post.Update().Where(post.AuthorID(from)).SetAuthorID(to).Save(ctx)
		return err
	})
	return n, err
}
