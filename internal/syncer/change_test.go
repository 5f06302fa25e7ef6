package syncer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/store"
	"github.com/aledotdev/marquee/test/harness"
)

// TestChanges: what is said of each change of an event.
func TestChanges(t *testing.T) { //nolint:tparallel // one database for all
	t.Parallel()
	plan := func(edit func(*harness.Plan)) []harness.Base { return []harness.Base{varied(edit)} }
	none := func(b harness.Base) []harness.Base { return []harness.Base{b} }
	zones := func(edit func([]harness.Zone)) []harness.Base {
		return plan(func(p *harness.Plan) { edit(p.Zones) })
	}
	retitled := parade()
	retitled.Title = "The Lamp Parade"
	offline := parade()
	offline.Mode = "offline"
	organizer := parade()
	organizer.Organizer = "3"
	empty := []harness.Zone{{ID: "4", Price: "20", Capacity: "0"}}
	tests := map[string]struct {
		before, after []harness.Base
		want          string // kind[field before->after …], without the hours
	}{
		"added":           {nil, none(parade()), `ADDED`},
		"removed":         {none(parade()), nil, `REMOVED`},
		"retitled":        {none(parade()), none(retitled), `RETITLED[title "The Lantern Parade"->"The Lamp Parade"] DETAILS_CHANGED[seriesTitle "The Lantern Parade"->"The Lamp Parade"]`},
		"moved":           {none(parade()), plan(func(p *harness.Plan) { p.Start = "2030-06-30T21:30:00" }), `RESCHEDULED[startsAt "2030-06-30T19:00:00Z"->"2030-06-30T19:30:00Z" startsLocal "2030-06-30T21:00:00"->"2030-06-30T21:30:00"]`},
		"no end any more": {none(parade()), plan(func(p *harness.Plan) { p.End = "" }), `RESCHEDULED[endsAt "2030-06-30T20:00:00Z"->null endsLocal "2030-06-30T22:00:00"->null]`},
		"dearer": {
			none(parade()), zones(func(z []harness.Zone) { z[0].Price = "25.50" }),
			`PRICE_CHANGED[maxPrice "20"->"25.5"] DETAILS_CHANGED[offers {"count": 2, "capacity": 253}->{"count": 2, "changed": 1, "capacity": 253}]`,
		},
		"free": {
			none(parade()), zones(func(z []harness.Zone) { z[1].Price = "0.00" }),
			`PRICE_CHANGED[minPrice "15.5"->"0"] DETAILS_CHANGED[offers {"count": 2, "capacity": 253}->{"count": 2, "changed": 1, "capacity": 253}]`,
		},
		"no offers": {
			none(parade()), plan(func(p *harness.Plan) { p.Zones = nil }),
			`PRICE_CHANGED[minPrice "15.5"->null maxPrice "20"->null] DETAILS_CHANGED[offers {"count": 2, "capacity": 253}->{"count": 0, "changed": 0, "capacity": null}]`,
		},
		"another form of the price": {none(parade()), zones(func(z []harness.Zone) { z[0].Price, z[1].Price = "20", "015.5" }), ``},
		"seats sold":                {none(parade()), zones(func(z []harness.Zone) { z[0].Capacity = "242" }), `DETAILS_CHANGED[offers {"count": 2, "capacity": 253}->{"count": 2, "changed": 1, "capacity": 252}]`},
		"sold out by its word":      {none(parade()), plan(func(p *harness.Plan) { p.SoldOut = "true" }), `SOLD_OUT[soldOut false->true]`},
		"back on sale":              {plan(func(p *harness.Plan) { p.SoldOut = "true" }), none(parade()), `BACK_ON_SALE[soldOut true->false]`},
		"sold out by its seats": {
			plan(func(p *harness.Plan) { p.SoldOut = "" }), plan(func(p *harness.Plan) { p.SoldOut, p.Zones = "", empty }),
			`PRICE_CHANGED[minPrice "15.5"->"20"] SOLD_OUT[soldOut false->true] DETAILS_CHANGED[offers {"count": 2, "capacity": 253}->{"count": 1, "changed": 1, "capacity": 0}]`,
		},
		"its word goes, the outcome stays": {none(parade()), plan(func(p *harness.Plan) { p.SoldOut = "" }), `DETAILS_CHANGED[soldOut false->null]`},
		"sale moved":                       {none(parade()), plan(func(p *harness.Plan) { p.SellTo = "" }), `DETAILS_CHANGED[saleEndsAt "2030-06-30T18:00:00Z"->null]`},
		"offline":                          {none(parade()), none(offline), `DETAILS_CHANGED[online true->false]`},
		"another organizer":                {none(parade()), none(organizer), `DETAILS_CHANGED[attributes "{\"organizer_company_id\":\"2\"}"->"{\"organizer_company_id\":\"3\"}"]`},
	}
	app := harness.Start(t, noon)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			app := app.In(t)
			feed := app.Feed(slug(name))
			app.Clock.Set(noon)
			stays := show("stays", "2031-01-01T20:00:00")
			feed.Sync(harness.PlanList(append(test.before, stays)...))
			last, was := lastChange(app), version(app)
			app.Clock.Set(noon.Add(time.Hour))
			report := feed.Sync(harness.PlanList(append(test.after, stays)...))

			var said []string
			for _, row := range harness.Query[string](app, `
				SELECT json_build_object('kind', kind, 'fields', fields::text, 'about', event_id::text || ' ' || provider_id || ' ' || run_id || ' ' || to_char(at AT TIME ZONE 'UTC', 'HH24:MI'))
				FROM changes WHERE id > $1 ORDER BY id`, last) {
				said = append(said, readable(t, row, fmt.Sprintf("%s %s %d 13:00", paradeOf(slug(name)), event.ProviderID(slug(name)), report.RunID)))
			}
			if diff := cmp.Diff(test.want, strings.Join(said, " ")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			rises := int64(0)
			if test.want != "" {
				rises = 1
			}
			if got := version(app) - was; got != rises || lastChange(app) != last+int64(len(said)) {
				t.Errorf("the version rose by %d, want %d; last change %d, want %d", got, rises, lastChange(app), last+int64(len(said)))
			}
		})
	}
}

// readable is a change as a line, once it is known to be about the right event, run and time.
func readable(t *testing.T, row, about string) string {
	t.Helper()
	var c struct{ Kind, Fields, About string }
	if err := json.Unmarshal([]byte(row), &c); err != nil {
		t.Fatal(err)
	}
	if c.About != about {
		t.Errorf("a change is about %s, want %s", c.About, about)
	}
	var fields []struct {
		Field         string
		Before, After json.RawMessage
	}
	if err := json.Unmarshal([]byte(c.Fields), &fields); err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, f := range fields {
		parts = append(parts, fmt.Sprintf("%s %s->%s", f.Field, f.Before, f.After))
	}
	if parts == nil {
		return c.Kind
	}
	return c.Kind + "[" + strings.Join(parts, " ") + "]"
}

// TestNotify: each new version is announced when it can be read, and nothing else is.
func TestNotify(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	conn, err := app.Pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), "LISTEN "+store.Channel); err != nil {
		t.Fatal(err)
	}
	heard := func() (versions []string) {
		t.Helper()
		// A notification of the test's own tells that all those before it have come.
		app.Exec(`SELECT pg_notify($1, 'end')`, store.Channel)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for {
			n, err := conn.Conn().WaitForNotification(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if n.Payload == "end" {
				return versions
			}
			versions = append(versions, n.Payload)
		}
	}
	acme, other := app.Feed("acme"), app.Feed("other")
	for i, step := range []struct {
		feed *harness.Feed
		body []byte
		want []string
	}{
		{acme, priced("20"), []string{"1"}},
		{acme, priced("20"), nil},
		{acme, append(priced("20"), ' '), nil},
		{other, priced("20"), []string{"2"}},
		{acme, []byte("<planList>"), nil},
		{acme, priced("21"), []string{"3"}},
		{acme, harness.PlanList(), []string{"4"}},
	} {
		step.feed.Serve(step.body)
		_, _ = step.feed.Try()
		if diff := cmp.Diff(step.want, heard()); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
		if got := harness.One[int64](app, `SELECT coalesce(max(catalog_version), 0) FROM sync_runs`); got != version(app) {
			t.Errorf("step %d: runs made versions up to %d, the catalog has %d", i, got, version(app))
		}
	}
}

// TestDuplicates: of records with one key the last counts; those before it, if they say something else,
// are in quarantine.
func TestDuplicates(t *testing.T) { //nolint:tparallel // one database for all
	t.Parallel()
	at := func(price string) harness.Base {
		return varied(func(p *harness.Plan) { p.Zones[0].Price = price })
	}
	broken := varied(func(p *harness.Plan) { p.Zones[0].Price = "-1" })
	const quarantined = "71/1 DUPLICATE"
	tests := map[string]struct {
		before, bases []harness.Base
		want          event.Counts
		unchanged     bool
		price         string
		changes       []string
		quarantine    []string
	}{
		"twice the same": {
			bases: []harness.Base{at("20"), at("20")},
			want:  event.Counts{Records: 2, Added: 1, Unchanged: 1}, price: "20", changes: []string{"ADDED 71/1"},
		},
		"twice the same, known": {
			before: []harness.Base{at("20")}, bases: []harness.Base{at("20"), at("20")},
			want: event.Counts{Records: 2, Unchanged: 2}, unchanged: true, price: "20",
		},
		"two contents": {
			bases: []harness.Base{at("20"), at("21")},
			want:  event.Counts{Records: 2, Added: 1, Quarantined: 1}, price: "21", changes: []string{"ADDED 71/1"}, quarantine: []string{quarantined + " base_plan[1]/plan[1], line 5"},
		},
		"two contents, known": {
			before: []harness.Base{at("19")}, bases: []harness.Base{at("20"), at("21")},
			want: event.Counts{Records: 2, Changed: 1, Quarantined: 1}, price: "21", changes: []string{"PRICE_CHANGED 71/1", "DETAILS_CHANGED 71/1"}, quarantine: []string{quarantined + " base_plan[1]/plan[1], line 5"},
		},
		"the last as known": {
			before: []harness.Base{at("20")}, bases: []harness.Base{at("21"), at("20")},
			want: event.Counts{Records: 2, Unchanged: 1, Quarantined: 1}, unchanged: true, price: "20", quarantine: []string{quarantined + " base_plan[1]/plan[1], line 5"},
		},
		"the first as known": {
			before: []harness.Base{at("20")}, bases: []harness.Base{at("20"), show("x", "2030-07-01T20:00:00"), at("21")},
			want: event.Counts{Records: 3, Added: 1, Changed: 1, Quarantined: 1}, price: "21",
			changes: []string{"ADDED x/1", "PRICE_CHANGED 71/1", "DETAILS_CHANGED 71/1"}, quarantine: []string{quarantined + " base_plan[1]/plan[1], line 5"},
		},
		"to and fro": {
			bases: []harness.Base{at("20"), show("x", "2030-07-01T20:00:00"), at("21"), at("20")},
			want:  event.Counts{Records: 4, Added: 2, Quarantined: 2}, price: "20", changes: []string{"ADDED x/1", "ADDED 71/1"},
			quarantine: []string{quarantined + " base_plan[1]/plan[1], line 5", quarantined + " base_plan[3]/plan[1], line 11"},
		},
		"a broken one besides": {
			bases: []harness.Base{at("20"), broken},
			want:  event.Counts{Records: 2, Added: 1, Quarantined: 1}, price: "20", changes: []string{"ADDED 71/1"}, quarantine: []string{"71/1 INVALID_PRICE base_plan[2]/plan[1], line 8"},
		},
	}
	app := harness.Start(t, noon)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			app := app.In(t)
			feed := app.Feed(slug(name))
			feed.Sync(harness.PlanList(test.before...))
			last, before := lastChange(app), app.Rows(append(own, "quarantined_records")...)
			report := feed.Sync(harness.PlanList(test.bases...))
			outcome := event.OutcomeApplied
			if test.unchanged {
				outcome = event.OutcomeUnchanged
				same(t, "the catalog", before, app.Rows(append(own, "quarantined_records")...))
			}
			sameCounts(t, report, outcome, test.want)
			if got := harness.One[string](app, `SELECT trim_scale(max_price)::text FROM events WHERE id = $1::uuid`, paradeOf(slug(name)).String()); got != test.price {
				t.Errorf("the price is %s, want %s", got, test.price)
			}
			if diff := cmp.Diff(test.changes, changes(app, last), emptyIsNil); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			kept := harness.Query[string](app, `SELECT key || ' ' || reason || ' ' || place FROM quarantined_records WHERE run_id = $1 ORDER BY id`, report.RunID)
			if diff := cmp.Diff(test.quarantine, kept, emptyIsNil); diff != "" {
				t.Errorf("quarantine (-want +got):\n%s", diff)
			}
			// Once more, in other bytes: nothing is left to do.
			before = app.Rows(append(own, "quarantined_records")...)
			again := feed.Sync(append(harness.PlanList(test.bases...), '\n'))
			test.want.Unchanged += test.want.Added + test.want.Changed
			test.want.Added, test.want.Changed = 0, 0
			sameCounts(t, again, event.OutcomeUnchanged, test.want)
			same(t, "the catalog, the second time", before, app.Rows(append(own, "quarantined_records")...))
		})
	}
}

// TestDuplicatesFarApart: the same where many records lie between, so that they are handed over in several
// batches.
func TestDuplicatesFarApart(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	at := func(price string) harness.Base {
		return varied(func(p *harness.Plan) { p.Zones[0].Price = price })
	}
	bases := []harness.Base{at("20")}
	for i := range 1200 {
		bases = append(bases, show(fmt.Sprint("s", i), "2030-07-01T20:00:00"))
	}
	bases = append(bases, at("21"), at("22"))
	sameCounts(t, feed.Sync(harness.PlanList(bases...)), event.OutcomeApplied, event.Counts{Records: 1203, Added: 1201, Quarantined: 2})
	if got := harness.Query[string](app, `SELECT trim_scale(max_price)::text FROM events WHERE id = $1::uuid`, paradeID.String()); len(got) != 1 || got[0] != "22" {
		t.Errorf("prices %v, want 22 once", got)
	}
	if n := harness.One[int64](app, `SELECT count(*) FROM changes WHERE kind = 'ADDED' AND id BETWEEN 1 AND 1201`); n != 1201 || lastChange(app) != 1201 {
		t.Errorf("%d events were added, the last change is %d, want 1201 of both", n, lastChange(app))
	}
	// The last is what the catalog has: nothing is written, though others came before it.
	before := app.Rows(append(own, "quarantined_records")...)
	bases[0], bases[len(bases)-2] = at("23"), at("24")
	sameCounts(t, feed.Sync(harness.PlanList(bases...)), event.OutcomeUnchanged, event.Counts{Records: 1203, Unchanged: 1201, Quarantined: 2})
	same(t, "the catalog", before, app.Rows(append(own, "quarantined_records")...))
}
