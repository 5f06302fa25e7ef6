package graph_test

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/aledotdev/marquee/graph"
)

func keyOf(t *testing.T, query, variables string) string {
	t.Helper()
	request := graph.Request{Query: query}
	if variables != "" {
		d := json.NewDecoder(strings.NewReader(variables))
		d.UseNumber()
		if err := d.Decode(&request.Variables); err != nil {
			t.Fatal(err)
		}
	}
	op, refused := graph.NewEngine(nil, slog.New(slog.DiscardHandler), graph.Limits{}).Prepare(t.Context(), request)
	if refused != nil {
		t.Fatalf("%s: %s", query, refused.Body)
	}
	return string(op.AppendKey(nil))
}

// TestKey: the same question in other words has the same key, and another question another.
func TestKey(t *testing.T) {
	t.Parallel()
	type ask struct{ query, variables string }
	groups := [][]ask{
		{
			{`{ events(first: 5) { nodes { id title } } }`, ""},
			{"query  Named {\n\tevents( first : 5 ) { nodes { id, title } } } # why", ""},
			{`query ($n: Int) { events(first: $n) { nodes { id title } } }`, `{"n": 5}`},
			{`query ($n: Int = 5) { events(first: $n) { nodes { id title } } }`, ""},
			{`query ($n: Int = 7, $c: String) { events(first: $n, after: $c) { nodes { id title } } }`, `{"n": 5}`},
		},
		{{`{ events(first: 5) { nodes { title id } } }`, ""}},
		{{`{ events(first: 6) { nodes { id title } } }`, ""}},
		{{`{ events(last: 5) { nodes { id title } } }`, ""}},
		{{`{ x: events(first: 5) { nodes { id title } } }`, ""}},
		{
			{`{ events(window: {from: "2021-06-30", to: "2021-07-30"}) { totalCount } }`, ""},
			{`{ events(window: {match: OVERLAPS, to: "2021-07-30", from: "2021-06-30"}) { totalCount } }`, ""},
			{`query ($w: EventWindow) { events(window: $w) { totalCount } }`, `{"w": {"to": "2021-07-30", "from": "2021-06-30"}}`},
			{`query ($w: EventWindow) { events(window: $w) { totalCount } }`, `{"w": {"from": "2021-06-30", "match": "OVERLAPS", "to": "2021-07-30"}}`},
			{`query ($f: DateOrDateTime, $m: WindowMatch) { events(window: {from: $f, to: "2021-07-30", match: $m}) { totalCount } }`, `{"f": "2021-06-30"}`},
		},
		{{`{ events(window: {from: "2021-06-30", to: "2021-07-30", match: STARTS_IN}) { totalCount } }`, ""}},
		{{`{ events(window: {from: "2021-06-30", to: "2021-07-31"}) { totalCount } }`, ""}},
		{
			{`{ events(where: {providers: ["a"]}) { totalCount } }`, ""},
			{`{ events(where: {providers: "a"}) { totalCount } }`, ""},
			{`query ($p: [String!]) { events(where: {providers: $p}) { totalCount } }`, `{"p": ["a"]}`},
			{`query ($p: EventFilter) { events(where: $p) { totalCount } }`, `{"p": {"providers": ["a"]}}`},
		},
		{{`{ events(where: {providers: ["a", "b"]}) { totalCount } }`, ""}},
		{{`{ events(where: {providers: ["a\" \"b"]}) { totalCount } }`, ""}},
		{{`{ events(where: {providers: []}) { totalCount } }`, ""}},
		{{`{ events(where: null) { totalCount } }`, ""}},
		{
			{`{ ...f } fragment f on Query { providers { ...g ...g } } fragment g on Provider { id }`, ""},
			{`{ ...a } fragment b on Provider { id } fragment a on Query { providers { ...b ...b } }`, ""},
		},
		{{`{ ...f } fragment f on Query { providers { ...g } } fragment g on Provider { id }`, ""}},
		{
			{`query ($yes: Boolean!) { providers { id slug @include(if: $yes) } }`, `{"yes": true}`},
			{`{ providers { id slug @include(if: true) } }`, ""},
		},
		{{`query ($yes: Boolean!) { providers { id slug @include(if: $yes) } }`, `{"yes": false}`}},
		{{`{ providers { id slug @skip(if: true) } }`, ""}},
		{{`{ __type(name: "Event") { name } }`, ""}},
		{{`{ __type(name: "Place") { name } }`, ""}},
	}
	seen := map[string]int{}
	for i, group := range groups {
		for _, a := range group {
			key := keyOf(t, a.query, a.variables)
			if of, known := seen[key]; known && of != i {
				t.Errorf("%s %s has the key of another question: %s", a.query, a.variables, key)
			} else if !known && a != group[0] {
				t.Errorf("%s %s has a key of its own: %s", a.query, a.variables, key)
			}
			seen[key] = i
		}
	}
}
