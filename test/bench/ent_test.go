package bench_test

import (
	"bytes"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/aledotdev/marquee/ent"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/planlist"
)

// BenchmarkEnt writes a tenth of the feed by ent's own bulk builders, series and events only, beside a first sync of
// the same feed, which writes changes too.
func BenchmarkEnt(b *testing.B) {
	const batch = 500
	app, f := start(b)
	body := feed(b, options(bigSeries/10, 0))
	f.Serve(body)
	db := stdlib.OpenDBFromPool(app.Pool)
	db.SetMaxIdleConns(0)
	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, db)))
	t := times{}
	for range 3 {
		app.Exec(`TRUNCATE events, series, changes, sync_runs, quarantined_records, leases`)
		t.take("sync", func() { outcome(b, f, event.OutcomeApplied) })
		app.Exec(`TRUNCATE events, series, changes`)
		t.take("ent", func() {
			tx, err := client.Tx(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			var series []*ent.SeriesCreate
			var events []*ent.EventCreate
			last := ""
			flush := func() {
				if err := tx.Series.CreateBulk(series...).Exec(b.Context()); err != nil {
					b.Fatal(err)
				}
				if err := tx.Event.CreateBulk(events...).Exec(b.Context()); err != nil {
					b.Fatal(err)
				}
				series, events = nil, nil
			}
			for rec, err := range planlist.Decode(bytes.NewReader(body), madrid(b)) {
				if err != nil {
					b.Fatal(err)
				}
				e := &rec.Event
				if e.Key.Series != last {
					last = e.Key.Series
					series = append(series, tx.Series.Create().SetID(uuid.UUID(e.Key.SeriesID())).SetProviderID(uuid.UUID(event.ProviderID("acme"))).
						SetExternalID(e.Key.Series).SetTitle(e.SeriesTitle))
				}
				events = append(events, create(tx, e))
				if len(events) == batch {
					flush()
				}
			}
			flush()
			if err := tx.Commit(); err != nil {
				b.Fatal(err)
			}
		})
	}
	t.report(b)
	b.ReportMetric(t.median("ent")/t.median("sync"), "ent-x-sync")
}

func create(tx *ent.Tx, e *event.Event) *ent.EventCreate {
	hash := e.Hash()
	now := time.Now()
	return tx.Event.Create().SetID(uuid.UUID(e.Key.ID())).SetProviderID(uuid.UUID(event.ProviderID("acme"))).SetSeriesID(uuid.UUID(e.Key.SeriesID())).
		SetExternalID(e.Key.Event).SetTitle(e.Title).
		SetStartsAt(e.Start.Instant).SetEndsAt(e.End.Instant).SetStartsLocal(e.Start.Local.AsUTC()).SetEndsLocal(e.End.Local.AsUTC()).
		SetTimeZone(e.Zone).SetSpanClass(e.SpanClass()).SetOnline(e.Online).SetNoSeatsLeft(e.IsSoldOut()).
		SetSaleStartsAt(e.SaleStart).SetSaleEndsAt(e.SaleEnd).SetOffers(event.AppendOffers(nil, e.Offers)).SetCurrency(e.Currency).
		SetMinPrice(e.MinPrice.String()).SetMaxPrice(e.MaxPrice.String()).SetAttributes(e.Attributes).
		SetListed(e.Online).SetContentHash(hash[:]).SetFirstSeenAt(now).SetUpdatedAt(now)
}
