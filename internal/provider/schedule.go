package provider

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/adhocore/gronx"
)

// Schedule says when a source is to be synced, by Cron or by Every. The zero Schedule leaves that to the program.
type Schedule struct {
	Cron  string        // an expression of five fields, in UTC; empty if Every is set
	Every time.Duration // 10 seconds to 31 days; 0 if Cron is set
}

// Bounds of Every.
const (
	minEvery = 10 * time.Second
	maxEvery = 31 * 24 * time.Hour
)

// IsZero reports whether the source has no schedule of its own.
func (s Schedule) IsZero() bool { return s == Schedule{} }

// Next is the first time after t at which a sync is due, if t is the time of the last sync. For the zero Schedule it is the zero
// time.
func (s Schedule) Next(t time.Time) time.Time {
	switch {
	case s.Every > 0:
		return t.Add(s.Every)
	case s.Cron != "":
		next, err := gronx.NextTickAfter(s.Cron, t.UTC(), false)
		if err != nil { // not reached: New has checked the expression
			return time.Time{}
		}
		return next
	default:
		return time.Time{}
	}
}

func (c *Config) schedule() (Schedule, error) {
	switch {
	case c.Schedule != "" && c.Every != "":
		return Schedule{}, c.fail("every", errors.New("want schedule or every, not both"))
	case c.Every != "":
		every, err := time.ParseDuration(c.Every)
		if err != nil || every < minEvery || every > maxEvery {
			return Schedule{}, c.fail("every", fmt.Errorf("%q: want a time such as 15m, from %s to %s", c.Every, minEvery, maxEvery))
		}
		return Schedule{Every: every}, nil
	case c.Schedule == "":
		return Schedule{}, nil
	}
	expression := strings.Join(strings.Fields(c.Schedule), " ")
	if strings.Count(expression, " ") != 4 || !gronx.IsValid(expression) {
		return Schedule{}, c.fail("schedule", fmt.Errorf("%q: want a cron expression of five fields such as %q", c.Schedule, "*/15 * * * *"))
	}
	s := Schedule{Cron: expression}
	// 30 February is valid, and never comes.
	if _, err := gronx.NextTickAfter(expression, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), false); err != nil {
		return Schedule{}, c.fail("schedule", fmt.Errorf("%q: there is no such date", c.Schedule))
	}
	return s, nil
}
