package graph

import (
	"context"

	"github.com/cascadeql/cascadeql/example/graph/model"
	"github.com/cascadeql/cascadeql/example/internal/blog"
)

// What can be loaded for a group of rows, with its arguments: the keys of model.Load.
type (
	authors      struct{}
	parentPosts  struct{}
	latestPosts  struct{}
	stats        struct{}
	tags         struct{}
	commentCount struct{}
	comments     struct{ limit int }
	tagged       struct{ limit int }
	written      struct {
		status blog.Status // "" for any
		page   blog.Page
	}
)

// loadUser loads one user for each row of a group and returns the one with the id, nil
// when there is none.
func loadUser[R any](
	ctx context.Context, r *Resolver, g *model.Group[R], of func(R) string, id string,
) (*model.User, error) {
	users, err := model.Load(g, authors{}, func(rows []R) (map[string]*model.User, error) {
		users, err := r.as(ctx).Users(ctx, column(rows, of))
		return model.ByID(users, model.Users), err
	})
	return users[id], err
}

// loadPost is loadUser for posts; what tells them from other posts of the same rows.
func loadPost[R any](
	ctx context.Context, r *Resolver, g *model.Group[R], what any, of func(R) string, id string,
) (*model.Post, error) {
	posts, err := model.Load(g, what, func(rows []R) (map[string]*model.Post, error) {
		posts, err := r.as(ctx).Posts(ctx, column(rows, of))
		return model.ByID(posts, model.Posts), err
	})
	return posts[id], err
}

// column returns the texts that of finds in rows, without the empty ones.
func column[R any](rows []R, of func(R) string) []string {
	all := make([]string, 0, len(rows))
	for _, row := range rows {
		if text := of(row); text != "" {
			all = append(all, text)
		}
	}
	return all
}

func userID(u blog.User) string              { return u.ID }
func postID(p blog.Post) string              { return p.ID }
func postAuthor(p blog.Post) string          { return p.AuthorID }
func commentAuthor(c blog.Comment) string    { return c.AuthorID }
func commentID(c blog.Comment) string        { return c.ID }
func commentPost(c blog.Comment) string      { return c.PostID }
func tagID(t blog.Tag) string                { return t.ID }
func statsAuthor(a blog.AuthorStats) string  { return a.AuthorID }
func latestPostID(a blog.AuthorStats) string { return orEmpty(a.LatestPostID) }

func orEmpty[S ~string](s *S) S {
	if s == nil {
		return ""
	}
	return *s
}
