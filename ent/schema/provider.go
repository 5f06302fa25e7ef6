package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// Provider is a source of listings. The feed's URL is not in the database: it may hold secrets, and is in the
// provider file only.
type Provider struct{ ent.Schema }

// Annotations of the Provider.
func (Provider) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("providers")}
}

// Fields of the Provider.
func (Provider) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.Text("slug").Unique().Immutable(),
		field.Text("name"),
		field.Text("format"),
		field.Text("time_zone"),
		field.Text("currency"),
	}
}

// Edges of the Provider.
func (Provider) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("series", Series.Type),
		edge.To("events", Event.Type),
		edge.To("runs", SyncRun.Type),
		edge.To("changes", Change.Type),
	}
}
