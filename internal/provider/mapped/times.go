package mapped

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// times fills in start, end, zone and the sale's times. Times are in ISO 8601: 2030-06-30T21:00, with or without
// seconds (fractions of a second are cut off) and an offset, and with a blank or a T; or a date alone. Without an
// offset, a time is a wall clock reading in the event's zone.
func (n *normalizer) times(fields map[string]any, e *event.Event) {
	zone := n.zone(fields)
	e.Zone = zone.String()
	start := n.moment(fields, fieldStart, zone)
	e.Start = start.at
	e.SaleStart = n.moment(fields, fieldSaleStart, zone).at.Instant
	e.SaleEnd = n.moment(fields, fieldSaleEnd, zone).at.Instant

	e.AllDay = start.dateOnly
	if allDay := n.flag(fields, fieldAllDay); allDay != nil {
		e.AllDay = *allDay
	}
	if e.Start.IsZero() {
		n.fail(event.ReasonInvalidDate, fieldStart, nil, errors.New("missing"))
		return
	}
	if e.AllDay {
		e.Start = start.day().At(zone)
	}
	e.End = n.end(fields, e, zone)
}

func (n *normalizer) end(fields map[string]any, e *event.Event, zone *time.Location) event.Moment {
	end, last := n.moment(fields, fieldEnd, zone), n.moment(fields, fieldLastDay, zone)
	length, hasLength := n.duration(fields[fieldDuration])
	var day event.LocalDateTime // the midnight that is the end
	switch {
	case !end.at.IsZero() && !last.at.IsZero():
		n.fail(event.ReasonInvalidDate, fieldLastDay, fields[fieldLastDay], errors.New("want end or lastDay, not both"))
		return event.Moment{}
	case !last.at.IsZero():
		day = last.day().Add(24 * time.Hour)
	case end.at.IsZero() && hasLength && length == 0 && !e.AllDay:
		return event.Moment{}
	case end.at.IsZero() && hasLength && !e.AllDay:
		return event.MomentOf(e.Start.Instant.Add(length), zone)
	case end.at.IsZero() && hasLength:
		day = e.Start.Local.Add(length.Round(24 * time.Hour))
	case end.at.IsZero() && !e.AllDay:
		return event.Moment{}
	case end.at.IsZero():
		day = e.Start.Local
	case e.AllDay:
		day = end.day()
		if day != end.at.Local && !end.written.IsMidnight() { // an end at 23:59 means that the event includes that day
			day = day.Add(24 * time.Hour)
		}
	case end.dateOnly && end.at.Local.Date() == e.Start.Local.Date():
		return event.Moment{} // it ends on the day on which it starts, but the time is not known
	default:
		return end.at
	}
	if e.AllDay && day == e.Start.Local {
		day = day.Add(24 * time.Hour) // an all-day event without an end is one day long (RFC 5545, 3.6.1)
	}
	return day.At(zone)
}

func (n *normalizer) zone(fields map[string]any) *time.Location {
	name := n.text(fields, fieldTimeZone)
	if name == "" {
		return n.defaults.Zone
	}
	zone, err := event.LoadZone(name)
	if err != nil {
		n.fail(event.ReasonInvalidDate, fieldTimeZone, name, errors.New("no IANA time zone"))
		return n.defaults.Zone
	}
	return zone
}

// given is a time as a feed gives it.
type given struct {
	at       event.Moment
	dateOnly bool
	written  event.LocalDateTime // the reading as written, whatever its offset
}

// day is the start of the day of a time. If the time is written as midnight, it is the day that is written, whatever the offset:
// some feeds write a date as 2030-06-30T00:00:00Z.
func (g given) day() event.LocalDateTime {
	on := g.at.Local
	if g.written.IsMidnight() {
		on = g.written
	}
	day, _ := event.ParseLocalDate(on.Date()) // fails only for a year that Validate refuses anyway
	return day
}

var errNumericTime = errors.New("a number; say in the map what it is: todate for seconds since 1970, (. / 1000 | todate) for milliseconds")

// moment is a field's time. It is zero if the value is missing, or can't be read, which is noted as a fault.
func (n *normalizer) moment(fields map[string]any, field string, zone *time.Location) given {
	value := fields[field]
	switch value.(type) {
	case int, float64, *big.Int, json.Number:
		n.fail(event.ReasonInvalidDate, field, value, errNumericTime)
		return given{}
	}
	text := n.text(fields, field)
	if text == "" {
		return given{}
	}
	moment, err := parseMoment(text, zone)
	if err != nil {
		n.fail(event.ReasonInvalidDate, field, text, err)
	}
	return moment
}

func parseMoment(text string, zone *time.Location) (given, error) {
	if len(text) == len(time.DateOnly) {
		day, err := event.ParseLocalDate(text)
		if err != nil {
			return given{}, err
		}
		return given{at: day.At(zone), dateOnly: true, written: day}, nil
	}
	reading, offset := text, ""
	if i := strings.IndexAny(text[min(len(text), len("2006-01-02T15")):], "Zz+-"); i >= 0 {
		i += len("2006-01-02T15")
		reading, offset = text[:i], text[i:]
	}
	reading, fraction, hasFraction := strings.Cut(strings.TrimRight(reading, " "), ".")
	if hasFraction && (strings.Trim(fraction, "0123456789") != "" || len(reading) != len(event.LocalLayout)) {
		return given{}, event.ErrBadDateTime
	}
	if len(reading) > 10 && (reading[10] == ' ' || reading[10] == 't') {
		reading = reading[:10] + "T" + reading[11:]
	}
	local, err := event.ParseLocal(reading)
	if err != nil {
		return given{}, err
	}
	if offset == "" {
		return given{at: local.At(zone), written: local}, nil
	}
	ahead, err := parseOffset(offset)
	if err != nil {
		return given{}, err
	}
	return given{at: event.MomentOf(local.AsUTC().Add(-ahead), zone), written: local}, nil
}

var offsetForm = regexp.MustCompile(`^([+-])(\d\d)(?::?([0-5]\d))?$`)

// parseOffset reads Z, +02, +0200 or +02:00, up to 18 hours, as the time ahead of UTC.
func parseOffset(text string) (time.Duration, error) {
	if text == "Z" || text == "z" {
		return 0, nil
	}
	parts := offsetForm.FindStringSubmatch(text)
	if parts == nil {
		return 0, event.ErrBadDateTime
	}
	hours, _ := strconv.Atoi(parts[2])
	minutes, _ := strconv.Atoi("0" + parts[3])
	ahead := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if ahead > 18*time.Hour {
		return 0, event.ErrBadDateTime
	}
	if parts[1] == "-" {
		ahead = -ahead
	}
	return ahead, nil
}

var (
	clockForm    = regexp.MustCompile(`^(\d{1,4}):([0-5]\d)(?::([0-5]\d))?$`)
	durationForm = regexp.MustCompile(`^P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})(?:\.\d+)?S)?)?$`)
	errDuration  = errors.New(`want "PT1H30M", "01:30", or minutes`)
)

// maxMinutes bounds a duration, at a year: a longer one is probably in another unit than minutes.
const maxMinutes = 366 * 24 * 60

// duration is a duration of 0 to maxMinutes, rounded to the second; false if it is missing, or can't be read, which is noted as a
// fault.
func (n *normalizer) duration(value any) (time.Duration, bool) {
	text := n.textOf(fieldDuration, value)
	if text == "" {
		return 0, false
	}
	seconds := math.NaN()
	if minutes, err := strconv.ParseFloat(text, 64); err == nil {
		seconds = 60 * minutes
	} else if parts := clockForm.FindStringSubmatch(text); parts != nil {
		seconds = sum(parts[1:], 3600, 60, 1)
	} else if parts := durationForm.FindStringSubmatch(text); parts != nil && strings.ContainsAny(text, "0123456789") && !strings.HasSuffix(text, "T") {
		seconds = sum(parts[1:], 7*86400, 86400, 3600, 60, 1)
	}
	if !(seconds >= 0 && seconds <= 60*maxMinutes) {
		n.fail(event.ReasonInvalidDate, fieldDuration, value, errDuration)
		return 0, false
	}
	return time.Duration(math.Round(seconds)) * time.Second, true
}

// sum adds up numbers, each times its weight; an empty text counts as 0.
func sum(numbers []string, weights ...float64) (total float64) {
	for i, number := range numbers {
		value, _ := strconv.Atoi("0" + number)
		total += weights[i] * float64(value)
	}
	return total
}
