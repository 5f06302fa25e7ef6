package bench_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/test/harness"
)

// BenchmarkFirst syncs the big feed into an empty catalog, beside a COPY of the very rows that this made, in PostgreSQL's
// own binary form, into the same empty tables with their indexes and keys: what no sync can do without.
func BenchmarkFirst(b *testing.B) {
	app, f := start(b)
	f.Serve(big(b))
	t := times{}
	var written, floor int64
	for range 3 {
		app.Exec(`TRUNCATE events, series, changes, sync_runs, quarantined_records, leases`)
		t.take("read+hash", func() { fetch(b, f) })
		written = wal(app, func() { t.take("sync", func() { outcome(b, f, event.OutcomeApplied) }) })
		tables := copyOut(b, app)
		app.Exec(`TRUNCATE events, series, changes`)
		floor = wal(app, func() { t.take("COPY", func() { copyIn(b, app, tables) }) })
	}
	t.report(b)
	b.ReportMetric(t.median("sync")/t.median("COPY"), "x-COPY")
	b.ReportMetric((t.median("sync")-t.median("read+hash"))/t.median("COPY"), "x-COPY-without-reading")
	b.ReportMetric(float64(written)/1e6, "wal-MB")
	b.ReportMetric(float64(floor)/1e6, "COPY-wal-MB")
}

// finalTables in an order that their keys allow.
func finalTables() []string { return []string{"series", "events", "changes"} }

func copyOut(b *testing.B, app *harness.App) [][]byte {
	b.Helper()
	var tables [][]byte
	for _, table := range finalTables() {
		var rows bytes.Buffer
		connection, err := app.Pool.Acquire(b.Context())
		if err == nil {
			_, err = connection.Conn().PgConn().CopyTo(b.Context(), &rows, `COPY `+table+` TO STDOUT (FORMAT binary)`)
			connection.Release()
		}
		if err != nil {
			b.Fatal(err)
		}
		tables = append(tables, rows.Bytes())
	}
	return tables
}

func copyIn(b *testing.B, app *harness.App, tables [][]byte) {
	b.Helper()
	err := pgx.BeginFunc(context.Background(), app.Pool, func(tx pgx.Tx) error {
		for i, table := range finalTables() {
			if _, err := tx.Conn().PgConn().CopyFrom(b.Context(), bytes.NewReader(tables[i]), `COPY `+table+` FROM STDIN (FORMAT binary)`); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
