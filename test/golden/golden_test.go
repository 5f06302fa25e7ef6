// Package golden syncs what a real provider served and compares what comes out of the API with the table
// that was made of it by hand.
package golden_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/test/harness"
)

// row is one line of the table: min and max over all offers.
type row struct {
	Key, Title, Start, End, Min, Max string
}

// twoDates is what the form of 2025 has; that of 2022 gives the second date of series 322 only to it.
func table(twoDates bool) []row {
	rows := []row{
		{"322/1642", "Pantomima Full", "2021-02-10T20:00:00", "2021-02-10T21:30:00", "55", "55"},
		{"322/1643", "Pantomima Full", "2021-02-11T20:00:00", "2021-02-11T21:30:00", "55", "55"},
		{"291/291", "Camela en concierto", "2021-06-30T21:00:00", "2021-06-30T22:00:00", "15", "30"},
		{"1591/1642", "Los Morancos", "2021-07-31T20:00:00", "2021-07-31T21:20:00", "65", "75"},
	}
	if !twoDates {
		rows = append(rows[:1], rows[2:]...)
	}
	return rows
}

func feeds(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("MARQUEE_FEEDS")
	if dir == "" {
		t.Skip("MARQUEE_FEEDS does not name the folder of real feeds; the project's own fixtures are tested all the same")
	}
	return filepath.Join(dir, "planlist")
}

func TestPlanlist(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		form     string
		twoDates bool
	}{{"planList", true}, {"eventList", false}} {
		t.Run(test.form, func(t *testing.T) {
			t.Parallel()
			dir := feeds(t)
			app := harness.Start(t, time.Date(2021, 3, 1, 12, 0, 0, 0, time.UTC))
			feed := app.Feed("acme")
			for n, want := range []event.Counts{
				{Records: 3, Added: 3},
				{Records: 3, Changed: 2, Quarantined: 1},
			} {
				if n == 0 && test.twoDates {
					want.Records, want.Added = 4, 4
				}
				body, err := os.ReadFile(filepath.Join(dir, test.form+"_response_"+string(rune('1'+n))+".xml"))
				if err != nil {
					t.Fatal(err)
				}
				report := feed.Sync(body)
				if diff := cmp.Diff(want, report.Result.Counts); diff != "" {
					t.Errorf("answer %d (-want +got):\n%s", n+1, diff)
				}
			}
			want := table(test.twoDates)
			if diff := cmp.Diff(want, throughGraphQL(app)); diff != "" {
				t.Errorf("GraphQL (-want +got):\n%s", diff)
			}
			for i := range want {
				want[i].Key = "" // REST has no key
			}
			if diff := cmp.Diff(want, throughREST(app, "/search")); diff != "" {
				t.Errorf("REST (-want +got):\n%s", diff)
			}
			seed := "/search/?starts_at=2021-06-30&ends_at=2021-07-31T23:59"
			if diff := cmp.Diff(want[len(want)-2:], throughREST(app, seed)); diff != "" {
				t.Errorf("REST %s (-want +got):\n%s", seed, diff)
			}
			quarantined(t, app)
		})
	}
}

func throughGraphQL(app *harness.App) []row {
	var data struct {
		Events struct {
			TotalCount int
			Nodes      []struct {
				ExternalID           string
				Series               struct{ ExternalID string }
				Title                string
				StartsLocal          string
				EndsLocal            string
				MinPrice, MaxPrice   struct{ Amount string }
				StartsAt, EndsAt, ID string
			}
		}
	}
	app.Query(&data, `{ events { totalCount nodes {
		id externalId series { externalId } title startsAt endsAt startsLocal endsLocal minPrice { amount } maxPrice { amount } } } }`, nil)
	var rows []row
	for _, n := range data.Events.Nodes {
		rows = append(rows, row{n.Series.ExternalID + "/" + n.ExternalID, n.Title, n.StartsLocal, n.EndsLocal, n.MinPrice.Amount, n.MaxPrice.Amount})
		key := event.Key{Provider: "acme", Series: n.Series.ExternalID, Event: n.ExternalID}
		if n.ID != key.ID().String() {
			app.TB.Errorf("event %s has id %s, want %s", key, n.ID, key.ID())
		}
	}
	if data.Events.TotalCount != len(rows) {
		app.TB.Errorf("totalCount is %d of %d", data.Events.TotalCount, len(rows))
	}
	return rows
}

func throughREST(app *harness.App, path string) []row {
	status, body := app.Get(path)
	var answer struct {
		Data struct {
			Events []struct {
				ID, Title string
				StartDate string      `json:"start_date"`
				StartTime string      `json:"start_time"`
				EndDate   string      `json:"end_date"`
				EndTime   string      `json:"end_time"`
				MinPrice  json.Number `json:"min_price"`
				MaxPrice  json.Number `json:"max_price"`
			}
		}
		Error any
	}
	if err := json.Unmarshal(body, &answer); err != nil || status != 200 || answer.Error != nil {
		app.TB.Fatalf("GET %s: %d %s", path, status, body)
	}
	var rows []row
	for _, e := range answer.Data.Events {
		rows = append(rows, row{"", e.Title, e.StartDate + "T" + e.StartTime, e.EndDate + "T" + e.EndTime, string(e.MinPrice), string(e.MaxPrice)})
	}
	return rows
}

// quarantined checks that the offline event of a day that does not exist is accounted for.
func quarantined(t *testing.T, app *harness.App) {
	t.Helper()
	var data struct {
		Provider struct {
			Runs struct {
				Nodes []struct {
					Quarantined int
					Quarantine  []struct{ Key, Reason, Place, Message string }
				}
			}
		}
	}
	app.Query(&data, `{ provider(slug: "acme") { runs(first: 1) { nodes { quarantined quarantine { key reason place message } } } } }`, nil)
	run := data.Provider.Runs.Nodes[0]
	if run.Quarantined != 1 || len(run.Quarantine) != 1 || run.Quarantine[0].Key != "444/1642" || run.Quarantine[0].Reason != "INVALID_DATE" {
		t.Errorf("quarantine: %+v", run)
	}
}
