package event

import (
	"errors"
	"fmt"
	"time"
)

// LocalDateTime is a wall clock reading without a zone, to the second ("form #1" of RFC 5545, 3.3.5).
// The zero value stands for none.
type LocalDateTime struct {
	clock time.Time // the reading as if it were in UTC
}

// LocalLayout is the text form of a LocalDateTime, for package time.
const (
	LocalLayout   = "2006-01-02T15:04:05"
	minutesLayout = "2006-01-02T15:04"
)

// The years in which an event may be. RFC 3339, PostgreSQL and JavaScript's Date can all have them.
const (
	minYear = 1000
	maxYear = 9999
)

// ErrBadDateTime says that a text is not in the expected form, or is a date or time that does not exist.
var ErrBadDateTime = errors.New("not a date and time that exists")

// ParseLocal reads YYYY-MM-DDTHH:MM:SS or YYYY-MM-DDTHH:MM, from the year 1000. The error is ErrBadDateTime, also for a day that does not
// exist, such as 2021-09-31.
func ParseLocal(s string) (LocalDateTime, error) {
	if len(s) != len(LocalLayout) && len(s) != len(minutesLayout) {
		return LocalDateTime{}, ErrBadDateTime
	}
	return parseLocal(s)
}

// ParseLocalDate reads YYYY-MM-DD, from the year 1000, as the start of that day. The error is ErrBadDateTime.
func ParseLocalDate(s string) (LocalDateTime, error) {
	if len(s) != len(time.DateOnly) {
		return LocalDateTime{}, ErrBadDateTime
	}
	return parseLocal(s)
}

// parseLocal reads s in the form of as much of LocalLayout as has its length. It does what time.Parse does in a fifth of the time, which
// counts, since each event of a feed has four times.
func parseLocal(s string) (LocalDateTime, error) {
	const form = "dddd-dd-ddTdd:dd:dd"
	for i := range len(s) {
		if digit := s[i] >= '0' && s[i] <= '9'; digit != (form[i] == 'd') || !digit && s[i] != form[i] {
			return LocalDateTime{}, ErrBadDateTime
		}
	}
	year, month, day := number(s, 0, 4), number(s, 5, 7), number(s, 8, 10)
	hour, minute, second := number(s, 11, 13), number(s, 14, 16), number(s, 17, 19)
	if hour > 23 || minute > 59 || second > 59 || year < minYear {
		return LocalDateTime{}, ErrBadDateTime
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	if _, m, d := t.Date(); int(m) != month || d != day { // Date has moved a day that does not exist to the next month
		return LocalDateTime{}, ErrBadDateTime
	}
	return LocalDateTime{t}, nil
}

// number is the value of the digits s[from:to], or 0 if s is shorter.
func number(s string, from, to int) (n int) {
	if len(s) < to {
		return 0
	}
	for _, c := range []byte(s[from:to]) {
		n = 10*n + int(c-'0')
	}
	return n
}

// LocalOf is the wall clock that t shows in its own location, cut to the second.
func LocalOf(t time.Time) LocalDateTime {
	y, m, d := t.Date()
	return LocalDateTime{time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)}
}

// IsZero reports whether l is the zero value, which stands for none.
func (l LocalDateTime) IsZero() bool { return l.clock.IsZero() }

// AsUTC is the reading as if it were in UTC: the form for databases, and for arithmetic.
func (l LocalDateTime) AsUTC() time.Time { return l.clock }

// Add moves the reading by d, as on a clock without daylight saving time.
func (l LocalDateTime) Add(d time.Duration) LocalDateTime { return LocalDateTime{l.clock.Add(d)} }

// Compare returns -1, 0 or +1.
func (l LocalDateTime) Compare(other LocalDateTime) int { return l.clock.Compare(other.clock) }

// Date is the day of the reading as YYYY-MM-DD.
func (l LocalDateTime) Date() string { return l.clock.Format(time.DateOnly) }

// Time is the time of the reading as HH:MM:SS.
func (l LocalDateTime) Time() string { return l.clock.Format(time.TimeOnly) }

// AppendDate appends Date to b, and is many times faster.
func (l LocalDateTime) AppendDate(b []byte) []byte {
	year, month, day := l.clock.Date()
	if year < minYear || year > maxYear {
		return l.clock.AppendFormat(b, time.DateOnly)
	}
	b = appendTwo(appendTwo(b, year/100), year%100)
	b = appendTwo(append(b, '-'), int(month))
	return appendTwo(append(b, '-'), day)
}

// AppendTime appends Time to b, and is many times faster.
func (l LocalDateTime) AppendTime(b []byte) []byte {
	hour, minute, second := l.clock.Clock()
	b = appendTwo(b, hour)
	b = appendTwo(append(b, ':'), minute)
	return appendTwo(append(b, ':'), second)
}

// appendTwo appends a number below 100 in two digits.
func appendTwo(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// IsMidnight reports whether the reading is the start of a day.
func (l LocalDateTime) IsMidnight() bool {
	h, m, s := l.clock.Clock()
	return h == 0 && m == 0 && s == 0
}

// String is the reading in the form of LocalLayout, or empty for the zero value.
func (l LocalDateTime) String() string {
	if l.IsZero() {
		return ""
	}
	return l.clock.Format(LocalLayout)
}

// In is the instant at which clocks in zone show the reading, by RFC 5545, 3.3.5: if they show it twice, the first time; if they skip it,
// the instant by the offset before the gap.
func (l LocalDateTime) In(zone *time.Location) time.Time {
	// The zone's offsets are taken well before and well after the reading: no zone is as far from UTC as the margin, and
	// none changes twice within it (four days is the least in the tz database). Time.ZoneBounds can't be used: in years after a zone's
	// table, the period that it returns for 31 December of a leap year ends too early.
	const margin = 26 * time.Hour
	before, after := offsetAt(l.clock.Add(-margin), zone), offsetAt(l.clock.Add(margin), zone)
	first := l.clock.Add(-before)
	if before == after || offsetAt(first, zone) == before {
		return first
	}
	if second := l.clock.Add(-after); offsetAt(second, zone) == after {
		return second
	}
	return first
}

func offsetAt(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// At is the Moment of the reading in zone.
func (l LocalDateTime) At(zone *time.Location) Moment {
	return Moment{Local: l, Instant: l.In(zone).UTC()}
}

// MomentOf is the Moment of an instant in zone, cut to the second.
func MomentOf(t time.Time, zone *time.Location) Moment {
	t = t.Truncate(time.Second)
	return Moment{Local: LocalOf(t.In(zone)), Instant: t.UTC()}
}

// MarshalText returns String.
func (l LocalDateTime) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what ParseLocal does, with its error.
func (l *LocalDateTime) UnmarshalText(text []byte) error {
	parsed, err := ParseLocal(string(text))
	if err != nil {
		return fmt.Errorf("%q: %w", text, err)
	}
	*l = parsed
	return nil
}
