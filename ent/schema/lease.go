package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// Lease is the right to sync a provider; its id is the provider's. Its times are by the database's clock.
type Lease struct{ ent.Schema }

// Annotations of the Lease.
func (Lease) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("leases")}
}

// Fields of the Lease.
func (Lease) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.Text("owner").Comment("who holds it, for people; empty: nobody"),
		field.Int64("token").Comment("rises with each holder; the fence that keeps out who lost it"),
		field.Int64("run_id").Comment("the holder's run"),
		field.Time("heartbeat_at").Comment("its latest sign of life"),
	}
}
