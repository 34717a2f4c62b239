package orms

// User writes posts.
type User struct {
	ID   int
	Name string
}

// Post has an author, comments and tags.
type Post struct {
	ID           int
	Title        string
	Status       string
	CommentCount int
	AuthorID     int
}

// FeedPost is a post with what was loaded along with it.
type FeedPost struct {
	ID       int
	Title    string
	Author   *User
	Comments []*Comment
}

// Comment is one on a post.
type Comment struct {
	ID     int
	Text   string
	PostID int
}

// Tag is on posts.
type Tag struct {
	ID   int
	Name string
}

// Count is how many posts have a status.
type Count struct {
	Status string
	Posts  int
}
