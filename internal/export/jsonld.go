package export

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

// graph writes one JSON-LD document, with the events as its @graph. It can be put into an HTML script element as it is.
type graph struct{ any bool }

// Begin implements Writer.
func (g *graph) Begin(b []byte) []byte {
	return append(b, `{"@context":"https://schema.org","@graph":[`...)
}

// End implements Writer.
func (g *graph) End(b []byte) []byte { return append(b, "\n]}\n"...) }

// Event implements Writer.
func (g *graph) Event(b []byte, e catalog.Exported) ([]byte, error) {
	made, err := thing(e)
	if err != nil {
		return b, err
	}
	encoded, err := json.Marshal(made)
	if err != nil {
		return b, fmt.Errorf("event %s as JSON-LD: %w", e.ID, err)
	}
	if g.any {
		b = append(b, ',')
	}
	g.any = true
	return append(append(b, '\n'), encoded...), nil
}

// node is a schema.org object. The zero value of what is optional is left out.
type node struct {
	Type string `json:"@type"`
	ID   string `json:"@id,omitempty"`
	Name string `json:"name,omitempty"`
}

type schemaEvent struct {
	node
	Description    string        `json:"description,omitempty"`
	StartDate      string        `json:"startDate"`
	EndDate        string        `json:"endDate,omitempty"`
	Status         string        `json:"eventStatus"`
	AttendanceMode string        `json:"eventAttendanceMode"`
	Location       []any         `json:"location,omitempty"`
	Offers         []schemaOffer `json:"offers,omitempty"`
	Organizer      *node         `json:"organizer,omitempty"`
	SuperEvent     *node         `json:"superEvent,omitempty"`
	Keywords       []string      `json:"keywords,omitempty"`
	URL            string        `json:"url,omitempty"`
	Image          string        `json:"image,omitempty"`
	Free           bool          `json:"isAccessibleForFree,omitempty"`
}

type schemaOffer struct {
	node
	Price        string `json:"price,omitempty"`
	Currency     string `json:"priceCurrency,omitempty"`
	Availability string `json:"availability,omitempty"`
	ValidFrom    string `json:"validFrom,omitempty"`
	ValidThrough string `json:"validThrough,omitempty"`
	URL          string `json:"url,omitempty"`
}

type schemaPlace struct {
	node
	Address *schemaAddress `json:"address,omitempty"`
}

type schemaAddress struct {
	node
	Street   string `json:"streetAddress,omitempty"`
	Locality string `json:"addressLocality,omitempty"`
	Country  string `json:"addressCountry,omitempty"`
}

type schemaVirtual struct {
	node
	URL string `json:"url"`
}

// terms are schema.org's names of our values: of https://schema.org/EventStatusType, EventAttendanceModeEnumeration and
// ItemAvailability. UNKNOWN has none.
//
//nolint:gochecknoglobals // a constant table
var terms = map[string]string{
	string(event.StatusScheduled):   "EventScheduled",
	string(event.StatusCancelled):   "EventCancelled",
	string(event.StatusPostponed):   "EventPostponed",
	string(event.StatusRescheduled): "EventRescheduled",
	string(event.AttendanceOffline): "OfflineEventAttendanceMode",
	string(event.AttendanceOnline):  "OnlineEventAttendanceMode",
	string(event.AttendanceMixed):   "MixedEventAttendanceMode",
	string(catalog.InStock):         "InStock",
	string(catalog.SoldOut):         "SoldOut",
	string(catalog.PreSale):         "PreSale",
	string(catalog.SaleEnded):       "Discontinued",
}

func term(ours string) string {
	if theirs := terms[ours]; theirs != "" {
		return "https://schema.org/" + theirs
	}
	return ""
}

func named(id event.ID) string { return "urn:uuid:" + id.String() }

func thing(e catalog.Exported) (schemaEvent, error) {
	made := schemaEvent{
		node:           node{Type: "Event", ID: named(e.ID), Name: e.Title},
		Description:    text(e.Description),
		Status:         term(string(e.Status)),
		AttendanceMode: term(string(e.AttendanceMode)),
		Location:       locations(e),
		Keywords:       e.Categories,
		URL:            text(e.URL),
		Image:          text(e.ImageURL),
		Free:           free(e.MaxPrice()),
	}
	made.StartDate, made.EndDate = dates(e)
	if e.Organizer != nil {
		made.Organizer = &node{Type: "Organization", Name: *e.Organizer}
	}
	if e.SeriesID != nil {
		made.SuperEvent = &node{Type: "EventSeries", ID: named(*e.SeriesID)}
	}
	offers, err := e.Offers()
	if err != nil {
		return made, err
	}
	made.Offers = make([]schemaOffer, len(offers))
	for i, o := range offers {
		made.Offers[i] = offer(e, o)
	}
	return made, nil
}

func free(highest *catalog.Money) bool { return highest != nil && highest.Amount.Micros() == 0 }

// dates are start and end as RFC 3339 with the venue's offset; of an event of whole days, its first and last date.
func dates(e catalog.Exported) (start, end string) {
	if e.AllDay {
		if e.EndsAt != nil {
			end = e.EndsLocal.Add(-24 * time.Hour).Date()
		}
		return e.StartsLocal.Date(), end
	}
	zone, err := event.LoadZone(e.TimeZone)
	if err != nil {
		zone = time.UTC // this machine's tz database does not have the zone
	}
	if e.EndsAt != nil {
		end = e.EndsAt.In(zone).Format(time.RFC3339)
	}
	return e.StartsAt.In(zone).Format(time.RFC3339), end
}

func locations(e catalog.Exported) []any {
	var all []any
	if p := e.Place(); p != nil {
		made := schemaPlace{node: node{Type: "Place", Name: text(p.Name)}}
		if p.Address != nil || p.City != nil || p.Country != nil {
			made.Address = &schemaAddress{node{Type: "PostalAddress"}, text(p.Address), text(p.City), text(p.Country)}
		}
		all = append(all, made)
	}
	if e.AttendanceMode != event.AttendanceOffline && e.URL != nil {
		all = append(all, schemaVirtual{node{Type: "VirtualLocation"}, *e.URL})
	}
	return all
}

// offer has the availability of the event, unless the event is in stock and no seat of this offer is left.
func offer(e catalog.Exported, o catalog.Offer) schemaOffer {
	made := schemaOffer{
		node:         node{Type: "Offer", Name: text(o.Name)},
		Availability: term(string(e.Availability())),
		ValidFrom:    instant(e.SaleStartsAt), ValidThrough: instant(e.SaleEndsAt),
		URL: text(e.URL),
	}
	if o.Capacity != nil && *o.Capacity == 0 && e.Availability() == catalog.InStock {
		made.Availability = term(string(catalog.SoldOut))
	}
	if o.Price != nil && o.Price.Currency != "" {
		made.Price, made.Currency = o.Price.Amount.String(), o.Price.Currency
	}
	return made
}
