package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// QuarantinedRecord is a record of a snapshot that could not be used.
type QuarantinedRecord struct{ ent.Schema }

// Annotations of the QuarantinedRecord.
func (QuarantinedRecord) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("quarantined_records")}
}

// Fields of the QuarantinedRecord.
func (QuarantinedRecord) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.Int64("run_id").Immutable(),
		field.Text("key").Default("").Comment("series and event id as far as the record tells them"),
		field.Text("reason"),
		field.Text("message"),
		field.Text("place").Comment("where in the feed"),
		field.Text("excerpt").Comment("how the record begins"),
	}
}

// Edges of the QuarantinedRecord.
func (QuarantinedRecord) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("run", SyncRun.Type).Ref("quarantine").Field("run_id").Unique().Required().Immutable(),
	}
}

// Indexes of the QuarantinedRecord.
func (QuarantinedRecord) Indexes() []ent.Index {
	return []ent.Index{
		// A run's quarantine, in the order of the feed.
		index.Fields("run_id", "id"),
	}
}
