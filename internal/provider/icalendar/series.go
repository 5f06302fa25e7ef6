package icalendar

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// series is the VEVENTs of one UID that recur.
type series struct {
	uid       string
	masters   []*component // with RRULE or RDATE
	overrides []*component // with RECURRENCE-ID
}

// group holds a part of a series until the end of the snapshot.
func (d *decoder) group(c *component) {
	uid := c.uid()
	s, known := d.series[uid]
	if !known {
		s = &series{uid: uid}
		d.series[uid] = s
		d.order = append(d.order, s)
		d.held += propertyOverhead
	}
	if c.has("RECURRENCE-ID") {
		s.overrides = append(s.overrides, c)
	} else {
		s.masters = append(s.masters, c)
	}
	c.calendar.held = true
}

// override is a VEVENT that replaces an instance.
type override struct {
	template
	component *component
	replaces  stamp
	future    bool // RANGE=THISANDFUTURE
	invalid   *event.Invalid
}

// emitSeries passes on the events of a series: first those that the masters make, then the overrides.
func (d *decoder) emitSeries(s *series) error {
	if slices.ContainsFunc(s.masters, (*component).private) {
		return nil
	}
	title := ""
	var clock *stamp // the start of the first valid master: its clock gives the overrides their ids
	for _, c := range s.masters {
		if t, invalid := d.template(c, ""); invalid == nil && clock == nil {
			title, clock = t.event.Title, &t.start
		}
	}
	overrides := make([]override, len(s.overrides))
	for i, c := range s.overrides {
		overrides[i] = d.override(c, title)
	}
	for _, c := range s.masters {
		if err := d.emitInstances(s, c, overrides); err != nil {
			return err
		}
	}
	for i := range overrides {
		if err := d.emitOverride(s, &overrides[i], title, clock); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) override(c *component, title string) override {
	o := override{component: c}
	p := c.get("RECURRENCE-ID")
	o.template, o.invalid = d.template(c, title)
	var invalid *event.Invalid
	if o.replaces, invalid = c.stamp(p, p.value); invalid != nil {
		o.invalid = invalid
	}
	o.future = strings.EqualFold(p.param("RANGE"), "THISANDFUTURE")
	return o
}

func (d *decoder) emitOverride(s *series, o *override, title string, clock *stamp) error {
	key := event.Key{Provider: d.defaults.Provider, Series: s.uid}
	// If a THISANDFUTURE is invalid, later instances are left out, too: so its key is that of the series.
	if !o.replaces.local.IsZero() && (o.invalid == nil || !o.future) {
		if clock == nil {
			clock = &o.replaces
		}
		key.Event = clock.id(o.replaces.clockOf(*clock))
	}
	if o.invalid != nil {
		return d.refuse(o.component, key, o.invalid)
	}
	if o.component.private() {
		return nil
	}
	e := d.instance(o.template, key, o.start, o.length)
	e.SeriesTitle = title
	if title == "" {
		e.SeriesTitle = e.Title
	}
	return d.emit(o.component, e)
}

// emitInstances passes on the instances that a master makes, except those that overrides replace.
func (d *decoder) emitInstances(s *series, c *component, overrides []override) error {
	key := event.Key{Provider: d.defaults.Provider, Series: s.uid}
	master, invalid := d.template(c, "")
	if invalid != nil {
		return d.refuse(c, key, invalid)
	}
	starts, lengths, invalid := d.starts(c, master)
	if invalid != nil {
		return d.refuse(c, key, invalid)
	}
	replaced := map[time.Time]bool{}
	var future []*override
	for i := range overrides {
		o := &overrides[i]
		if !o.replaces.local.IsZero() {
			replaced[o.replaces.clockOf(master.start)] = true
		}
		if o.future { // if its RECURRENCE-ID can't be read, it applies from the beginning, since that is the zero time
			future = append(future, o)
		}
	}
	slices.SortStableFunc(future, func(a, b *override) int {
		return a.replaces.clockOf(master.start).Compare(b.replaces.clockOf(master.start))
	})
	for _, clock := range starts {
		if replaced[clock] {
			continue
		}
		t, start, from := master, master.start.add(clock.Sub(master.start.local.AsUTC())), c
		later, _ := slices.BinarySearchFunc(future, clock, func(o *override, clock time.Time) int {
			return o.replaces.clockOf(master.start).Compare(clock)
		})
		if later > 0 {
			o := future[later-1] // the latest one before the instance applies to it (RFC 5545, 3.2.13)
			if o.invalid != nil {
				continue // all that is known is that the instance is not as the master says
			}
			t, start, from = o.template, o.start.add(clock.Sub(o.replaces.clockOf(master.start))), o.component
		}
		if from.private() {
			continue
		}
		span := t.length
		if own, ok := lengths[clock]; ok {
			span = own
		}
		key.Event = master.start.id(clock)
		e := d.instance(t, key, start, span)
		e.SeriesTitle = master.event.Title
		if !d.horizon.holds(&e) {
			continue
		}
		if d.work.instances++; d.work.instances > MaxAllInstances {
			return malformed(c.line, "more than %d instances of series", MaxAllInstances)
		}
		if err := d.emit(from, e); err != nil {
			return err
		}
	}
	return nil
}

func (h Horizon) holds(e *event.Event) bool {
	return !e.LastInstant().Before(h.From) && e.Start.Instant.Before(h.To)
}

// starts returns when the instances of a master start, by its clock and in order, and the lengths of those that have one of their
// own.
func (d *decoder) starts(c *component, master template) ([]time.Time, map[time.Time]length, *event.Invalid) {
	// Wide enough for every zone, and for instances that began before the horizon and reach into it. Horizon.holds is exact.
	from := d.horizon.From.UTC().Add(-2*day - time.Duration(master.length.days)*day - master.length.exact)
	to := d.horizon.To.UTC().Add(2 * day)
	starts, invalid := d.rules(c, "RRULE", master.start, from, to)
	if invalid != nil {
		return nil, nil, invalid
	}
	starts = append(starts, master.start.local.AsUTC()) // always the first instance (RFC 5545, 3.8.2.4)
	lengths := map[time.Time]length{}
	for _, p := range c.all("RDATE") {
		for value := range strings.SplitSeq(p.value, ",") {
			first, rest, period := strings.Cut(value, "/")
			s, invalid := c.stamp(p, first)
			if invalid != nil {
				return nil, nil, invalid
			}
			clock := s.clockOf(master.start)
			if period {
				if lengths[clock], invalid = c.period(p, s, rest); invalid != nil {
					return nil, nil, invalid
				}
			}
			starts = append(starts, clock)
		}
	}
	excluded, invalid := d.rules(c, "EXRULE", master.start, from, to)
	if invalid != nil {
		return nil, nil, invalid
	}
	gone := make(map[time.Time]bool, len(excluded))
	for _, clock := range excluded {
		gone[clock] = true
	}
	days := map[time.Time]bool{}
	for _, p := range c.all("EXDATE") {
		for value := range strings.SplitSeq(p.value, ",") {
			if strings.TrimSpace(value) == "" {
				continue
			}
			s, invalid := c.stamp(p, value)
			if invalid != nil {
				return nil, nil, invalid
			}
			if s.kind == dateOnly {
				days[s.local.AsUTC()] = true // excludes the whole day, even if the series has times
			} else {
				gone[s.clockOf(master.start)] = true
			}
		}
	}
	slices.SortFunc(starts, time.Time.Compare)
	starts = slices.CompactFunc(starts, time.Time.Equal)
	starts = slices.DeleteFunc(starts, func(t time.Time) bool {
		return gone[t] || days[t.Truncate(day)] || !t.Before(to) || lengths[t] == length{} && t.Before(from)
	})
	if len(starts) > MaxInstances {
		return nil, nil, event.NewInvalid(event.ReasonTooLarge, "RDATE", "", errTooMany)
	}
	return starts, lengths, nil
}

// period is the length of an RDATE's PERIOD from start, given by the text after the slash: a duration, or the end.
func (c *component) period(p *property, start stamp, text string) (length, *event.Invalid) {
	if !strings.HasPrefix(strings.TrimLeft(text, " +-"), "P") {
		end, invalid := c.stamp(p, text)
		if invalid != nil {
			return length{}, invalid
		}
		return start.until(end, p, text)
	}
	return lengthFor(start, p, text)
}

// rules are the starts in [from, to) that all rules of a name (RRULE or EXRULE) give together, by the clock of start.
func (d *decoder) rules(c *component, name string, start stamp, from, to time.Time) ([]time.Time, *event.Invalid) {
	var all []time.Time
	for _, p := range c.all(name) {
		found, err := expand(start, p.value, from, to, &d.work)
		if err == nil && len(all)+len(found) > MaxInstances {
			err = errTooMany
		}
		if err != nil {
			return nil, event.NewInvalid(reasonOf(err), name, p.value, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

func reasonOf(err error) event.Reason {
	switch {
	case errors.Is(err, errTooMany), errors.Is(err, errTooManySeen), errors.Is(err, errTooFine), errors.Is(err, errTooMuchWork):
		return event.ReasonTooLarge
	case errors.Is(err, event.ErrBadDateTime):
		return event.ReasonInvalidDate
	default:
		return event.ReasonInvalidRecord
	}
}
