// Package event is the normalised event: what every provider's records are turned into, what the
// catalog keeps, and the rules that make one valid. It depends on the standard library and a digest only, so that
// every other package may depend on it.
package event

import (
	"encoding/json"
	"time"
)

// Status is an event's state in the words of schema.org's eventStatus.
type Status string

// The states of an event; see https://schema.org/EventStatusType.
const (
	StatusScheduled   Status = "SCHEDULED"
	StatusCancelled   Status = "CANCELLED"
	StatusPostponed   Status = "POSTPONED"
	StatusRescheduled Status = "RESCHEDULED"
)

// Attendance says where an event takes place; see https://schema.org/EventAttendanceModeEnumeration.
type Attendance string

// The modes of attendance.
const (
	AttendanceOffline Attendance = "OFFLINE"
	AttendanceOnline  Attendance = "ONLINE"
	AttendanceMixed   Attendance = "MIXED"
)

// Event is one dated happening as a provider last described it. Optional texts are empty when the
// provider gives none; optional times are zero.
type Event struct {
	Key         Key      `json:"-"`
	SeriesTitle string   `json:"seriesTitle,omitempty"` // of the series named in Key; empty without one
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	URL         string   `json:"url,omitempty"`
	ImageURL    string   `json:"imageUrl,omitempty"`
	Categories  []string `json:"categories,omitempty"`

	Start  Moment `json:"start"`
	End    Moment `json:"end,omitzero"` // zero: an instant event
	Zone   string `json:"timeZone"`     // IANA name, e.g. Europe/Madrid
	AllDay bool   `json:"allDay"`       // Start and End are midnights; End is the day after the last

	Status     Status     `json:"status"`
	Attendance Attendance `json:"attendanceMode"`
	Online     bool       `json:"online"`            // on sale online in this snapshot; formats that don't say are online
	SoldOut    *bool      `json:"soldOut,omitempty"` // as the provider says; nil when it doesn't
	SaleStart  time.Time  `json:"saleStartsAt,omitzero"`
	SaleEnd    time.Time  `json:"saleEndsAt,omitzero"`

	Offers   []Offer  `json:"offers,omitempty"`
	Currency string   `json:"currency"` // ISO 4217
	MinPrice *Decimal `json:"minPrice,omitempty"`
	MaxPrice *Decimal `json:"maxPrice,omitempty"`

	Place      Place           `json:"place,omitzero"`
	Organizer  string          `json:"organizer,omitempty"`
	Attributes json.RawMessage `json:"attributes,omitempty"` // a JSON object of what has no field here, as encoding/json writes a map, or nil
}

// Moment is one point in time as a feed gives it: the wall clock at the venue, and the instant that
// the event's zone makes of it.
type Moment struct {
	Local   LocalDateTime `json:"local"`
	Instant time.Time     `json:"instant"`
}

// IsZero reports whether the moment is not given.
func (m Moment) IsZero() bool { return m.Instant.IsZero() && m.Local.IsZero() }

// Place is where an event happens. Any part may be empty.
type Place struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
	City    string `json:"city,omitempty"`
	Country string `json:"country,omitempty"` // ISO 3166-1 alpha-2 where the provider says so, else its own words
}

// Offer is a priced part of an event. It has no identity: ids repeat inside one event in real feeds.
type Offer struct {
	ExternalID string   `json:"id,omitempty"`
	Name       string   `json:"name,omitempty"`
	Price      *Decimal `json:"price,omitempty"`
	Capacity   *int32   `json:"capacity,omitempty"` // seats that can still be had, 0 to 2^31-1
	Numbered   *bool    `json:"numbered,omitempty"`
}

// HasEnd reports whether the event has an end; one without is an instant.
func (e *Event) HasEnd() bool { return !e.End.IsZero() }

// LastInstant is the event's end, or its start when it has none.
func (e *Event) LastInstant() time.Time {
	if e.HasEnd() {
		return e.End.Instant
	}
	return e.Start.Instant
}

// IsSoldOut is the provider's word on it or, where it gives none, whether every offer's capacity is
// known to be 0.
func (e *Event) IsSoldOut() bool {
	if e.SoldOut != nil {
		return *e.SoldOut
	}
	if len(e.Offers) == 0 {
		return false
	}
	for _, o := range e.Offers {
		if o.Capacity == nil || *o.Capacity > 0 {
			return false
		}
	}
	return true
}

// PriceRule says which offers count towards an event's lowest and highest price.
type PriceRule string

// The price rules.
const (
	PriceAllOffers    PriceRule = "all"           // the default
	PriceWithCapacity PriceRule = "with-capacity" // only offers that have seats left
)

// SetPriceBounds computes MinPrice and MaxPrice over the offers; both are nil when none has a price.
func (e *Event) SetPriceBounds(rule PriceRule) {
	e.MinPrice, e.MaxPrice = nil, nil
	for i := range e.Offers {
		o := &e.Offers[i]
		if o.Price == nil || rule == PriceWithCapacity && o.Capacity != nil && *o.Capacity == 0 {
			continue
		}
		if e.MinPrice == nil || o.Price.Compare(*e.MinPrice) < 0 {
			e.MinPrice = o.Price
		}
		if e.MaxPrice == nil || o.Price.Compare(*e.MaxPrice) > 0 {
			e.MaxPrice = o.Price
		}
	}
}
