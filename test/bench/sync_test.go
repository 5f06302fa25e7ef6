package bench_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/planlist"
	"github.com/aledotdev/marquee/test/harness"
)

// BenchmarkUnchanged syncs a snapshot of the same bytes, and one of other bytes with the same records, beside reading
// and hashing those bytes from the same server.
func BenchmarkUnchanged(b *testing.B) {
	app, f := start(b)
	body := big(b)
	f.Sync(body)
	vacuum(app)
	t := times{}
	var same, touched int64
	for i := range 5 {
		t.take("read+hash", func() { fetch(b, f) })
		same = max(same, wal(app, func() {
			t.take("same-bytes", func() { outcome(b, f, event.OutcomeUnchanged) })
		}))
		f.Serve(bytes.Replace(body, []byte(">\n"), fmt.Appendf(nil, ">\n<!-- made at %s -->\n", time.Unix(int64(i), 0)), 1))
		touched = max(touched, wal(app, func() {
			t.take("same-records", func() { outcome(b, f, event.OutcomeUnchanged) })
		}))
	}
	t.report(b)
	b.ReportMetric(t.median("same-bytes")/t.median("read+hash"), "same-bytes-x-read+hash")
	b.ReportMetric(t.median("same-records")/t.median("read+hash"), "same-records-x-read+hash")
	b.ReportMetric(float64(same)/1e3, "same-bytes-wal-kB")
	b.ReportMetric(float64(touched)/1e3, "same-records-wal-kB")
}

// BenchmarkChanged syncs snapshots that differ from the last in 1 % of the records. What it may take is the reading, a
// tenth of a full decode and the write of the rows that differ.
func BenchmarkChanged(b *testing.B) {
	app, f := start(b)
	f.Sync(big(b))
	vacuum(app)
	t := times{}
	var most float64
	const rounds = 5
	for step := 1; step <= rounds; step++ {
		body := feed(b, options(bigSeries, step))
		f.Serve(body)
		t.take("read+hash", func() { fetch(b, f) })
		t.take("decode", func() {
			for _, err := range planlist.Decode(bytes.NewReader(body), madrid(b)) {
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		before := harness.One[time.Time](app, `SELECT coalesce(max(updated_at), '-infinity') FROM events`)
		app.Clock.Set(before.Add(time.Hour))
		written := wal(app, func() { t.take("sync", func() { outcome(b, f, event.OutcomeApplied) }) })
		rows := harness.One[int64](app, `
			SELECT (SELECT sum(pg_column_size(e)) FROM events e WHERE updated_at > $1)
				+ (SELECT sum(pg_column_size(c)) FROM changes c WHERE at > $1)`, before)
		most = max(most, float64(written)/float64(rows))
		t.take("write", func() { rewrite(b, app, before) })
	}
	t.report(b)
	b.ReportMetric((t.median("sync")-t.median("read+hash")-t.median("write"))/t.median("decode"), "x-decode")
	b.ReportMetric(most, "wal-x-rows")
}

// vacuum brings the events to where autovacuum has them a while after a sync. One that comes too early, while an ANALYZE of the server's own
// looks on, does nothing.
func vacuum(app *harness.App) {
	for harness.One[bool](app, `SELECT relallvisible < relpages OR relpages = 0 FROM pg_class WHERE relname = 'events'`) {
		app.Exec(`VACUUM ANALYZE events`)
	}
}

// rewrite writes the events changed last once more, in one statement, and their changes: what a writer that knew them would have to do.
func rewrite(b *testing.B, app *harness.App, since time.Time) {
	b.Helper()
	app.Exec(`WITH again AS (UPDATE events SET updated_at = updated_at, offers = offers WHERE updated_at > $1 RETURNING id, provider_id)
		INSERT INTO changes (id, event_id, provider_id, run_id, at, kind, fields)
		SELECT 1000000000 + (SELECT count(*) FROM changes) + row_number() OVER (), id, provider_id, 1, $1, 'X', '[]' FROM again`, since)
	app.Exec(`DELETE FROM changes WHERE kind = 'X'`)
}

func fetch(b *testing.B, f *harness.Feed) {
	b.Helper()
	fetched, err := f.Source.Fetch(b.Context(), nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer fetched.Close()
	body, err := fetched.Open()
	if err == nil {
		_, err = io.Copy(io.Discard, body)
	}
	if err != nil {
		b.Fatal(err)
	}
}

func outcome(b *testing.B, f *harness.Feed, want event.Outcome) {
	b.Helper()
	report, err := f.Try()
	if err != nil || report.Result.Outcome != want {
		b.Fatalf("%s, want %s: %v", report.Result.Outcome, want, err)
	}
}
