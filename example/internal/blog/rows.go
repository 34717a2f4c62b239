package blog

import (
	"fmt"
	"io"
	"strconv"
)

// A User is a row of users.
type User struct {
	ID, Tenant, Email, Name string
	Bio                     *string
	Karma, Version          int
}

// A Post is a row of posts.
type Post struct {
	ID, Tenant, AuthorID, Title, Body string
	Status                            Status
	Version                           int
	Seq                               int64 // place in the order of creation
}

// A Comment is a row of comments.
type Comment struct {
	ID, Tenant, PostID, AuthorID, Body string
	Version                            int
	Seq                                int64 // place in the order of creation
}

// A Tag is a row of tags.
type Tag struct {
	ID, Tenant, Name string
	Version          int
}

// AuthorStats is a row of the SQL view author_stats: there is one for every user.
type AuthorStats struct {
	AuthorID                                string
	PostCount, PublishedCount, CommentCount int
	// LatestPostID is nil for a user without posts.
	LatestPostID *string
}

// Status says how far a post is.
type Status string

// The statuses.
const (
	Draft     Status = "DRAFT"
	Published Status = "PUBLISHED"
	Archived  Status = "ARCHIVED"
)

// UnmarshalGQL reads a status from a GraphQL input.
func (s *Status) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("a status is a name, not %T", v)
	}
	switch *s = Status(text); *s {
	case Draft, Published, Archived:
		return nil
	}
	return fmt.Errorf("%q is no status", text)
}

// MarshalGQL writes a status as GraphQL output.
func (s Status) MarshalGQL(w io.Writer) {
	_, _ = io.WriteString(w, strconv.Quote(string(s)))
}

// NewUser is a user to create. Without an ID it gets one.
type NewUser struct {
	ID          *string
	Email, Name string
	Bio         *string
}

// UserChange is what to change of a user; nil means unchanged.
type UserChange struct{ Email, Name, Bio *string }

// NewPost is a post to create. Without an ID it gets one.
type NewPost struct {
	ID                    *string
	AuthorID, Title, Body string
	Status                Status
}

// PostChange is what to change of a post; nil means unchanged.
type PostChange struct {
	AuthorID, Title, Body *string
	Status                *Status
}

// NewComment is a comment to create. Without an ID it gets one.
type NewComment struct {
	ID                     *string
	PostID, AuthorID, Body string
}

// NewTag is a tag to create. Without an ID it gets one.
type NewTag struct {
	ID   *string
	Name string
}

// Import is what to create at once, in this order.
type Import struct {
	Users    []*NewUser
	Posts    []*NewPost
	Comments []*NewComment
	Tags     []*NewTag
}

// A Change is a row as an update found and left it. They are equal when nothing was
// written.
type Change[R any] struct{ Before, After *R }

// A Removal is what a deletion took along, in the order of the tables.
type Removal struct {
	User     *User // nil when a post was deleted
	Posts    []Post
	Comments []Comment
}

// Imported counts the rows that an import created.
type Imported struct{ Users, Posts, Comments, Tags int }

// A Page is a part of a list. Negative numbers count as 0.
type Page struct{ Limit, Offset int }

func (p Page) clamp() Page { return Page{max(p.Limit, 0), max(p.Offset, 0)} }
