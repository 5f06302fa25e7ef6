package catalog_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

var allFacets = []catalog.Facet{
	catalog.FacetDay, catalog.FacetWeek, catalog.FacetMonth, catalog.FacetProvider,
	catalog.FacetCategory, catalog.FacetCity, catalog.FacetAvailability, catalog.FacetPriceBand,
}

// chosen puts a bucket's part into a filter, as a client does.
func chosen(t *rapid.T, f catalog.EventFilter, where json.RawMessage) catalog.EventFilter {
	var part struct {
		Providers, Categories, Cities []string
		Availability                  []catalog.Availability
		Price                         *struct{ Min, Max, Currency *string }
		Starts                        *struct{ From, To, TimeZone string }
	}
	if err := json.Unmarshal(where, &part); err != nil {
		t.Fatal(err)
	}
	switch {
	case part.Providers != nil:
		f.Providers = part.Providers
	case part.Categories != nil:
		f.Categories = part.Categories
	case part.Cities != nil:
		f.Cities = part.Cities
	case part.Availability != nil:
		f.Availability = part.Availability
	case part.Price != nil:
		f.Price = &catalog.PriceFilter{Currency: part.Price.Currency}
		if part.Price.Min != nil {
			f.Price.Min = new(decimal(*part.Price.Min))
		}
		if part.Price.Max != nil {
			f.Price.Max = new(decimal(*part.Price.Max))
		}
	case part.Starts != nil:
		from, fromOK := catalog.ParseBound(part.Starts.From)
		to, toOK := catalog.ParseBound(part.Starts.To)
		if !fromOK || !toOK {
			t.Fatalf("a bucket's days are %+v", part.Starts)
		}
		f.Starts = &catalog.StartsFilter{From: &from, To: &to}
		if part.Starts.TimeZone != "" {
			f.Starts.TimeZone = location(part.Starts.TimeZone)
		}
	default:
		t.Fatalf("a bucket filters by nothing: %s", where)
	}
	return f
}

// TestFacetsAreTheirFilters: the count of each bucket is what the model, and the catalog, find by its filter; and the
// buckets of a facet of which an event has one value add up to the list.
func TestFacetsAreTheirFilters(t *testing.T) {
	t.Parallel()
	pool, trace := traced(t, 4)
	insertProvider(t, pool, "acme")
	insertProvider(t, pool, "globex")
	series := []event.ID{insertSeries(t, pool, "one")}
	c := catalog.New(pool, time.Now)
	rapid.Check(t, func(rt *rapid.T) {
		exec(t, pool, "DELETE FROM events")
		d := drawCatalog(rt, series)
		insert(t, pool, d.events)
		q := catalog.EventQuery{Window: drawWindow(rt, d), Where: drawFilter(rt, d), Now: drawNow(rt, d), Page: catalog.PageArgs{First: new(1)}}
		page, err := c.Events(t.Context(), q)
		if err != nil {
			rt.Fatal(err)
		}
		by := rapid.Permutation(allFacets).Draw(rt, "by")
		by = by[:rapid.IntRange(1, len(by)).Draw(rt, "facets")]
		trace.take()
		results, err := page.Facets(t.Context(), by)
		if err != nil {
			rt.Fatal(err)
		}
		if sent := trace.take(); len(sent) != 1 || len(results) != len(by) {
			rt.Fatalf("%d facets by %d statements, want %d by 1", len(results), len(sent), len(by))
		}
		for i, result := range results {
			if result.Facet != by[i] || result.Truncated {
				rt.Fatalf("facet %d is %s, truncated %t; want %s", i, result.Facet, result.Truncated, by[i])
			}
			sum, without := 0, q
			for _, bucket := range result.Buckets {
				sum += bucket.Count
				within := q
				within.Where = chosen(rt, q.Where, bucket.Where)
				if n := len(modelled(d.events, within)); bucket.Count != n || n == 0 {
					rt.Fatalf("%s %s counts %d, its filter %s finds %d in the model, of %+v %+v", by[i], bucket.Value, bucket.Count, bucket.Where, n, q.Window, q.Where)
				}
			}
			switch by[i] {
			case catalog.FacetProvider:
				without.Where.Providers = nil
			case catalog.FacetAvailability:
				without.Where.Availability = nil
			case catalog.FacetDay, catalog.FacetWeek, catalog.FacetMonth:
				without.Where.Starts = nil
			default:
				continue // an event has any number of these
			}
			if n := len(modelled(d.events, without)); sum != n {
				rt.Fatalf("the buckets of %s add up to %d of %d", by[i], sum, n)
			}
		}
		if len(results[0].Buckets) > 0 {
			bucket := rapid.SampledFrom(results[0].Buckets).Draw(rt, "bucket")
			q.Where = chosen(rt, q.Where, bucket.Where)
			page, err := c.Events(t.Context(), q)
			if err != nil {
				rt.Fatal(err)
			}
			if n, err := page.TotalCount(t.Context()); n != bucket.Count || err != nil {
				rt.Fatalf("%s counts %d, its filter %s finds %d (%v)", by[0], bucket.Count, bucket.Where, n, err)
			}
		}
	})
}

// TestFacetBounds: the largest buckets are given, and it is said that there are more.
func TestFacetBounds(t *testing.T) {
	t.Parallel()
	pool, _ := traced(t, 2)
	insertProvider(t, pool, "acme")
	var events []stored
	start := time.Date(2021, 1, 1, 20, 0, 0, 0, time.UTC)
	for i := range 400 {
		e := stored{id: event.Key{Provider: "acme", Event: string(rune('A'+i/26)) + string(rune('a'+i%26))}.ID(), provider: "acme", zone: "Etc/UTC", listed: true}
		e.start = event.MomentOf(start.AddDate(0, 0, i), time.UTC)
		e.city = "Great"
		if i%3 > 0 {
			e.city = "Town " + e.id.String()[:8]
		}
		events = append(events, e)
	}
	insert(t, pool, events)
	page, err := catalog.New(pool, time.Now).Events(t.Context(), catalog.EventQuery{})
	if err != nil {
		t.Fatal(err)
	}
	results, err := page.Facets(t.Context(), []catalog.Facet{catalog.FacetCity, catalog.FacetDay, catalog.FacetMonth})
	if err != nil {
		t.Fatal(err)
	}
	cities, days, months := results[0], results[1], results[2]
	if len(cities.Buckets) != 100 || !cities.Truncated || cities.Buckets[0].Value != "Great" || cities.Buckets[0].Count != 134 {
		t.Errorf("%d cities, truncated %t, first %+v", len(cities.Buckets), cities.Truncated, cities.Buckets[0])
	}
	if len(days.Buckets) != 366 || !days.Truncated || days.Buckets[365].Value != "2022-01-01" {
		t.Errorf("%d days, truncated %t", len(days.Buckets), days.Truncated)
	}
	if len(months.Buckets) != 14 || months.Truncated || months.Buckets[13].Value != "2022-02" || months.Buckets[1].Count != 28 {
		t.Errorf("%d months, truncated %t", len(months.Buckets), months.Truncated)
	}
	for _, by := range [][]catalog.Facet{{"YEAR"}, make([]catalog.Facet, 9)} {
		_, err := page.Facets(t.Context(), by)
		if refused(t, err, "by"); err == nil {
			t.Errorf("%v is taken", by)
		}
	}
}
