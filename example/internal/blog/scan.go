package blog

import stdsql "database/sql"

// The columns of the rows, in the order in which the functions below read them. The
// prefix is the table's name in the statement, with its dot.

func userColumns(p string) string {
	return p + "id, " + p + "tenant, " + p + "email, " + p + "name, " + p + "bio, " + p + "karma, " + p + "version"
}

func scanUser(r *stdsql.Rows, u *User) error {
	return r.Scan(&u.ID, &u.Tenant, &u.Email, &u.Name, &u.Bio, &u.Karma, &u.Version)
}

func postColumns(p string) string {
	return p + "id, " + p + "tenant, " + p + "author_id, " + p + "title, " + p + "body, " + p + "status, " + p + "version, " + p + "seq"
}

func (p *Post) targets() []any {
	return []any{&p.ID, &p.Tenant, &p.AuthorID, &p.Title, &p.Body, (*string)(&p.Status), &p.Version, &p.Seq}
}

func scanPost(r *stdsql.Rows, p *Post) error { return r.Scan(p.targets()...) }

func commentColumns(p string) string {
	return p + "id, " + p + "tenant, " + p + "post_id, " + p + "author_id, " + p + "body, " + p + "version, " + p + "seq"
}

func scanComment(r *stdsql.Rows, c *Comment) error {
	return r.Scan(&c.ID, &c.Tenant, &c.PostID, &c.AuthorID, &c.Body, &c.Version, &c.Seq)
}

func tagColumns(p string) string {
	return p + "id, " + p + "tenant, " + p + "name, " + p + "version"
}

func (t *Tag) targets() []any { return []any{&t.ID, &t.Tenant, &t.Name, &t.Version} }

func scanTag(r *stdsql.Rows, t *Tag) error { return r.Scan(t.targets()...) }

func scanStats(r *stdsql.Rows, s *AuthorStats) error {
	return r.Scan(&s.AuthorID, &s.PostCount, &s.PublishedCount, &s.CommentCount, &s.LatestPostID)
}

func scanCount(r *stdsql.Rows, n *int) error { return r.Scan(n) }

// An owned is a row with the id of the row that it was asked for.
type owned[T any] struct {
	owner string
	row   T
}

// byOwner groups rows, keeping their order.
func byOwner[T any](all []owned[T]) map[string][]T {
	groups := make(map[string][]T)
	for _, o := range all {
		groups[o.owner] = append(groups[o.owner], o.row)
	}
	return groups
}

// index returns rows by their id.
func index[T any](all []T, id func(*T) string) map[string]T {
	m := make(map[string]T, len(all))
	for i := range all {
		m[id(&all[i])] = all[i]
	}
	return m
}
