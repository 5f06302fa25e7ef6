package catalog

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// Bounds of a facet's buckets.
const (
	maxBuckets = 100
	maxDays    = 366
)

// facet is how a Facet is counted.
type facet struct {
	columns []string // the columns of events that groups needs
	// groups is the SELECT of parent, value, label and n, from a relation that has these columns.
	groups func(relation string, eq EventQuery, q *query) string
	order  string // ORDER BY of the groups
	most   int    // how many groups are given at most
	// without removes the facet's own part from a filter, and says whether there was one.
	without func(f *EventFilter) bool
	// chosen turns a group's value and label into those for clients, and into the part of a filter that selects its events.
	chosen func(value, label string, zone *time.Location) (shown, name string, where any)
}

// The orders of buckets.
const (
	byValue = "value"
	bySize  = "n DESC, value"
)

func facetOf(name Facet) (facet, bool) {
	switch name {
	case FacetDay:
		return facetOfTime("day", time.DateOnly, maxDays, 0, 1), true
	case FacetWeek:
		return facetOfTime("week", time.DateOnly, maxBuckets, 0, 7), true
	case FacetMonth:
		return facetOfTime("month", "2006-01", maxBuckets, 1, 0), true
	case FacetProvider:
		return facet{
			columns: []string{"provider_id"}, order: bySize, most: maxBuckets,
			groups: func(relation string, _ EventQuery, _ *query) string {
				return "SELECT parent, slug AS value, name AS label, n FROM (SELECT parent, provider_id, count(*) AS n FROM " + relation +
					" GROUP BY parent, provider_id) sums JOIN providers ON providers.id = provider_id"
			},
			without: func(f *EventFilter) bool { return emptied(&f.Providers) }, chosen: oneOf("providers"),
		}, true
	case FacetCategory:
		return facet{
			columns: []string{"categories"}, order: bySize, most: maxBuckets,
			groups: func(relation string, _ EventQuery, _ *query) string {
				return "SELECT parent, value, value AS label, count(*) AS n FROM " + relation +
					" CROSS JOIN LATERAL (SELECT DISTINCT jsonb_array_elements_text(categories) AS value) own WHERE value <> '' GROUP BY parent, value"
			},
			without: func(f *EventFilter) bool { return emptied(&f.Categories) }, chosen: oneOf("categories"),
		}, true
	case FacetCity:
		return facet{
			columns: []string{"place_city"}, order: bySize, most: maxBuckets,
			groups:  grouped("place_city", "WHERE place_city <> ''"),
			without: func(f *EventFilter) bool { return emptied(&f.Cities) }, chosen: oneOf("cities"),
		}, true
	case FacetAvailability:
		return facet{
			columns: []string{"status", "sale_starts_at", "sale_ends_at", "starts_at", "ends_at", "no_seats_left", "online", "removed_at", "sold_out", "min_price"},
			order:   bySize, most: maxBuckets,
			groups: func(relation string, eq EventQuery, q *query) string {
				return grouped(availabilityAt(q, eq.Now), "")(relation, eq, q)
			},
			without: func(f *EventFilter) bool { return emptied(&f.Availability) }, chosen: oneOf("availability"),
		}, true
	case FacetPriceBand:
		return facetOfPrices(), true
	default:
		return facet{}, false
	}
}

// bucket is a bucket as clients see it.
func (f facet) bucket(b counted, zone *time.Location) (FacetBucket, error) {
	value, label, where := f.chosen(b.Value, b.Label, zone)
	encoded, err := json.Marshal(where)
	return FacetBucket{Value: value, Label: label, Count: int(b.N), Where: encoded}, err
}

func emptied[T any](list *[]T) bool {
	had := len(*list) > 0
	*list = nil
	return had
}

func grouped(value, condition string) func(string, EventQuery, *query) string {
	return func(relation string, _ EventQuery, _ *query) string {
		return fmt.Sprintf("SELECT parent, %s AS value, '' AS label, count(*) AS n FROM %s %s GROUP BY parent, value", value, relation, condition)
	}
}

// oneOf is facet.chosen for a part of the filter that is a list: a list of the one value.
func oneOf(part string) func(value, label string, _ *time.Location) (shown, name string, where any) {
	return func(value, label string, _ *time.Location) (string, string, any) {
		if label == "" {
			label = value
		}
		return value, label, map[string]any{part: []string{value}}
	}
}

// facetOfTime counts by PostgreSQL's unit (day, week, month), which is so many months and days long. layout is how clients see the day on
// which it begins.
func facetOfTime(unit, layout string, most, months, days int) facet {
	return facet{
		columns: []string{"starts_at", "starts_local"}, order: byValue, most: most,
		groups: func(relation string, eq EventQuery, q *query) string {
			clock := "starts_local"
			if zone := eq.Window.Zone; zone != nil {
				clock = "(starts_at AT TIME ZONE " + q.arg(zone.String()) + ")"
			}
			return grouped("to_char(date_trunc('"+unit+"', "+clock+"), 'YYYY-MM-DD')", "")(relation, eq, q)
		},
		without: func(f *EventFilter) bool {
			had := f.Starts != nil
			f.Starts = nil
			return had
		},
		chosen: func(value, _ string, zone *time.Location) (string, string, any) {
			from, _ := event.ParseLocalDate(value) // as PostgreSQL wrote it
			starts := map[string]string{"from": value, "to": from.AsUTC().AddDate(0, months, days).Format(time.DateOnly)}
			if zone != nil {
				starts["timeZone"] = zone.String()
			}
			shown := from.AsUTC().Format(layout)
			return shown, shown, map[string]any{"starts": starts}
		},
	}
}

// bands are the upper ends of the price bands, which belong to them: free, above 0 up to 10, and so on. Above the last of them there is
// one more band without an end.
func bands() []string { return []string{"0", "10", "20", "50", "100", "200"} }

// lowest is the lowest price of a band, by its number from 0.
func lowest(band int) string {
	if band == 0 {
		return "0"
	}
	return bands()[band-1] + ".000001" // the smallest step
}

func facetOfPrices() facet {
	limits := bands()
	rows := make([]string, len(limits)+1)
	for band := range rows {
		high := "NULL"
		if band < len(limits) {
			high = limits[band]
		}
		rows[band] = fmt.Sprintf("(%d, %s, %s)", band, lowest(band), high)
	}
	return facet{
		columns: []string{"currency", "min_price", "max_price"}, order: byValue, most: maxBuckets,
		groups: func(relation string, eq EventQuery, q *query) string {
			joined := fmt.Sprintf("%s JOIN (VALUES %s) bands (band, low, high) ON max_price >= low AND (high IS NULL OR min_price <= high)", relation, strings.Join(rows, ", "))
			return grouped("currency || band", "WHERE currency ~ '^[A-Z]{3}$'")(joined, eq, q)
		},
		without: func(f *EventFilter) bool {
			had := f.Price != nil
			f.Price = nil
			return had
		},
		chosen: func(value, _ string, _ *time.Location) (shown, name string, where any) {
			currency, band := value[:3], int(value[3]-'0')
			price := map[string]string{"currency": currency, "min": lowest(band)}
			if band == len(limits) {
				last := limits[band-1]
				return currency + " over " + last, "over " + last + " " + currency, map[string]any{"price": price}
			}
			price["max"] = limits[band]
			shown, name = currency+" 0", "0 "+currency
			if band > 0 {
				shown = currency + " " + limits[band-1] + "-" + limits[band]
				name = limits[band-1] + "–" + limits[band] + " " + currency
			}
			return shown, name, map[string]any{"price": price}
		},
	}
}
