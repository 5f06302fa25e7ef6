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

// SyncRun is one attempt to sync one provider. A run that began later has a higher id.
type SyncRun struct{ ent.Schema }

// Annotations of the SyncRun.
func (SyncRun) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("sync_runs")}
}

// Fields of the SyncRun.
func (SyncRun) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.UUID("provider_id", uuid.UUID{}).Immutable(),
		field.Time("started_at").Immutable(),
		field.Time("finished_at").Optional().Nillable(),
		field.Text("outcome").Default("RUNNING"),
		field.Text("error_code").Default(""),
		field.Text("error").Default(""),

		field.Int64("bytes").Default(0).Annotations(Private{"of the snapshot, unpacked; for marquee sync runs"}),
		field.Bytes("feed_hash").Optional().Annotations(Private{"tells that a snapshot is the one seen before"}),
		field.Text("decoder").Default("").Annotations(Private{"format, version and settings that read the snapshot; another decoder reads it anew"}),
		field.Text("etag").Default("").Annotations(Private{"the validators of the next conditional request"}),
		field.Text("last_modified").Default("").Annotations(Private{"the validators of the next conditional request"}),

		field.Int32("records").Default(0),
		field.Int32("added").Default(0),
		field.Int32("changed").Default(0),
		field.Int32("removed").Default(0),
		field.Int32("returned").Default(0),
		field.Int32("unchanged").Default(0),
		field.Int32("quarantined").Default(0),
		field.Int64("quarantine_run_id").Optional().Nillable().Annotations(Private{"the run that holds the quarantined records, when this one saw the same snapshot again"}),
		field.Time("next_check_at").Optional().Nillable().Annotations(Private{"no sooner does the provider want to be asked again"}),
		field.Int64("catalog_version").Default(0).Annotations(Private{"the version this run made, 0 if it changed nothing"}),
	}
}

// Edges of the SyncRun.
func (SyncRun) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("provider", Provider.Type).Ref("runs").Field("provider_id").Unique().Required().Immutable(),
		edge.To("quarantine", QuarantinedRecord.Type),
	}
}

// Indexes of the SyncRun.
func (SyncRun) Indexes() []ent.Index {
	return []ent.Index{
		// A provider's runs, the latest first.
		index.Fields("provider_id", "id"),
		// For when a provider's events were last seen, and for the validators of its next conditional request.
		index.Fields("provider_id", "id").Annotations(entsql.IndexWhere("outcome IN ('APPLIED', 'UNCHANGED')")).StorageKey("sync_runs_succeeded"),
	}
}
