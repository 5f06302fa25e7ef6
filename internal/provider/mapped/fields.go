package mapped

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/itchyny/gojq"
	"golang.org/x/text/currency"

	"github.com/aledotdev/marquee/internal/event"
)

// The fields of an event that a map may give. Only id, title and start are needed; the others may be missing, null or empty.
const (
	fieldID           = "id"          // text or number; together with seriesId it identifies the event
	fieldSeriesID     = "seriesId"    // text or number
	fieldSeriesTitle  = "seriesTitle" // missing: the title
	fieldTitle        = "title"       // missing: the seriesTitle
	fieldDescription  = "description"
	fieldURL          = "url"            // an http or https URL; any other is left out
	fieldImageURL     = "imageUrl"       // likewise
	fieldCategories   = "categories"     // a list of texts, or one text
	fieldStart        = "start"          // see times.go for the forms of start, end and the sale's times
	fieldEnd          = "end"            // of an all-day event: the day after the last
	fieldLastDay      = "lastDay"        // instead of end: the last day itself
	fieldDuration     = "duration"       // instead of end: "PT1H30M", "01:30", or minutes
	fieldAllDay       = "allDay"         // missing: whether start is a date without a time
	fieldTimeZone     = "timeZone"       // an IANA name; missing: the provider's
	fieldStatus       = "status"         // schema.org's or iCalendar's words, such as EventCancelled; missing: scheduled
	fieldAvailability = "availability"   // schema.org's words, such as SoldOut
	fieldSoldOut      = "soldOut"        // true or false
	fieldOnline       = "online"         // whether it is on sale online; missing: true
	fieldSaleStart    = "saleStart"      // a time
	fieldSaleEnd      = "saleEnd"        // a time
	fieldPrice        = "price"          // of the only offer: a number, or a text that is a number
	fieldMinPrice     = "minPrice"       // with or without maxPrice, if there is neither price nor offers
	fieldMaxPrice     = "maxPrice"       // likewise
	fieldOffers       = "offers"         // a list of {id, name, price, capacity, numbered}, all of which may be missing
	fieldCurrency     = "currency"       // ISO 4217; missing: the provider's
	fieldPlace        = "place"          // {name, address, city, country}, or the name alone
	fieldOrganizer    = "organizer"      // its name
	fieldAttendance   = "attendanceMode" // offline, online, mixed; missing: offline
	fieldAttributes   = "attributes"     // an object with anything else; its nulls are left out
)

// fieldNames is sorted.
var fieldNames = slices.Sorted(slices.Values([]string{ //nolint:gochecknoglobals // a constant table
	fieldID, fieldSeriesID, fieldSeriesTitle, fieldTitle, fieldDescription, fieldURL, fieldImageURL, fieldCategories,
	fieldStart, fieldEnd, fieldLastDay, fieldDuration, fieldAllDay, fieldTimeZone, fieldStatus, fieldAvailability,
	fieldSoldOut, fieldOnline, fieldSaleStart, fieldSaleEnd, fieldPrice, fieldMinPrice, fieldMaxPrice, fieldOffers,
	fieldCurrency, fieldPlace, fieldOrganizer, fieldAttendance, fieldAttributes,
}))

// normalizer turns what a map yields into events.
type normalizer struct {
	defaults event.Defaults
	invalid  *event.Invalid // the first fault of the record at hand
}

func newNormalizer(defaults event.Defaults) *normalizer {
	return &normalizer{defaults: defaults}
}

// event makes an event of what a map yields. The second result is the first fault, or nil.
func (n *normalizer) event(fields map[string]any) (event.Event, *event.Invalid) {
	n.invalid = nil
	n.known(fields, "", fieldNames)
	e := event.Event{
		Key:         n.key(fields),
		Title:       n.text(fields, fieldTitle),
		SeriesTitle: n.text(fields, fieldSeriesTitle),
		Description: n.text(fields, fieldDescription),
		URL:         event.WebAddress(n.text(fields, fieldURL)),
		ImageURL:    event.WebAddress(n.text(fields, fieldImageURL)),
		Categories:  n.categories(fields[fieldCategories]),
		Status:      n.status(fields),
		Attendance:  n.attendance(fields),
		Online:      true,
		SoldOut:     n.soldOut(fields),
		Place:       n.place(fields[fieldPlace]),
		Organizer:   n.text(fields, fieldOrganizer),
		Attributes:  n.attributes(fields[fieldAttributes]),
	}
	if e.Key.Series == "" {
		e.SeriesTitle = ""
	} else if e.SeriesTitle == "" {
		e.SeriesTitle = e.Title
	}
	if e.Title == "" {
		e.Title = n.text(fields, fieldSeriesTitle)
	}
	if online := n.flag(fields, fieldOnline); online != nil {
		e.Online = *online
	}
	n.times(fields, &e)
	n.prices(fields, &e)
	if n.invalid == nil {
		errors.As(e.Validate(), &n.invalid)
	}
	return e, n.invalid
}

// key is the event's key; its ids are empty if they are missing. Only faults of the ids are noted.
func (n *normalizer) key(fields map[string]any) event.Key {
	return event.Key{
		Provider: n.defaults.Provider,
		Series:   n.text(fields, fieldSeriesID),
		Event:    n.text(fields, fieldID),
	}
}

func (n *normalizer) fail(reason event.Reason, field string, value any, err error) {
	if n.invalid != nil {
		return
	}
	text, isText := value.(string)
	if !isText && value != nil {
		text = describe(value)
	}
	n.invalid = event.NewInvalid(reason, field, text, err)
}

// known fails if a field is not one of names, which are sorted: else a misspelt field would look as if the feed did not have it.
func (n *normalizer) known(fields map[string]any, prefix string, names []string) {
	var unknown []string
	for name := range fields {
		if _, found := slices.BinarySearch(names, name); !found {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		n.fail(event.ReasonInvalidRecord, prefix+event.Excerpt(slices.Min(unknown), 40), nil,
			fmt.Errorf("no such field; there are %s", strings.Join(names, ", ")))
	}
}

// text is a field's text without white space around it, or its number as the feed has it; empty for null or a missing field.
func (n *normalizer) text(fields map[string]any, field string) string {
	return n.textOf(field, fields[field])
}

func (n *normalizer) textOf(field string, value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return strings.TrimSpace(value)
	case bool, map[string]any, []any:
		n.fail(event.ReasonInvalidRecord, field, value, errors.New("neither text nor number"))
		return ""
	default:
		return describe(value)
	}
}

func (n *normalizer) categories(value any) []string {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var categories []string
	for _, c := range list {
		if name := n.textOf(fieldCategories, c); name != "" && !slices.Contains(categories, name) {
			categories = append(categories, name)
		}
		if len(categories) > event.MaxCategories {
			break // Validate reports that there are too many
		}
	}
	return categories
}

// word is a field's text in the form in which it is compared with schema.org's terms: for https://schema.org/EventCancelled and the
// prefix "event" it is "cancelled".
func (n *normalizer) word(fields map[string]any, field, prefix string) string {
	text := strings.ToLower(n.text(fields, field))
	if text == "" {
		return ""
	}
	text = strings.TrimPrefix(strings.TrimPrefix(text, "https://schema.org/"), "http://schema.org/")
	return strings.TrimPrefix(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(text), prefix)
}

func (n *normalizer) status(fields map[string]any) event.Status {
	switch n.word(fields, fieldStatus, "event") {
	case "", "scheduled", "confirmed", "tentative", "movedonline":
		return event.StatusScheduled
	case "cancelled", "canceled":
		return event.StatusCancelled
	case "postponed":
		return event.StatusPostponed
	case "rescheduled":
		return event.StatusRescheduled
	}
	n.fail(event.ReasonInvalidRecord, fieldStatus, fields[fieldStatus], errors.New("want scheduled, cancelled, postponed or rescheduled"))
	return ""
}

func (n *normalizer) attendance(fields map[string]any) event.Attendance {
	switch strings.TrimSuffix(n.word(fields, fieldAttendance, ""), "eventattendancemode") {
	case "":
		if n.word(fields, fieldStatus, "event") == "movedonline" {
			return event.AttendanceOnline
		}
		return event.AttendanceOffline
	case "offline":
		return event.AttendanceOffline
	case "online":
		return event.AttendanceOnline
	case "mixed":
		return event.AttendanceMixed
	}
	n.fail(event.ReasonInvalidRecord, fieldAttendance, fields[fieldAttendance], errors.New("want offline, online or mixed"))
	return ""
}

// soldOut is what the provider says about it, by soldOut or by availability (schema.org's ItemAvailability); nil if nothing.
func (n *normalizer) soldOut(fields map[string]any) *bool {
	if flag := n.flag(fields, fieldSoldOut); flag != nil {
		return flag
	}
	switch n.word(fields, fieldAvailability, "") {
	case "", "unknown", "saleended", "discontinued", "instoreonly":
		return nil
	case "soldout", "outofstock":
		return new(true)
	case "instock", "limitedavailability", "onlineonly", "presale", "preorder", "backorder", "madetoorder", "reserved":
		return new(false)
	}
	n.fail(event.ReasonInvalidRecord, fieldAvailability, fields[fieldAvailability], errors.New("want one of schema.org's, such as InStock or SoldOut"))
	return nil
}

func (n *normalizer) place(value any) event.Place {
	fields, ok := value.(map[string]any)
	if !ok {
		return event.Place{Name: n.textOf(fieldPlace, value)}
	}
	n.known(fields, fieldPlace+".", []string{"address", "city", "country", "name"})
	part := func(name string) string { return n.textOf(fieldPlace+"."+name, fields[name]) }
	return event.Place{Name: part("name"), Address: part("address"), City: part("city"), Country: part("country")}
}

func (n *normalizer) attributes(value any) []byte {
	switch value := value.(type) {
	case nil:
		return nil
	case map[string]any:
		given := make(map[string]any, len(value))
		for name, v := range value {
			if v != nil {
				given[name] = v
			}
		}
		if len(given) == 0 {
			return nil
		}
		text, err := gojq.Marshal(given)
		if err != nil {
			n.fail(event.ReasonInvalidRecord, fieldAttributes, nil, err)
		}
		return text
	default:
		n.fail(event.ReasonInvalidRecord, fieldAttributes, value, errors.New("not an object"))
		return nil
	}
}

func (n *normalizer) currency(fields map[string]any) string {
	code := n.text(fields, fieldCurrency)
	if code == "" {
		return n.defaults.Currency
	}
	unit, err := currency.ParseISO(code)
	if err != nil {
		n.fail(event.ReasonInvalidPrice, fieldCurrency, code, errors.New("not an ISO 4217 code such as EUR"))
		return ""
	}
	return unit.String()
}
