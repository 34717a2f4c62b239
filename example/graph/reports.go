package graph

import (
	"context"

	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache"
)

// The directives say what a mutation may change, its arguments and its answer say of
// which rows. What neither knows is in the transaction: what the rows held before, which
// rows a condition met, and whether anything was written at all. The resolvers tell the
// cache here. A report only narrows what the directives say: one that does not arrive,
// because there is no cache, drops more answers.
func report(ctx context.Context, reports ...gqlcache.RowReport) {
	if !silent(ctx) {
		_ = gqlcache.Report(ctx, reports...)
	}
}

// reads tells what a field reads which has @reads(atRuntime: true). Its error says that
// there is no cache, or that the cache does not keep the answer: that is nothing to the
// client.
func reads(ctx context.Context, rows ...gqlcache.Change) {
	if !silent(ctx) {
		_ = gqlcache.Read(ctx, rows...)
	}
}

func nothingWritten(ctx context.Context) {
	if !silent(ctx) {
		_ = gqlcache.NothingWritten(ctx)
	}
}

// settled tells the cache of a refused mutation: its transaction was rolled back. After
// any other error it is not certain that nothing was written.
func settled[R any](ctx context.Context, result R, err error) (R, error) {
	if blog.Refused(err) {
		nothingWritten(ctx)
	}
	return result, err
}

// reportUser tells what an update made of a user, as far as lists and searches look at
// it.
func reportUser(ctx context.Context, c blog.Change[blog.User]) {
	was, is := c.Before, c.After
	report(ctx,
		gqlcache.Moved("User", is.ID, "email", was.Email, is.Email),
		gqlcache.Moved("User", is.ID, "name", was.Name, is.Name),
	)
}

// reportPost is reportUser for posts.
func reportPost(ctx context.Context, was, is *blog.Post) {
	report(ctx,
		gqlcache.Moved("Post", is.ID, "author.id", was.AuthorID, is.AuthorID),
		gqlcache.Moved("Post", is.ID, "status", was.Status, is.Status),
		gqlcache.Moved("Post", is.ID, "title", was.Title, is.Title),
		gqlcache.Moved("Post", is.ID, "seq", was.Seq, is.Seq),
	)
}

// reportPage tells where a page of posts ends, the newest first: older posts do not
// matter to it. That of a page that is not full is not known, as the next one would be
// shown there.
func reportPage(ctx context.Context, posts []blog.Post, limit int) {
	if len(posts) > 0 && len(posts) >= limit && !silent(ctx) {
		_ = gqlcache.ShownUntil(ctx, posts[len(posts)-1].Seq)
	}
}

// reportStatus tells which posts got a status, of all that a mutation could have changed.
func reportStatus(ctx context.Context, before []blog.Post, status blog.Status) {
	report(ctx, gqlcache.Rows("Post", column(before, postID)))
	for i := range before {
		is := before[i]
		is.Status = status
		reportPost(ctx, &before[i], &is)
	}
}

// reportRemoval tells which rows are gone and what they held.
func reportRemoval(ctx context.Context, gone blog.Removal) {
	report(ctx,
		gqlcache.Rows("Post", column(gone.Posts, postID)),
		gqlcache.Rows("Comment", column(gone.Comments, commentID)),
	)
	authors := map[string]string{} // of the posts that are gone
	for i := range gone.Posts {
		p := &gone.Posts[i]
		authors[p.ID] = p.AuthorID
		reportPost(ctx, p, p)
	}
	for _, c := range gone.Comments {
		report(ctx,
			gqlcache.Moved("Comment", c.ID, "post.id", c.PostID, nil),
			gqlcache.Moved("Comment", c.ID, "author.id", c.AuthorID, nil),
		)
		if author, ok := authors[c.PostID]; ok {
			report(ctx, gqlcache.Moved("Comment", c.ID, "post.author.id", author, nil))
		}
	}
	if u := gone.User; u != nil {
		reportUser(ctx, blog.Change[blog.User]{Before: u, After: u})
	}
}
