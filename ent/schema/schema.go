// Package schema is the catalog's database schema. It is written by hand; ent's code and the migrations are generated from it, and
// migrations are reviewed. docs/architecture.md says which code may read and write which table: internal/store is the only writer.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// Private marks a field that no API shows. A test fails for a field that is neither mapped nor private.
type Private struct{ Why string }

// Name implements schema.Annotation.
func (Private) Name() string { return "Private" }

var _ schema.Annotation = Private{}

// id is the primary key of what has an id in the API: a UUIDv5 of its natural key, computed by the
// writer, so that it is the same in every database.
func id() ent.Field { return field.UUID("id", uuid.UUID{}).Immutable() }

// wallClock is the column type of a time without a zone.
func wallClock() map[string]string { return map[string]string{dialect.Postgres: "timestamp"} }

// money is the column type of an exact amount: 12 digits before the point, 6 after it.
func money() map[string]string { return map[string]string{dialect.Postgres: "numeric(18,6)"} }

// searchTerms is the column type of a set of terms.
func searchTerms() map[string]string { return map[string]string{dialect.Postgres: "tsvector"} }
