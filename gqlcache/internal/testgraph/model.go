package testgraph

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// User is a row of v_user.
type User struct {
	s      *Store
	ID     string
	Name   string
	Email  *string
	Tags   []string
	BossID *string
}

func (User) IsNode()  {}
func (User) IsNamed() {}
func (User) IsHit()   {}

func (u *User) Boss(ctx context.Context) (*User, error) {
	return at(ctx, u.s, "User.boss", func() (*User, error) {
		if u.BossID == nil {
			return nil, nil
		}
		return row(u.s.users, *u.BossID), nil
	})
}

func (u *User) Posts(ctx context.Context, status *Status) ([]*Post, error) {
	return at(ctx, u.s, "User.posts", func() ([]*Post, error) {
		return sorted(u.s.posts, func(p Post) bool {
			return p.authorID == u.ID && (status == nil || p.Status == *status)
		}), nil
	})
}

func (u *User) PostCount(ctx context.Context) (int, error) {
	return at(ctx, u.s, "User.postCount", func() (int, error) {
		return len(sorted(u.s.posts, func(p Post) bool { return p.authorID == u.ID })), nil
	})
}

func (u *User) Flaky(ctx context.Context) (*string, error) {
	return at(ctx, u.s, "User.flaky", func() (*string, error) {
		if u.Name == "flaky" {
			return nil, errors.New("flaky")
		}
		return &u.Name, nil
	})
}

func (u *User) Odd() *Odd { return (*Odd)(&u.Name) }

// Odd is text whose marshaler panics for "panic".
type Odd string

// MarshalGQL implements graphql.Marshaler.
func (o Odd) MarshalGQL(w io.Writer) {
	if o == "panic" {
		panic("marshaler") // what the type is for
	}
	_, _ = io.WriteString(w, strconv.Quote(string(o)))
}

// UnmarshalGQL implements graphql.Unmarshaler.
func (o *Odd) UnmarshalGQL(v any) error {
	*o = Odd(fmt.Sprint(v))
	return nil
}

// Post is a row of v_post.
type Post struct {
	s        *Store
	ID       string
	Name     string
	Status   Status
	authorID string
}

func (Post) IsNode()  {}
func (Post) IsNamed() {}
func (Post) IsHit()   {}

func (p *Post) Author(ctx context.Context) (*User, error) {
	return at(ctx, p.s, "Post.author", func() (*User, error) {
		if u := row(p.s.users, p.authorID); u != nil {
			return u, nil
		}
		return nil, errors.New("no such author")
	})
}

func (p *Post) Comments(ctx context.Context) ([]*Comment, error) {
	return at(ctx, p.s, "Post.comments", func() ([]*Comment, error) {
		return sorted(p.s.comments, func(c Comment) bool { return c.postID == p.ID }), nil
	})
}

// Comment is a row of v_comment.
type Comment struct {
	s      *Store
	ID     string
	Text   string
	postID string
}

func (Comment) IsNode() {}

func (c *Comment) Post(ctx context.Context) (*Post, error) {
	return at(ctx, c.s, "Comment.post", func() (*Post, error) {
		if p := row(c.s.posts, c.postID); p != nil {
			return p, nil
		}
		return nil, errors.New("no such post")
	})
}

// Broken is a row whose id may fail.
type Broken struct {
	mode  string
	Label string
}

func (b *Broken) ID() (*string, error) {
	switch b.mode {
	case "error":
		return nil, errors.New("no id")
	case "panic":
		panic("id") // what the mode is for
	case "null":
		return nil, nil
	}
	return &b.mode, nil
}

// PostPayload finds its post by a resolver of its own.
type PostPayload struct {
	s  *Store
	Ok bool
	id string
}

func (p *PostPayload) Post(ctx context.Context) (*Post, error) {
	return at(ctx, p.s, "PostPayload.post", func() (*Post, error) { return row(p.s.posts, p.id), nil })
}
