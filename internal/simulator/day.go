package simulator

import "time"

// Day is a date, in days since 1970-01-01, a Thursday. The world is made only for days after that.
type Day int

// wireTime is the form of a date and time in the feed, for package time.
const wireTime = "2006-01-02T15:04:05"

// DayOf returns the date that t shows in its own location.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// wall returns what clocks show so many minutes after the day's midnight. It is in UTC, which stands for no zone here, since
// there is no daylight saving time in it.
func (d Day) wall(minutes int) time.Time {
	return time.Unix(int64(d)*24*60*60, 0).UTC().Add(time.Duration(minutes) * time.Minute)
}

// at is wall as the feed writes it.
func (d Day) at(minutes int) string { return d.wall(minutes).Format(wireTime) }
