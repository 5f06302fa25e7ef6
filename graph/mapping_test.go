package graph_test

import (
	"slices"
	"strings"
	"testing"

	"entgo.io/ent"
	entschema "entgo.io/ent/schema"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/aledotdev/marquee/ent/migrate"
	"github.com/aledotdev/marquee/ent/schema"
	"github.com/aledotdev/marquee/graph"
)

// shown says which part of the API shows a column, for every column that some part shows. A column that
// none shows has the annotation schema.Private in ent/schema.
var shown = map[string]string{
	"Event.id":              "Event.id",
	"Event.provider_id":     "Event.provider",
	"Event.series_id":       "Event.series",
	"Event.external_id":     "Event.externalId",
	"Event.title":           "Event.title",
	"Event.description":     "Event.description",
	"Event.url":             "Event.url",
	"Event.image_url":       "Event.imageUrl",
	"Event.categories":      "Event.categories",
	"Event.starts_at":       "Event.startsAt",
	"Event.ends_at":         "Event.endsAt",
	"Event.starts_local":    "Event.startsLocal",
	"Event.ends_local":      "Event.endsLocal",
	"Event.time_zone":       "Event.timeZone",
	"Event.all_day":         "Event.allDay",
	"Event.status":          "Event.status",
	"Event.attendance_mode": "Event.attendanceMode",
	"Event.sale_starts_at":  "Event.saleStartsAt",
	"Event.sale_ends_at":    "Event.saleEndsAt",
	"Event.offers":          "Event.offers",
	"Event.currency":        "Money.currency",
	"Event.min_price":       "Event.minPrice",
	"Event.max_price":       "Event.maxPrice",
	"Event.place_name":      "Place.name",
	"Event.place_address":   "Place.address",
	"Event.place_city":      "Place.city",
	"Event.place_country":   "Place.country",
	"Event.organizer":       "Event.organizer",
	"Event.attributes":      "Event.attributes",
	"Event.first_seen_at":   "Event.firstSeenAt",
	"Event.last_seen_at":    "Event.lastSeenAt",
	"Event.updated_at":      "Event.updatedAt",
	"Event.removed_at":      "Event.removedAt",

	"Series.id":          "EventSeries.id",
	"Series.provider_id": "EventSeries.provider",
	"Series.external_id": "EventSeries.externalId",
	"Series.title":       "EventSeries.title",

	"Provider.id":        "Provider.id",
	"Provider.slug":      "Provider.slug",
	"Provider.name":      "Provider.name",
	"Provider.format":    "Provider.format",
	"Provider.time_zone": "Provider.timeZone",
	"Provider.currency":  "Provider.currency",

	"SyncRun.id":          "SyncRun.id",
	"SyncRun.provider_id": "Provider.runs",
	"SyncRun.started_at":  "SyncRun.startedAt",
	"SyncRun.finished_at": "SyncRun.finishedAt",
	"SyncRun.outcome":     "SyncRun.outcome",
	"SyncRun.error_code":  "SyncRun.errorCode",
	"SyncRun.error":       "SyncRun.error",
	"SyncRun.records":     "SyncRun.records",
	"SyncRun.added":       "SyncRun.added",
	"SyncRun.changed":     "SyncRun.changed",
	"SyncRun.removed":     "SyncRun.removed",
	"SyncRun.returned":    "SyncRun.returned",
	"SyncRun.unchanged":   "SyncRun.unchanged",
	"SyncRun.quarantined": "SyncRun.quarantined",

	"Change.id":          "Change.cursor",
	"Change.event_id":    "Change.event",
	"Change.provider_id": "ChangeFilter.providers",
	"Change.at":          "Change.at",
	"Change.kind":        "Change.kind",
	"Change.fields":      "Change.fields",

	"QuarantinedRecord.id":      "SyncRun.quarantine", // their order
	"QuarantinedRecord.run_id":  "SyncRun.quarantine",
	"QuarantinedRecord.key":     "QuarantinedRecord.key",
	"QuarantinedRecord.reason":  "QuarantinedRecord.reason",
	"QuarantinedRecord.message": "QuarantinedRecord.message",
	"QuarantinedRecord.place":   "QuarantinedRecord.place",
	"QuarantinedRecord.excerpt": "QuarantinedRecord.excerpt",
}

// unshown are the tables that are the sync's own affair, with all their columns.
var unshown = []string{"Catalog", "Lease", "HeldSnapshot"}

// tables are those of ent/schema.
func tables() map[string]ent.Interface {
	return map[string]ent.Interface{
		"Catalog": schema.Catalog{}, "Change": schema.Change{}, "Event": schema.Event{}, "HeldSnapshot": schema.HeldSnapshot{},
		"Lease": schema.Lease{}, "Provider": schema.Provider{}, "QuarantinedRecord": schema.QuarantinedRecord{},
		"Series": schema.Series{}, "SyncRun": schema.SyncRun{},
	}
}

// TestMapping: every column is shown by a part of the API that is there, or said to be private.
func TestMapping(t *testing.T) {
	t.Parallel()
	api := gqlparser.MustLoadSchema(&ast.Source{Name: "schema.graphql", Input: graph.SDL()})
	if have, known := len(migrate.Tables), len(tables()); have != known {
		t.Errorf("ent/schema has %d tables, this test knows %d", have, known)
	}
	for _, fault := range unmapped(api, tables(), shown) {
		t.Error(fault)
	}
}

// TestMappingSeesFaults: a column that was forgotten is found.
func TestMappingSeesFaults(t *testing.T) {
	t.Parallel()
	api := gqlparser.MustLoadSchema(&ast.Source{Name: "schema.graphql", Input: `type Query { a: Int } type Event { title: String }`})
	got := unmapped(api, map[string]ent.Interface{"Series": schema.Series{}}, map[string]string{
		"Series.id": "Event.title", "Series.provider_id": "Event.provider", "Series.title": "Nothing.title", "Series.old": "Event.title",
	})
	want := []string{
		"Series.provider_id: the API has no Event.provider",
		"Series.external_id is neither shown by the API (say by what, in this test) nor annotated Private in ent/schema",
		"Series.title: the API has no Nothing.title",
		"Series.old is not in ent/schema, or is Private",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func unmapped(api *ast.Schema, tables map[string]ent.Interface, shown map[string]string) (faults []string) {
	public := map[string]bool{}
	for table, definition := range tables {
		if slices.Contains(unshown, table) {
			continue
		}
		for _, field := range definition.Fields() {
			d := field.Descriptor()
			name := table + "." + d.Name
			private := slices.ContainsFunc(d.Annotations, func(a entschema.Annotation) bool { p, ok := a.(schema.Private); return ok && p.Why != "" })
			if private {
				continue
			}
			public[name] = true
			by, ok := shown[name]
			typeName, fieldName, _ := strings.Cut(by, ".")
			switch {
			case !ok:
				faults = append(faults, name+" is neither shown by the API (say by what, in this test) nor annotated Private in ent/schema")
			case api.Types[typeName] == nil || api.Types[typeName].Fields.ForName(fieldName) == nil:
				faults = append(faults, name+": the API has no "+by)
			}
		}
	}
	for name := range shown {
		if !public[name] {
			faults = append(faults, name+" is not in ent/schema, or is Private")
		}
	}
	return faults
}
