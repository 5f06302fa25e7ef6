package catalog

import (
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/aledotdev/marquee/internal/event"
)

// Event is a listed event as the API shows it.
type Event struct {
	ID          event.ID
	ProviderID  event.ID
	SeriesID    *event.ID
	ExternalID  string
	Title       string
	Description *string
	URL         *string
	ImageURL    *string
	Categories  []string

	StartsAt    time.Time
	EndsAt      *time.Time
	StartsLocal event.LocalDateTime
	EndsLocal   event.LocalDateTime // zero if the event has no end
	TimeZone    string
	AllDay      bool

	Status         event.Status
	AttendanceMode event.Attendance
	SaleStartsAt   *time.Time
	SaleEndsAt     *time.Time
	Organizer      *string
	Attributes     json.RawMessage
	FirstSeenAt    time.Time
	LastSeenAt     time.Time
	UpdatedAt      time.Time
	RemovedAt      *time.Time
	Revision       int32 // read for exports only: how often the event was rescheduled, retitled, cancelled, removed or brought back

	online             bool  // on sale online in the latest snapshot
	soldOut            *bool // as the provider says
	noSeatsLeft        bool
	currency           string
	minPrice, maxPrice price
	place              Place
	offers             json.RawMessage
	titleKey           string // read for lists in the order of titles only
	siblings           *siblings
}

// Money is an amount of a currency, ISO 4217.
type Money struct {
	Amount   event.Decimal
	Currency string
}

// Offer is a priced part of an event. Parts that the provider doesn't give are nil.
type Offer struct {
	ExternalID *string
	Name       *string
	Price      *Money
	Capacity   *int32
	Numbered   *bool
}

// Place is where an event takes place. Parts that the provider doesn't give are nil.
type Place struct {
	Name, Address, City, Country *string
}

// MinPrice is the lowest price, nil if there is none.
func (e *Event) MinPrice() *Money { return e.money(e.minPrice.decimal) }

// MaxPrice is the highest price, nil if there is none.
func (e *Event) MaxPrice() *Money { return e.money(e.maxPrice.decimal) }

func (e *Event) money(amount *event.Decimal) *Money {
	if amount == nil {
		return nil
	}
	return &Money{*amount, e.currency}
}

// Place is where the event takes place, nil if the provider says nothing of it.
func (e *Event) Place() *Place {
	if e.place == (Place{}) {
		return nil
	}
	return &e.place
}

// Offers decodes the event's offers, if Fields.Offers had them read.
func (e *Event) Offers() ([]Offer, error) {
	var stored []event.Offer
	if err := json.Unmarshal(e.offers, &stored); err != nil {
		return nil, fmt.Errorf("the offers of event %s: %w", e.ID, err)
	}
	offers := make([]Offer, len(stored))
	for i, o := range stored {
		offers[i] = Offer{ExternalID: given(o.ExternalID), Name: given(o.Name), Price: e.money(o.Price), Capacity: o.Capacity, Numbered: o.Numbered}
	}
	return offers, nil
}

func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Fields are the parts of an Event that are read only if they are wanted, since they cost time.
type Fields struct {
	Offers      bool
	Description bool
	Attributes  bool
	LastSeen    bool

	titleKey bool
	revision bool
}

// columns are what an Event is scanned from, in the order of scan.
func (f Fields) columns() []string {
	chosen := func(selected bool, column, none string) string {
		if selected {
			return column
		}
		return none
	}
	return []string{
		"id", "provider_id", "series_id", "external_id", "title", chosen(f.Description, "nullif(description, '') AS description", "NULL AS description"), "nullif(url, '') AS url", "nullif(image_url, '') AS image_url", "categories",
		"starts_at", "ends_at", "starts_local", "ends_local", "time_zone", "all_day",
		"status", "attendance_mode", "online", "sold_out", "no_seats_left", "sale_starts_at", "sale_ends_at",
		chosen(f.Offers, "offers", "'[]'::jsonb AS offers"), "currency", "min_price", "max_price",
		"nullif(place_name, '') AS place_name", "nullif(place_address, '') AS place_address", "nullif(place_city, '') AS place_city", "nullif(place_country, '') AS place_country",
		"nullif(organizer, '') AS organizer", chosen(f.Attributes, "attributes", "NULL::jsonb AS attributes"),
		"first_seen_at", chosen(f.LastSeen, lastSeen, "now() AS last_seen_at"), "updated_at", "removed_at", chosen(f.titleKey, "title_key", "'' AS title_key"), chosen(f.revision, "revision", "0 AS revision"),
	}
}

// inOrder are the columns for a list in an order.
func (f Fields) inOrder(o order) []string {
	f.titleKey = o.tag == tagTitle
	return f.columns()
}

// lastSeen is when an event was last in a snapshot. Events of the latest snapshot have no date of their own:
// it is that of the snapshot.
const lastSeen = `coalesce(last_seen_at, (
	SELECT r.started_at FROM sync_runs r
	WHERE r.provider_id = events.provider_id AND r.outcome IN ('APPLIED', 'UNCHANGED')
	ORDER BY r.id DESC LIMIT 1), first_seen_at) AS last_seen_at`

func scanEvent(row pgx.CollectableRow) (*Event, error) {
	var e Event
	var series *[16]byte
	var startsLocal time.Time
	var endsLocal *time.Time
	err := row.Scan((*[16]byte)(&e.ID), (*[16]byte)(&e.ProviderID), &series, &e.ExternalID, &e.Title, &e.Description, &e.URL, &e.ImageURL, &e.Categories,
		&e.StartsAt, &e.EndsAt, &startsLocal, &endsLocal, &e.TimeZone, &e.AllDay,
		&e.Status, &e.AttendanceMode, &e.online, &e.soldOut, &e.noSeatsLeft, &e.SaleStartsAt, &e.SaleEndsAt,
		&e.offers, &e.currency, &e.minPrice, &e.maxPrice,
		&e.place.Name, &e.place.Address, &e.place.City, &e.place.Country, &e.Organizer, &e.Attributes,
		&e.FirstSeenAt, &e.LastSeenAt, &e.UpdatedAt, &e.RemovedAt, &e.titleKey, &e.Revision)
	if err != nil {
		return nil, err
	}
	e.SeriesID = (*event.ID)(series)
	e.StartsLocal = event.LocalOf(startsLocal)
	if endsLocal != nil {
		e.EndsLocal = event.LocalOf(*endsLocal)
	}
	return &e, nil
}

// price scans a numeric column.
type price struct{ decimal *event.Decimal }

// ScanNumeric implements pgtype.NumericScanner.
func (p *price) ScanNumeric(n pgtype.Numeric) error {
	if !n.Valid {
		p.decimal = nil
		return nil
	}
	micros := new(big.Int).Set(n.Int)
	ten := big.NewInt(10)
	for exp := n.Exp; exp > -6; exp-- {
		micros.Mul(micros, ten)
	}
	for exp := n.Exp; exp < -6; exp++ { // digits behind the sixth are 0: the column has six
		micros.Quo(micros, ten)
	}
	d, err := event.DecimalFromMicros(micros.Int64())
	p.decimal = &d
	return err
}
