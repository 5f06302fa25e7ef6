package catalog_test

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

// The window rules and filters once more, straight from their definition and as plainly as can be, to hold
// both the statements and Window.Holds to. Nothing here may call what it tests.

// instantForm orders as text.
const instantForm = "2006-01-02T15:04:05.000000"

// reading is a moment in a bound's own terms, as text that orders.
func reading(m event.Moment, b *catalog.Bound) string {
	if b.Local.IsZero() {
		return m.Instant.UTC().Format(instantForm)
	}
	return m.Local.String()
}

func limit(b *catalog.Bound) string {
	if b.Local.IsZero() {
		return b.Instant.UTC().Format(instantForm)
	}
	return b.Local.String()
}

// inside applies a window's rule.
func inside(e stored, w catalog.Window) bool {
	span := !e.end.IsZero() && e.end.Instant.After(e.start.Instant) // else it is an instant
	end := e.end
	if end.IsZero() {
		end = e.start
	}
	from := func(m event.Moment) int {
		if w.From == nil {
			return 1
		}
		return cmp.Compare(reading(m, w.From), limit(w.From))
	}
	to := func(m event.Moment) int {
		if w.To == nil {
			return -1
		}
		return cmp.Compare(reading(m, w.To), limit(w.To))
	}
	beforeTo := func(m event.Moment) bool { return to(m) < 0 || w.Inclusive && to(m) == 0 }

	switch {
	case w.From == nil && w.To == nil:
		return true
	case w.Match == catalog.Overlaps && span:
		return beforeTo(e.start) && from(end) > 0
	case w.Match == catalog.Contained && span:
		return from(e.start) >= 0 && to(end) <= 0
	case w.Match == catalog.EndsIn:
		return from(end) >= 0 && beforeTo(end)
	default: // a start, or all that there is of an instant, lies in the window
		return from(e.start) >= 0 && beforeTo(e.start)
	}
}

// passes applies a filter.
func passes(e stored, f catalog.EventFilter, now time.Time) bool {
	if f.Providers != nil && !slices.Contains(f.Providers, e.provider) {
		return false
	}
	if f.Series != nil && (e.series == nil || !slices.Contains(f.Series, *e.series)) {
		return false
	}
	if f.IDs != nil && !slices.Contains(f.IDs, e.id) {
		return false
	}
	if f.Removed != nil && *f.Removed != e.removed {
		return false
	}
	if f.Text != nil && !matches(f, slices.Concat(e.title.words, e.description.words)) {
		return false
	}
	if f.Cities != nil && !slices.Contains(f.Cities, e.city) || f.Countries != nil && !slices.Contains(f.Countries, e.country) {
		return false
	}
	if f.Categories != nil && !slices.ContainsFunc(f.Categories, func(c string) bool { return slices.Contains(e.categories, c) }) {
		return false
	}
	if s := f.Starts; s != nil {
		w := catalog.Window{Match: catalog.StartsIn}
		for from, to := range map[*catalog.Bound]**catalog.Bound{s.From: &w.From, s.To: &w.To} {
			if from != nil && s.TimeZone != nil {
				*to = new(from.In(s.TimeZone))
			} else if from != nil {
				*to = from
			}
		}
		if !inside(e, w) {
			return false
		}
	}
	if f.Status != nil && !slices.Contains(f.Status, e.status) {
		return false
	}
	if f.UpdatedSince != nil && e.updated.Before(*f.UpdatedSince) {
		return false
	}
	if f.Availability != nil && !slices.Contains(f.Availability, available(e, now)) {
		return false
	}
	if p := f.Price; p != nil {
		if p.Currency != nil && (e.low == nil || *p.Currency != e.currency) {
			return false
		}
		if p.Min != nil && (e.high == nil || e.high.Micros() < p.Min.Micros()) {
			return false
		}
		if p.Max != nil && (e.low == nil || e.low.Micros() > p.Max.Micros()) {
			return false
		}
	}
	return true
}

// available is an event's availability, from the words of docs/graphql.md.
func available(e stored, now time.Time) catalog.Availability {
	last := e.start.Instant
	if !e.end.IsZero() {
		last = e.end.Instant
	}
	over := !last.After(now) || e.saleEnds != nil && !e.saleEnds.After(now) || e.status == event.StatusCancelled
	speaksOfSales := e.soldOut != nil || e.low != nil || e.saleEnds != nil
	switch {
	case over:
		return catalog.SaleEnded
	case e.noSeats:
		return catalog.SoldOut
	case e.saleStarts != nil && e.saleStarts.After(now):
		return catalog.PreSale
	case speaksOfSales && !e.offline && !e.removed:
		return catalog.InStock
	}
	return catalog.AvailabilityUnknown
}

// matches says whether every word that is looked for begins one of some words, or is one if it is a single letter.
func matches(f catalog.EventFilter, words []string) bool {
	if f.Text == nil {
		return true
	}
	for _, text := range texts {
		if text.text != *f.Text {
			continue
		}
		for _, sought := range text.words {
			if !slices.ContainsFunc(words, func(w string) bool { return w == sought || len(sought) > 1 && strings.HasPrefix(w, sought) }) {
				return false
			}
		}
	}
	return true
}

// ordered compares two events in the order of a query.
func ordered(a, b stored, q catalog.EventQuery) int {
	o := q.Order
	if o.Field == "" && q.Where.Text != nil {
		o.Field = catalog.ByRelevance
	}
	byID := bytes.Compare(a.id[:], b.id[:])
	sign := 1
	if o.Direction == catalog.Descending {
		sign = -1
	}
	switch o.Field {
	case catalog.ByPrice:
		if (a.low == nil) != (b.low == nil) { // none comes last, both ways
			if a.low == nil {
				return 1
			}
			return -1
		}
		if a.low == nil {
			return sign * byID
		}
		return sign * cmp.Or(cmp.Compare(a.low.Micros(), b.low.Micros()), byID)
	case catalog.ByTitle:
		return sign * cmp.Or(strings.Compare(strings.Join(a.title.words, " "), strings.Join(b.title.words, " ")), byID)
	case catalog.ByRelevance:
		// The least number comes first: 0 in the title and to come, 1 in the title and past, 2 and 3 elsewhere.
		class := func(e stored) (n int) {
			if !matches(q.Where, e.title.words) {
				n = 2
			}
			if e.start.Instant.Before(q.Now.Truncate(time.Minute)) {
				n++
			}
			return n
		}
		if c := cmp.Compare(class(a), class(b)); c != 0 {
			return sign * c
		}
		inTime := cmp.Or(a.start.Instant.Compare(b.start.Instant), byID)
		if class(a)%2 == 1 { // the latest first
			inTime = -inTime
		}
		return sign * inTime
	case catalog.ByLastChange:
		return sign * cmp.Or(a.updated.Compare(b.updated), byID)
	default:
		return sign * cmp.Or(a.start.Instant.Compare(b.start.Instant), byID)
	}
}

// modelled is what all pages of a query hold together.
func modelled(all []stored, q catalog.EventQuery) []event.ID {
	var found []stored
	for _, e := range all {
		if e.listed && inside(e, q.Window) && passes(e, q.Where, q.Now) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b stored) int { return ordered(a, b, q) })
	ids := make([]event.ID, len(found))
	for i, e := range found {
		ids[i] = e.id
	}
	return ids
}

// spanOf is an event as Window.Holds takes it.
func spanOf(e stored) catalog.Span {
	s := catalog.Span{StartsAt: e.start.Instant, StartsLocal: e.start.Local.AsUTC()}
	if !e.end.IsZero() {
		s.EndsAt, s.EndsLocal = e.end.Instant, e.end.Local.AsUTC()
	}
	return s
}

// cursorOf is an event's place in every list of an order.
func cursorOf(e stored, q catalog.EventQuery) string {
	return catalog.CursorIn(q, catalog.Spot{
		ID: e.id, StartsAt: e.start.Instant, UpdatedAt: e.updated, MinPrice: e.low, Title: e.title.text, TitleKey: strings.Join(e.title.words, " "),
	})
}

// draws: what the properties are tried on.

// zone is a time zone with instants around which its clocks do something odd.
type zone struct {
	name    string
	anchors []string
}

func zones() []zone {
	return []zone{
		{"Europe/Madrid", []string{"2021-03-28T01:00:00Z", "2021-10-31T01:00:00Z", "2024-02-28T23:00:00Z"}},
		{"America/New_York", []string{"2021-03-14T07:00:00Z", "2021-11-07T06:00:00Z"}},
		{"Pacific/Apia", []string{"2011-12-30T10:00:00Z", "2021-04-03T14:00:00Z"}},        // 30 December 2011 did not take place
		{"Australia/Lord_Howe", []string{"2021-04-03T15:00:00Z", "2021-10-02T15:30:00Z"}}, // half an hour
		{"Etc/UTC", []string{"2021-06-30T22:00:00Z"}},
		{"Pacific/Kiritimati", []string{"2021-12-31T10:00:00Z"}},
		{"America/Adak", []string{"2021-03-14T12:00:00Z"}},
	}
}

func location(name string) *time.Location {
	l, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // the test's own table
	}
	return l
}
