package icalendar

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/aledotdev/marquee/internal/event"
)

// Bounds of recurrence rules. rrule-go trusts its rules, and searches until it has found the next instance: so rules by which it might
// search for ever, or fill the memory, are refused before it gets them.
const (
	maxSteps     = 50_000_000 // of all rules of a snapshot; a step is one instance that is looked at
	maxRuleSteps = 500_000    // of one rule: a daily one from 1601 to today takes 155,000
	ruleSteps    = 1_000      // what each rule costs in addition to its instances
	maxSet       = 50_000     // instances within one step of FREQ: a year, month, week or day
	maxRuleParts = 400        // values in one BY… part
	maxInterval  = 100_000
	cycleYears   = 400 // the Gregorian calendar repeats after so many years, with its weekdays
)

var (
	errUnreadable  = errors.New("not a recurrence rule that can be read")
	errNever       = errors.New("the rule gives no instance")
	errHours       = errors.New("a rule by the hour, minute or second for whole days")
	errTooFine     = errors.New("a rule by the hour, minute or second with too many conditions")
	errTooMany     = fmt.Errorf("more than %d instances within the horizon", MaxInstances)
	errTooManySeen = fmt.Errorf("more than %d instances before the end of the horizon", maxRuleSteps)
	errTooMuchWork = errors.New("the rules of this snapshot have too many instances")
)

// budget is how much of maxSteps and MaxAllInstances a snapshot has used.
type budget struct{ steps, instances int }

func (b *budget) spend(steps int) error {
	if b.steps += steps; b.steps > maxSteps {
		return errTooMuchWork
	}
	return nil
}

// expand returns the instances of a rule from start that are in [from, to), by the clock of start. Start itself is among them only if
// the rule gives it, but it always counts towards COUNT.
func expand(start stamp, value string, from, to time.Time, work *budget) ([]time.Time, error) {
	option, err := parseRule(start, value, to)
	if err != nil {
		return nil, err
	}
	if err := work.spend(cost(option)); err != nil {
		return nil, err
	}
	found, synchronized, err := iterate(option, from, work)
	if err == nil && !synchronized && option.Count > 0 { // start is the first of COUNT (RFC 5545, 3.3.10)
		if option.Count--; option.Count == 0 {
			return nil, nil
		}
		found, _, err = iterate(option, from, work)
	}
	return found, err
}

// iterate returns the instances of a rule that are not before from, and reports whether the rule's first instance is its start.
func iterate(option rrule.ROption, from time.Time, work *budget) (found []time.Time, synchronized bool, err error) {
	defer func() {
		if recover() != nil { // the library uses numbers of the rule as indexes, unchecked
			err = errUnreadable
		}
	}()
	// If a rule has no further instances, the library searches for one up to the year 9999. So the rule is moved by whole cycles of the
	// calendar to just before that year, where the same days are found and the search is short.
	shift := max(0, rrule.MAXYEAR-option.Until.Year()) / cycleYears * cycleYears
	start := option.Dtstart
	option.Dtstart, option.Until = start.AddDate(shift, 0, 0), option.Until.AddDate(shift, 0, 0)
	rule, err := rrule.NewRRule(option)
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	next := rule.Iterator()
	for n := 0; ; n++ {
		shifted, ok := next()
		if !ok {
			return found, synchronized, nil
		}
		if err := work.spend(1); err != nil {
			return nil, false, err
		}
		if n == maxRuleSteps {
			return nil, false, errTooManySeen
		}
		clock := shifted.AddDate(-shift, 0, 0)
		synchronized = synchronized || n == 0 && clock.Equal(start)
		if clock.Before(from) {
			continue
		}
		if len(found) == MaxInstances {
			return nil, false, errTooMany
		}
		found = append(found, clock)
	}
}

// parseRule reads an RRULE or EXRULE. The UNTIL of the result is the rule's own or just before to, whichever is earlier.
func parseRule(start stamp, value string, to time.Time) (rrule.ROption, error) {
	var parts []string
	until := to.Add(-time.Second)
	for part := range strings.SplitSeq(strings.ToUpper(strings.Join(strings.Fields(value), "")), ";") {
		name, text, _ := strings.Cut(part, "=")
		switch name {
		case "":
			continue
		case "UNTIL":
			end, err := parseUntil(start, text)
			if err != nil {
				return rrule.ROption{}, err
			}
			if end.Before(until) {
				until = end
			}
			continue
		case "RSCALE", "SKIP": // RFC 7529; the two accepted values are what RFC 5545 does anyway
			if part == "RSCALE=GREGORIAN" || part == "SKIP=OMIT" {
				continue
			}
			return rrule.ROption{}, fmt.Errorf("%w: %s", errUnreadable, event.Excerpt(part, 40))
		case "DTSTART", "BYEASTER":
			return rrule.ROption{}, fmt.Errorf("%w: %s", errUnreadable, name)
		case "COUNT", "INTERVAL":
			if n, err := strconv.Atoi(text); err != nil || n < 1 || name == "INTERVAL" && n > maxInterval {
				return rrule.ROption{}, fmt.Errorf("%w: %s", errUnreadable, event.Excerpt(part, 40))
			}
		}
		if strings.Count(text, ",") >= maxRuleParts {
			return rrule.ROption{}, fmt.Errorf("%w: %d values of %s", errUnreadable, strings.Count(text, ",")+1, name)
		}
		parts = append(parts, part)
	}
	option, err := rrule.StrToROption(strings.Join(parts, ";"))
	if err != nil {
		return rrule.ROption{}, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	option.Dtstart, option.Until = start.local.AsUTC(), until
	if start.kind == dateOnly { // a date has no hours to step by, and BYHOUR and finer parts are ignored (RFC 5545, 3.3.10)
		if option.Freq > rrule.DAILY {
			return rrule.ROption{}, errHours
		}
		option.Byhour, option.Byminute, option.Bysecond = nil, nil, nil
	}
	complete(option)
	return *option, check(option)
}

// complete changes a rule where the library reads it in another way than RFC 5545, 3.3.10, so that it gives what the RFC says.
func complete(o *rrule.ROption) {
	// If no part says which days of a week, it is the weekday of DTSTART. The library takes all seven days, which is right only in
	// rules by the day or finer.
	if o.Freq < rrule.DAILY && len(o.Byweekno) > 0 && len(o.Byweekday)+len(o.Bymonthday)+len(o.Byyearday) == 0 {
		o.Byweekday = []rrule.Weekday{weekdays[o.Dtstart.Weekday()]}
	}
	// Each entry of BYDAY adds its days. If some entries have a number and others don't, the library gives only days that match one
	// entry of each sort: so an entry without a number is replaced by entries with every number. In rules finer than by the month the
	// library ignores the numbers.
	numbered := slices.DeleteFunc(slices.Clone(o.Byweekday), func(w rrule.Weekday) bool { return w.N() == 0 })
	if o.Freq > rrule.MONTHLY || len(numbered) == 0 || len(numbered) == len(o.Byweekday) {
		return
	}
	for _, weekday := range weekdays {
		if slices.Contains(o.Byweekday, weekday) {
			for n := range ordinals(o) {
				numbered = append(numbered, weekday.Nth(n+1))
			}
		}
	}
	o.Byweekday = numbered
}

// weekdays are the library's weekdays; the index is a time.Weekday.
//
//nolint:gochecknoglobals // A constant: Go has no literal for constant lists.
var weekdays = [...]rrule.Weekday{rrule.SU, rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA}

// ordinals is how often a weekday may occur in the period in which a rule counts it: a month or a year.
func ordinals(o *rrule.ROption) int {
	if o.Freq == rrule.MONTHLY || len(o.Bymonth) > 0 {
		return 5
	}
	return 53
}

// parseUntil reads an UNTIL as a reading of start's clock. A date includes the whole day, even if start has a time.
func parseUntil(start stamp, text string) (time.Time, error) {
	local, isDate, isUTC, err := parseClock(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("UNTIL=%s: %w", event.Excerpt(text, 40), err)
	}
	until := stamp{local: local, zone: start.zone, kind: floating}
	if isUTC {
		until.zone, until.kind = time.UTC, utc
	}
	clock := until.clockOf(start)
	if isDate {
		clock = clock.Truncate(day).Add(day - time.Second)
	}
	return clock, nil
}

// check refuses rules by which the library might search for ever.
func check(o *rrule.ROption) error {
	last := ordinals(o)
	for _, weekday := range o.Byweekday {
		if n := weekday.N(); n < -last || n > last {
			return fmt.Errorf("%w: BYDAY=%s", errUnreadable, weekday)
		}
	}
	if daysOf(o.Freq)*max(1, len(o.Byhour))*max(1, len(o.Byminute))*max(1, len(o.Bysecond)) > maxSet {
		return errTooFine
	}
	if o.Freq > rrule.DAILY && conditions(o) || o.Freq == rrule.SECONDLY && len(o.Byhour)+len(o.Byminute)+len(o.Bysecond) > 0 {
		return errTooFine
	}
	if !reachable(o) {
		return errNever
	}
	return nil
}

// daysOf is how many days one step of a rule looks at.
func daysOf(f rrule.Frequency) int {
	switch f {
	case rrule.YEARLY:
		return 366
	case rrule.MONTHLY:
		return 31
	case rrule.WEEKLY:
		return 7
	default:
		return 1
	}
}

// conditions reports whether a rule has conditions on the day, or BYSETPOS. With these, a rule by the hour or finer may search for its
// next instance for a very long time, and real calendars have no such rules.
func conditions(o *rrule.ROption) bool {
	return len(o.Bymonth)+len(o.Byweekno)+len(o.Byyearday)+len(o.Bymonthday)+len(o.Byweekday)+len(o.Bysetpos) > 0
}

// reachable reports whether the steps of a rule by the hour or minute ever come to one of its BYHOUR and BYMINUTE. If they don't, the
// library would search for ever.
func reachable(o *rrule.ROption) bool {
	unit := 60 // minutes
	if o.Freq == rrule.MINUTELY {
		unit = 1
	} else if o.Freq != rrule.HOURLY {
		return true
	}
	const minutes = 24 * 60
	at := o.Dtstart.Hour()*60 + o.Dtstart.Minute()
	for range minutes {
		// In a rule by the hour, BYMINUTE gives the minutes within each hour: these need not be reached by steps.
		if wants(o.Byhour, at/60) && (unit == 60 || wants(o.Byminute, at%60)) {
			return true
		}
		at = (at + max(1, o.Interval)*unit) % minutes
	}
	return false
}

func wants(values []int, value int) bool {
	return len(values) == 0 || slices.Contains(values, value)
}

// cost is how many steps a rule may take in addition to its instances.
func cost(o rrule.ROption) int {
	if o.Freq == rrule.MINUTELY && len(o.Byhour)+len(o.Byminute) > 0 {
		return maxRuleSteps // from one instance to the next it may look at every minute of a day
	}
	return ruleSteps
}
