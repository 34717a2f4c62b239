package orms

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
)

type bunUser struct {
	bun.BaseModel `bun:"table:users,alias:u"`

	ID   int    `bun:",pk,autoincrement"`
	Name string `bun:",notnull"`
}

type bunPost struct {
	bun.BaseModel `bun:"table:posts,alias:p"`

	ID           int           `bun:",pk,autoincrement"`
	Title        string        `bun:",notnull"`
	Status       string        `bun:",nullzero,notnull,default:'DRAFT'"`
	CommentCount int           `bun:",notnull,default:0"`
	AuthorID     int           `bun:",notnull"`
	Author       *bunUser      `bun:"rel:belongs-to,join:author_id=id"`
	Comments     []*bunComment `bun:"rel:has-many,join:id=post_id"`
	Tags         []*bunTag     `bun:"m2m:post_tags,join:Post=Tag"`
	DeletedAt    time.Time     `bun:",soft_delete,nullzero"`
}

type bunComment struct {
	bun.BaseModel `bun:"table:comments,alias:c"`

	ID     int    `bun:",pk,autoincrement"`
	Text   string `bun:",notnull"`
	PostID int    `bun:",notnull"`
}

type bunTag struct {
	bun.BaseModel `bun:"table:tags,alias:t"`

	ID    int        `bun:",pk,autoincrement"`
	Name  string     `bun:",unique,notnull"`
	Posts []*bunPost `bun:"m2m:post_tags,join:Tag=Post"`
}

type bunPostTag struct {
	bun.BaseModel `bun:"table:post_tags,alias:pt"`

	PostID int      `bun:",pk"`
	Post   *bunPost `bun:"rel:belongs-to,join:post_id=id"`
	TagID  int      `bun:",pk"`
	Tag    *bunTag  `bun:"rel:belongs-to,join:tag_id=id"`
}

type bunCount struct {
	Status string
	Posts  int
}

// bunStoreKey is the key of the store in the context of hooks.
type bunStoreKey struct{}

// AfterInsert is a hook: it counts the comments of a post.
func (*bunComment) AfterInsert(ctx context.Context, query *bun.InsertQuery) error {
	list, ok := query.GetModel().Value().(*[]*bunComment)
	if !ok {
		return errors.New("the hook is for lists")
	}
	s, _ := ctx.Value(bunStoreKey{}).(*bunStore)
	for _, c := range *list {
		_, err := s.q(ctx).NewUpdate().Model((*bunPost)(nil)).Set("comment_count = comment_count + 1").Where("id = ?", c.PostID).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// A bunStore is on bun, which writes arguments into the texts of statements.
type bunStore struct{ db *bun.DB }

// NewBun returns a store on bun. It makes its tables.
func NewBun(ctx context.Context, db *sql.DB) (Store, error) {
	s := &bunStore{bun.NewDB(db, sqlitedialect.New())}
	s.db.RegisterModel((*bunPostTag)(nil))
	for _, model := range []any{(*bunUser)(nil), (*bunPost)(nil), (*bunComment)(nil), (*bunTag)(nil), (*bunPostTag)(nil)} {
		if _, err := s.db.NewCreateTable().Model(model).IfNotExists().Exec(ctx); err != nil {
			return nil, err
		}
	}
	_, err := s.db.NewCreateIndex().Model((*bunPost)(nil)).Index("posts_author").Column("author_id", "status").IfNotExists().Exec(ctx)
	return s, err
}

func (s *bunStore) q(ctx context.Context) bun.IDB {
	if tx, ok := ctx.Value(txKey{}).(bun.Tx); ok {
		return tx
	}
	return s.db
}

// Begin implements Store.
func (s *bunStore) Begin(ctx context.Context) (context.Context, Tx, error) {
	if ctx.Value(txKey{}) != nil {
		return ctx, joined{}, nil
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	return context.WithValue(ctx, txKey{}, tx), tx, nil
}

func (p *bunPost) post() *Post {
	return &Post{p.ID, p.Title, p.Status, p.CommentCount, p.AuthorID}
}
func (u *bunUser) user() *User          { return &User{u.ID, u.Name} }
func (c *bunComment) comment() *Comment { return &Comment{c.ID, c.Text, c.PostID} }
func (t *bunTag) tag() *Tag             { return &Tag{t.ID, t.Name} }

// all converts rows.
func all[T, U any](list []*T, convert func(*T) *U) []*U {
	out := make([]*U, len(list))
	for i, v := range list {
		out[i] = convert(v)
	}
	return out
}

// Post implements Store.
func (s *bunStore) Post(ctx context.Context, id int) (*Post, error) {
	p := &bunPost{ID: id}
	err := s.q(ctx).NewSelect().Model(p).WherePK().Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return p.post(), err
}

// Posts implements Store.
func (s *bunStore) Posts(ctx context.Context, author *int, status *string) ([]*Post, error) {
	var list []*bunPost
	q := s.q(ctx).NewSelect().Model(&list)
	if author != nil {
		q = q.Where("author_id = ?", *author)
	}
	if status != nil {
		q = q.Where("?TableAlias.status = ?", *status)
	}
	err := q.Order("p.id").Scan(ctx)
	return all(list, (*bunPost).post), err
}

// Feed implements Store. It loads authors by a join, and comments by a second query.
func (s *bunStore) Feed(ctx context.Context, first int) ([]*FeedPost, error) {
	var list []*bunPost
	err := s.q(ctx).NewSelect().Model(&list).Relation("Author").
		Relation("Comments", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Order("c.id") }).
		Where("p.status = ?", "PUBLISHED").Order("p.id DESC").Limit(int64(first)).Scan(ctx)
	return all(list, func(p *bunPost) *FeedPost {
		return &FeedPost{p.ID, p.Title, p.Author.user(), all(p.Comments, (*bunComment).comment)}
	}), err
}

// Search implements Store.
func (s *bunStore) Search(ctx context.Context, term string) ([]*Post, error) {
	var list []*bunPost
	err := s.q(ctx).NewSelect().Model(&list).Where("title LIKE ?", "%"+term+"%").Order("id").Scan(ctx)
	return all(list, (*bunPost).post), err
}

// User implements Store.
func (s *bunStore) User(ctx context.Context, id int) (*User, error) {
	u := new(bunUser)
	err := s.q(ctx).NewSelect().Model(u).Where("id = ?", id).Limit(1).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return u.user(), err
}

// Users implements Store.
func (s *bunStore) Users(ctx context.Context) ([]*User, error) {
	var list []*bunUser
	err := s.q(ctx).NewSelect().Model(&list).Order("id").Scan(ctx)
	return all(list, (*bunUser).user), err
}

// Tagged implements Store.
func (s *bunStore) Tagged(ctx context.Context, tag string) ([]*Post, error) {
	var list []*bunPost
	err := s.q(ctx).NewSelect().Model(&list).Join("JOIN post_tags AS pt ON pt.post_id = p.id").
		Join("JOIN tags AS t ON t.id = pt.tag_id").Where("t.name = ?", tag).Order("p.id").Scan(ctx)
	return all(list, (*bunPost).post), err
}

// Counts implements Store.
func (s *bunStore) Counts(ctx context.Context) ([]*Count, error) {
	var list []*bunCount
	err := s.q(ctx).NewSelect().Model((*bunPost)(nil)).Column("status").ColumnExpr("count(*) AS posts").
		Group("status").Order("status").Scan(ctx, &list)
	return all(list, func(c *bunCount) *Count { return &Count{c.Status, c.Posts} }), err
}

// UsersByID implements Store.
func (s *bunStore) UsersByID(ctx context.Context, ids []int) ([]*User, error) {
	var list []*bunUser
	err := s.q(ctx).NewSelect().Model(&list).Where("id IN (?)", bun.List(ids)).Scan(ctx)
	return all(list, (*bunUser).user), err
}

// CommentsOf implements Store.
func (s *bunStore) CommentsOf(ctx context.Context, posts []int) ([]*Comment, error) {
	var list []*bunComment
	err := s.q(ctx).NewSelect().Model(&list).Where("post_id IN (?)", bun.List(posts)).Order("id").Scan(ctx)
	return all(list, (*bunComment).comment), err
}

// TagsOf implements Store.
func (s *bunStore) TagsOf(ctx context.Context, post int) ([]*Tag, error) {
	p := &bunPost{ID: post}
	err := s.q(ctx).NewSelect().Model(p).WherePK().
		Relation("Tags", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Order("t.id") }).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return all(p.Tags, (*bunTag).tag), err
}

// CreateUser implements Store.
func (s *bunStore) CreateUser(ctx context.Context, name string) (*User, error) {
	u := &bunUser{Name: name}
	_, err := s.q(ctx).NewInsert().Model(u).Exec(ctx)
	return u.user(), err
}

// CreatePost implements Store.
func (s *bunStore) CreatePost(ctx context.Context, author int, title string) (*Post, error) {
	p := &bunPost{Title: title, AuthorID: author}
	_, err := s.q(ctx).NewInsert().Model(p).Exec(ctx)
	return p.post(), err
}

// SetTitle implements Store.
func (s *bunStore) SetTitle(ctx context.Context, id int, title string) error {
	_, err := s.q(ctx).NewUpdate().Model(&bunPost{ID: id, Title: title}).Column("title").WherePK().Exec(ctx)
	return err
}

// SetStatus implements Store.
func (s *bunStore) SetStatus(ctx context.Context, id int, status string) error {
	_, err := s.q(ctx).NewUpdate().Model((*bunPost)(nil)).Set("status = ?", status).Where("id = ?", id).Exec(ctx)
	return err
}

// DeletePost implements Store.
func (s *bunStore) DeletePost(ctx context.Context, id int) (bool, error) {
	res, err := s.q(ctx).NewDelete().Model(&bunPost{ID: id}).WherePK().Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// AddComments implements Store.
func (s *bunStore) AddComments(ctx context.Context, post int, texts []string) error {
	list := make([]*bunComment, len(texts))
	for i, text := range texts {
		list[i] = &bunComment{Text: text, PostID: post}
	}
	return within(ctx, s, func(ctx context.Context) error {
		_, err := s.q(ctx).NewInsert().Model(&list).Exec(context.WithValue(ctx, bunStoreKey{}, s))
		return err
	})
}

// TagPost implements Store.
func (s *bunStore) TagPost(ctx context.Context, post int, tag string) error {
	return within(ctx, s, func(ctx context.Context) error {
		t := &bunTag{Name: tag}
		_, err := s.q(ctx).NewInsert().Model(t).On("CONFLICT (name) DO UPDATE").Set("name = EXCLUDED.name").Returning("id").Exec(ctx)
		if err != nil {
			return err
		}
		_, err = s.q(ctx).NewInsert().Model(&bunPostTag{PostID: post, TagID: t.ID}).Ignore().Exec(ctx)
		return err
	})
}

// RenameUser implements Store.
func (s *bunStore) RenameUser(ctx context.Context, id int, name string) error {
	_, err := s.q(ctx).NewUpdate().Model((*bunUser)(nil)).Set("name = ?", name).Where("id = ?", id).Exec(ctx)
	return err
}

// HandOver implements Store.
func (s *bunStore) HandOver(ctx context.Context, from, to int) (n int, err error) {
	err = within(ctx, s, func(ctx context.Context) error {
		res, err := s.q(ctx).NewUpdate().Model((*bunPost)(nil)).Set("author_id = ?", to).Where("author_id = ?", from).
			WhereAllWithDeleted().Exec(ctx)
		if err != nil {
			return err
		}
		affected, err := res.RowsAffected()
		n = int(affected)
		return err
	})
	return n, err
}
