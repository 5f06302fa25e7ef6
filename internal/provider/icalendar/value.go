package icalendar

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

const day = 24 * time.Hour

// stamp is a DATE or DATE-TIME as written: a wall clock reading, and its zone.
type stamp struct {
	local event.LocalDateTime
	zone  *time.Location
	kind  kind
}

type kind int

const (
	dateOnly kind = iota
	floating      // zone is the provider's
	utc           // zone is UTC
	zoned         // zone is an IANA one
	defined       // zone has no IANA name: it is what a VTIMEZONE says, or an offset
)

var errMixed = errors.New("a date where the start has a time, or the other way round")

func (s stamp) instant() time.Time { return s.local.In(s.zone) }

// add moves the wall clock.
func (s stamp) add(d time.Duration) stamp {
	s.local = s.local.Add(d)
	return s
}

// clockOf is s as a reading of the wall clock by which master's rule counts, in the form of a time in UTC. A date gets the time of
// day of master's start; if master is of whole days, a time is cut to its date.
func (s stamp) clockOf(master stamp) time.Time {
	wall := s.local.AsUTC()
	switch {
	case master.kind == dateOnly:
		return wall.Truncate(day)
	case s.kind == dateOnly:
		start := master.local.AsUTC()
		return wall.Add(start.Sub(start.Truncate(day)))
	case s.kind == floating || s.zone == master.zone:
		return wall
	default:
		return event.LocalOf(s.instant().In(master.zone)).AsUTC()
	}
}

// id is the id of the instance of the master s that starts at clock, in the form of a RECURRENCE-ID.
func (s stamp) id(clock time.Time) string {
	switch s.kind {
	case dateOnly:
		return clock.Format("20060102")
	case utc:
		return clock.Format("20060102T150405Z")
	default:
		return clock.Format("20060102T150405")
	}
}

// parseClock reads the basic form of a date or a date with time; the second result says which, the third
// whether it ends in Z.
func parseClock(s string) (local event.LocalDateTime, isDate, isUTC bool, err error) {
	digits, isUTC := strings.CutSuffix(s, "Z")
	switch {
	case len(digits) == 8 && !isUTC:
		local, err = event.ParseLocalDate(digits[:4] + "-" + digits[4:6] + "-" + digits[6:])
		return local, true, false, err
	case len(digits) == 15 && digits[8] == 'T':
		seconds := digits[13:]
		if seconds == "60" { // a leap second, which counts as the one before it (3.3.12)
			seconds = "59"
		}
		local, err = event.ParseLocal(digits[:4] + "-" + digits[4:6] + "-" + digits[6:8] + "T" + digits[9:11] + ":" + digits[11:13] + ":" + seconds)
		return local, false, isUTC, err
	}
	return local, false, false, event.ErrBadDateTime
}

// stamp reads one value of p. Its form says whether it is a date or a time, not the parameter VALUE, except that with VALUE=DATE a
// time is cut to its date.
func (c *component) stamp(p *property, value string) (stamp, *event.Invalid) {
	value = strings.ToUpper(strings.TrimSpace(value))
	local, isDate, isUTC, err := parseClock(value)
	if err != nil {
		return stamp{}, event.NewInvalid(event.ReasonInvalidDate, p.name, value, err)
	}
	s := stamp{local: local, zone: c.calendar.defaults.Zone, kind: floating}
	switch {
	case isDate:
		s.kind = dateOnly
	case strings.EqualFold(p.param("VALUE"), "DATE"):
		s.local, s.kind = event.LocalOf(local.AsUTC().Truncate(day)), dateOnly
	case isUTC:
		s.zone, s.kind = time.UTC, utc
	default:
		if tzid := p.param("TZID"); tzid != "" {
			s.zone, s.kind = c.calendar.zone(tzid)
		}
	}
	return s, nil
}

// length is how long an instance is: first days by the wall clock, then an exact duration (RFC 5545, 3.3.6).
type length struct {
	days  int
	exact time.Duration
	given bool
}

var durationForm = regexp.MustCompile(`^([+-]?)P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$`)

// maxDays bounds a duration, at some 270 years: a longer one is a mistake.
const maxDays = 100_000

// parseDuration reads a DURATION (RFC 5545, 3.3.6), which here may also have weeks together with days.
func parseDuration(s string) (length, error) {
	parts := durationForm.FindStringSubmatch(strings.ToUpper(strings.TrimSpace(s)))
	if parts == nil || strings.Join(parts[2:], "") == "" {
		return length{}, errors.New("not a duration")
	}
	var numbers [5]int
	for i := range numbers {
		numbers[i], _ = strconv.Atoi(parts[2+i]) // up to nine digits, or none, which is 0
	}
	days := numbers[0]*7 + numbers[1]
	exact := time.Duration(numbers[2])*time.Hour + time.Duration(numbers[3])*time.Minute + time.Duration(numbers[4])*time.Second
	if days > maxDays || numbers[2]/24 > maxDays || exact > maxDays*day {
		return length{}, fmt.Errorf("longer than %d days", maxDays)
	}
	if parts[1] == "-" {
		days, exact = -days, -exact
	}
	return length{days: days, exact: exact, given: true}, nil
}

// lengthFor is the length of an event from start, given by a DURATION or by the duration of an RDATE's period.
func lengthFor(start stamp, p *property, value string) (length, *event.Invalid) {
	d, err := parseDuration(value)
	if err == nil && start.kind == dateOnly {
		if d.exact%day != 0 {
			err = errMixed
		}
		d.days, d.exact = d.days+int(d.exact/day), 0
	}
	if err != nil {
		return length{}, event.NewInvalid(event.ReasonInvalidDate, p.name, value, err)
	}
	if d.days < 0 || d.exact < 0 {
		return length{}, event.NewInvalid(event.ReasonEndBeforeStart, p.name, value, nil)
	}
	return d, nil
}

// until is the length from start to end.
func (s stamp) until(end stamp, p *property, value string) (length, *event.Invalid) {
	if (s.kind == dateOnly) != (end.kind == dateOnly) {
		return length{}, event.NewInvalid(event.ReasonInvalidDate, p.name, value, errMixed)
	}
	d := length{exact: end.instant().Sub(s.instant()), given: true}
	if s.kind == dateOnly {
		d = length{days: int(end.local.AsUTC().Sub(s.local.AsUTC()) / day), given: true}
	}
	if d.days < 0 || d.exact < 0 {
		return length{}, event.NewInvalid(event.ReasonEndBeforeStart, p.name, value, nil)
	}
	return d, nil
}

// unescape undoes the escapes of a TEXT (RFC 5545, 3.3.11). Any other backslash stays.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";").Replace(s)
}

// splitText cuts a list of TEXTs at the commas that are not escaped.
func splitText(s string) []string {
	var list []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ',':
			list = append(list, unescape(s[start:i]))
			start = i + 1
		}
	}
	return append(list, unescape(s[start:]))
}
