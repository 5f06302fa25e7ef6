package syncer

import (
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
)

// TestIsDue: a source is due once in its period, but no sooner than its provider wants. A run whose time came from a wrong
// clock doesn't keep it waiting.
func TestIsDue(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 6, 30, 12, 7, 0, 0, time.UTC)
	ran := func(ago time.Duration) event.LastRun { return event.LastRun{ID: 1, StartedAt: now.Add(-ago)} }
	asked := func(last event.LastRun, wait time.Duration) event.LastRun {
		last.NextCheck = now.Add(wait)
		return last
	}
	cron, every := provider.Config{Schedule: "*/15 * * * *"}, provider.Config{Every: "15m"}
	for name, test := range map[string]struct {
		config provider.Config
		last   event.LastRun
		want   bool
	}{
		"never synced":                           {cron, event.LastRun{}, true},
		"in this period":                         {cron, ran(5 * time.Minute), false},
		"in the period before":                   {cron, ran(10 * time.Minute), true},
		"long ago":                               {every, ran(time.Hour), true},
		"just now":                               {every, ran(0), false},
		"asked to wait":                          {cron, asked(ran(time.Hour), time.Minute), false},
		"asked to wait until now":                {cron, asked(ran(time.Hour), 0), true},
		"by a clock that is a little ahead":      {cron, ran(-4 * time.Minute), false},
		"by one that was a year ahead":           {cron, ran(-365 * 24 * time.Hour), true},
		"by one that was a year ahead, a period": {every, ran(-365 * 24 * time.Hour), true},
		"and asked to wait":                      {cron, asked(ran(-365*24*time.Hour), 366*24*time.Hour), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := test.config
			c.Slug, c.Name, c.URL, c.Format, c.TimeZone, c.Currency = "acme", "Acme", "https://acme.example", "planlist", "UTC", "EUR"
			source, err := provider.New(c, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := isDue(source, test.last, now); got != test.want {
				t.Errorf("due: %t", got)
			}
		})
	}
}
