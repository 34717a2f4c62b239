package orms

import (
	"context"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/cascadeql/cascadeql/compat/internal/orms/ent"
	"github.com/cascadeql/cascadeql/compat/internal/orms/ent/comment"
	"github.com/cascadeql/cascadeql/compat/internal/orms/ent/post"
	"github.com/cascadeql/cascadeql/compat/internal/orms/ent/tag"
	"github.com/cascadeql/cascadeql/compat/internal/orms/ent/user"
)

// Forms implements Former.
func (s *entStore) Forms(ctx context.Context) (errs []error) {
	c := s.q(ctx)
	note := func(_ any, err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	exec := func(err error) { note(nil, err) }
	note(c.Post.Query().Where(post.Or(post.Title("a"), post.And(post.TitleHasPrefix("b"), post.Not(post.Status("x"))))).All(ctx))
	note(c.Post.Query().Where(post.StatusIn("DRAFT", "PUBLISHED"), post.IDNotIn(5, 6), post.CommentCountGTE(1)).Offset(2).Limit(3).All(ctx))
	note(c.Post.Query().Where(post.TitleEqualFold("Title 1")).All(ctx))
	note(c.Post.Query().Where(post.TitleContainsFold("TITLE")).All(ctx))
	note(c.Post.Query().Where(post.HasComments()).IDs(ctx))
	note(c.Post.Query().Where(post.Not(post.HasTagsWith(tag.NameIn("tag1", "tag2")))).Count(ctx))
	note(c.Post.Query().Where(post.HasCommentsWith(comment.TextContains("one")), post.HasAuthorWith(user.Name("user 1"))).Exist(ctx))
	note(c.User.Query().Where(user.HasPostsWith(post.HasTagsWith(tag.Name("tag1")))).All(ctx))
	note(c.User.Query().WithPosts(func(q *ent.PostQuery) { q.WithTags().WithComments().Order(ent.Desc(post.FieldID)) }).All(ctx))
	note(c.Tag.Query().WithPosts(func(q *ent.PostQuery) { q.Where(post.Status("DRAFT")) }).All(ctx))
	note(c.User.Query().Where(user.ID(1)).QueryPosts().QueryTags().All(ctx))
	note(c.User.Query().Where(user.ID(1)).QueryPosts().QueryComments().Order(comment.ByID()).All(ctx))
	note(c.Post.Query().Order(post.ByAuthorField(user.FieldName), post.ByID()).All(ctx))
	note(c.Post.Query().Order(post.ByCommentsCount(entsql.OrderDesc()), post.ByTagsCount()).Limit(3).All(ctx))
	note(c.Post.Query().Order(post.ByTags(entsql.OrderByField(tag.FieldName))).Limit(3).All(ctx))
	note(c.Post.Query().Unique(true).Select(post.FieldStatus).Strings(ctx))
	note(c.Post.Query().Aggregate(ent.Sum(post.FieldCommentCount)).Int(ctx))
	note(c.Post.Query().Where(func(s *entsql.Selector) {
		t := entsql.Table(comment.Table)
		s.Where(entsql.In(s.C(post.FieldID), entsql.Select(t.C(comment.FieldPostID)).From(t).Where(entsql.EQ(t.C(comment.FieldText), "one"))))
	}).All(ctx))
	note(c.Post.Query().Where(post.TitleGT("a"), func(s *entsql.Selector) { // a cursor
		s.Where(entsql.CompositeGT([]string{s.C(post.FieldTitle), s.C(post.FieldID)}, "title 1", 2))
	}).Limit(2).All(ctx))
	var total []struct {
		AuthorID int `json:"author_id"`
		Count    int `json:"count"`
		Max      int `json:"max"`
	}
	exec(c.Post.Query().GroupBy(post.FieldAuthorID).Aggregate(ent.Count(), ent.Max(post.FieldCommentCount)).Scan(ctx, &total))
	note(c.Tag.MapCreateBulk([]string{"e1", "e2"}, func(b *ent.TagCreate, i int) { b.SetName([]string{"e1", "e2"}[i]) }).Save(ctx))
	exec(c.Tag.MapCreateBulk([]string{"e1", "e3"}, func(b *ent.TagCreate, i int) { b.SetName([]string{"e1", "e3"}[i]) }).
		OnConflict(entsql.ConflictColumns(tag.FieldName)).UpdateNewValues().Exec(ctx))
	exec(c.Tag.Create().SetName("e1").OnConflict(entsql.ConflictColumns(tag.FieldName)).Ignore().Exec(ctx))
	note(c.Post.Create().SetTitle("edges").SetAuthorID(1).AddTagIDs(1, 2).Save(ctx))
	note(c.Post.UpdateOneID(2).AddCommentCount(2).ClearTags().Save(ctx))
	note(c.Post.UpdateOneID(2).AddTagIDs(3).RemoveTagIDs(3).SetAuthorID(2).Save(ctx))
	note(c.Post.Update().Where(post.HasAuthorWith(user.Name("user 1"))).SetTitle("by author").AddCommentCount(1).Save(ctx))
	note(c.Comment.Delete().Where(comment.TextIn("nothing", "more"), comment.HasPostWith(post.Status("x"))).Exec(ctx))
	note(c.Comment.Delete().Where(comment.ID(99999)).Exec(ctx))
	return errs
}
