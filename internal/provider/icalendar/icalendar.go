// Package icalendar reads calendars (RFC 5545, and the common deviations from it): any number of VCALENDARs one after the other.
// Each VEVENT is an event or, if it recurs, a series, whose instances within a horizon are events. Components other than VEVENT and
// VTIMEZONE are ignored.
//
// # Identity
//
// A VEVENT without recurrence is the event of its UID. One with RRULE or RDATE is the series of its UID;
// the id of an instance is the start that the rules gave it, in the form of a RECURRENCE-ID: by the wall
// clock of the series (20240115T190000), with a Z if that is UTC, or a date (20240115) for whole days. A VEVENT
// with RECURRENCE-ID replaces that instance and keeps its id, whatever its own start is. With
// RANGE=THISANDFUTURE it also applies to the instances after it; if it is invalid, these are left out, and its
// record has the key of the series. It is an event even if the rules don't make that instance, an EXDATE excludes it, or
// it is outside the horizon: the horizon bounds only the instances that a master makes.
//
// # Time
//
// A TZID is looked up as an IANA name, which may also be the end of a longer text or the zone's X-LIC-LOCATION,
// and as a Windows name. If it is neither, the rules of its VTIMEZONE hold. The rules also take precedence over a name without an
// area, such as EST or GMT, which calendars use for zones of their own, and over a name as Windows displays it, "(UTC+01:00)
// Brussels, Copenhagen, Madrid, Paris". Without rules, an offset such as GMT+0100 or UTC+01:00 is that offset.
//
// An event by rules or by an offset is shown in the provider's zone if that has the same offset at the event's start, else in the
// zone of the TZID's name if that has it, else in Etc/GMT±N or, if the offset is not in whole hours, in UTC. Floating times, whole
// days, and times with a TZID that says nothing are in the provider's zone. Times in UTC are shown in it. X-WR-TIMEZONE is
// ignored: the provider's zone is that of its file.
//
// # What is left out
//
// A VEVENT with a CLASS other than PUBLIC is ignored and, if it is the master of a series, the whole series. A
// SUMMARY is required, except of an override, which may take it from its series. LAST-MODIFIED, SEQUENCE and
// DTSTAMP are ignored: of two records with the same key, the later one of the snapshot counts. In a calendar with METHOD:CANCEL
// a VEVENT without a STATUS is cancelled (RFC 5546, 3.2.5).
//
// # Memory
//
// A plain VEVENT is passed on as soon as it is read. The parts of series, and events whose zone is not known yet,
// are held until the end of the snapshot, since an override may come before its master: at most MaxHeldBytes of
// them. Lines, components, rules and instances are bounded too.
package icalendar

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// Version rises when the same bytes would give other events than before.
const Version = 3

// Limits of a snapshot. Beyond one of the first three, one record is refused; beyond the others, the whole snapshot.
const (
	MaxLineBytes      = 256 << 10 // of an unfolded line whose property is used
	MaxComponentBytes = 1 << 20   // of the lines of a VEVENT whose properties are used
	MaxInstances      = 5_000     // of one series within the horizon
	MaxAllInstances   = 500_000   // of all series within the horizon
	MaxHeldBytes      = 32 << 20  // of series, zones, and events whose zone is not known yet
	maxDepth          = 16        // of nested components
)

// Horizon bounds the instances of series: those that end at From or later and start before To are made.
type Horizon struct{ From, To time.Time }

// Decode reads a snapshot record by record. An error, if any, comes last and ends the snapshot; it wraps
// event.ErrMalformed if the feed is at fault, else it is the reader's.
func Decode(r io.Reader, defaults event.Defaults, horizon Horizon) iter.Seq2[event.Record, error] {
	return func(yield func(event.Record, error) bool) {
		d := decoder{
			defaults: defaults, horizon: horizon,
			names: map[string]*time.Location{}, series: map[string]*series{},
			yield: func(rec event.Record) bool { return yield(rec, nil) },
		}
		if err := d.run(newLineReader(r)); err != nil && !errors.Is(err, errStopped) {
			yield(event.Record{}, err)
		}
	}
}

// errStopped says that yield has returned false.
var errStopped = errors.New("stopped")

type decoder struct {
	defaults event.Defaults
	horizon  Horizon
	yield    func(event.Record) bool
	names    map[string]*time.Location // the results of named, by TZID

	open      []string   // the names of the components that are open, the outermost first
	calendar  *calendar  // the open VCALENDAR, or nil
	current   *component // the open VEVENT or VTIMEZONE, or nil
	part      *component // the open STANDARD or DAYLIGHT, or nil
	calendars int
	events    int

	series map[string]*series
	order  []*series    // in the order of the feed
	late   []*component // events whose zone was not known when they were read
	held   int          // bytes of series, zones and late events, about
	work   budget
}

func malformed(line int, format string, args ...any) error {
	return fmt.Errorf("line %d: %s: %w", line, fmt.Sprintf(format, args...), event.ErrMalformed)
}

func (d *decoder) run(lines *lineReader) error {
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", lines.done+1, err)
		}
		if err := d.line(line); err != nil {
			return err
		}
	}
	if d.calendar != nil {
		return malformed(lines.done, "the end of the calendar is missing")
	}
	if d.calendars == 0 {
		return malformed(lines.done, "no calendar")
	}
	return d.finish()
}

func (d *decoder) line(line contentLine) error {
	if d.calendar == nil {
		// If files were concatenated, each may begin with a byte order mark.
		line.text = strings.TrimPrefix(line.text, "\ufeff")
		if strings.TrimSpace(line.text) == "" {
			return nil
		}
	}
	p, ok := parseProperty(line)
	name := strings.ToUpper(strings.TrimSpace(p.value))
	switch {
	case d.calendar == nil && ok && strings.HasPrefix(p.name, "X-"):
		return nil // some caches append a line to what they pass on: X-COMMENT:Cached from …
	case d.calendar == nil && (!ok || p.name != "BEGIN" || name != "VCALENDAR"):
		return malformed(line.number, "%q where a BEGIN:VCALENDAR should be", event.Excerpt(line.text, 40))
	case !ok:
		return nil // mostly the rest of a text whose line break was not escaped
	case p.name == "BEGIN":
		return d.begin(name, line.number)
	case p.name == "END":
		return d.end(name)
	}
	switch top := d.open[len(d.open)-1]; {
	case len(d.open) == 1 && p.name == "METHOD":
		d.calendar.cancels = name == "CANCEL"
	case d.part != nil && top == d.part.name:
		d.part.add(p)
	case d.part == nil && d.current != nil && top == d.current.name:
		d.current.add(p)
	}
	return nil
}

func (d *decoder) begin(name string, line int) error {
	switch {
	case name == "VCALENDAR" && d.calendar != nil:
		return malformed(line, "a calendar begins before the end of the one before")
	case name == "VCALENDAR":
		d.calendars++
		d.calendar = &calendar{decoder: d, defaults: &d.defaults}
	case name == "VEVENT" && d.current != nil:
		if err := d.unended(); err != nil {
			return err
		}
	case len(d.open) == maxDepth:
		return malformed(line, "components more than %d deep", maxDepth)
	}
	switch {
	case name == "VEVENT" && d.current == nil:
		d.events++
		d.current = &component{name: name, number: d.events, line: line, calendar: d.calendar}
	case name == "VTIMEZONE" && d.current == nil:
		d.current = &component{name: name, line: line, calendar: d.calendar}
	case (name == "STANDARD" || name == "DAYLIGHT") && d.current != nil && d.current.name == "VTIMEZONE":
		d.part = &component{name: name, line: line, calendar: d.calendar}
	}
	d.open = append(d.open, name)
	return nil
}

// unended closes the open component, whose END is missing. A VEVENT is refused, a VTIMEZONE is dropped.
func (d *decoder) unended() error {
	c := d.current
	d.current, d.part, d.open = nil, nil, d.open[:1]
	if c == nil || c.name != "VEVENT" {
		return nil
	}
	c.fault = event.NewInvalid(event.ReasonInvalidRecord, "END", "", errors.New("END:VEVENT is missing"))
	return d.take(c)
}

// end closes the innermost open component of a name, and what is still open inside it. If there is none, the END is ignored.
func (d *decoder) end(name string) error {
	depth := len(d.open) - 1
	for depth >= 0 && d.open[depth] != name {
		depth--
	}
	if depth < 0 {
		return nil
	}
	d.open = d.open[:depth+1]
	switch {
	case name == "VCALENDAR":
		err := d.unended()
		if !d.calendar.held {
			d.held -= d.calendar.size // none of its components needs its zones any more
		}
		d.calendar, d.open = nil, nil
		return err
	case d.part != nil && name == d.part.name:
		if len(d.current.children) < maxObservances {
			d.current.children = append(d.current.children, d.part)
			d.current.size += d.part.size + propertyOverhead
		}
		d.part = nil
	case d.current != nil && name == d.current.name:
		c := d.current
		d.current, d.part = nil, nil
		d.open = d.open[:depth]
		return d.take(c)
	}
	d.open = d.open[:depth]
	return nil
}

// take passes a closed component on, or holds it until the end of the snapshot.
func (d *decoder) take(c *component) error {
	switch {
	case c.name == "VTIMEZONE":
		if !c.calendar.define(c) {
			return nil
		}
	case c.fault != nil && c.uid() == "", c.fault != nil && !c.recurs():
		return d.emitOne(c)
	case c.recurs() && c.uid() != "":
		d.group(c)
	case c.private():
		return nil
	case !c.calendar.knows(c) && (d.held+c.size+propertyOverhead <= MaxHeldBytes || !c.calendar.names(c)):
		c.calendar.held = true
		d.late = append(d.late, c)
	default:
		return d.emitOne(c)
	}
	if d.held += c.size + propertyOverhead; d.held > MaxHeldBytes {
		return malformed(c.line, "more than %d bytes of series and zones", MaxHeldBytes)
	}
	return nil
}

func (d *decoder) finish() error {
	for _, c := range d.late {
		if err := d.emitOne(c); err != nil {
			return err
		}
	}
	for _, s := range d.order {
		if err := d.emitSeries(s); err != nil {
			return err
		}
	}
	return nil
}

// emitOne passes on a VEVENT without recurrence.
func (d *decoder) emitOne(c *component) error {
	t, invalid := d.template(c, "")
	if invalid != nil {
		return d.refuse(c, event.Key{Provider: d.defaults.Provider, Event: c.uid()}, invalid)
	}
	return d.emit(c, d.instance(t, event.Key{Provider: d.defaults.Provider, Event: c.uid()}, t.start, t.length))
}

// emit passes on an event if it is valid, else it refuses its component.
func (d *decoder) emit(c *component, e event.Event) error {
	if invalid, bad := errors.AsType[*event.Invalid](e.Validate()); bad {
		return d.refuse(c, e.Key, invalid)
	}
	if !d.yield(event.Record{Event: e, Key: e.Key, Place: c.place()}) {
		return errStopped
	}
	return nil
}

func (d *decoder) refuse(c *component, key event.Key, invalid *event.Invalid) error {
	if !d.yield(event.Record{Invalid: invalid, Key: key, Place: c.place(), Excerpt: c.excerpt()}) {
		return errStopped
	}
	return nil
}
