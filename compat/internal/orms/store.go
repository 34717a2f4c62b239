package orms

import "context"

// A Store is the data by way of one library. Rows that are marked as deleted are not
// returned. Methods use the transaction of the context, if there is one.
type Store interface {
	Post(ctx context.Context, id int) (*Post, error) // nil if there is none
	Posts(ctx context.Context, author *int, status *string) ([]*Post, error)
	Feed(ctx context.Context, first int) ([]*FeedPost, error)
	Search(ctx context.Context, term string) ([]*Post, error)
	User(ctx context.Context, id int) (*User, error) // nil if there is none
	Users(ctx context.Context) ([]*User, error)
	Tagged(ctx context.Context, tag string) ([]*Post, error)
	Counts(ctx context.Context) ([]*Count, error)

	// UsersByID, CommentsOf and TagsOf are for loaders.
	UsersByID(ctx context.Context, ids []int) ([]*User, error)
	CommentsOf(ctx context.Context, posts []int) ([]*Comment, error)
	TagsOf(ctx context.Context, post int) ([]*Tag, error)

	CreateUser(ctx context.Context, name string) (*User, error)
	CreatePost(ctx context.Context, author int, title string) (*Post, error)
	SetTitle(ctx context.Context, id int, title string) error
	SetStatus(ctx context.Context, id int, status string) error
	DeletePost(ctx context.Context, id int) (bool, error) // marks the row
	// AddComments inserts rows at once. A hook counts them in the post.
	AddComments(ctx context.Context, post int, texts []string) error
	// TagPost makes the tag unless it exists.
	TagPost(ctx context.Context, post int, tag string) error
	RenameUser(ctx context.Context, id int, name string) error
	HandOver(ctx context.Context, from, to int) (int, error)

	// Begin returns a context with a transaction. Within another one it does nothing.
	Begin(ctx context.Context) (context.Context, Tx, error)
}

// A Tx is a transaction.
type Tx interface {
	Commit() error
	Rollback() error
}

// within runs f in a transaction, which it commits unless f returns an error.
func within(ctx context.Context, s Store, f func(ctx context.Context) error) error {
	ctx, tx, err := s.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing after a commit
	if err := f(ctx); err != nil {
		return err
	}
	return tx.Commit()
}

// joined is the transaction of somebody else.
type joined struct{}

func (joined) Commit() error   { return nil }
func (joined) Rollback() error { return nil }

// txKey is the key of a transaction in a context.
type txKey struct{}

// A Former sends one statement of each form that a library has for it, and returns the
// errors.
type Former interface {
	Forms(ctx context.Context) []error
}
