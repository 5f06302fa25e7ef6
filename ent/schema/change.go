package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Change is one change of one event by a run. Its id is its number in the order of commits, assigned
// under the lock of the Catalog row: whoever has seen change N will never see a new one below N.
type Change struct{ ent.Schema }

// Annotations of the Change.
func (Change) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("changes")}
}

// Fields of the Change.
func (Change) Fields() []ent.Field {
	return []ent.Field{
		// Not an identity column: a sequence counts in the order of inserts, not of commits.
		field.Int64("id").Annotations(entsql.Annotation{Incremental: new(bool)}),
		field.UUID("event_id", uuid.UUID{}).Immutable(),
		field.UUID("provider_id", uuid.UUID{}).Immutable(),
		field.Int64("run_id").Immutable().Annotations(Private{"the run that made it, for operators"}),
		field.Time("at").Immutable(),
		field.Text("kind").Immutable(),
		field.JSON("fields", json.RawMessage{}).Immutable().Default(json.RawMessage("[]")),
	}
}

// Edges of the Change.
func (Change) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("provider", Provider.Type).Ref("changes").Field("provider_id").Unique().Required().Immutable(),
		edge.From("event", Event.Type).Ref("changes").Field("event_id").Unique().Required().Immutable(),
	}
}

// Indexes of the Change.
func (Change) Indexes() []ent.Index {
	return []ent.Index{
		// An event's history.
		index.Fields("event_id", "id"),
		// For changes that are old enough to be deleted.
		index.Fields("at"),
		// A provider's changes.
		index.Fields("provider_id", "id"),
	}
}
