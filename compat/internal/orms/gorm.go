package orms

import (
	"context"
	"database/sql"
	"errors"

	"github.com/libtnb/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

type gormUser struct {
	ID    int
	Name  string     `gorm:"not null"`
	Posts []gormPost `gorm:"foreignKey:AuthorID"`
}

type gormPost struct {
	ID           int
	Title        string         `gorm:"not null"`
	Status       string         `gorm:"not null;default:DRAFT;index:posts_author,priority:2"`
	CommentCount int            `gorm:"not null;default:0"`
	AuthorID     int            `gorm:"not null;index:posts_author,priority:1"`
	Author       *gormUser      `gorm:"foreignKey:AuthorID"`
	Comments     []gormComment  `gorm:"foreignKey:PostID"`
	Tags         []gormTag      `gorm:"many2many:post_tags;joinForeignKey:PostID;joinReferences:TagID"`
	DeletedAt    gorm.DeletedAt `gorm:"index"`
}

type gormComment struct {
	ID     int
	Text   string `gorm:"not null"`
	PostID int    `gorm:"not null;index"`
}

type gormTag struct {
	ID   int
	Name string `gorm:"not null;uniqueIndex"`
}

// TableName implements schema.Tabler.
func (gormUser) TableName() string { return "users" }

// TableName implements schema.Tabler.
func (gormPost) TableName() string { return "posts" }

// TableName implements schema.Tabler.
func (gormComment) TableName() string { return "comments" }

// TableName implements schema.Tabler.
func (gormTag) TableName() string { return "tags" }

// AfterCreate is a hook: it counts the comments of a post.
func (c *gormComment) AfterCreate(tx *gorm.DB) error {
	return tx.Model(&gormPost{}).Where("id = ?", c.PostID).
		UpdateColumn("comment_count", gorm.Expr("comment_count + ?", 1)).Error
}

// A GORM is a store on GORM.
type GORM struct {
	db *gorm.DB
	// Forgetful has the store forget WithContext.
	Forgetful bool
}

// NewGORM returns a store on GORM. It makes its tables.
func NewGORM(ctx context.Context, db *sql.DB) (*GORM, error) {
	g, err := gorm.Open(&sqlite.Dialector{Conn: db}, &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return nil, err
	}
	return &GORM{db: g}, g.WithContext(ctx).AutoMigrate(&gormUser{}, &gormPost{}, &gormComment{}, &gormTag{})
}

func (s *GORM) q(ctx context.Context) *gorm.DB {
	db := s.db
	if tx, ok := ctx.Value(txKey{}).(*gorm.DB); ok {
		db = tx
	}
	if s.Forgetful {
		return db
	}
	return db.WithContext(ctx)
}

type gormTx struct{ db *gorm.DB }

// Commit implements Tx.
func (t gormTx) Commit() error { return t.db.Commit().Error }

// Rollback implements Tx.
func (t gormTx) Rollback() error { return t.db.Rollback().Error }

// Begin implements Store.
func (s *GORM) Begin(ctx context.Context) (context.Context, Tx, error) {
	if ctx.Value(txKey{}) != nil {
		return ctx, joined{}, nil
	}
	tx := s.q(ctx).Begin()
	if tx.Error != nil {
		return nil, nil, tx.Error
	}
	return context.WithValue(ctx, txKey{}, tx), gormTx{tx}, nil
}

func (p *gormPost) post() *Post {
	return &Post{p.ID, p.Title, p.Status, p.CommentCount, p.AuthorID}
}
func (u *gormUser) user() *User          { return &User{u.ID, u.Name} }
func (c *gormComment) comment() *Comment { return &Comment{c.ID, c.Text, c.PostID} }
func (t *gormTag) tag() *Tag             { return &Tag{t.ID, t.Name} }

// each converts rows.
func each[T, U any](list []T, convert func(*T) *U) []*U {
	out := make([]*U, len(list))
	for i := range list {
		out[i] = convert(&list[i])
	}
	return out
}

// Post implements Store.
func (s *GORM) Post(ctx context.Context, id int) (*Post, error) {
	var p gormPost
	err := s.q(ctx).First(&p, id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	return p.post(), err
}

// Posts implements Store.
func (s *GORM) Posts(ctx context.Context, author *int, status *string) ([]*Post, error) {
	var list []gormPost
	q := s.q(ctx)
	if author != nil {
		q = q.Where("author_id = ?", *author)
	}
	if status != nil {
		q = q.Where(&gormPost{Status: *status})
	}
	err := q.Order("id").Find(&list).Error
	return each(list, (*gormPost).post), err
}

// Feed implements Store. It loads authors by a join, and comments by a second query.
func (s *GORM) Feed(ctx context.Context, first int) ([]*FeedPost, error) {
	var list []gormPost
	err := s.q(ctx).Joins("Author").Preload("Comments", func(db *gorm.DB) *gorm.DB { return db.Order("comments.id") }).
		Where("posts.status = ?", "PUBLISHED").Order("posts.id DESC").Limit(first).Find(&list).Error
	return each(list, func(p *gormPost) *FeedPost {
		return &FeedPost{p.ID, p.Title, p.Author.user(), each(p.Comments, (*gormComment).comment)}
	}), err
}

// Search implements Store.
func (s *GORM) Search(ctx context.Context, term string) ([]*Post, error) {
	var list []gormPost
	err := s.q(ctx).Where("title LIKE ?", "%"+term+"%").Order("id").Find(&list).Error
	return each(list, (*gormPost).post), err
}

// User implements Store.
func (s *GORM) User(ctx context.Context, id int) (*User, error) {
	var u gormUser
	err := s.q(ctx).Take(&u, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	return u.user(), err
}

// Users implements Store.
func (s *GORM) Users(ctx context.Context) ([]*User, error) {
	var list []gormUser
	err := s.q(ctx).Order("id").Find(&list).Error
	return each(list, (*gormUser).user), err
}

// Tagged implements Store.
func (s *GORM) Tagged(ctx context.Context, tag string) ([]*Post, error) {
	var list []gormPost
	err := s.q(ctx).Joins("JOIN post_tags ON post_tags.post_id = posts.id").Joins("JOIN tags ON tags.id = post_tags.tag_id").
		Where("tags.name = ?", tag).Order("posts.id").Find(&list).Error
	return each(list, (*gormPost).post), err
}

// Counts implements Store.
func (s *GORM) Counts(ctx context.Context) ([]*Count, error) {
	var list []*Count
	err := s.q(ctx).Model(&gormPost{}).Select("status, count(*) AS posts").Group("status").Order("status").Scan(&list).Error
	return list, err
}

// UsersByID implements Store.
func (s *GORM) UsersByID(ctx context.Context, ids []int) ([]*User, error) {
	var list []gormUser
	err := s.q(ctx).Find(&list, ids).Error
	return each(list, (*gormUser).user), err
}

// CommentsOf implements Store.
func (s *GORM) CommentsOf(ctx context.Context, posts []int) ([]*Comment, error) {
	var list []gormComment
	err := s.q(ctx).Where("post_id IN ?", posts).Order("id").Find(&list).Error
	return each(list, (*gormComment).comment), err
}

// TagsOf implements Store.
func (s *GORM) TagsOf(ctx context.Context, post int) ([]*Tag, error) {
	var list []gormTag
	err := s.q(ctx).Model(&gormPost{ID: post}).Order("tags.id").Association("Tags").Find(&list)
	return each(list, (*gormTag).tag), err
}

// CreateUser implements Store.
func (s *GORM) CreateUser(ctx context.Context, name string) (*User, error) {
	u := gormUser{Name: name}
	err := s.q(ctx).Create(&u).Error
	return u.user(), err
}

// CreatePost implements Store.
func (s *GORM) CreatePost(ctx context.Context, author int, title string) (*Post, error) {
	p := gormPost{Title: title, AuthorID: author}
	err := s.q(ctx).Create(&p).Error
	return p.post(), err
}

// SetTitle implements Store. It saves all columns, as GORM's Save does.
func (s *GORM) SetTitle(ctx context.Context, id int, title string) error {
	return s.q(ctx).Transaction(func(tx *gorm.DB) error {
		var p gormPost
		if err := tx.First(&p, id).Error; err != nil {
			if errors.Is(err, gorm.ErrRecordNotFound) {
				return nil
			}
			return err
		}
		p.Title = title
		return tx.Save(&p).Error
	})
}

// SetStatus implements Store.
func (s *GORM) SetStatus(ctx context.Context, id int, status string) error {
	return s.q(ctx).Model(&gormPost{ID: id}).Updates(map[string]any{"status": status}).Error
}

// DeletePost implements Store.
func (s *GORM) DeletePost(ctx context.Context, id int) (bool, error) {
	res := s.q(ctx).Delete(&gormPost{}, id)
	return res.RowsAffected > 0, res.Error
}

// AddComments implements Store.
func (s *GORM) AddComments(ctx context.Context, post int, texts []string) error {
	list := make([]gormComment, len(texts))
	for i, text := range texts {
		list[i] = gormComment{Text: text, PostID: post}
	}
	return s.q(ctx).CreateInBatches(list, 2).Error
}

// TagPost implements Store.
func (s *GORM) TagPost(ctx context.Context, post int, tag string) error {
	return s.q(ctx).Transaction(func(tx *gorm.DB) error {
		t := gormTag{Name: tag}
		upsert := clause.OnConflict{Columns: []clause.Column{{Name: "name"}}, DoUpdates: clause.AssignmentColumns([]string{"name"})}
		if err := tx.Clauses(upsert).Create(&t).Error; err != nil {
			return err
		}
		return tx.Model(&gormPost{ID: post}).Association("Tags").Append(&t)
	})
}

// RenameUser implements Store.
func (s *GORM) RenameUser(ctx context.Context, id int, name string) error {
	return s.q(ctx).Model(&gormUser{}).Where("id = ?", id).Update("name", name).Error
}

// HandOver implements Store.
func (s *GORM) HandOver(ctx context.Context, from, to int) (n int, err error) {
	err = within(ctx, s, func(ctx context.Context) error {
		res := s.q(ctx).Unscoped().Model(&gormPost{}).Where("author_id = ?", from).Update("author_id", to)
		n = int(res.RowsAffected)
		return res.Error
	})
	return n, err
}
