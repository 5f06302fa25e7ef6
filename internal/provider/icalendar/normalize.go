package icalendar

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// template is what a VEVENT says about each of its instances.
type template struct {
	event  event.Event // without key and times
	start  stamp
	length length
}

// template reads a VEVENT. If it has no SUMMARY, its title is the one given: that of the series for an override.
func (d *decoder) template(c *component, title string) (template, *event.Invalid) {
	t := template{event: d.fields(c)}
	if t.event.Title == "" {
		t.event.Title = title
	}
	if c.fault != nil {
		return t, c.fault
	}
	if c.uid() == "" {
		return t, event.NewInvalid(event.ReasonMissingID, "UID", "", nil)
	}
	var invalid *event.Invalid
	if t.start, invalid = c.start(); invalid != nil {
		return t, invalid
	}
	if t.length, invalid = c.length(t.start); invalid != nil {
		return t, invalid
	}
	if t.event.Title == "" {
		return t, event.NewInvalid(event.ReasonMissingTitle, "SUMMARY", "", nil)
	}
	return t, nil
}

// start is DTSTART or, of an override without one, RECURRENCE-ID: when the instance would have started.
func (c *component) start() (stamp, *event.Invalid) {
	p := c.get("DTSTART")
	if p.line == 0 && c.has("RECURRENCE-ID") {
		p = c.get("RECURRENCE-ID")
	}
	if p.line == 0 {
		return stamp{}, event.NewInvalid(event.ReasonInvalidDate, p.name, "", errors.New("missing"))
	}
	return c.stamp(p, p.value)
}

// length is from start to DTEND, or DURATION. If there is neither, an event of whole days is one day long, any other has no end.
func (c *component) length(start stamp) (length, *event.Invalid) {
	var d length
	var invalid *event.Invalid
	if p := c.get("DTEND"); p.line > 0 {
		end, bad := c.stamp(p, p.value)
		if bad != nil {
			return d, bad
		}
		d, invalid = start.until(end, p, p.value)
	} else if p := c.get("DURATION"); p.line > 0 {
		d, invalid = lengthFor(start, p, p.value)
	}
	return d.atLeastADay(start), invalid
}

// atLeastADay makes an all-day event at least one day long: many programs write a DTEND that is the same as DTSTART.
func (d length) atLeastADay(start stamp) length {
	if start.kind == dateOnly {
		d.days, d.given = max(d.days, 1), true
	}
	return d
}

// instance is the event of a template that begins at start.
func (d *decoder) instance(t template, key event.Key, start stamp, length length) event.Event {
	e := t.event
	e.Key = key
	zone := d.shownIn(start)
	e.Zone = zone.String()
	e.AllDay = start.kind == dateOnly
	e.Start = momentOf(start, zone)
	if length.given {
		end := start.add(time.Duration(length.days) * day)
		if length.exact == 0 {
			e.End = momentOf(end, zone)
		} else {
			e.End = event.MomentOf(end.instant().Add(length.exact), zone)
		}
	}
	return e
}

// momentOf is the moment of s in a zone. If that is the zone of s, the wall clock stays as written, even if clocks skip it.
func momentOf(s stamp, zone *time.Location) event.Moment {
	if s.zone == zone {
		return s.local.At(zone)
	}
	return event.MomentOf(s.instant(), zone)
}

func (d *decoder) fields(c *component) event.Event {
	e := event.Event{
		Title:       oneLine(c.text("SUMMARY"), " "),
		Description: c.text("DESCRIPTION"),
		URL:         event.WebAddress(c.get("URL").value),
		ImageURL:    c.image(),
		Categories:  c.categories(),
		Status:      event.StatusScheduled,
		Attendance:  event.AttendanceOffline,
		Online:      true,
		Currency:    d.defaults.Currency,
		Place:       event.Place{Name: oneLine(c.text("LOCATION"), ", ")},
		Organizer:   c.get("ORGANIZER").param("CN"),
		Attributes:  c.geo(),
	}
	switch strings.ToUpper(c.text("STATUS")) {
	case "CANCELLED", "CANCELED":
		e.Status = event.StatusCancelled
	case "":
		if c.calendar.cancels {
			e.Status = event.StatusCancelled
		}
	}
	return e
}

func (c *component) text(name string) string { return strings.TrimSpace(unescape(c.get(name).value)) }

// oneLine joins the lines of a text by a separator, without white space around them and without empty ones.
func oneLine(s, separator string) string {
	if !strings.ContainsAny(s, "\r\n") {
		return s
	}
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), separator)
}

// categories are those of all CATEGORIES lines, each once, in the order of the feed.
func (c *component) categories() []string {
	var list []string
	for _, p := range c.all("CATEGORIES") {
		for _, name := range splitText(p.value) {
			if name = oneLine(strings.TrimSpace(name), " "); name != "" && !slices.Contains(list, name) && len(list) <= event.MaxCategories {
				list = append(list, name)
			}
		}
	}
	return list
}

// image is the address of the first image: an IMAGE (RFC 7986), or an ATTACH whose FMTTYPE is that of an image.
func (c *component) image() string {
	for i := range c.props {
		p := &c.props[i]
		isOne := p.name == "IMAGE" || p.name == "ATTACH" && strings.HasPrefix(strings.ToLower(p.param("FMTTYPE")), "image/")
		if address := event.WebAddress(p.value); isOne && address != "" {
			return address
		}
	}
	return ""
}

// geo is GEO as attributes, latitude and longitude in degrees; nil if it is not a position on Earth.
func (c *component) geo() json.RawMessage {
	north, east, _ := strings.Cut(c.get("GEO").value, ";")
	latitude, err := strconv.ParseFloat(strings.TrimSpace(north), 64)
	longitude, err2 := strconv.ParseFloat(strings.TrimSpace(east), 64)
	// The condition is negated so that it also holds for NaN.
	if err != nil || err2 != nil || !(latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180) {
		return nil
	}
	attributes, _ := json.Marshal(map[string]float64{"latitude": latitude, "longitude": longitude}) // can't fail for numbers
	return attributes
}
