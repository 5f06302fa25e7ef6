package chart

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	"helm.sh/helm/v4/pkg/chart/common"
)

type gaps struct{ Least, Most int }

// TestGaps: the chart knows the seconds between two starts of a schedule, at least and at most, as the CronJob controller's
// own reading of it has them.
func TestGaps(t *testing.T) {
	t.Parallel()
	const minute, hour, day = 60, 3600, 86400
	tests := map[string]gaps{
		"* * * * *":            {minute, minute},
		"*/15 * * * *":         {15 * minute, 15 * minute},
		"3-59/15 * * * *":      {15 * minute, 15 * minute},
		"5/15 * * * *":         {15 * minute, 15 * minute},
		"*/7 * * * *":          {4 * minute, 7 * minute},
		"0,1 * * * *":          {minute, 59 * minute},
		"0-30 * * * *":         {minute, 30 * minute},
		"7,37 6-23 * * *":      {30 * minute, 6*hour + 30*minute},
		"7 */6 * * *":          {6 * hour, 6 * hour},
		"0 3 * * *":            {day, day},
		"0 9,17 * * *":         {8 * hour, 16 * hour},
		"*/5 8-18 * * 1-5":     {5 * minute, 2*day + 13*hour + 5*minute},
		"*/5 8-18 * * MON-Fri": {5 * minute, 2*day + 13*hour + 5*minute},
		"0 3 * * 1":            {day, 7 * day},
		"0 3 * * 0,6":          {day, 6 * day},
		"0 3 ? * 2/2":          {day, 3 * day},
		"0  3 1 * *":           {day, 31 * day},
		"0 3 1,15 * *":         {day, 17 * day},
		"0 3 5,31 * *":         {day, 31 * day},
		"0 3 31 * *":           {day, 62 * day},
		"0 3 1 * 1":            {day, 7 * day},
		"0 0 1 1 *":            {day, 372 * day},
		"0 0 * jun,jul *":      {day, 311 * day},
	}
	var template strings.Builder
	for schedule := range tests {
		fmt.Fprintf(&template, "---\n{%q: {{ include \"marquee.cronGaps\" %[1]q }}}\n", schedule)
	}
	c := load(t)
	c.Templates = append(c.Templates, &common.File{Name: "templates/gaps.yaml", Data: []byte(template.String())})
	out, err := render(c, valuesOf(t, "database: {mode: embedded}"), capabilities(t))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, manifest := range out.each {
		var got map[string]gaps
		if json.Unmarshal([]byte(manifest), &got) != nil {
			continue
		}
		for schedule, got := range got {
			seen++
			if got != tests[schedule] {
				t.Errorf("%q: got %v, want %v", schedule, got, tests[schedule])
			}
			least, most := walk(t, schedule)
			// What is least may be less than that, for a deadline, and what is most more, for an alert.
			if got.Least > least || got.Most < most {
				t.Errorf("%q: got %v, and its starts are %d to %d s apart", schedule, got, least, most)
			}
		}
	}
	if seen != len(tests) {
		t.Errorf("%d of %d schedules looked at", seen, len(tests))
	}
}

// walk is through two years, neither of them a leap year.
func walk(t *testing.T, expression string) (least, most int) {
	t.Helper()
	schedule, err := cron.ParseStandard(expression)
	if err != nil {
		t.Fatal(err)
	}
	at := schedule.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	least = 1 << 30
	for at.Year() < 2028 {
		next := schedule.Next(at)
		apart := int(next.Sub(at).Seconds())
		least, most, at = min(least, apart), max(most, apart), next
	}
	return least, most
}
