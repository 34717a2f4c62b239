package graph

import (
	"context"

	"github.com/cascadeql/cascadeql/example/graph/model"
	"github.com/cascadeql/cascadeql/example/internal/blog"
)

// node looks for a row of any type. An id says nothing of its type, so each table is
// asked in turn.
func (r *Resolver) node(ctx context.Context, id string) (model.Node, error) {
	s := r.as(ctx)
	if row, err := s.User(ctx, id); row != nil || err != nil {
		return orNone(model.One(row, err, model.Users))
	}
	if row, err := s.Post(ctx, id); row != nil || err != nil {
		return orNone(model.One(row, err, model.Posts))
	}
	if row, err := s.Comment(ctx, id); row != nil || err != nil {
		return orNone(model.One(row, err, model.Comments))
	}
	row, err := s.Tag(ctx, id)
	return orNone(model.One(row, err, model.Tags))
}

// orNone keeps a nil row from becoming an interface that is not nil.
func orNone[M any, N interface {
	*M
	model.Node
}](row N, err error) (model.Node, error) {
	if row == nil {
		return nil, err
	}
	return row, err
}

// results puts what a search found in one list; the rows of each type are a group.
func results(f blog.Found) []model.SearchResult {
	all := make([]model.SearchResult, 0, len(f.Users)+len(f.Posts)+len(f.Tags))
	for _, u := range model.Users(f.Users) {
		all = append(all, u)
	}
	for _, p := range model.Posts(f.Posts) {
		all = append(all, p)
	}
	for _, t := range model.Tags(f.Tags) {
		all = append(all, t)
	}
	return all
}
