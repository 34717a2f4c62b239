package model

import "github.com/cascadeql/cascadeql/example/internal/blog"

// A User is a user's row.
type User struct {
	blog.User
	Group *Group[blog.User]
}

// A Post is a post's row.
type Post struct {
	blog.Post
	Group *Group[blog.Post]
}

// A Comment is a comment's row.
type Comment struct {
	blog.Comment
	Group *Group[blog.Comment]
}

// A Tag is a tag's row.
type Tag struct {
	blog.Tag
	Group *Group[blog.Tag]
}

// An AuthorStats is the row of an author in the SQL view.
type AuthorStats struct {
	blog.AuthorStats
	Group *Group[blog.AuthorStats]
}

// A PostPage is a part of an author's posts, read when its fields are.
type PostPage struct {
	AuthorID string
	Status   *blog.Status
	Page     blog.Page
}

// IsNode marks the implementation of Node.
func (*User) IsNode() {}

// IsNode marks the implementation of Node.
func (*Post) IsNode() {}

// IsNode marks the implementation of Node.
func (*Comment) IsNode() {}

// IsNode marks the implementation of Node.
func (*Tag) IsNode() {}

// IsSearchResult marks a member of SearchResult.
func (*User) IsSearchResult() {}

// IsSearchResult marks a member of SearchResult.
func (*Post) IsSearchResult() {}

// IsSearchResult marks a member of SearchResult.
func (*Tag) IsSearchResult() {}

// Users makes one group of rows.
func Users(rows []blog.User) []*User {
	g := &Group[blog.User]{rows: rows}
	return each(rows, func(r blog.User) *User { return &User{r, g} })
}

// Posts makes one group of rows.
func Posts(rows []blog.Post) []*Post {
	g := &Group[blog.Post]{rows: rows}
	return each(rows, func(r blog.Post) *Post { return &Post{r, g} })
}

// Comments makes one group of rows.
func Comments(rows []blog.Comment) []*Comment {
	g := &Group[blog.Comment]{rows: rows}
	return each(rows, func(r blog.Comment) *Comment { return &Comment{r, g} })
}

// Tags makes one group of rows.
func Tags(rows []blog.Tag) []*Tag {
	g := &Group[blog.Tag]{rows: rows}
	return each(rows, func(r blog.Tag) *Tag { return &Tag{r, g} })
}

// Stats makes one group of rows.
func Stats(rows []blog.AuthorStats) []*AuthorStats {
	g := &Group[blog.AuthorStats]{rows: rows}
	return each(rows, func(r blog.AuthorStats) *AuthorStats { return &AuthorStats{r, g} })
}

func each[R, M any](rows []R, of func(R) M) []M {
	all := make([]M, len(rows))
	for i, r := range rows {
		all[i] = of(r)
	}
	return all
}

// One makes a group of a single row, and nothing of no row.
func One[R, M any](row *R, err error, of func([]R) []*M) (*M, error) {
	if row == nil || err != nil {
		return nil, err
	}
	return of([]R{*row})[0], nil
}

// ByID makes one group of rows that were loaded by id.
func ByID[R, M any](byID map[string]R, of func([]R) []*M) map[string]*M {
	ids, rows := make([]string, 0, len(byID)), make([]R, 0, len(byID))
	for id, row := range byID {
		ids, rows = append(ids, id), append(rows, row)
	}
	all := make(map[string]*M, len(rows))
	for i, m := range of(rows) {
		all[ids[i]] = m
	}
	return all
}

// ByOwner makes one group of the rows of several lists that were loaded together.
func ByOwner[R, M any](lists map[string][]R, of func([]R) []*M) map[string][]*M {
	var rows []R
	owners := make([]string, 0, len(lists))
	for owner, list := range lists {
		owners, rows = append(owners, owner), append(rows, list...)
	}
	rest := of(rows)
	all := make(map[string][]*M, len(lists))
	for _, owner := range owners {
		n := len(lists[owner])
		all[owner], rest = rest[:n:n], rest[n:]
	}
	return all
}
