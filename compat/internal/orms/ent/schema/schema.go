// Package schema is the schema that ent generates code from.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// User is a table.
type User struct{ ent.Schema }

// Fields of a User.
func (User) Fields() []ent.Field { return []ent.Field{field.String("name")} }

// Edges of a User.
func (User) Edges() []ent.Edge { return []ent.Edge{edge.To("posts", Post.Type)} }

// Post is a table.
type Post struct{ ent.Schema }

// Fields of a Post.
func (Post) Fields() []ent.Field {
	return []ent.Field{
		field.String("title"),
		field.String("status").Default("DRAFT"),
		field.Int("comment_count").Default(0),
		field.Int("author_id"),
		field.Time("deleted_at").Optional().Nillable(),
	}
}

// Edges of a Post.
func (Post) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("author", User.Type).Ref("posts").Field("author_id").Unique().Required(),
		edge.To("comments", Comment.Type),
		edge.To("tags", Tag.Type),
	}
}

// Indexes of a Post.
func (Post) Indexes() []ent.Index { return []ent.Index{index.Fields("author_id", "status")} }

// Comment is a table.
type Comment struct{ ent.Schema }

// Fields of a Comment.
func (Comment) Fields() []ent.Field {
	return []ent.Field{field.String("text"), field.Int("post_id")}
}

// Edges of a Comment.
func (Comment) Edges() []ent.Edge {
	return []ent.Edge{edge.From("post", Post.Type).Ref("comments").Field("post_id").Unique().Required()}
}

// Tag is a table.
type Tag struct{ ent.Schema }

// Fields of a Tag.
func (Tag) Fields() []ent.Field { return []ent.Field{field.String("name").Unique()} }

// Edges of a Tag.
func (Tag) Edges() []ent.Edge { return []ent.Edge{edge.From("posts", Post.Type).Ref("tags")} }
