package event

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// ChangeKind is the kind of a change that a sync made in one event.
type ChangeKind string

// The kinds of change.
const (
	ChangeAdded       ChangeKind = "ADDED"
	ChangeRescheduled ChangeKind = "RESCHEDULED" // start, end, zone or all-day
	ChangeRetitled    ChangeKind = "RETITLED"
	ChangePrice       ChangeKind = "PRICE_CHANGED" // the lowest or highest price, or the currency
	ChangeSoldOut     ChangeKind = "SOLD_OUT"
	ChangeBackOnSale  ChangeKind = "BACK_ON_SALE"
	ChangeCancelled   ChangeKind = "CANCELLED"
	ChangeRemoved     ChangeKind = "REMOVED"  // an upcoming event is no longer in its provider's snapshot
	ChangeReturned    ChangeKind = "RETURNED" // a removed event is in a snapshot again
	ChangeDetails     ChangeKind = "DETAILS_CHANGED"
)

// FieldChange is one field's value before and after a change, under the API's name and in its form; nil if the field had none.
type FieldChange struct {
	Field  string `json:"field"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

// Change is one thing that a run changed in one event.
type Change struct {
	Kind   ChangeKind    `json:"kind"`
	Fields []FieldChange `json:"fields,omitempty"` // empty if the kind says everything
}

// Diff lists what differs between two states of one event, grouped by kind, in a fixed order. It is
// empty if the hashes are equal, or if only the attributes differ and mean the same though they are written in another way.
func Diff(before, after *Event) []Change {
	var d differ
	d.add(ChangeRetitled, "title", before.Title, after.Title)

	d.add(ChangeRescheduled, "startsAt", before.Start.Instant, after.Start.Instant)
	d.add(ChangeRescheduled, "startsLocal", before.Start.Local, after.Start.Local)
	d.add(ChangeRescheduled, "endsAt", before.End.Instant, after.End.Instant)
	d.add(ChangeRescheduled, "endsLocal", before.End.Local, after.End.Local)
	d.add(ChangeRescheduled, "timeZone", before.Zone, after.Zone)
	d.add(ChangeRescheduled, "allDay", before.AllDay, after.AllDay)

	d.add(ChangePrice, "minPrice", before.MinPrice, after.MinPrice)
	d.add(ChangePrice, "maxPrice", before.MaxPrice, after.MaxPrice)
	d.add(ChangePrice, "currency", before.Currency, after.Currency)

	switch was, is := before.IsSoldOut(), after.IsSoldOut(); {
	case is && !was:
		d.add(ChangeSoldOut, "soldOut", was, is)
	case was && !is:
		d.add(ChangeBackOnSale, "soldOut", was, is)
	default: // what the provider says may appear or disappear without a change of IsSoldOut
		d.add(ChangeDetails, "soldOut", before.SoldOut, after.SoldOut)
	}

	status := ChangeDetails
	if after.Status == StatusCancelled {
		status = ChangeCancelled
	}
	d.add(status, "status", before.Status, after.Status)

	d.add(ChangeDetails, "seriesTitle", before.SeriesTitle, after.SeriesTitle)
	d.add(ChangeDetails, "description", before.Description, after.Description)
	d.add(ChangeDetails, "url", before.URL, after.URL)
	d.add(ChangeDetails, "imageUrl", before.ImageURL, after.ImageURL)
	if !slices.Equal(before.Categories, after.Categories) {
		d.put(ChangeDetails, "categories", before.Categories, after.Categories)
	}
	d.add(ChangeDetails, "saleStartsAt", before.SaleStart, after.SaleStart)
	d.add(ChangeDetails, "saleEndsAt", before.SaleEnd, after.SaleEnd)
	d.add(ChangeDetails, "online", before.Online, after.Online)
	d.add(ChangeDetails, "attendanceMode", before.Attendance, after.Attendance)
	d.add(ChangeDetails, "place.name", before.Place.Name, after.Place.Name)
	d.add(ChangeDetails, "place.address", before.Place.Address, after.Place.Address)
	d.add(ChangeDetails, "place.city", before.Place.City, after.Place.City)
	d.add(ChangeDetails, "place.country", before.Place.Country, after.Place.Country)
	d.add(ChangeDetails, "organizer", before.Organizer, after.Organizer)
	if !sameJSON(before.Attributes, after.Attributes) {
		d.add(ChangeDetails, "attributes", string(before.Attributes), string(after.Attributes))
	}
	if was, is := AppendOffers(nil, before.Offers), AppendOffers(nil, after.Offers); !slices.Equal(was, is) {
		d.put(ChangeDetails, "offers", summarize(before.Offers, nil), summarize(after.Offers, before.Offers))
	}
	return d.changes
}

// OffersSummary stands for a list of offers in a change: the list itself may have hundreds of offers,
// and differ by a seat or two at each sync.
type OffersSummary struct {
	Count    int    `json:"count"`
	Capacity *int64 `json:"capacity"` // the sum of those that are given; nil if none is
	// Changed is how many of the offers are not, exactly so, in the list before the change. It is nil in the summary of that list.
	Changed *int `json:"changed,omitempty"`
}

func summarize(offers, before []Offer) OffersSummary {
	s := OffersSummary{Count: len(offers)}
	if before != nil {
		s.Changed = new(changed(before, offers))
	}
	for _, o := range offers {
		if o.Capacity != nil {
			if s.Capacity == nil {
				s.Capacity = new(int64)
			}
			*s.Capacity += int64(*o.Capacity)
		}
	}
	return s
}

// changed is how many offers of after are not in before.
func changed(before, after []Offer) (n int) {
	had := make(map[string]int, len(before))
	for i := range before {
		had[string(AppendOffers(nil, before[i:i+1]))]++
	}
	for i := range after {
		text := string(AppendOffers(nil, after[i:i+1]))
		if had[text] == 0 {
			n++
		}
		had[text] = max(0, had[text]-1)
	}
	return n
}

// sameJSON reports whether two JSON texts have the same value: a feed, its decoder and PostgreSQL write numbers and texts differently.
func sameJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	was, err := decoded(a)
	is, err2 := decoded(b)
	return err == nil && err2 == nil && sameValue(was, is)
}

func decoded(text json.RawMessage) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err = decoder.Decode(&value)
	return value, err
}

func sameValue(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, sameValue)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameValue)
	case json.Number:
		b, ok := b.(json.Number)
		return ok && (a == b || strings.ContainsAny(string(a+b), ".eE") && sameFloat(a, b))
	default:
		return a == b
	}
}

func sameFloat(a, b json.Number) bool {
	was, err := a.Float64()
	is, err2 := b.Float64()
	return err == nil && err2 == nil && was == is
}

// differ collects changed fields, grouped by kind, in the order in which the kinds first occur.
type differ struct{ changes []Change }

// add adds a field if its values differ in the API's form, in which the empty value of each type is nil.
func (d *differ) add(kind ChangeKind, field string, before, after any) {
	was, is := plain(before), plain(after)
	if was != is {
		d.put(kind, field, was, is)
	}
}

func (d *differ) put(kind ChangeKind, field string, before, after any) {
	i := slices.IndexFunc(d.changes, func(c Change) bool { return c.Kind == kind })
	if i < 0 {
		i = len(d.changes)
		d.changes = append(d.changes, Change{Kind: kind})
	}
	d.changes[i].Fields = append(d.changes[i].Fields, FieldChange{field, before, after})
}

func plain(v any) any {
	switch v := v.(type) {
	case time.Time:
		if v.IsZero() {
			return nil
		}
		return v.UTC().Format(time.RFC3339)
	case LocalDateTime:
		return plain(v.String())
	case *Decimal:
		if v == nil {
			return nil
		}
		return v.String()
	case *bool:
		if v == nil {
			return nil
		}
		return *v
	case Status:
		return string(v)
	case Attendance:
		return string(v)
	case string:
		if v == "" {
			return nil
		}
	}
	return v
}
