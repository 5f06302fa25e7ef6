package catalog

import (
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// Availability is whether seats can be had; see https://schema.org/ItemAvailability.
type Availability string

// The states of availability.
const (
	InStock             Availability = "IN_STOCK"
	SoldOut             Availability = "SOLD_OUT"
	PreSale             Availability = "PRE_SALE"
	SaleEnded           Availability = "SALE_ENDED"
	AvailabilityUnknown Availability = "UNKNOWN"
)

// Availability is the event's availability at the time when it was read.
func (e *Event) Availability() Availability {
	now, last := e.siblings.now, e.StartsAt
	if e.EndsAt != nil {
		last = *e.EndsAt
	}
	switch {
	case e.Status == event.StatusCancelled, e.SaleEndsAt != nil && !now.Before(*e.SaleEndsAt), !now.Before(last):
		return SaleEnded
	case e.noSeatsLeft:
		return SoldOut
	case e.SaleStartsAt != nil && now.Before(*e.SaleStartsAt):
		return PreSale
	case e.online && e.RemovedAt == nil && (e.soldOut != nil || e.minPrice.decimal != nil || e.SaleEndsAt != nil):
		return InStock // the feed speaks of sales, and nothing it says is against one
	default:
		return AvailabilityUnknown
	}
}

// availabilityAt is the SQL expression for Event.Availability at now; tests compare the two.
func availabilityAt(q *query, now time.Time) string {
	return strings.ReplaceAll(`CASE
	WHEN status = 'CANCELLED' OR sale_ends_at <= now OR coalesce(ends_at, starts_at) <= now THEN 'SALE_ENDED'
	WHEN no_seats_left THEN 'SOLD_OUT'
	WHEN sale_starts_at > now THEN 'PRE_SALE'
	WHEN online AND removed_at IS NULL AND (sold_out IS NOT NULL OR min_price IS NOT NULL OR sale_ends_at IS NOT NULL) THEN 'IN_STOCK'
	ELSE 'UNKNOWN' END`, "now", q.arg(now)+"::timestamptz")
}
