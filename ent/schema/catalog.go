package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// Catalog is a single row, the state of the whole catalog. Every transaction that changes the catalog updates it, and
// no other does. Since each locks the row, these transactions have one order.
type Catalog struct{ ent.Schema }

// Annotations of the Catalog.
func (Catalog) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("catalog")}
}

// Fields of the Catalog.
func (Catalog) Fields() []ent.Field {
	return []ent.Field{
		field.Int16("id").Annotations(entsql.Annotation{Incremental: new(bool)}),
		field.Int64("version").Comment("rises by one with each run that changed something"),
		field.Int64("last_change").Comment("the number of the latest Change"),
		field.Time("changed_at"),
		field.Int64("pruned_change").Default(0).Comment("the number of the latest Change that was old enough to be deleted"),
		field.Int64("min_schema").Default(0).Comment("the newest migration that a program has to know to work here; raised by one that takes something away"),
	}
}
