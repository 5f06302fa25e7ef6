package syncer_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
	"github.com/aledotdev/marquee/test/harness"
)

// said is one record of a generated snapshot.
type said struct {
	series, id string
	start      time.Time
	price      string // exact, in its shortest form; "bad" makes the record unusable
	capacity   int
	soldOut    bool
	online     bool
}

func (s said) key() string { return s.series + "/" + s.id }

func (s said) base(title string) harness.Base {
	mode := "offline"
	if s.online {
		mode = "online"
	}
	return harness.Base{ID: s.series, Title: title, Mode: mode, Plans: []harness.Plan{{
		ID: s.id, Start: s.start.Format(event.LocalLayout), SoldOut: fmt.Sprint(s.soldOut),
		Zones: []harness.Zone{{ID: "1", Price: s.price, Capacity: fmt.Sprint(s.capacity)}},
	}}}
}

// model is the catalog as the rules of design.md have it, for one provider and without any cleverness.
type model struct {
	events      map[string]*stored
	seriesTitle map[string]string
	version     int64
	lastChange  int64
	lastRun     time.Time // start of the latest run whose snapshot holds
	changes     []string
}

// stored is one event of the model.
type stored struct {
	said
	title          string
	listed         bool
	first, updated time.Time
	last, removed  time.Time // zero for none
}

// row is what is compared, of the model and of the catalog.
type row struct {
	Key, Title, Start, Price      string
	Capacity                      int
	Online, SoldOut, Listed       bool
	First, Updated, Last, Removed string
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func (m *model) rows() []row {
	rows := []row{}
	for _, e := range m.events {
		rows = append(rows, row{
			e.key(), e.title, when(e.start), e.price, e.capacity, e.online, e.soldOut, e.listed,
			when(e.first), when(e.updated), when(e.last), when(e.removed),
		})
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.Key, b.Key) })
	return rows
}

// sync plays a snapshot; it returns what the run should report.
func (m *model) sync(records []said, title string, now time.Time) (event.Outcome, event.Counts) {
	counts := event.Counts{Records: len(records)}
	final, broken := map[string]said{}, map[string]bool{}
	var order []string // of the keys, by the record that counts
	for _, r := range records {
		if r.price == "bad" {
			counts.Quarantined++
			broken[r.key()] = true
			continue
		}
		before, twice := final[r.key()]
		switch {
		case twice && before == r:
			continue
		case twice:
			counts.Quarantined++
			order = slices.DeleteFunc(order, func(k string) bool { return k == r.key() })
		}
		final[r.key()] = r
		order = append(order, r.key())
	}
	var gone []string
	removed, upcoming := 0, 0
	for key, e := range m.events {
		if !e.last.IsZero() {
			continue
		}
		if e.start.After(now) {
			upcoming++
		}
		if _, there := final[key]; !there && !broken[key] {
			gone = append(gone, key)
			if e.start.After(now) {
				removed++
			}
		}
	}
	counts.Removed = removed
	// Every good record that did nothing counts as unchanged.
	counts.Unchanged = counts.Records - counts.Quarantined
	next := map[string]*stored{}
	var changes []string
	touched := len(gone) > 0
	for _, key := range order {
		r := final[key]
		before := m.events[key]
		after := &stored{said: r, title: title, listed: r.online, first: now, updated: now}
		var kinds []event.ChangeKind
		if before == nil {
			kinds = append(kinds, event.ChangeAdded)
			counts.Added++
		} else {
			differs := before.title != title || before.said != r
			returned := !before.removed.IsZero()
			after.listed = before.listed || r.online
			after.first = before.first
			if !differs && !returned {
				after.updated = before.updated
			}
			if returned {
				kinds = append(kinds, event.ChangeReturned)
				counts.Returned++
			}
			if after.listed && !before.listed {
				kinds = append(kinds, event.ChangeAdded)
			}
			if differs {
				kinds = append(kinds, m.kinds(before, after)...)
				counts.Changed++
			}
			touched = touched || differs || !before.last.IsZero()
		}
		touched = touched || before == nil
		if len(kinds) > 0 {
			counts.Unchanged--
		}
		for _, k := range kinds {
			changes = append(changes, string(k)+" "+key)
		}
		next[key] = after
	}
	if reason := event.DefaultBrake().Check(counts, upcoming); reason != "" {
		return event.OutcomeHeld, counts
	}
	for key, e := range next {
		m.events[key] = e
		m.seriesTitle[e.series] = title
	}
	var left []string
	for _, key := range gone {
		e := m.events[key]
		e.last = m.lastRun
		if e.start.After(now) {
			e.removed, e.updated = now, now
			left = append(left, string(event.ChangeRemoved)+" "+key)
		}
	}
	slices.Sort(left) // the catalog's order is that of the UUIDs, which means nothing
	m.lastRun = now
	m.changes = slices.Concat(changes, left)
	m.lastChange += int64(len(m.changes))
	if !touched {
		return event.OutcomeUnchanged, counts
	}
	m.version++
	return event.OutcomeApplied, counts
}

func (m *model) kinds(before, after *stored) (kinds []event.ChangeKind) {
	add := func(kind event.ChangeKind, differs bool) {
		if differs {
			kinds = append(kinds, kind)
		}
	}
	add(event.ChangeRetitled, before.title != after.title)
	add(event.ChangeRescheduled, !before.start.Equal(after.start))
	add(event.ChangePrice, before.price != after.price)
	add(event.ChangeSoldOut, !before.soldOut && after.soldOut)
	add(event.ChangeBackOnSale, before.soldOut && !after.soldOut)
	add(event.ChangeDetails, m.seriesTitle[after.series] != after.title || before.online != after.online ||
		before.price != after.price || before.capacity != after.capacity)
	return kinds
}

// snapshots draws the records of the next one, in any order, and now and then twice.
func snapshots(t *rapid.T) (records []said) {
	for _, key := range []said{{series: "s1", id: "1"}, {series: "s1", id: "2"}, {series: "s2", id: "1"}, {series: "s2", id: "s2"}, {series: "s3", id: "9"}} {
		one := func() said {
			r := key
			r.start = noon.AddDate(0, 0, rapid.IntRange(-1, 3).Draw(t, "day")).Add(8 * time.Hour)
			r.price = rapid.SampledFrom([]string{"0", "10", "10.5", "10", "bad"}).Draw(t, "price")
			r.capacity = rapid.IntRange(0, 1).Draw(t, "capacity")
			r.soldOut = rapid.Bool().Draw(t, "soldOut")
			r.online = rapid.Bool().Draw(t, "online")
			return r
		}
		switch rapid.IntRange(0, 5).Draw(t, key.key()) {
		case 0: // absent
		case 1:
			r := one()
			records = append(records, r, r)
		case 2:
			records = append(records, one(), one())
		default:
			records = append(records, one())
		}
	}
	return rapid.Permutation(records).Draw(t, "order")
}

// TestModel: whatever providers publish, the catalog is what the model says; and the same snapshot again
// does nothing.
func TestModel(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme", func(c *provider.Config) { c.TimeZone = "UTC" })
	steps := 6
	if testing.Short() {
		steps = 3
	}
	rapid.Check(t, func(rt *rapid.T) {
		empty(rt, app)
		m := &model{events: map[string]*stored{}, seriesTitle: map[string]string{}}
		now := noon
		var records []said
		for step := range rapid.IntRange(1, steps).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(1, 30).Draw(rt, "hours")) * time.Hour)
			app.Clock.Set(now)
			// A step mostly changes some records of the one before.
			fresh := snapshots(rt)
			for i := range fresh {
				j := slices.IndexFunc(records, func(r said) bool { return r.key() == fresh[i].key() })
				if j >= 0 && rapid.IntRange(0, 2).Draw(rt, "keep") > 0 {
					fresh[i] = records[j]
				}
			}
			records = fresh
			// No title comes back: a series follows the events that are written, so that one is not seen to be
			// called as once before by a record that is as known.
			title := fmt.Sprint("Title ", step/3)
			body := feedOf(records, title)
			outcome := agree(rt, app, m, feed, body, records, title, now)

			if outcome == event.OutcomeHeld {
				continue
			}
			now = now.Add(time.Hour)
			app.Clock.Set(now)
			before := app.Rows(append(own, "quarantined_records")...)
			if rapid.Bool().Draw(rt, "other bytes") {
				body = append(body, '\n')
			}
			// It may come so late that something has begun in between, which changes nothing either.
			feed.Serve(body)
			report, err := feed.Try()
			if err != nil || report.Result.Outcome != event.OutcomeUnchanged {
				rt.Fatalf("the same again: %+v, %v", report.Result, err)
			}
			m.lastRun = now
			if diff := cmp.Diff(before, app.Rows(append(own, "quarantined_records")...)); diff != "" {
				rt.Fatalf("the same again wrote (-before +after):\n%s", diff)
			}
		}
	})
}

func feedOf(records []said, title string) []byte {
	var bases []harness.Base
	for _, r := range records {
		bases = append(bases, r.base(title))
	}
	return harness.PlanList(bases...)
}

// agree syncs and compares the catalog with the model.
func agree(t *rapid.T, app *harness.App, m *model, feed *harness.Feed, body []byte, records []said, title string, now time.Time) event.Outcome {
	last := m.lastChange
	m.changes = nil
	shown := shownOf(app)
	outcome, counts := m.sync(records, title, now)
	feed.Serve(body)
	report, err := feed.Try()
	if err != nil && !errors.Is(err, event.ErrHeld) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(outcome, report.Result.Outcome); diff != "" {
		t.Fatalf("outcome (-model +run):\n%s\n%s\n%s", diff, report.Result.Error, body)
	}
	if diff := cmp.Diff(counts, report.Result.Counts); diff != "" {
		t.Fatalf("counts (-model +run):\n%s\n%s", diff, body)
	}
	if diff := cmp.Diff(m.rows(), rowsOf(app)); diff != "" {
		t.Fatalf("events (-model +catalog):\n%s\n%s", diff, body)
	}
	made := changes(app, last)
	// Those of removed events come last, in the order of their UUIDs.
	at := len(made)
	for at > 0 && strings.HasPrefix(made[at-1], string(event.ChangeRemoved)) {
		at--
	}
	slices.Sort(made[at:])
	if diff := cmp.Diff(m.changes, made, emptyIsNil); diff != "" {
		t.Fatalf("changes (-model +catalog):\n%s\n%s", diff, body)
	}
	for key, is := range shownOf(app) {
		if is != shown[key] && !slices.ContainsFunc(made, func(change string) bool { return strings.HasSuffix(change, " "+key) }) {
			t.Fatalf("%s is another without a change: %s, and was %s", key, is, shown[key])
		}
	}
	if version(app) != m.version || lastChange(app) != m.lastChange {
		t.Fatalf("version %d, last change %d; the model has %d, %d", version(app), lastChange(app), m.version, m.lastChange)
	}
	return outcome
}

// shownOf is all that the API shows of each event, but for when it was last seen, which may change without a change.
func shownOf(app *harness.App) map[string]string {
	shown := map[string]string{}
	for _, r := range harness.Query[string](app, `
		SELECT s.external_id || '/' || e.external_id || ' ' || (to_jsonb(e) - 'last_seen_at' - 'content_hash' - 'record_hash')
		FROM events e JOIN series s ON s.id = e.series_id`) {
		key, row, _ := strings.Cut(r, " ")
		shown[key] = row
	}
	return shown
}

func rowsOf(app *harness.App) []row {
	app.TB.Helper()
	const form = `'YYYY-MM-DD"T"HH24:MI:SS"Z"'`
	sql := strings.ReplaceAll(`
		SELECT s.external_id || '/' || e.external_id, e.title, to_char(starts_local, FORM), trim_scale(min_price)::text,
			(offers -> 0 ->> 'capacity')::int, online, no_seats_left, listed,
			to_char(first_seen_at AT TIME ZONE 'UTC', FORM), to_char(updated_at AT TIME ZONE 'UTC', FORM),
			coalesce(to_char(last_seen_at AT TIME ZONE 'UTC', FORM), ''), coalesce(to_char(removed_at AT TIME ZONE 'UTC', FORM), '')
		FROM events e JOIN series s ON s.id = e.series_id ORDER BY 1`, "FORM", form)
	found, err := app.Pool.Query(app.TB.Context(), sql)
	if err != nil {
		app.TB.Fatal(err)
	}
	rows, err := pgx.CollectRows(found, pgx.RowToStructByPos[row])
	if err != nil {
		app.TB.Fatal(err)
	}
	return rows
}

// empty clears the catalog for the next sequence.
func empty(t *rapid.T, app *harness.App) {
	_, err := app.Pool.Exec(app.TB.Context(), `
		TRUNCATE changes, events, series, quarantined_records, sync_runs, leases, held_snapshots, providers;
		UPDATE catalog SET version = 0, last_change = 0`)
	if err != nil {
		t.Fatal(err)
	}
}
