package simulator

import "time"

// Day is a date of the calendar, counted from 1970-01-01, a Thursday. The world is only meant for days after that.
type Day int

// wireTime is how the feed writes a date with its time of day.
const wireTime = "2006-01-02T15:04:05"

// DayOf returns the date that t shows in its own location.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// wall returns that day's wall clock so many minutes after midnight. UTC stands for "no zone" here: arithmetic on wall
// clocks must not meet daylight saving.
func (d Day) wall(minutes int) time.Time {
	return time.Unix(int64(d)*24*60*60, 0).UTC().Add(time.Duration(minutes) * time.Minute)
}

// at is wall in the form of the feed.
func (d Day) at(minutes int) string { return d.wall(minutes).Format(wireTime) }
