package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
	"github.com/aledotdev/marquee/internal/store"
)

var noon = time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC)

func acme(slug string) event.Provider {
	return event.Provider{Slug: slug, Name: "Acme", Format: "planlist", TimeZone: "Europe/Madrid", Currency: "EUR"}
}

// write is a new or changed event, with a change of each kind.
func write(provider, id, title string, kinds ...event.ChangeKind) event.Write {
	e := event.Event{
		Key: event.Key{Provider: provider, Event: id}, Title: title, Zone: "UTC",
		Start:  event.MomentOf(noon.AddDate(0, 1, 0), time.UTC),
		Status: event.StatusScheduled, Attendance: event.AttendanceOffline, Online: true, Currency: "EUR",
	}
	w := event.Write{Event: e, ID: e.Key.ID(), Hash: e.Hash(), New: true}
	for _, k := range kinds {
		w.Changes = append(w.Changes, event.Change{Kind: k})
	}
	return w
}

// seriesOf are the series of events.
func seriesOf(writes []event.Write) (series []event.Series) {
	titles := map[string]string{}
	for _, w := range writes {
		if s := w.Event.Key.Series; s != "" && titles[s] == "" {
			titles[s] = w.Event.SeriesTitle
			series = append(series, event.Series{ID: s, Title: w.Event.SeriesTitle})
		}
	}
	return series
}

// apply makes a run that writes, and commits it or else rolls it back.
func apply(ctx context.Context, s *store.Store, p event.Provider, commit bool, writes ...event.Write) error {
	run, err := s.StartRun(ctx, p, "test", noon, true)
	if err != nil {
		return err
	}
	tx, err := s.Begin(ctx, run, noon)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if len(writes) > 0 {
		if err := tx.Write(ctx, writes); err != nil {
			return err
		}
		if err := tx.WriteSeries(ctx, seriesOf(writes)); err != nil {
			return err
		}
	}
	if !commit {
		if err := tx.Rollback(ctx); err != nil {
			return err
		}
		return s.FailRun(ctx, run, event.Result{Outcome: event.OutcomeFailed}, noon)
	}
	_, err = tx.Commit(ctx, event.Result{Snapshot: &event.Snapshot{QuarantineID: run.ID}})
	return err
}

// TestNumbers: changes are numbered without a gap in the order of commits, however many providers are
// synced at a time: for a reader of all changes up to N, all later ones have higher numbers.
func TestNumbers(t *testing.T) {
	t.Parallel()
	const providers, runs = 6, 25
	pool := pgtest.Pool(t)
	s := store.New(pool)
	ctx := t.Context()

	var writers sync.WaitGroup
	done := make(chan struct{})
	for p := range providers {
		slug := fmt.Sprint("p", p)
		writers.Go(func() {
			for r := range runs {
				var writes []event.Write
				for i := range 1 + (p+r)%4 {
					writes = append(writes, write(slug, fmt.Sprint(i), fmt.Sprint("run ", r), event.ChangeRetitled, event.ChangeDetails))
				}
				if err := apply(ctx, s, acme(slug), (p+r)%5 > 0, writes...); err != nil {
					t.Errorf("run %d of %s: %v", r, slug, err)
					return
				}
			}
		})
	}
	go func() {
		writers.Wait()
		close(done)
	}()

	var seen, version int64
	for last := false; !last; {
		select {
		case <-done:
			last = true // one more look, at all of it
		default:
		}
		seen, version = readOn(t, pool, seen, version)
	}
	var want, runsApplied int64
	for p := range providers {
		for r := range runs {
			if (p+r)%5 > 0 {
				want += 2 * int64(1+(p+r)%4)
				runsApplied++
			}
		}
	}
	if seen != want || version != runsApplied {
		t.Errorf("read %d changes and version %d, want %d and %d", seen, version, want, runsApplied)
	}
}

// readOn reads the changes above a number as a client does, in a separate statement. The first has to be the next
// number.
func readOn(t *testing.T, pool *pgxpool.Pool, after, version int64) (seen, newVersion int64) {
	t.Helper()
	rows, err := pool.Query(t.Context(), `
		SELECT c.id, k.version, k.last_change FROM catalog k LEFT JOIN changes c ON c.id > $1 ORDER BY c.id`, after)
	if err != nil {
		t.Fatal(err)
	}
	seen = after
	var id *int64
	var last int64
	if _, err := pgx.ForEachRow(rows, []any{&id, &newVersion, &last}, func() error {
		if id == nil {
			return nil
		}
		if *id != seen+1 {
			return fmt.Errorf("change %d comes after %d", *id, seen)
		}
		seen = *id
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if last != seen || newVersion < version || (newVersion == version) != (seen == after) {
		t.Fatalf("at version %d (before: %d) the last change is %d, but %d was read (before: %d)", newVersion, version, last, seen, after)
	}
	return seen, newVersion
}

// TestProvider: a provider's settings are written when they differ, and at no other time.
func TestProvider(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := store.New(pool)
	row := func() (ctid, text string) {
		t.Helper()
		err := pool.QueryRow(t.Context(), `SELECT ctid::text || xmin, concat_ws(' ', slug, name, format, time_zone, currency) FROM providers`).Scan(&ctid, &text)
		if err != nil {
			t.Fatal(err)
		}
		return ctid, text
	}
	p := acme("acme")
	for range 2 {
		if err := apply(t.Context(), s, p, true); err != nil {
			t.Fatal(err)
		}
	}
	first, text := row()
	if want := "acme Acme planlist Europe/Madrid EUR"; text != want {
		t.Errorf("the provider is %q, want %q", text, want)
	}
	if err := apply(t.Context(), s, p, true); err != nil {
		t.Fatal(err)
	}
	if again, _ := row(); again != first {
		t.Error("the provider was written again")
	}
	p.Name, p.TimeZone = "Acme Tickets", "Europe/Lisbon"
	if err := apply(t.Context(), s, p, true); err != nil {
		t.Fatal(err)
	}
	if _, text := row(); text != "acme Acme Tickets planlist Europe/Lisbon EUR" {
		t.Errorf("the changed provider is %q", text)
	}
}

// TestFindRoundTrip: events are found exactly as they were written, so that nothing is mistaken for a change.
func TestFindRoundTrip(t *testing.T) {
	t.Parallel()
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	price, low := decimal(t, "999999999999.999999"), decimal(t, "0.1")
	seats, sold, numbered := int32(1<<31-1), true, false
	local, err := event.ParseLocal("2030-10-27T02:30:00") // twice, that night
	if err != nil {
		t.Fatal(err)
	}
	full := event.Event{
		Key: event.Key{Provider: "acme", Series: "s/1", Event: `e"1`}, SeriesTitle: "Séries", Title: "Títle <&>",
		Description: "a line\nanother\ttab", URL: "https://acme.example/?a=1&b=2", ImageURL: "https://acme.example/i.png", Categories: []string{"a,b", `"`, "ñ"},
		Start: local.At(madrid), End: event.MomentOf(noon.AddDate(1, 0, 0), madrid), Zone: "Europe/Madrid",
		Status: event.StatusCancelled, Attendance: event.AttendanceMixed, Online: true, SoldOut: &sold,
		SaleStart: noon.Add(-time.Hour), SaleEnd: noon,
		Offers:   []event.Offer{{ExternalID: "1", Name: "A \u2028 <b>", Price: &price, Capacity: &seats, Numbered: &numbered}, {ExternalID: "1"}, {Price: &low}},
		Currency: "EUR", MinPrice: &low, MaxPrice: &price,
		Place: event.Place{Name: "Mill", Address: "1 Street", City: "Ávila", Country: "ES"}, Organizer: "Org",
		Attributes: []byte(`{"a":"\u003c","b":[1,2.50,null],"long key":{"x":true}}`),
	}
	allDay := write("acme", "2", "All day").Event
	allDay.AllDay = true
	allDay.End = event.MomentOf(allDay.Start.Instant.Add(48*time.Hour), time.UTC)
	early, late := write("acme", "3", "Early").Event, write("acme", "4", "Late").Event
	early.Start, late.Start = moment(t, "1000-01-02T00:00:00"), moment(t, "9999-12-30T23:59:59")

	events := []event.Event{full, write("acme", "1", "Least").Event, allDay, early, late}
	pool := pgtest.Pool(t)
	s := store.New(pool)
	var writes []event.Write
	var ids []event.ID
	for _, e := range events {
		if err := e.Validate(); err != nil {
			t.Fatalf("%s: %v", e.Key, err)
		}
		writes = append(writes, event.Write{Event: e, ID: e.Key.ID(), Hash: e.Hash(), New: true})
		ids = append(ids, e.Key.ID())
	}
	if err := apply(t.Context(), s, acme("acme"), true, writes...); err != nil {
		t.Fatal(err)
	}
	run, err := s.StartRun(t.Context(), acme("acme"), "test", noon, true)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := s.Begin(t.Context(), run, noon)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	present, err := s.Present(t.Context(), run, noon)
	if err != nil || len(present.Events) != len(events) {
		t.Fatalf("%d of %d events are present: %v", len(present.Events), len(events), err)
	}
	found, err := tx.Find(t.Context(), append(ids, event.ID{1}))
	if err != nil || len(found) != len(events) {
		t.Fatalf("%d of %d events are found: %v", len(found), len(events), err)
	}
	contents := map[event.ID]event.Hash{}
	for _, known := range present.Events {
		contents[known.ID] = known.Content
	}
	for i, e := range events {
		got := found[ids[i]]
		if got.Hash != e.Hash() || contents[ids[i]] != e.Hash() || !got.Listed || !got.RemovedAt.IsZero() {
			t.Errorf("%s: state %+v", e.Key, got)
		}
		if d := event.Diff(&got.Event, &e); len(d) > 0 {
			t.Errorf("%s: found with differences %+v", e.Key, d)
		}
		if rehashed := got.Event.Hash(); rehashed != e.Hash() {
			t.Errorf("%s: what is found hashes to something else:\n%s", e.Key, cmp.Diff(e, got.Event, cmp.AllowUnexported(event.Decimal{}, event.LocalDateTime{})))
		}
	}
}

func decimal(t *testing.T, s string) event.Decimal {
	t.Helper()
	d, err := event.ParseDecimal(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func moment(t *testing.T, s string) event.Moment {
	t.Helper()
	local, err := event.ParseLocal(s)
	if err != nil {
		t.Fatal(err)
	}
	return local.At(time.UTC)
}

// TestRollback: a run that is rolled back leaves nothing, not even a temporary table for the next one on
// its connection; and rolling back what is committed does nothing.
func TestRollback(t *testing.T) {
	t.Parallel()
	config := pgtest.Pool(t).Config()
	config.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := store.New(pool)
	for i, commit := range []bool{false, false, true, false, true} {
		title := fmt.Sprint("title ", i)
		if err := apply(t.Context(), s, acme("acme"), commit, write("acme", "1", title, event.ChangeAdded)); err != nil {
			t.Fatalf("run %d: %v", i, err)
		}
		var titles, tables int
		err := pool.QueryRow(t.Context(), `
			SELECT (SELECT count(*) FROM events WHERE title = $1), (SELECT count(*) FROM pg_class WHERE relpersistence = 't')`, title).Scan(&titles, &tables)
		if err != nil || (titles == 1) != commit || tables != 0 {
			t.Errorf("run %d: %d events have its title, %d temporary tables are left: %v", i, titles, tables, err)
		}
	}
}

// TestEnded: once a run has ended, or has lost its lease, nothing more is applied in its name.
func TestEnded(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := store.New(pool)
	run, err := s.StartRun(t.Context(), acme("acme"), "test", noon, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.FailRun(t.Context(), run, event.Result{Outcome: event.OutcomeFailed, ErrorCode: "TIMEOUT"}, noon); err != nil {
		t.Fatal(err)
	}
	tx, err := s.Begin(t.Context(), run, noon)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if err := tx.Write(t.Context(), []event.Write{write("acme", "1", "Late", event.ChangeAdded)}); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(t.Context(), event.Result{Snapshot: &event.Snapshot{QuarantineID: run.ID}}); !errors.Is(err, event.ErrSuperseded) {
		t.Errorf("error %v, want %v", err, event.ErrSuperseded)
	}
	_ = tx.Rollback(t.Context())
	// If a sign of life comes after the run's own end, no other run has taken the lease.
	if err := s.Beat(t.Context(), run); err != nil {
		t.Errorf("a sign of life after the end: %v", err)
	}
	// Recording its end a second time changes nothing.
	if err := s.FailRun(t.Context(), run, event.Result{Outcome: event.OutcomeFailed, ErrorCode: "OTHER"}, noon); err != nil {
		t.Fatal(err)
	}
	var code string
	var events int
	if err := pool.QueryRow(t.Context(), `SELECT error_code, (SELECT count(*) FROM events) FROM sync_runs`).Scan(&code, &events); err != nil || code != "TIMEOUT" || events != 0 {
		t.Errorf("the run says %q, there are %d events: %v", code, events, err)
	}
	if _, err := s.StartRun(t.Context(), acme("acme"), "another", noon, true); err != nil {
		t.Fatal(err)
	}
	if err := s.Beat(t.Context(), run); !errors.Is(err, event.ErrSuperseded) {
		t.Errorf("a sign of life when another run has the lease: %v, want %v", err, event.ErrSuperseded)
	}
}

// TestLockOrder: a run that records its failure doesn't lock its record before its lease. Whoever takes the lease over locks the lease
// first, so the two would wait for each other.
func TestLockOrder(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := store.New(pool)
	run, err := s.StartRun(t.Context(), acme("acme"), "test", noon, true)
	if err != nil {
		t.Fatal(err)
	}
	other, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback(context.Background()) }()
	if _, err := other.Exec(t.Context(), `SELECT FROM leases FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		failed <- s.FailRun(t.Context(), run, event.Result{Outcome: event.OutcomeFailed}, noon)
	}()
	awaitLock(t, pool)
	if _, err := other.Exec(t.Context(), `SELECT FROM sync_runs FOR UPDATE NOWAIT`); err != nil {
		t.Errorf("the run's record is locked while its lease is waited for: %v", err)
	}
	if err := other.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Error(err)
	}
}

// awaitLock returns when somebody waits for a lock.
func awaitLock(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for waits := false; !waits; {
		err := pool.QueryRow(t.Context(), `
			SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&waits)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestPrune: old changes and runs are deleted, except for the removal of an event that is still removed, and the runs that the
// next sync refers to.
func TestPrune(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := store.New(pool)
	apply := func(at time.Time, left []event.ID, writes ...event.Write) event.Run {
		t.Helper()
		run, err := s.StartRun(t.Context(), acme("acme"), "test", at, true)
		if err != nil {
			t.Fatal(err)
		}
		tx, err := s.Begin(t.Context(), run, at)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback(context.Background()) }()
		if len(writes) > 0 {
			if err := tx.Write(t.Context(), writes); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := tx.Leave(t.Context(), left); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Commit(t.Context(), event.Result{Snapshot: &event.Snapshot{QuarantineID: run.ID}}); err != nil {
			t.Fatal(err)
		}
		return run
	}
	gone := write("acme", "1", "Gone", event.ChangeAdded)
	apply(noon, nil, gone, write("acme", "2", "Stays", event.ChangeAdded))
	apply(noon.Add(time.Hour), []event.ID{gone.ID})
	last := apply(noon.Add(2*time.Hour), nil)

	deleted, err := s.Prune(t.Context(), noon.Add(24*time.Hour))
	if err != nil || deleted != 4 { // two ADDED, two runs
		t.Errorf("%d rows deleted, want 4: %v", deleted, err)
	}
	var kinds, runs string
	var pruned int64
	if err := pool.QueryRow(t.Context(), `SELECT (SELECT string_agg(kind, ' ') FROM changes), (SELECT string_agg(id::text, ' ') FROM sync_runs), pruned_change FROM catalog`).
		Scan(&kinds, &runs, &pruned); err != nil || kinds != "REMOVED" || runs != fmt.Sprint(last.ID) || pruned != 2 {
		t.Errorf("changes %q, runs %q, pruned to %d: %v", kinds, runs, pruned, err)
	}
	if deleted, err := s.Prune(t.Context(), noon.Add(24*time.Hour)); err != nil || deleted != 0 {
		t.Errorf("%d rows deleted the second time: %v", deleted, err)
	}
}

// TestPruneMuch: what is old is deleted however much it is, and not a batch at each call.
func TestPruneMuch(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := store.New(pool)
	if err := apply(t.Context(), s, acme("acme"), true, write("acme", "1", "Talk", event.ChangeAdded)); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO changes (id, event_id, provider_id, run_id, at, kind, fields)
		SELECT id + n, event_id, provider_id, run_id, at, kind, fields FROM changes, generate_series(1, 25000) AS n`); err != nil {
		t.Fatal(err)
	}
	if deleted, err := s.Prune(t.Context(), noon.Add(time.Hour)); err != nil || deleted != 25_001 {
		t.Errorf("%d rows deleted: %v", deleted, err)
	}
}

// explosive is a value that can't be written.
type explosive struct{}

// MarshalJSON implements json.Marshaler.
func (explosive) MarshalJSON() ([]byte, error) { panic("a bug") }

// TestPanicWhileWriting: a bug that shows in the goroutine which writes costs that run, and not the program.
func TestPanicWhileWriting(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	w := write("acme", "1", "Talk")
	w.Changes = []event.Change{{Kind: event.ChangeDetails, Fields: []event.FieldChange{{Field: "url", After: explosive{}}}}}
	if err := apply(t.Context(), store.New(pool), acme("acme"), true, w); err == nil {
		t.Error("it was applied")
	}
}

// TestPruneLocks: while old runs are deleted, which may take long, other runs can commit.
func TestPruneLocks(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := store.New(pool)
	for i := range 2 {
		if err := apply(t.Context(), s, acme("acme"), true, write("acme", "1", fmt.Sprint(i), event.ChangeRetitled)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := pool.Exec(t.Context(), `INSERT INTO quarantined_records (run_id, reason, message, place, excerpt) SELECT min(id), '', '', '', '' FROM sync_runs`); err != nil {
		t.Fatal(err)
	}
	other, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback(context.Background()) }()
	if _, err := other.Exec(t.Context(), `SELECT FROM quarantined_records FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	type result struct {
		deleted int64
		err     error
	}
	pruned := make(chan result, 1)
	go func() {
		deleted, err := s.Prune(t.Context(), noon.Add(time.Hour))
		pruned <- result{deleted, err}
	}()
	awaitLock(t, pool)
	if _, err := pool.Exec(t.Context(), `SELECT FROM catalog WHERE id = 1 FOR UPDATE NOWAIT`); err != nil {
		t.Errorf("the catalog is locked while old runs are deleted: %v", err)
	}
	if err := other.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := <-pruned; r.err != nil || r.deleted != 3 { // two changes, one run
		t.Errorf("%d rows deleted, want 3: %v", r.deleted, r.err)
	}
}
