package graph_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aledotdev/marquee/internal/event"
)

// crowd adds events of many series and two providers.
func crowd(a *api, n int) {
	a.t.Helper()
	for i := range n {
		series := event.Key{Provider: "acme", Series: fmt.Sprint("s", i)}.SeriesID()
		a.exec(`INSERT INTO series (id, external_id, title, provider_id) VALUES ($1, $2, $2, $3)`, [16]byte(series), fmt.Sprint("s", i), [16]byte(acme))
		add(a, event.Key{Provider: "acme", Event: fmt.Sprint("crowd", i)}.ID(), values{"series_id": [16]byte(series)})
	}
	a.sent.take()
}

// TestStatements counts what a query costs the database: one statement a page, nested objects included, and
// one more for each kind of nested object that the page is not written with, whatever the page holds.
func TestStatements(t *testing.T) {
	t.Parallel()
	a := start(t, 8)
	fixture(a)
	crowd(a, 60)
	const plain = "id title startsAt endsAt startsLocal endsLocal timeZone status availability minPrice { amount currency } place { city } organizer"
	for _, test := range []struct {
		name, query string
		want        int
	}{
		{"plain fields", "{ events(first: %d) { nodes { " + plain + " } pageInfo { hasNextPage endCursor } } }", 1},
		{"edges", "{ events(first: %d) { edges { cursor node { " + plain + " } } } }", 1},
		{"edges and nodes", "{ events(first: %d) { edges { cursor node { id } } nodes { title } } }", 1},
		{"costly columns", "{ events(first: %d) { nodes { offers { name price { amount } } description attributes lastSeenAt } } }", 1},
		{"a window", `{ events(first: %d, window: {from: "2021-06-30", to: "2021-07-30"}) { nodes { id lastSeenAt } } }`, 1},
		{"total", "{ events(first: %d) { totalCount nodes { id } } }", 2},
		{"only the total", "{ events(first: %d) { totalCount } }", 2},
		{"series", "{ events(first: %d) { nodes { series { title } } } }", 1},
		{"providers", "{ events(first: %d) { nodes { provider { name } } } }", 1},
		{"both", "{ events(first: %d) { nodes { series { title } provider { name } } edges { node { series { title } } } } }", 1},
		{"a series' provider", "{ events(first: %d) { nodes { series { title provider { name } } provider { slug } } } }", 4},
		{"histories", "{ events(first: %d) { nodes { history { nodes { kind } } } } }", 2},
		{"histories of two kinds", "{ events(first: %d) { nodes { history(first: 1) { nodes { kind } } all: history { nodes { kind } } } } }", 3},
		{"changes", "{ changes(first: %d) { latestCursor nodes { kind fields { name before } } } }", 1},
		{"changes in a window", `{ changes(first: %d, where: {window: {from: "2021-06-30"}}) { nodes { transition } } }`, 1},
		{"changed events", "{ changes(first: %d) { nodes { event { title } } edges { node { event { id } } } } }", 2},
		{"changed events' series", "{ changes(first: %d) { nodes { event { series { title } } } } }", 3},
		{"series' events", "{ events(first: %d) { nodes { series { events(first: 2) { nodes { title } } } } } }", 3},
		{"providers' runs", "{ events(first: %d) { nodes { provider { runs(first: 2) { nodes { outcome } } } } } }", 3},
		{"runs of two kinds", "{ events(first: %d) { nodes { provider { runs(first: 2) { nodes { outcome } } all: runs { edges { cursor } } } } } }", 4},
		{"providers' syncs", "{ events(first: %d) { nodes { provider { lastSyncedAt } } } }", 3},
		{"two lists", "{ a: events(first: %d) { nodes { id } } b: events(last: 3) { nodes { series { id } } } }", 2},
	} {
		for _, size := range []int{1, 3, 60} {
			a.sent.take()
			a.data(strings.Replace(test.query, "%d", fmt.Sprint(size), 1), "")
			if sent := a.sent.take(); len(sent) != test.want {
				t.Errorf("%s, %d events: %d statements, want %d:\n%s", test.name, size, len(sent), test.want, strings.Join(sent, "\n"))
			}
		}
	}
	for query, want := range map[string]int{
		`{ event(id: "` + concert.String() + `") { title offers { name } series { title } provider { name } } }`: 3,
		`{ providers { slug } }`:              1,
		`{ providers { slug lastSyncedAt } }`: 2,
		`{ providers { slug runs(first: 5) { nodes { outcome quarantine(first: 3) { reason } } } } }`: 3,
		`{ nodes(ids: ["` + concert.String() + `", "` + festival.String() + `"]) { id } }`:            1,
		`{ nodes(ids: ["` + concert.String() + `", "` + jazz.String() + `"]) { id } }`:                2,
		`{ nodes(ids: ["` + acme.String() + `", "` + jazz.String() + `"]) { id } }`:                   3,
		`{ __schema { types { name } } }`:                                                             0,
		`{ series(id: "` + jazz.String() + `") { provider { slug } events { nodes { title } } } }`:    3,
	} {
		a.sent.take()
		a.data(query, "")
		if sent := a.sent.take(); len(sent) != want {
			t.Errorf("%s: %d statements, want %d:\n%s", query, len(sent), want, strings.Join(sent, "\n"))
		}
	}
}

// TestCostlyColumns are read only when selected, under any alias and in any fragment.
func TestCostlyColumns(t *testing.T) {
	t.Parallel()
	a := start(t, 2)
	fixture(a)
	for query, want := range map[string]bool{
		"{ events { nodes { id } } }":                          false,
		"{ events { nodes { offers { name } } } }":             true,
		"{ events { edges { node { x: offers { name } } } } }": true,
		"{ e: events { ...c } } fragment c on EventConnection { n: nodes { ...f } } fragment f on Event { offers { name } }": true,
		"{ events { nodes { ... on Node { ... on Event { offers { name } } } } } }":                                          true,
		"{ events { nodes { id offers @skip(if: true) { name } } } }":                                                        false,
		"{ events { nodes { id offers @include(if: false) { name } } edges { node { offers { name } } } } }":                 true,
	} {
		a.sent.take()
		a.data(query, "")
		sent := a.sent.take()
		if len(sent) != 1 || strings.Contains(sent[0], "offers") != want {
			t.Errorf("%s: reads offers %t: %s", query, !want, sent)
		}
	}
	// Whichever way it is selected, the value is the same.
	for _, query := range []string{
		`{ events(first: 1) { nodes { description } } }`,
		`{ events(first: 1) { edges { node { id } } nodes { ... on Node { ... on Event { description } } } } }`,
	} {
		if !strings.Contains(a.data(query, ""), `Two\nlines`) {
			t.Errorf("%s lacks the description", query)
		}
	}
}

// TestManyAtOnce: many more requests than connections, each with several statements, over pgx and ent alike.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	fixture(a)
	crowd(a, 5)
	const query = `{ events(first: 10) { totalCount nodes { title series { title provider { name } events(first: 1) { totalCount } } provider { slug runs { nodes { quarantine { key } } } } } } providers { slug } }`
	want := a.data(query, "")
	var group sync.WaitGroup
	for range 200 {
		group.Go(func() {
			if got := a.ask(query, ""); string(got.Data) != want {
				t.Errorf("status %d: %.200s", got.status, got.body)
			}
		})
	}
	group.Wait()
	if lines := a.log.take(); len(lines) > 0 {
		t.Errorf("logged: %s", lines[0])
	}
	if idle, all := a.pool.Stat().IdleConns(), a.pool.Stat().TotalConns(); idle != all {
		t.Errorf("%d of %d connections are still in use", all-idle, all)
	}
}
