// Package event has the normalised event, which the records of all providers become and the
// catalog keeps, and the rules by which it is valid. It depends only on the standard library and a digest, so that
// all other packages may depend on it.
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

// Event is something that takes place at a certain time, as its provider described it last. Texts and times that the
// provider does not give are empty and zero.
type Event struct {
	Key         Key      `json:"-"`
	SeriesTitle string   `json:"seriesTitle,omitempty"` // of the series in Key; empty if there is none
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	URL         string   `json:"url,omitempty"`
	ImageURL    string   `json:"imageUrl,omitempty"`
	Categories  []string `json:"categories,omitempty"`

	Start  Moment `json:"start"`
	End    Moment `json:"end,omitzero"` // zero: the event is an instant
	Zone   string `json:"timeZone"`     // IANA name, such as Europe/Madrid
	AllDay bool   `json:"allDay"`       // Start and End are midnights, End the one after the last day

	Status     Status     `json:"status"`
	Attendance Attendance `json:"attendanceMode"`
	Online     bool       `json:"online"`            // on sale online; true if the feed does not say
	SoldOut    *bool      `json:"soldOut,omitempty"` // nil if the provider does not say
	SaleStart  time.Time  `json:"saleStartsAt,omitzero"`
	SaleEnd    time.Time  `json:"saleEndsAt,omitzero"`

	Offers   []Offer  `json:"offers,omitempty"`
	Currency string   `json:"currency"` // ISO 4217
	MinPrice *Decimal `json:"minPrice,omitempty"`
	MaxPrice *Decimal `json:"maxPrice,omitempty"`

	Place      Place           `json:"place,omitzero"`
	Organizer  string          `json:"organizer,omitempty"`
	Attributes json.RawMessage `json:"attributes,omitempty"` // a JSON object of what has no field here, as encoding/json writes a map; or nil
}

// Moment is a point in time: what clocks at the venue show, in the event's zone, and the instant.
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
	Country string `json:"country,omitempty"` // an ISO 3166-1 alpha-2 code or a name, as the provider gives it
}

// Offer is a part of an event with a price. Its id does not identify it: in real feeds offers of one event have the same id.
type Offer struct {
	ExternalID string   `json:"id,omitempty"`
	Name       string   `json:"name,omitempty"`
	Price      *Decimal `json:"price,omitempty"`
	Capacity   *int32   `json:"capacity,omitempty"` // seats that are left, 0 to 2^31-1
	Numbered   *bool    `json:"numbered,omitempty"`
}

// HasEnd reports whether the event has an end. An event without one is an instant.
func (e *Event) HasEnd() bool { return !e.End.IsZero() }

// LastInstant is the event's end, or its start if it has none.
func (e *Event) LastInstant() time.Time {
	if e.HasEnd() {
		return e.End.Instant
	}
	return e.Start.Instant
}

// IsSoldOut is what the provider says or, if it says nothing, whether there are offers and the capacity of each is
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
	PriceWithCapacity PriceRule = "with-capacity" // only offers that have seats left, or don't say
)

// SetPriceBounds sets MinPrice and MaxPrice to the lowest and highest price of the offers that count by the rule; to nil if none of
// these has a price.
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
