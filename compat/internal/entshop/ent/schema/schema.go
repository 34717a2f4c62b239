// Package schema is the schema that ent generates code from.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// Item is a table.
type Item struct{ ent.Schema }

// Fields of an Item.
func (Item) Fields() []ent.Field { return []ent.Field{field.String("name")} }

// Edges of an Item.
func (Item) Edges() []ent.Edge { return []ent.Edge{edge.To("parts", Part.Type)} }

// Part is a table.
type Part struct{ ent.Schema }

// Fields of a Part.
func (Part) Fields() []ent.Field { return []ent.Field{field.String("name")} }

// Edges of a Part.
func (Part) Edges() []ent.Edge {
	return []ent.Edge{edge.From("item", Item.Type).Ref("parts").Unique().Required()}
}
