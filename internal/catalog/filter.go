package catalog

import (
	"regexp"

	"github.com/aledotdev/marquee/internal/event"
)

// EventFilter narrows a list of events down. Nil and empty parts filter nothing; all parts that are
// given hold.
type EventFilter struct {
	Providers []string // slugs
	Series    []event.ID
	IDs       []event.ID
	Price     *PriceFilter
	Removed   *bool
}

// PriceFilter keeps events whose prices, from the lowest to the highest, meet a range.
type PriceFilter struct {
	Min, Max *event.Decimal // both inclusive
	Currency *string        // ISO 4217; nil: any
}

var currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)

// maxFilterValues bounds the lists in a filter.
const maxFilterValues = 100

func (f EventFilter) apply(q *query) error {
	for _, list := range []struct {
		argument string
		n        int
	}{{"where.providers", len(f.Providers)}, {"where.series", len(f.Series)}, {"where.ids", len(f.IDs)}} {
		if list.n > maxFilterValues {
			return badInput(list.argument, "%s has %d values, at most %d are allowed", list.argument, list.n, maxFilterValues)
		}
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
	if f.Removed != nil {
		q.where("(removed_at IS NOT NULL) = ?", *f.Removed)
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
		q.where("currency = ?", *f.Currency)
	}
	return nil
}
