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

// Event is something that takes place at one date, as its provider last told it.
type Event struct{ ent.Schema }

// Annotations of the Event.
func (Event) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("events")}
}

// Fields of the Event.
func (Event) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.UUID("provider_id", uuid.UUID{}).Immutable(),
		field.UUID("series_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.Text("external_id").Immutable(),

		field.Text("title"),
		field.Text("description").Default(""),
		field.Text("url").Default(""),
		field.Text("image_url").Default(""),
		field.Strings("categories").Default([]string{}),

		field.Time("starts_at"),
		field.Time("ends_at").Optional().Nillable(),
		field.Time("starts_local").SchemaType(wallClock()),
		field.Time("ends_local").SchemaType(wallClock()).Optional().Nillable(),
		field.Text("time_zone"),
		field.Bool("all_day").Default(false),
		field.Int16("span_class").Annotations(Private{"how long the event is, for the index of OVERLAPS"}),

		field.Text("status").Default("SCHEDULED"),
		field.Text("attendance_mode").Default("OFFLINE"),
		field.Bool("online").Annotations(Private{"whether the latest snapshot sold it online; part of availability"}),
		field.Bool("sold_out").Optional().Nillable().Annotations(Private{"the provider's own word; part of availability"}),
		field.Bool("no_seats_left").Annotations(Private{"sold_out, or by the offers' capacities; part of availability"}),
		field.Time("sale_starts_at").Optional().Nillable(),
		field.Time("sale_ends_at").Optional().Nillable(),

		field.JSON("offers", json.RawMessage{}).Default(json.RawMessage("[]")),
		field.Text("currency").Default(""),
		field.String("min_price").SchemaType(money()).Optional().Nillable(),
		field.String("max_price").SchemaType(money()).Optional().Nillable(),

		field.Text("place_name").Default(""),
		field.Text("place_address").Default(""),
		field.Text("place_city").Default(""),
		field.Text("place_country").Default(""),
		field.Text("organizer").Default(""),
		field.JSON("attributes", json.RawMessage{}).Optional(),

		// Ordered by bytes: that order is the same on every machine, and stays so when libraries are upgraded.
		field.Text("title_key").Default("").Annotations(Private{"terms.Key of the title, what titles are ordered by"}, entsql.Annotation{Collation: "C"}),
		field.Text("search").SchemaType(searchTerms()).Default("").Annotations(Private{"what the event is found by, see internal/terms"}),

		field.Bool("listed").Annotations(Private{"sticky: some snapshot offered it online; what the API shows is listed"}),
		field.Bytes("content_hash").Annotations(Private{"event.Hash, what a sync compares"}),
		field.Bytes("record_hash").Optional().Nillable().Annotations(Private{"event.RecordHash of the record that the event was last written from: a sync need not read that again"}),
		field.Int32("revision").Default(0).Annotations(Private{"how often the event was rescheduled, retitled, called off, taken out or brought back: a calendar's SEQUENCE. Changes can't be counted for it: old ones are deleted"}),
		field.Time("first_seen_at"),
		field.Time("updated_at").Comment("when a sync last changed what the API shows of the event"),
		field.Time("last_seen_at").Optional().Nillable().Comment("null while the event is in its provider's latest snapshot, so that seeing it again writes nothing"),
		field.Time("removed_at").Optional().Nillable(),
	}
}

// Edges of the Event.
func (Event) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("provider", Provider.Type).Ref("events").Field("provider_id").Unique().Required().Immutable(),
		edge.From("series", Series.Type).Ref("events").Field("series_id").Unique().Immutable(),
		edge.To("changes", Change.Type),
	}
}

// Indexes of the Event. The API only ever reads listed events, so its indexes hold only those.
func (Event) Indexes() []ent.Index {
	listed := entsql.IndexWhere("listed")
	return []ent.Index{
		// STARTS_IN, CONTAINED and no window at all, in the default order.
		index.Fields("starts_at", "id").Annotations(listed),
		// OVERLAPS and ENDS_IN: a range with two ends in each class, however large the table is and wherever the window
		// is in it. Many events in these ranges end too early, so the index has the columns by which they are left out.
		index.Fields("span_class", "starts_at", "id").StorageKey("events_spans").Annotations(
			listed, entsql.IncludeColumns("ends_at", "starts_local", "ends_local")),
		// One provider's events, in the default order.
		index.Fields("provider_id", "starts_at", "id").Annotations(listed),
		// A series with its dates.
		index.Fields("series_id", "starts_at", "id").Annotations(entsql.IndexWhere("listed AND series_id IS NOT NULL")),
		// By price, and for price filters. Events without a price are a range of their own.
		index.Fields("min_price", "id").Annotations(listed),
		// By last change, and for updatedSince.
		index.Fields("updated_at", "id").Annotations(listed),
		// By title.
		index.Fields("title_key", "id").Annotations(listed),
		// For text, cities, countries and categories, all of which are terms.
		index.Fields("search").Annotations(listed, entsql.IndexType("GIN")).StorageKey("events_search"),
		// Events that are not as planned, or removed, in the default order: there are few of them among many others.
		index.Fields("starts_at", "id").Annotations(entsql.IndexWhere("listed AND status <> 'SCHEDULED'")).StorageKey("events_unscheduled"),
		index.Fields("starts_at", "id").Annotations(entsql.IndexWhere("listed AND removed_at IS NOT NULL")).StorageKey("events_removed"),
		// The events of a provider's latest snapshot, with which a sync compares the next one. The index has all columns that it
		// needs, for the rows are wide.
		index.Fields("provider_id").StorageKey("events_present").Annotations(
			entsql.IndexWhere("last_seen_at IS NULL"), entsql.IncludeColumns("id", "content_hash", "record_hash", "starts_at")),
	}
}
