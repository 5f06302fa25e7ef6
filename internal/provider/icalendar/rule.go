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

// Bounds of recurrence rules. rrule-go runs until it finds the next instance, and trusts its rules; what
// could keep it from coming back, or fill the memory, is refused before.
const (
	maxSteps     = 50_000_000 // instances looked at in a snapshot
	maxRuleSteps = 500_000    // of one rule: one a day since 1601 has 155,000
	ruleSteps    = 1_000      // what a rule costs at least
	maxSet       = 50_000     // instances in one year, month, week or day of a rule
	maxRuleParts = 400        // values in one BY… part
	maxInterval  = 100_000
	cycleYears   = 400 // after which the Gregorian calendar repeats, weekdays too
)

var (
	errUnreadable  = errors.New("not a recurrence rule that can be read")
	errNever       = errors.New("a rule that comes to no instance")
	errHours       = errors.New("a rule by the hour, minute or second for whole days")
	errTooFine     = errors.New("a rule by the hour, minute or second with too many conditions")
	errTooMany     = fmt.Errorf("more than %d instances within the horizon", MaxInstances)
	errTooManySeen = fmt.Errorf("more than %d instances before the end of the horizon", maxRuleSteps)
	errTooMuchWork = errors.New("the rules of this snapshot have too many instances")
)

// budget is what the rules of a snapshot have used.
type budget struct{ steps, instances int }

func (b *budget) spend(steps int) error {
	if b.steps += steps; b.steps > maxSteps {
		return errTooMuchWork
	}
	return nil
}

// expand is the clock readings of a rule from start, as far as they lie in [from, to). Start itself is
// not among them unless the rule says so, but it counts for COUNT.
func expand(start stamp, value string, from, to time.Time, work *budget) ([]time.Time, error) {
	option, err := parseRule(start, value, to)
	if err != nil {
		return nil, err
	}
	if err := work.spend(cost(option)); err != nil {
		return nil, err
	}
	found, synchronized, err := iterate(option, from, work)
	if err == nil && !synchronized && option.Count > 0 { // start is the first of the count, by 3.3.10
		if option.Count--; option.Count == 0 {
			return nil, nil
		}
		found, _, err = iterate(option, from, work)
	}
	return found, err
}

// iterate also reports whether the first instance is the start.
func iterate(option rrule.ROption, from time.Time, work *budget) (found []time.Time, synchronized bool, err error) {
	defer func() {
		if recover() != nil { // the library indexes its tables by what the rule says
			err = errUnreadable
		}
	}()
	// A rule without further instances is run to the year 9999. The same days some centuries later are as
	// good, and nearer to that.
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

// parseRule reads an RRULE or EXRULE. Its UNTIL is the end of the horizon, if not earlier.
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
		case "RSCALE", "SKIP": // RFC 7529; what these two say is so by RFC 5545 already
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
	if start.kind == dateOnly { // which has no hours to step by or to choose from (3.3.10)
		if option.Freq > rrule.DAILY {
			return rrule.ROption{}, errHours
		}
		option.Byhour, option.Byminute, option.Bysecond = nil, nil, nil
	}
	complete(option)
	return *option, check(option)
}

// complete says in the library's terms what a rule says by 3.3.10 where the two differ.
func complete(o *rrule.ROption) {
	// Which day of the week, if nothing says it, is as in DTSTART. The library takes all seven, and rightly so only in
	// rules by the day or finer.
	if o.Freq < rrule.DAILY && len(o.Byweekno) > 0 && len(o.Byweekday)+len(o.Bymonthday)+len(o.Byyearday) == 0 {
		o.Byweekday = []rrule.Weekday{weekdays[o.Dtstart.Weekday()]}
	}
	// BYDAY is a list, each entry of which adds its days. The library wants a day to be named both by an entry with a
	// number and by one without, so that beside numbered ones the plain ones are given all their numbers. In rules
	// finer than by the month it overlooks numbers.
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

// weekdays are the library's, by those of package time.
//
//nolint:gochecknoglobals // A constant: Go has no literal for constant lists.
var weekdays = [...]rrule.Weekday{rrule.SU, rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA}

// ordinals is how many of one weekday there may be in what a rule counts them in: a month or a year.
func ordinals(o *rrule.ROption) int {
	if o.Freq == rrule.MONTHLY || len(o.Bymonth) > 0 {
		return 5
	}
	return 53
}

// parseUntil is by start's clock. A date holds to its end, for a start with a time too.
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

// check refuses what the library would not come back from.
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

// conditions reports whether a rule has some on the day, or chooses among what the others leave. One by the
// hour or finer, which has no use for them, may look for its next instance for a very long time.
func conditions(o *rrule.ROption) bool {
	return len(o.Bymonth)+len(o.Byweekno)+len(o.Byyearday)+len(o.Bymonthday)+len(o.Byweekday)+len(o.Bysetpos) > 0
}

// reachable reports whether steps by the hour or minute ever come to one of the hours and minutes that the
// rule wants. The library would look for them for ever.
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
		// A rule by the hour chooses the minutes within the hour, it does not step to them.
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

// cost is what a rule may cost beyond its instances.
func cost(o rrule.ROption) int {
	if o.Freq == rrule.MINUTELY && len(o.Byhour)+len(o.Byminute) > 0 {
		return maxRuleSteps // up to a day's minutes from one instance to the next
	}
	return ruleSteps
}
