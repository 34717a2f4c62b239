package graph

import (
	"context"

	"github.com/cascadeql/cascadeql/example/graph/model"
	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache"
)

// node looks for a row of any type. An id says nothing of its type, so each table is
// asked in turn. The field has @reads(atRuntime: true): the resolver says in which tables
// there was no such row, so that it is asked again when there is one. The row that it finds
// is in the answer, which depends on it by what it shows.
//
// It does not get the row by gqlcache.Compute: a value is found that is true when it is
// found, and the fields below read in the snapshot of the root field. It may be of another
// moment, and the answer would then be of none.
func (r *Resolver) node(ctx context.Context, id string) (model.Node, error) {
	s := r.as(ctx)
	reads(ctx) // nothing but what follows
	if row, err := s.User(ctx, id); row != nil || err != nil {
		return orNone(model.One(row, err, model.Users))
	}
	reads(ctx, gqlcache.Entity("User", id))
	if row, err := s.Post(ctx, id); row != nil || err != nil {
		return orNone(model.One(row, err, model.Posts))
	}
	reads(ctx, gqlcache.Entity("Post", id))
	if row, err := s.Comment(ctx, id); row != nil || err != nil {
		return orNone(model.One(row, err, model.Comments))
	}
	reads(ctx, gqlcache.Entity("Comment", id))
	row, err := s.Tag(ctx, id)
	if row == nil {
		reads(ctx, gqlcache.Entity("Tag", id))
	}
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
