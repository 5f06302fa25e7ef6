package catalog

import (
	"regexp"
	"slices"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// EventFilter narrows a list of events down. Nil and empty parts filter nothing; all parts that are
// given have to hold; of a list, which has up to 100 values, one value. It is a plain value: GraphQL and REST both fill it in.
type EventFilter struct {
	Text         *string  // each word of it begins a word of the title, the series' title or the description
	Providers    []string // slugs
	Series       []event.ID
	IDs          []event.ID
	Price        *PriceFilter
	Availability []Availability // as of the query's time
	Status       []event.Status
	Categories   []string // exactly as written, as are Cities and Countries
	Cities       []string
	Countries    []string
	Starts       *StartsFilter
	UpdatedSince *time.Time // its last change was then or later
	Removed      *bool
}

// PriceFilter keeps events for which the range from the lowest to the highest price overlaps this one.
type PriceFilter struct {
	Min, Max *event.Decimal // both inclusive
	Currency *string        // ISO 4217; nil: any
}

// StartsFilter keeps events that start in [From, To), whatever the window holds.
type StartsFilter struct {
	From, To *Bound         // nil: open
	TimeZone *time.Location // of bounds without an offset; nil: each event's own
}

var currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)

// maxFilterValues bounds the lists in a filter.
const maxFilterValues = 100

// listed is how many values a list in a filter has.
type listed struct {
	argument string
	n        int
}

// checkLists says which list is longer than is allowed.
func checkLists(lists ...listed) error {
	for _, list := range lists {
		if list.n > maxFilterValues {
			return badInput(list.argument, "%s has %d values, at most %d are allowed", list.argument, list.n, maxFilterValues)
		}
	}
	return nil
}

func (f EventFilter) check() error {
	return checkLists(
		listed{"where.providers", len(f.Providers)},
		listed{"where.series", len(f.Series)},
		listed{"where.ids", len(f.IDs)},
		listed{"where.availability", len(f.Availability)},
		listed{"where.status", len(f.Status)},
		listed{"where.categories", len(f.Categories)},
		listed{"where.cities", len(f.Cities)},
		listed{"where.countries", len(f.Countries)},
	)
}

// apply adds the filter as of now. What is read by which index stands beside the indexes, in ent/schema.
func (f EventFilter) apply(q *query, now time.Time) error {
	if err := f.check(); err != nil {
		return err
	}
	if len(f.Providers) > 0 {
		ids := make([]event.ID, len(f.Providers))
		for i, slug := range f.Providers {
			ids[i] = event.ProviderID(slug)
		}
		q.where("provider_id = ANY(?)", ids)
	}
	if len(f.Series) > 0 {
		q.where("series_id = ANY(?)", f.Series)
	}
	if len(f.IDs) > 0 {
		q.where("id = ANY(?)", f.IDs)
	}
	if len(f.Status) > 0 {
		q.where("status = ANY(?)", f.Status)
		if !slices.Contains(f.Status, event.StatusScheduled) {
			q.where("status <> 'SCHEDULED'") // implied, and known to the index of what is out of the ordinary
		}
	}
	if f.Removed != nil {
		not := ""
		if *f.Removed {
			not = "NOT "
		}
		q.where("removed_at IS " + not + "NULL")
	}
	if f.UpdatedSince != nil {
		q.where("updated_at >= ?", *f.UpdatedSince)
	}
	search, err := f.searched()
	if err != nil {
		return err
	}
	if search != "" {
		q.where("search @@ ?::text::tsquery", search)
	}
	if f.Starts != nil {
		w := WindowInput{From: f.Starts.From, To: f.Starts.To, TimeZone: f.Starts.TimeZone, Match: StartsIn}.inZone()
		if err := w.Check("where.starts.from", "where.starts.to"); err != nil {
			return err
		}
		q.window(w)
	}
	if len(f.Availability) > 0 {
		q.where(availabilityAt(q, now)+" = ANY(?)", f.Availability)
		if !slices.Contains(f.Availability, SaleEnded) {
			q.notOver(now)
		}
	}
	return f.Price.apply(q)
}

func (f *PriceFilter) apply(q *query) error {
	if f == nil {
		return nil
	}
	if f.Min != nil && f.Max != nil && f.Min.Compare(*f.Max) > 0 {
		return badInput("where.price", "where.price.min %s is above where.price.max %s", f.Min, f.Max)
	}
	if f.Currency != nil && !currencyForm.MatchString(*f.Currency) {
		return badInput("where.price.currency", "where.price.currency: want an ISO 4217 code such as EUR")
	}
	if f.Min != nil {
		q.where("max_price >= ?::text::numeric", f.Min.String())
	}
	if f.Max != nil {
		q.where("min_price <= ?::text::numeric", f.Max.String())
	}
	if f.Currency != nil {
		q.where("currency = ? AND min_price IS NOT NULL", *f.Currency) // an event without prices has its provider's currency
	}
	return nil
}
