package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Series is a group of events: the dates of one show, under one title.
type Series struct{ ent.Schema }

// Annotations of the Series.
func (Series) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("series")}
}

// Fields of the Series.
func (Series) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.UUID("provider_id", uuid.UUID{}).Immutable(),
		field.Text("external_id").Immutable(),
		field.Text("title"),
	}
}

// Edges of the Series.
func (Series) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("provider", Provider.Type).Ref("series").Field("provider_id").Unique().Required().Immutable(),
		edge.To("events", Event.Type),
	}
}

// Indexes of the Series.
func (Series) Indexes() []ent.Index {
	return []ent.Index{
		// For operators who look for a series by the provider's id.
		index.Fields("provider_id", "external_id").Unique(),
	}
}
