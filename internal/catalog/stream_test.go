package catalog_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

// TestSearchInTextForm: a listing is the same whether PostgreSQL sends values in binary, which is read as it comes, or
// as text, as it does behind a pooler that is asked without prepared statements.
func TestSearchInTextForm(t *testing.T) {
	t.Parallel()
	pool, _ := traced(t, 1)
	insertProvider(t, pool, "acme")
	zone, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	price := func(s string) *event.Decimal {
		d, err := event.ParseDecimal(s)
		if err != nil {
			t.Fatal(err)
		}
		return &d
	}
	at := func(s string) event.Moment {
		l, err := event.ParseLocal(s)
		if err != nil {
			t.Fatal(err)
		}
		return l.At(zone)
	}
	rows := []stored{
		{start: at("2030-06-30T21:00:00"), end: at("2030-06-30T22:30:00"), low: price("0"), high: price("19.95"), title: text{text: `Trío "Sombra" \ 🎷`}},
		{start: at("2030-07-01T00:00:00"), end: at("2030-07-03T00:00:00"), allDay: true, low: price("10000"), high: price("999999999999.999999")},
		{start: at("1000-01-01T00:00:00"), low: price("0.000001"), high: price("12345678.9")},
		{start: at("9999-12-31T23:59:59")},
	}
	for i := range rows {
		rows[i].id, rows[i].provider, rows[i].zone, rows[i].currency, rows[i].listed = event.ID{byte(i + 1)}, "acme", "Europe/Madrid", "EUR", true
	}
	insert(t, pool, rows)

	listings := func(mode pgx.QueryExecMode) (found []catalog.Listing) {
		config := pool.Config()
		config.ConnConfig.DefaultQueryExecMode = mode
		other, err := pgxpool.NewWithConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		copied := func(d *event.Decimal) *event.Decimal {
			if d == nil {
				return nil
			}
			return new(*d)
		}
		err = catalog.New(other, time.Now).Search(t.Context(), catalog.Window{}, func(l catalog.Listing) error {
			l.MinPrice, l.MaxPrice = copied(l.MinPrice), copied(l.MaxPrice)
			found = append(found, l)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	binary, texts := listings(pgx.QueryExecModeCacheStatement), listings(pgx.QueryExecModeSimpleProtocol)
	if diff := cmp.Diff(texts, binary, cmp.AllowUnexported(event.Decimal{}, event.LocalDateTime{})); diff != "" || len(binary) != len(rows) {
		t.Errorf("%d of %d listings (-text +binary):\n%s", len(binary), len(rows), diff)
	}
	if got := binary[1]; got.Title != rows[0].title.text || got.MaxPrice.String() != "19.95" || got.End.String() != "2030-06-30T22:30:00" {
		t.Errorf("listed is %+v", got)
	}
}
