package catalog_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

// drawMoment draws a moment some steps from an anchor: by instant, as most feeds' times work out, or by a
// reading of the clock, which may not exist or exist twice.
func drawMoment(t *rapid.T, anchor time.Time, zone *time.Location) event.Moment {
	const step = 30 * time.Minute
	instant := anchor.Add(time.Duration(rapid.IntRange(-100, 100).Draw(t, "steps")) * step)
	if rapid.Bool().Draw(t, "byReading") {
		return event.LocalOf(instant.In(zone)).Add(step * time.Duration(rapid.IntRange(-3, 3).Draw(t, "shift"))).At(zone)
	}
	return event.MomentOf(instant, zone)
}

// lengths are how long events are: none, nothing, and both sides of classes' limits.
func lengths() []time.Duration {
	const day = 24 * time.Hour
	return []time.Duration{
		-1, -1, 0, 0, time.Second, time.Minute, time.Minute + time.Second, 30 * time.Minute, time.Hour, 64 * time.Minute, 2 * time.Hour,
		day, 2 * day, 3*day + time.Hour, 40 * day, 365 * day, 800 * day, 5000 * day, 1 << 23 * time.Minute, 1<<23*time.Minute + time.Second,
	}
}

type drawn struct {
	anchor time.Time
	events []stored
	series []event.ID
}

func drawCatalog(t *rapid.T, series []event.ID) drawn {
	home := rapid.SampledFrom(zones()).Draw(t, "home")
	anchor, err := time.Parse(time.RFC3339, rapid.SampledFrom(home.anchors).Draw(t, "anchor"))
	if err != nil {
		t.Fatal(err)
	}
	d := drawn{anchor: anchor, series: series}
	n := rapid.IntRange(0, 30).Draw(t, "events")
	for i := range n {
		name := home.name
		if rapid.IntRange(0, 2).Draw(t, "abroad") == 0 {
			name = rapid.SampledFrom(zones()).Draw(t, "zone").name
		}
		d.events = append(d.events, drawEvent(t, i, anchor, name, series))
	}
	return d
}

func drawEvent(t *rapid.T, i int, anchor time.Time, name string, series []event.ID) stored {
	zone := location(name)
	e := stored{zone: name, provider: rapid.SampledFrom([]string{"acme", "globex"}).Draw(t, "provider"), currency: "EUR"}
	e.id = event.Key{Provider: e.provider, Event: fmt.Sprint(i)}.ID()
	e.start = drawMoment(t, anchor, zone)
	length := rapid.SampledFrom(lengths()).Draw(t, "length")
	switch {
	case rapid.IntRange(0, 9).Draw(t, "allDay") == 0:
		midnight, _ := event.ParseLocalDate(e.start.Local.Date())
		e.allDay = true
		e.start = midnight.At(zone)
		e.end = midnight.Add(24 * time.Hour * time.Duration(rapid.IntRange(1, 3).Draw(t, "days"))).At(zone)
	case length >= 0:
		if length > 24*time.Hour { // so that it is under way, or ends, about then
			e.start = event.MomentOf(e.start.Instant.Add(-length*time.Duration(rapid.IntRange(0, 4).Draw(t, "quarters"))/4), zone)
		}
		e.end = event.MomentOf(e.start.Instant.Add(length), zone)
		if rapid.IntRange(0, 3).Draw(t, "endByReading") == 0 {
			e.end = e.start.Local.Add(length).At(zone)
		}
	}
	if !e.end.IsZero() && e.end.Instant.Before(e.start.Instant) { // which validation refuses
		e.end = event.Moment{}
	}
	if e.provider == "acme" && rapid.Bool().Draw(t, "repeats") {
		e.series = &series[rapid.IntRange(0, len(series)-1).Draw(t, "series")]
	}
	if rapid.IntRange(0, 4).Draw(t, "priced") > 0 {
		low := decimal(rapid.SampledFrom([]string{"0", "9.99", "10", "10.000001"}).Draw(t, "low"))
		high := decimal(rapid.SampledFrom([]string{"10.000001", "20", "999999999999.999999"}).Draw(t, "high"))
		e.low, e.high = &low, &high
		e.currency = rapid.SampledFrom([]string{"EUR", "USD"}).Draw(t, "currency")
	}
	statuses := []event.Status{event.StatusScheduled, event.StatusScheduled, event.StatusCancelled, event.StatusPostponed, event.StatusRescheduled}
	e.status = rapid.SampledFrom(statuses).Draw(t, "status")
	e.updated = anchor.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "updated")) * time.Hour)
	e.offline = rapid.IntRange(0, 3).Draw(t, "offline") == 0
	e.noSeats = rapid.IntRange(0, 3).Draw(t, "noSeats") == 0
	if rapid.Bool().Draw(t, "saysSoldOut") {
		e.soldOut = new(e.noSeats)
	}
	for i, at := range []**time.Time{&e.saleStarts, &e.saleEnds} {
		if rapid.IntRange(0, 2).Draw(t, fmt.Sprint("sale", i)) == 0 {
			*at = new(drawMoment(t, anchor, zone).Instant)
		}
	}
	e.title = rapid.SampledFrom(texts).Draw(t, "title")
	if rapid.Bool().Draw(t, "described") {
		e.description = rapid.SampledFrom(texts).Draw(t, "description")
	}
	e.categories = rapid.SliceOfNDistinct(rapid.SampledFrom(categories), 0, 2, rapid.ID).Draw(t, "categories")
	e.city = rapid.SampledFrom(append(cities, "")).Draw(t, "city")
	e.country = rapid.SampledFrom(append(countries, "")).Draw(t, "country")
	e.listed = rapid.IntRange(0, 5).Draw(t, "listed") > 0
	e.removed = rapid.IntRange(0, 5).Draw(t, "removed") == 0
	return e
}

func decimal(s string) event.Decimal {
	d, err := event.ParseDecimal(s)
	if err != nil {
		panic(err) // the test's own text
	}
	return d
}

func drawBound(t *rapid.T, d drawn) *catalog.Bound {
	zone := location(rapid.SampledFrom(zones()).Draw(t, "boundZone").name)
	m := drawMoment(t, d.anchor, zone)
	if len(d.events) > 0 && rapid.Bool().Draw(t, "atAnEvent") {
		e := rapid.SampledFrom(d.events).Draw(t, "event")
		m = e.start
		if !e.end.IsZero() && rapid.Bool().Draw(t, "atItsEnd") {
			m = e.end
		}
	}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		date, _ := event.ParseLocalDate(m.Local.Date())
		return &catalog.Bound{Local: date, Date: true}
	case 2:
		return &catalog.Bound{Local: m.Local}
	default:
		return &catalog.Bound{Instant: m.Instant}
	}
}

var rules = []catalog.WindowMatch{catalog.Overlaps, catalog.StartsIn, catalog.EndsIn, catalog.Contained}

func drawWindow(t *rapid.T, d drawn) catalog.Window {
	in := catalog.WindowInput{Match: rapid.SampledFrom(rules).Draw(t, "match")}
	if rapid.IntRange(0, 2).Draw(t, "zoned") == 0 {
		in.TimeZone = location(rapid.SampledFrom(zones()).Draw(t, "timeZone").name)
	}
	presets := []catalog.WindowPreset{catalog.Today, catalog.Tomorrow, catalog.ThisWeekend, catalog.Next7Days, catalog.Next30Days}
	if in.TimeZone != nil && rapid.Bool().Draw(t, "preset") {
		in.Preset = new(rapid.SampledFrom(presets).Draw(t, "which"))
	} else {
		in.From, in.To = drawBound(t, d), drawBound(t, d)
	}
	w, err := in.Window(d.anchor)
	if err != nil {
		w.From = nil // they were the wrong way round
	}
	w.Inclusive = rapid.Bool().Draw(t, "inclusive")
	return w
}

var (
	categories = []string{"jazz", "Música", `it's a \`}
	cities     = []string{"L'Hospitalet", "Madrid", "madrid"}
	countries  = []string{"ES", "PT"}
)

// orders are all that there are.
var orders = []catalog.EventOrder{
	{},
	{Field: catalog.ByStart, Direction: catalog.Descending},
	{Field: catalog.ByPrice},
	{Field: catalog.ByPrice, Direction: catalog.Descending},
	{Field: catalog.ByTitle},
	{Field: catalog.ByTitle, Direction: catalog.Descending},
	{Field: catalog.ByRelevance},
	{Field: catalog.ByRelevance, Direction: catalog.Descending},
	{Field: catalog.ByLastChange},
	{Field: catalog.ByLastChange, Direction: catalog.Descending},
}

// drawNow draws a time about which something happens to an event.
func drawNow(t *rapid.T, d drawn) time.Time {
	if len(d.events) == 0 {
		return d.anchor
	}
	e := rapid.SampledFrom(d.events).Draw(t, "nowAt")
	for i, at := range []*time.Time{e.saleStarts, e.saleEnds, &e.end.Instant} {
		if at != nil && !at.IsZero() && rapid.Bool().Draw(t, fmt.Sprint("now", i)) {
			return *at
		}
	}
	return e.start.Instant
}

func drawFilter(t *rapid.T, d drawn) (f catalog.EventFilter) {
	if rapid.IntRange(0, 3).Draw(t, "unfiltered") == 0 {
		return f
	}
	switch rapid.IntRange(0, 13).Draw(t, "filter") {
	case 8, 9:
		f.Text = new(rapid.SampledFrom(texts).Draw(t, "text").text)
	case 10:
		f.Categories = rapid.SliceOfNDistinct(rapid.SampledFrom(categories), 1, 2, rapid.ID).Draw(t, "inCategories")
	case 11:
		f.Cities = rapid.SliceOfNDistinct(rapid.SampledFrom(cities), 1, 2, rapid.ID).Draw(t, "inCities")
	case 12:
		f.Countries = []string{rapid.SampledFrom(countries).Draw(t, "inCountry")}
		f.Text = new(rapid.SampledFrom(texts).Draw(t, "text").text)
	case 13:
		w := drawWindow(t, d)
		f.Starts = &catalog.StartsFilter{From: w.From, To: w.To}
		if rapid.Bool().Draw(t, "startsZoned") {
			f.Starts.TimeZone = location(rapid.SampledFrom(zones()).Draw(t, "startsZone").name)
			if _, err := (catalog.WindowInput{From: w.From, To: w.To, TimeZone: f.Starts.TimeZone}).Window(d.anchor); err != nil {
				f.Starts.From = nil // they are the wrong way round there
			}
		}
	case 5:
		all := []catalog.Availability{catalog.InStock, catalog.SoldOut, catalog.PreSale, catalog.SaleEnded, catalog.AvailabilityUnknown}
		f.Availability = rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, 5, rapid.ID).Draw(t, "availability")
	case 6:
		all := []event.Status{event.StatusScheduled, event.StatusCancelled, event.StatusPostponed, event.StatusRescheduled}
		f.Status = rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, 3, rapid.ID).Draw(t, "statuses")
	case 7:
		f.UpdatedSince = new(d.anchor.Add(time.Duration(rapid.IntRange(0, 6).Draw(t, "since")) * time.Hour))
	case 0:
		f.Providers = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"acme", "globex", "nobody"}), 1, 3, rapid.ID).Draw(t, "providers")
	case 1:
		f.Series = d.series[:rapid.IntRange(1, len(d.series)).Draw(t, "ofSeries")]
	case 2:
		for _, e := range d.events[:len(d.events)/2] {
			f.IDs = append(f.IDs, e.id)
		}
		f.IDs = append(f.IDs, event.ProviderID("no event"))
	case 3:
		f.Removed = new(rapid.Bool().Draw(t, "onlyRemoved"))
	case 4:
		amount := rapid.SampledFrom([]string{"-999999999999.999999", "0", "9.99", "10", "10.000001", "20", "999999999999.999999"})
		least, most := decimal(amount.Draw(t, "min")), decimal(amount.Draw(t, "max"))
		f.Price = &catalog.PriceFilter{Min: &least, Max: &most}
		if rapid.Bool().Draw(t, "noMax") || least.Compare(most) > 0 {
			f.Price.Max = nil
		}
		if rapid.Bool().Draw(t, "noMin") {
			f.Price.Min = nil
		}
		if rapid.Bool().Draw(t, "inCurrency") {
			f.Price.Currency = new(rapid.SampledFrom([]string{"EUR", "USD"}).Draw(t, "inWhich")) // EUR is that of events without a price, too
		}
	}
	return f
}
