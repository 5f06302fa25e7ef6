package export

import (
	"fmt"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// lastZoneYear is the last year for which a VTIMEZONE lists changes of clocks one by one.
const lastZoneYear = 2037

// onset is a change of a zone's clocks.
type onset struct {
	at       time.Time
	from, to int // seconds east of UTC
	name     string
	daylight bool
}

// clock is what clocks show at the onset, by the offset before it, as a time in UTC.
func (o onset) clock() time.Time { return o.at.UTC().Add(time.Duration(o.from) * time.Second) }

// appendZone appends the VTIMEZONE (RFC 5545, 3.6.5) of an IANA zone, for times from since on. Go knows when clocks
// change, but not by which rule, so that rules are derived from the changes. They are needed by programs that don't know RDATE, and
// they hold after the last year, too.
func appendZone(b []byte, zone *time.Location, since time.Time) []byte {
	b = line(b, "BEGIN", "VTIMEZONE")
	b = line(b, "TZID", zone.String())
	from := time.Date(since.UTC().Year()-1, 1, 1, 0, 0, 0, 0, time.UTC)
	to := time.Date(max(lastZoneYear, since.UTC().Year()+1), 12, 31, 0, 0, 0, 0, time.UTC)
	name, offset := from.In(zone).Zone()
	first := onset{at: from, from: offset, to: offset, name: name, daylight: from.In(zone).IsDST()}
	b = first.append(b, nil)

	all := onsets(zone, from, to)
	for len(all) > 0 {
		kind := all[0]
		var same, others []onset
		for _, o := range all {
			if o.from == kind.from && o.to == kind.to && o.name == kind.name && o.daylight == kind.daylight {
				same = append(same, o)
			} else {
				others = append(others, o)
			}
		}
		for len(same) > 0 {
			n, rule := yearly(same)
			if last := same[n-1]; rule != "" && last.at.Year() < to.Year() {
				rule += ";UNTIL=" + utc(last.at)
			}
			b = same[0].append(b, func(b []byte) []byte {
				if rule != "" {
					return line(b, "RRULE", rule)
				}
				for _, o := range same[1:n] {
					b = line(b, "RDATE", o.clock().Format(clockForm))
				}
				return b
			})
			same = same[n:]
		}
		all = others
	}
	return line(b, "END", "VTIMEZONE")
}

func (o onset) append(b []byte, again func([]byte) []byte) []byte {
	kind := "STANDARD"
	if o.daylight {
		kind = "DAYLIGHT"
	}
	b = line(b, "BEGIN", kind)
	b = line(b, "DTSTART", o.clock().Format(clockForm))
	b = line(b, "TZOFFSETFROM", offsetForm(o.from))
	b = line(b, "TZOFFSETTO", offsetForm(o.to))
	b = line(b, "TZNAME", o.name)
	if again != nil {
		b = again(b)
	}
	return line(b, "END", kind)
}

// onsets are the changes of a zone's clocks in [from, to). Found by looking every other day: no zone has ever changed
// twice within so short a time. (Time.ZoneBounds is wrong at the end of some leap years.)
func onsets(zone *time.Location, from, to time.Time) []onset {
	const step = 48 * time.Hour
	look := func(t time.Time) (name string, offset int, daylight bool) {
		at := t.In(zone)
		name, offset = at.Zone()
		return name, offset, at.IsDST()
	}
	var found []onset
	for t := from; t.Before(to); t = t.Add(step) {
		name, offset, daylight := look(t)
		next, nextOffset, nextDaylight := look(t.Add(step))
		if next == name && nextOffset == offset && nextDaylight == daylight {
			continue
		}
		before, after := t, t.Add(step)
		for after.Sub(before) > time.Second {
			middle := before.Add(after.Sub(before) / 2).Truncate(time.Second)
			if n, o, d := look(middle); n == name && o == offset && d == daylight {
				before = middle
			} else {
				after = middle
			}
		}
		found = append(found, onset{after, offset, nextOffset, next, nextDaylight})
	}
	return found
}

// yearly is how many of the onsets, from the first on, follow one rule, and that rule. If the first follows none, it is the number
// of onsets up to the next that does, and no rule.
func yearly(all []onset) (n int, rule string) {
	if n, rule = ruled(all); rule != "" {
		return n, rule
	}
	for n = 1; n < len(all); n++ {
		if _, rule := ruled(all[n:]); rule != "" {
			break
		}
	}
	return n, ""
}

// ruled finds a rule such as "the second Sunday of March", or "the last", that at least three onsets follow from
// the first on, one in each year.
func ruled(all []onset) (n int, rule string) {
	const fewest = 3
	first := all[0].clock()
	week := (first.Day() - 1) / 7
	follow := func(is func(t time.Time) bool) int {
		n := 0
		for n < len(all) {
			t := all[n].clock()
			if t.Year() != first.Year()+n || t.Month() != first.Month() || t.Weekday() != first.Weekday() ||
				event.LocalOf(t).Time() != event.LocalOf(first).Time() || !is(t) {
				break
			}
			n++
		}
		return n
	}
	inWeek := follow(func(t time.Time) bool { return (t.Day()-1)/7 == week })
	last := follow(func(t time.Time) bool { return t.AddDate(0, 0, 7).Month() != t.Month() })
	n, place := inWeek, week+1
	if last > inWeek {
		n, place = last, -1
	}
	if n < fewest {
		return 0, ""
	}
	weekday := [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}[first.Weekday()]
	return n, fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;BYDAY=%d%s", int(first.Month()), place, weekday)
}

// offsetForm is a UTC-OFFSET (3.3.14).
func offsetForm(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	text := fmt.Sprintf("%c%02d%02d", sign, seconds/3600, seconds/60%60)
	if seconds%60 != 0 {
		text += fmt.Sprintf("%02d", seconds%60)
	}
	return text
}
