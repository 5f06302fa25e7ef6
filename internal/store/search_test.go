package store_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/ent/migrate"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
	"github.com/aledotdev/marquee/internal/store"
)

// TestSearchTerms: the terms of an event change with its texts. In a catalog that had no search yet, the migration gives
// events the same terms as the writer does.
func TestSearchTerms(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := store.New(pool)
	var writes []event.Write
	for i, title := range []string{
		"Trío «Sombra» 🎷", "L'Été à Łódź", "Straße, Smørrebrød & Ægir; œuvre 2", "İSTANBUL ıstanbul ὈΔΥΣΣΕΎΣ", "Жёлтый МОЙ", "🎷", "東京ジャズ２０２１", "ﬁnale",
		strings.Repeat("Ñandú ", 50), strings.Repeat("東京 ", 50),
	} {
		w := write("acme", fmt.Sprint(i), title)
		w.Event.Description = "Sé el primero: <b>now</b>. " + title
		w.Event.Categories = []string{"Música en vivo", "R&B", "it's", `back\slash`, "Música en vivo"}
		w.Event.Place = event.Place{City: "L'Hospitalet", Country: "ES"}
		if i == 0 {
			w.Event.Key.Series, w.Event.SeriesTitle = "s", "Ciclo de Otoño"
			w.ID = w.Event.Key.ID()
		}
		w.Hash = w.Event.Hash()
		writes = append(writes, w)
	}
	if err := apply(t.Context(), s, acme("acme"), true, writes...); err != nil {
		t.Fatal(err)
	}
	type found struct{ Title, Key, Search string }
	read := func() []found {
		rows, err := pool.Query(t.Context(), `SELECT title, title_key, search::text FROM events ORDER BY external_id`)
		if err != nil {
			t.Fatal(err)
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[found])
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	byWriter := read()
	const want = `'#Música en vivo' '#R&B' '#back\\slash' '#it''s' '%ES' '@L''Hospitalet' '^sombra' '^trio' 'b' 'ciclo' 'de' 'el' 'now' 'otono' 'primero' 'se' 'sombra' 'trio'`
	if byWriter[0].Search != want || byWriter[0].Key != "trio sombra" {
		t.Errorf("got %q, %s", byWriter[0].Key, byWriter[0].Search)
	}

	text, err := fs.ReadFile(migrate.Files(), "20261126160026_titles_and_text.sql")
	if err != nil {
		t.Fatal(err)
	}
	_, fill, _ := strings.Cut(string(text), "-- +goose StatementBegin")
	fill, _, _ = strings.Cut(fill, "-- +goose StatementEnd")
	if _, err := pool.Exec(t.Context(), `UPDATE events SET title_key = '', search = ''`); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), fill); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(byWriter, read()); diff != "" {
		t.Errorf("by the migration, the terms are others: -writer +migration\n%s", diff)
	}

	// A change of text changes them.
	again := write("acme", "5", "Trompeta", event.ChangeKind("UPDATED"))
	again.New = false
	if err := apply(t.Context(), s, acme("acme"), true, again); err != nil {
		t.Fatal(err)
	}
	if got := read()[5]; got.Key != "trompeta" || got.Search != "'^trompeta' 'trompeta'" {
		t.Errorf("after a change: %+v", got)
	}
}
