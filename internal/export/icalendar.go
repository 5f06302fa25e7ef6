package export

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

// calendar writes a VCALENDAR. It has no METHOD, since it is a calendar to look at and not an invitation. DTSTAMP is then
// when the event changed last (RFC 5545, 3.8.7.2), so that the same events give the same bytes. An
// organizer's name becomes a CONTACT: ORGANIZER is allowed in invitations only (3.8.4.3).
type calendar struct {
	zones map[string]bool // that are defined already
	any   bool            // it has an event
}

// Begin implements Writer. How often programs should read the calendar again stands there twice: by the standard's property, and by the
// one that Outlook knows.
func (c *calendar) Begin(b []byte) []byte {
	for _, l := range [][2]string{
		{"BEGIN", "VCALENDAR"},
		{"VERSION", "2.0"},
		{"PRODID", "-//Marquee//Marquee//EN"},
		{"CALSCALE", "GREGORIAN"},
		{"NAME", "Events"},
		{"X-WR-CALNAME", "Events"},
		{"REFRESH-INTERVAL;VALUE=DURATION", "PT15M"},
		{"X-PUBLISHED-TTL", "PT15M"},
	} {
		b = line(b, l[0], l[1])
	}
	return b
}

// End implements Writer. A calendar has to have at least one component (3.6), so that one without events defines a zone.
func (c *calendar) End(b []byte) []byte {
	if !c.any {
		b = appendZone(b, time.UTC, time.Unix(0, 0))
	}
	return line(b, "END", "VCALENDAR")
}

// Event implements Writer. A zone is defined just before the first event that uses it.
func (c *calendar) Event(b []byte, e catalog.Exported) ([]byte, error) {
	c.any = true
	zone, err := event.LoadZone(e.TimeZone)
	if err != nil {
		zone = time.UTC // this machine's tz database does not have the zone
	}
	if zone != time.UTC && !e.AllDay && !c.zones[e.TimeZone] {
		c.zones[e.TimeZone] = true
		b = appendZone(b, zone, e.StartsAt)
	}

	b = line(b, "BEGIN", "VEVENT")
	b = line(b, "UID", e.ID.String())
	b = line(b, "DTSTAMP", utc(e.UpdatedAt))
	b = line(b, "CREATED", utc(e.FirstSeenAt))
	b = line(b, "LAST-MODIFIED", utc(e.UpdatedAt))
	b = line(b, "SEQUENCE", strconv.Itoa(int(e.Revision)))
	b = line(b, "STATUS", status(e))
	b = moment(b, "DTSTART", e.StartsLocal, e.StartsAt, zone, e.AllDay)
	if e.EndsAt != nil && e.EndsAt.After(e.StartsAt) { // it has to be later than the start (3.8.2.2)
		b = moment(b, "DTEND", e.EndsLocal, *e.EndsAt, zone, e.AllDay)
	}
	b = line(b, "TRANSP", "TRANSPARENT") // what there is to see makes nobody busy
	b = line(b, "SUMMARY", escape(e.Title))
	b = optional(b, "DESCRIPTION", escape(text(e.Description)))
	if p := e.Place(); p != nil {
		b = optional(b, "LOCATION", escape(strings.Join(given(p.Name, p.Address, p.City, p.Country), ", ")))
	}
	b = optional(b, "CONTACT", escape(text(e.Organizer)))
	if len(e.Categories) > 0 {
		names := make([]string, len(e.Categories))
		for i, name := range e.Categories {
			names[i] = escape(name)
		}
		b = line(b, "CATEGORIES", strings.Join(names, ","))
	}
	b = optional(b, "URL", address(e.URL))
	b = optional(b, "IMAGE;VALUE=URI", address(e.ImageURL))
	return line(b, "END", "VEVENT"), nil
}

// status is the STATUS of an event. One that was removed from its provider's feed is CANCELLED, the closest that there
// is.
func status(e catalog.Exported) string {
	switch {
	case e.Status == event.StatusCancelled || e.RemovedAt != nil:
		return "CANCELLED"
	case e.Status == event.StatusPostponed:
		return "TENTATIVE"
	default:
		return "CONFIRMED"
	}
}

// moment appends a start or an end, as wall clock time at the venue. When clocks go back, a reading occurs twice, and means the first
// (3.3.5): the second can be written only in UTC.
func moment(b []byte, name string, local event.LocalDateTime, instant time.Time, zone *time.Location, allDay bool) []byte {
	switch {
	case allDay:
		return line(b, name+";VALUE=DATE", local.AsUTC().Format("20060102"))
	case zone == time.UTC || !local.In(zone).Equal(instant):
		return line(b, name, utc(instant))
	default:
		return line(b, name+";TZID="+zone.String(), local.AsUTC().Format(clockForm))
	}
}

const clockForm = "20060102T150405"

func utc(t time.Time) string { return t.UTC().Format(clockForm + "Z") }

// escape writes a TEXT (3.3.11). Control characters, which have no form there, are left out.
func escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\r' && strings.HasPrefix(s[i+1:], "\n"):
		case r == '\n' || r == '\r':
			b.WriteString(`\n`)
		case r == '\\' || r == ';' || r == ',':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' && r != '\t' || r == 0x7f:
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// address is a URI for a calendar; empty if it has white space or control characters, which could end its line.
func address(s *string) string {
	if s == nil || strings.ContainsFunc(*s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return ""
	}
	return *s
}

func optional(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return line(b, name, value)
}

// line appends a content line. It is folded, between characters, so that no line is longer than 75 octets without its
// line break (3.1).
func line(b []byte, name, value string) []byte {
	const longest = 75
	rest, room := name+":"+value, longest
	for len(rest) > room {
		cut := room
		for !utf8.RuneStart(rest[cut]) {
			cut--
		}
		b = append(append(b, rest[:cut]...), "\r\n "...)
		rest, room = rest[cut:], longest-1
	}
	return append(append(b, rest...), "\r\n"...)
}
