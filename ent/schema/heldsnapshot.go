package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// HeldSnapshot is a snapshot that the safety brake holds. Its id is the provider's, for a provider has one at most.
type HeldSnapshot struct{ ent.Schema }

// Annotations of the HeldSnapshot.
func (HeldSnapshot) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("held_snapshots")}
}

// Fields of the HeldSnapshot.
func (HeldSnapshot) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.Int64("run_id").Unique().Comment("the run that was held, by which it is approved"),
		field.Text("reason"),
		field.JSON("snapshot", json.RawMessage{}).Comment("event.Snapshot"),
		field.JSON("counts", json.RawMessage{}).Comment("event.Counts: what it would do"),
		field.Bytes("body").Comment("zstd"),
		field.Bool("rejected").Default(false).Comment("a person said no: the same snapshot is not asked about again"),
	}
}
