package syncer_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/syncer"
	"github.com/aledotdev/marquee/test/harness"
)

// noon is when the tests begin.
var noon = time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC)

// parade is a series with one event that is still to come, for a test to vary.
func parade() harness.Base {
	return harness.Base{ID: "71", Title: "The Lantern Parade", Mode: "online", Organizer: "2", Plans: []harness.Plan{{
		ID: "1", Start: "2030-06-30T21:00:00", End: "2030-06-30T22:00:00",
		SellFrom: "2029-07-01T00:00:00", SellTo: "2030-06-30T20:00:00", SoldOut: "false",
		Zones: []harness.Zone{
			{ID: "4", Name: "Stalls", Price: "20.00", Capacity: "243", Numbered: "true"},
			{ID: "4", Name: "Balcony", Price: "15.50", Capacity: "10", Numbered: "false"},
		},
	}}}
}

// paradeOf is the UUID of the parade's event at a provider.
func paradeOf(provider string) event.ID {
	return event.Key{Provider: provider, Series: "71", Event: "1"}.ID()
}

var paradeID = paradeOf("acme")

// varied is the parade with its one plan edited.
func varied(edit func(*harness.Plan)) harness.Base {
	b := parade()
	edit(&b.Plans[0])
	return b
}

// show is a series of its own with one event, two hours long.
func show(id, start string) harness.Base {
	begin, err := event.ParseLocal(start)
	if err != nil {
		panic(err)
	}
	return harness.Base{ID: id, Title: "Show " + id, Mode: "online", Plans: []harness.Plan{{
		ID: "1", Start: start, End: begin.Add(2 * time.Hour).String(),
		Zones: []harness.Zone{{ID: "1", Name: "Floor", Price: "10", Capacity: "5"}},
	}}}
}

// id is the UUID, as text, of the event that show makes for provider acme.
func id(series string) string {
	return event.Key{Provider: "acme", Series: series, Event: "1"}.ID().String()
}

func sameCounts(t *testing.T, got syncer.Report, outcome event.Outcome, want event.Counts) {
	t.Helper()
	if got.Result.Outcome != outcome {
		t.Errorf("outcome %s (%s), want %s", got.Result.Outcome, got.Result.Error, outcome)
	}
	if diff := cmp.Diff(want, got.Result.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// changes lists the changes after a number, as KIND event.
func changes(app *harness.App, after int64) []string {
	return harness.Query[string](app, `
		SELECT c.kind || ' ' || coalesce(s.external_id || '/', '') || e.external_id
		FROM changes c JOIN events e ON e.id = c.event_id LEFT JOIN series s ON s.id = e.series_id
		WHERE c.id > $1 ORDER BY c.id`, after)
}

func version(app *harness.App) int64 {
	return harness.One[int64](app, `SELECT version FROM catalog`)
}

func lastChange(app *harness.App) int64 {
	return harness.One[int64](app, `SELECT last_change FROM catalog`)
}

// same fails the test if rows were written, or differ.
func same(t *testing.T, what string, before, after map[string][]harness.Row) {
	t.Helper()
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("%s (-before +after):\n%s", what, diff)
	}
}

// content is what rows hold, whenever they were written.
func content(rows map[string][]harness.Row) map[string][]string {
	plain := map[string][]string{}
	for table := range rows {
		for _, r := range rows[table] {
			plain[table] = append(plain[table], r.Content)
		}
	}
	return plain
}

// recorded checks what the latest run's record says of a failure.
func recorded(t *testing.T, app *harness.App, report syncer.Report, outcome event.Outcome, code string) {
	t.Helper()
	got := harness.One[string](app, `SELECT concat_ws(' ', id, outcome, error_code, finished_at IS NOT NULL, error <> '') FROM sync_runs ORDER BY id DESC LIMIT 1`)
	if want := fmt.Sprintf("%d %s %s t t", report.RunID, outcome, code); got != want {
		t.Errorf("the run's record says %q, want %q", got, want)
	}
}

// emptyIsNil compares lists.
var emptyIsNil = cmpopts.EquateEmpty()

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}
