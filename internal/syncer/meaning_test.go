package syncer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
	"github.com/aledotdev/marquee/test/harness"
)

// state is what the catalog says of one event.
type state struct {
	Title, Start, Min string // wall clock; price, empty for none
	Listed, Online    bool
	First, Updated    string
	Last, Removed     string // empty for none
}

const clockForm = "2006-01-02T15:04"

// stateOf reads an event as it stands, without the times that the test does not ask for.
func stateOf(app *harness.App, id string) state {
	app.TB.Helper()
	text := harness.One[string](app, `
		SELECT to_json(s) FROM (SELECT title AS "Title", to_char(starts_local, 'YYYY-MM-DD"T"HH24:MI') AS "Start",
			coalesce(trim_scale(min_price)::text, '') AS "Min", listed AS "Listed", online AS "Online",
			to_char(first_seen_at AT TIME ZONE 'UTC', $2) AS "First", to_char(updated_at AT TIME ZONE 'UTC', $2) AS "Updated",
			coalesce(to_char(last_seen_at AT TIME ZONE 'UTC', $2), '') AS "Last", coalesce(to_char(removed_at AT TIME ZONE 'UTC', $2), '') AS "Removed"
		FROM events WHERE id = $1::uuid) s`, id, `YYYY-MM-DD"T"HH24:MI`)
	var s state
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		app.TB.Fatal(err)
	}
	return s
}

// TestIdentity: an id under two series is two events, whose UUIDs are those of their keys in any database.
func TestIdentity(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	plan := func(title, start string) harness.Base {
		b := show("322", start)
		b.Title, b.Plans[0].ID = title, "1642"
		return b
	}
	one, two := plan("Pantomima", "2030-07-01T20:00:00"), plan("Morancos", "2030-07-02T20:00:00")
	two.ID = "1591"
	two.Plans = append(two.Plans, show("x", "2030-07-03T20:00:00").Plans[0])
	two.Plans[1].ID = "1591" // its series' own id
	sameCounts(t, app.Feed("acme").Sync(harness.PlanList(one, two)), event.OutcomeApplied, event.Counts{Records: 3, Added: 3})
	sameCounts(t, app.Feed("other").Sync(harness.PlanList(one)), event.OutcomeApplied, event.Counts{Records: 1, Added: 1})

	got := harness.Query[string](app, `
		SELECT e.id || ' ' || p.slug || '/' || s.external_id || '/' || e.external_id || ' ' || e.title
		FROM events e JOIN providers p ON p.id = e.provider_id JOIN series s ON s.id = e.series_id AND s.provider_id = e.provider_id
		ORDER BY p.slug, starts_at`)
	want := []string{
		"%s acme/322/1642 Pantomima", "%s acme/1591/1642 Morancos", "%s acme/1591/1591 Morancos", "%s other/322/1642 Pantomima",
	}
	for i, key := range []event.Key{{Provider: "acme", Series: "322", Event: "1642"}, {Provider: "acme", Series: "1591", Event: "1642"}, {Provider: "acme", Series: "1591", Event: "1591"}, {Provider: "other", Series: "322", Event: "1642"}} {
		want[i] = fmt.Sprintf(want[i], key.ID())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestColumns: a record is kept as it came, exactly.
func TestColumns(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	type row struct {
		Starts, Ends, StartsLocal, EndsLocal, Sale, Zone, Currency string
		Min, Max                                                   *string
		Offers, Attributes                                         json.RawMessage
	}
	var out row
	read := func(id string) {
		t.Helper()
		text := harness.One[string](app, `
			SELECT to_json(s) FROM (SELECT starts_at AT TIME ZONE 'UTC' AS "Starts", ends_at AT TIME ZONE 'UTC' AS "Ends",
				starts_local AS "StartsLocal", ends_local AS "EndsLocal", sale_ends_at AT TIME ZONE 'UTC' AS "Sale",
				time_zone AS "Zone", currency AS "Currency", min_price::text AS "Min", max_price::text AS "Max",
				offers AS "Offers", attributes AS "Attributes" FROM events WHERE id = $1::uuid) s`, id)
		out = row{}
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			t.Fatal(err)
		}
	}
	zones := []harness.Zone{
		{ID: "4", Name: `Stalls "A" <&> ñ`, Price: "0.10", Capacity: "0", Numbered: "true"},
		{ID: "4", Name: "Stalls", Price: "999999999999.999999", Capacity: "2147483647", Numbered: "false"},
		{ID: "4"},
	}
	gap := show("gap", "2030-03-31T02:30:00")
	gap.Plans[0].End = ""
	free := show("free", "2030-07-01T20:00:00")
	free.Plans[0].Zones[0].Price = "0.00"
	none := show("none", "2030-07-01T20:00:00")
	none.Plans[0].Zones = nil
	app.Feed("acme").Sync(harness.PlanList(varied(func(p *harness.Plan) { p.Zones = zones }), gap, free, none))

	read(paradeID.String())
	if out.Starts != "2030-06-30T19:00:00" || out.Ends != "2030-06-30T20:00:00" || out.StartsLocal != "2030-06-30T21:00:00" ||
		out.EndsLocal != "2030-06-30T22:00:00" || out.Sale != "2030-06-30T18:00:00" || out.Zone != "Europe/Madrid" || out.Currency != "EUR" {
		t.Errorf("times: %+v", out)
	}
	if out.Min == nil || *out.Min != "0.100000" || out.Max == nil || *out.Max != "999999999999.999999" {
		t.Errorf("prices: %+v", out)
	}
	if string(out.Attributes) != `{"organizer_company_id": "2"}` {
		t.Errorf("attributes: %s", out.Attributes)
	}
	var offers []event.Offer
	if err := json.Unmarshal(out.Offers, &offers); err != nil {
		t.Fatal(err)
	}
	want := `[{"id":"4","name":"Stalls \"A\" \u003c\u0026\u003e ñ","price":0.1,"capacity":0,"numbered":true},` +
		`{"id":"4","name":"Stalls","price":999999999999.999999,"capacity":2147483647,"numbered":false},{"id":"4"}]`
	if got := string(event.AppendOffers(nil, offers)); got != want {
		t.Errorf("offers:\n got %s\nwant %s", got, want)
	}

	read(id("gap")) // in a gap the offset before it counts (RFC 5545, 3.3.5)
	if out.Starts != "2030-03-31T01:30:00" || out.StartsLocal != "2030-03-31T02:30:00" || out.Ends != "" {
		t.Errorf("in the gap: %+v", out)
	}
	read(id("free"))
	if out.Min == nil || *out.Min != "0.000000" || *out.Max != "0.000000" {
		t.Errorf("free: %+v", out)
	}
	read(id("none"))
	if out.Min != nil || out.Max != nil || string(out.Offers) != "[]" || string(out.Attributes) != "null" {
		t.Errorf("without offers: %+v", out)
	}
}

func TestPricesWithCapacity(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme", func(c *provider.Config) { c.Prices = event.PriceWithCapacity })
	bounds := func() string {
		return harness.One[string](app, `SELECT coalesce(min_price::float8::text, 'none') || ', ' || coalesce(max_price::float8::text, 'none') FROM events`)
	}
	for _, step := range []struct {
		low, high string // capacities
		want      string
	}{{"0", "5", "30, 30"}, {"1", "5", "10, 30"}, {"0", "0", "none, none"}, {"", "0", "10, 10"}} {
		feed.Sync(harness.PlanList(varied(func(p *harness.Plan) {
			p.Zones = []harness.Zone{{ID: "1", Price: "10", Capacity: step.low}, {ID: "1", Price: "30", Capacity: step.high}}
		})))
		if got := bounds(); got != step.want {
			t.Errorf("capacities %q and %q: prices %s, want %s", step.low, step.high, got, step.want)
		}
	}
}

// TestListing: an event that was once offered online stays listed, whatever happens; one that never was is not listed.
func TestListing(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	mode := func(m string) harness.Base {
		b := parade()
		b.Mode = m
		return b
	}
	other := show("other", "2030-07-01T20:00:00")
	other.Mode = "offline"
	for i, step := range []struct {
		bases          []harness.Base
		listed, online bool
		removed        bool
	}{
		{[]harness.Base{mode("offline"), other}, false, false, false},
		{[]harness.Base{mode("online"), other}, true, true, false},
		{[]harness.Base{mode("offline"), other}, true, false, false},
		{[]harness.Base{other}, true, false, true},
		{[]harness.Base{mode("offline"), other}, true, false, false},
	} {
		feed.Sync(harness.PlanList(step.bases...))
		got := stateOf(app, paradeID.String())
		if got.Listed != step.listed || got.Online != step.online || (got.Removed != "") != step.removed {
			t.Errorf("step %d: %+v, want %+v", i, got, step)
		}
		if stateOf(app, id("other")).Listed {
			t.Errorf("step %d: an event that was never online is listed", i)
		}
		status, _ := app.Get("/search")
		var data struct {
			Events struct{ Nodes []struct{ ID string } }
		}
		app.Query(&data, `{ events { nodes { id } } }`, nil)
		if status != 200 || (len(data.Events.Nodes) == 1) != step.listed || len(data.Events.Nodes) > 1 {
			t.Errorf("step %d: the API lists %v", i, data.Events.Nodes)
		}
	}
	app.Clock.Set(noon.AddDate(1, 0, 0)) // past
	feed.Sync(harness.PlanList(other))
	if got := stateOf(app, paradeID.String()); !got.Listed || got.Removed != "" {
		t.Errorf("expired: %+v", got)
	}
	noMode := show("silent", "2032-07-01T20:00:00")
	noMode.Mode = ""
	feed.Sync(harness.PlanList(other, noMode))
	if !stateOf(app, id("silent")).Listed {
		t.Error("a base plan that doesn't say is online")
	}
}

// TestLeaving: an upcoming event that leaves is removed and may return; one that has begun expires. The
// values, and since when they hold, are always the latest known.
func TestLeaving(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	at := func(hours int) string { return noon.Add(time.Duration(hours) * time.Hour).Format(clockForm) }
	sync := func(hours int, bases ...harness.Base) []string {
		t.Helper()
		last := lastChange(app)
		app.Clock.Set(noon.Add(time.Duration(hours) * time.Hour))
		feed.Sync(harness.PlanList(append(bases, show("stays", "2031-01-01T20:00:00"))...))
		return changes(app, last)
	}
	check := func(step, id string, got []string, change string, want state) {
		t.Helper()
		if said := strings.Join(got, ", "); said != change {
			t.Errorf("%s: changes %q, want %q", step, said, change)
		}
		if diff := cmp.Diff(want, stateOf(app, id)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step, diff)
		}
	}
	want := state{Title: "Show a", Start: "2030-06-02T20:00", Min: "10", Listed: true, Online: true, First: at(0), Updated: at(0)}
	a, event := show("a", "2030-06-02T20:00:00"), id("a")
	check("first seen", event, sync(0, a), "ADDED a/1, ADDED stays/1", want)
	check("seen again", event, sync(1, a), "", want)

	want.Removed, want.Updated, want.Last = at(2), at(2), at(1)
	check("left while upcoming", event, sync(2), "REMOVED a/1", want)
	check("still away", event, sync(3), "", want)

	want.Removed, want.Updated, want.Last = "", at(4), ""
	check("returned as it was", event, sync(4, a), "RETURNED a/1", want)
	sync(5)
	a.Plans[0].Zones[0].Price = "9.5"
	want.Updated, want.Min = at(6), "9.5"
	check("returned at another price", event, sync(6, a), "RETURNED a/1, PRICE_CHANGED a/1, DETAILS_CHANGED a/1", want)

	want.Last = at(6)
	check("left after it began", event, sync(31), "", want) // at 2030-06-02T19:00Z; it began at 18:00Z
	want.Last = ""
	check("past, and in the feed again", event, sync(32, a), "", want)
	want.Last = at(32)
	check("expired again", event, sync(33), "", want)

	a.Plans[0].Start, a.Plans[0].End = "2030-07-02T20:00:00", ""
	want.Start, want.Updated, want.Last = "2030-07-02T20:00", at(34), ""
	check("back with a new date", event, sync(34, a), "RESCHEDULED a/1", want)

	// A record that can't be read keeps its event as it was, and in the feed.
	bad := a
	bad.Plans = []harness.Plan{a.Plans[0]}
	bad.Plans[0].Start = "2030-07-32T20:00:00"
	check("broken", event, sync(35, bad), "", want)
	want.Last, want.Removed, want.Updated = at(35), at(36), at(36)
	check("left after it was broken", event, sync(36), "REMOVED a/1", want)
	check("away, and broken", event, sync(37, bad), "", want)

	var data struct {
		Event struct{ FirstSeenAt, LastSeenAt, RemovedAt string }
	}
	app.Query(&data, `query($id: ID!) { event(id: $id) { firstSeenAt lastSeenAt removedAt } }`, map[string]any{"id": event})
	if got := data.Event; got.FirstSeenAt != at(0)+":00Z" || got.LastSeenAt != at(35)+":00Z" || got.RemovedAt != at(36)+":00Z" {
		t.Errorf("the API says %+v", got)
	}
}

// TestDigestedAnew: an event that is written again, though nothing that the API shows of it differs, has not changed. That happens when
// a later version of the program computes another digest of the same content.
func TestDigestedAnew(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	feed.Sync(harness.PlanList(show("a", "2030-07-01T20:00:00")))
	want := stateOf(app, id("a"))
	app.Exec(`UPDATE events SET content_hash = decode(repeat('00', 16), 'hex'), record_hash = NULL`)
	last := lastChange(app)
	app.Clock.Set(noon.Add(time.Hour))
	feed.Sync(harness.PlanList(show("a", "2030-07-01T20:00:00"), show("b", "2030-07-01T20:00:00")))
	if digest := harness.One[[]byte](app, `SELECT content_hash FROM events WHERE id = $1::uuid`, id("a")); digest[0] == 0 && digest[1] == 0 {
		t.Error("the event was not written")
	}
	if diff := cmp.Diff(want, stateOf(app, id("a"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := changes(app, last); len(got) != 1 || got[0] != "ADDED b/1" {
		t.Errorf("changes %v", got)
	}
}

// TestQuarantine: a record that can't be used is kept with its reason and its place in the feed.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	bad := show("9", "2021-07-01T20:00:00")
	bad.Mode = "offline"
	bad.Plans[0].Start = "2021-09-31T20:00:00"
	report := app.Feed("acme").Sync(harness.PlanList(show("1", "2030-07-01T20:00:00"), bad, show("2", "2030-07-01T20:00:00")))
	sameCounts(t, report, event.OutcomeApplied, event.Counts{Records: 3, Added: 2, Quarantined: 1})
	got := harness.Query[string](app, `SELECT concat_ws('|', run_id, key, reason, place, message) || '|' || left(excerpt, 45) FROM quarantined_records`)
	want := []string{fmt.Sprintf(`%d|9/1|INVALID_DATE|base_plan[2]/plan[1], line 8|plan_start_date: INVALID_DATE "2021-09-31T20:00:00": not a date and time that exists|`+
		`<plan plan_start_date="2021-09-31T20:00:00" p`, report.RunID)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDuplicate: of two records with one key the last counts, and the other is kept with the place of each; also where
// the last is known and not read.
func TestDuplicate(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	dear, cheap := priced("20"), priced("19")
	feed.Sync(cheap)
	both := append(bytes.TrimSuffix(dear, []byte("</output>\n</planList>\n")), bytes.TrimPrefix(cheap, []byte("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<planList version=\"1.0\">\n<output>\n"))...)
	for range 2 {
		sameCounts(t, feed.Sync(both), event.OutcomeUnchanged, event.Counts{Records: 2, Unchanged: 1, Quarantined: 1})
		both = bytes.Replace(both, []byte("<output>"), []byte("<output><!-- other bytes -->"), 1)
	}
	got := harness.Query[string](app, `SELECT concat_ws('|', key, reason, place, message) FROM quarantined_records`)
	want := `71/1|DUPLICATE|base_plan[1]/plan[1], line 5|id: DUPLICATE "1": base_plan[2]/plan[1], line 8 has the same key and other content; it counts`
	if diff := cmp.Diff([]string{want, want}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSeriesTitle: a series is titled as the last of its records in the feed says, whether or not that is written.
func TestSeriesTitle(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	titled := func(title, plan string) harness.Base {
		b := show("1", "2030-07-01T20:00:00")
		b.Title, b.Plans[0].ID = title, plan
		return b
	}
	a, b := titled("A", "1"), titled("B", "2")
	for i, step := range []struct {
		bases   []harness.Base
		outcome event.Outcome
		title   string
	}{
		{[]harness.Base{a, b}, event.OutcomeApplied, "B"},
		{[]harness.Base{b, a}, event.OutcomeApplied, "A"},
		{[]harness.Base{b, b, a}, event.OutcomeUnchanged, "A"},
		{[]harness.Base{b}, event.OutcomeApplied, "B"},
	} {
		report := feed.Sync(harness.PlanList(step.bases...))
		title := harness.One[string](app, `SELECT title FROM series`)
		if report.Result.Outcome != step.outcome || title != step.title {
			t.Errorf("step %d: %s, title %q, want %s, %q", i, report.Result.Outcome, title, step.outcome, step.title)
		}
	}
}

// TestOtherSeriesTitle: that records title their series differently is no change, as long as its title is the same.
func TestOtherSeriesTitle(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	early, late := show("1", "2030-07-01T20:00:00"), show("1", "2030-07-01T20:00:00")
	early.Title, late.Title, late.Plans[0].ID = "Hamlet", "Hamlet (late)", "2"
	feed.Sync(harness.PlanList(early, late))
	app.Clock.Set(noon.Add(time.Hour))
	early.Plans[0].Zones[0].Price = "77"
	report := feed.Sync(harness.PlanList(early, late))
	if got := harness.Query[string](app, `SELECT kind || fields FROM changes WHERE run_id = $1 AND fields::text LIKE '%seriesTitle%'`, report.RunID); len(got) > 0 {
		t.Errorf("%q", got)
	}
}

// TestDryRunOfDuplicates: of records with one key the plan lists what the last comes to, as the sync does.
func TestDryRunOfDuplicates(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	was, other, added := show("1", "2030-07-01T20:00:00"), show("1", "2030-07-05T20:00:00"), show("2", "2030-07-02T20:00:00")
	feed.Sync(harness.PlanList(was))
	feed.Serve(harness.PlanList(other, was, added, added))
	plan, err := app.Syncer.DryRun(t.Context(), feed.Source)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range plan.Entries {
		got = append(got, e.Key.Series+" "+string(e.Changes[0].Kind))
	}
	if diff := cmp.Diff([]string{"2 ADDED"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
