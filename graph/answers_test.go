package graph_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/web"
)

// TestAnswers compares the answers to the queries in testdata/answers, by POST and by GET, with what they were.
func TestAnswers(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	fixture(a)
	files, err := filepath.Glob("testdata/answers/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no queries: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		posted, got := a.ask(string(text), ""), a.get(string(text), "")
		if diff := cmp.Diff(string(posted.body), string(got.body)); diff != "" {
			t.Errorf("%s: -POST +GET\n%s", file, diff)
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, posted.body, "", "  "); err != nil {
			t.Fatal(err)
		}
		golden(t, strings.TrimPrefix(strings.TrimSuffix(file, ".graphql"), "testdata/")+".json", indented.String()+"\n")
	}
}

// TestPagesOfOneSeries: pages of different sizes side by side are each what they are alone.
func TestPagesOfOneSeries(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	fixture(a)
	crowd(a, 5)
	const page = `events(first: %d) { nodes { title } pageInfo { hasNextPage } }`
	inList := func(pages string) string { return `{ events(first: 5) { nodes { series { ` + pages + ` } } } }` }
	pages := func(query string) (byAlias map[string][]any) {
		var answer struct {
			Events struct {
				Nodes []struct{ Series map[string]any }
			}
		}
		if err := json.Unmarshal([]byte(a.data(query, "")), &answer); err != nil {
			t.Fatal(err)
		}
		byAlias = map[string][]any{}
		for _, node := range answer.Events.Nodes {
			for alias, page := range node.Series {
				byAlias[alias] = append(byAlias[alias], page)
			}
		}
		return byAlias
	}
	var together string
	alone := map[string][]any{}
	for _, size := range []int{1, 3, 7} {
		one := fmt.Sprintf("p%d: "+page+" ", size, size)
		together += one
		maps.Copy(alone, pages(inList(one)))
	}
	if diff := cmp.Diff(alone, pages(inList(together))); diff != "" {
		t.Errorf("-alone +together\n%s", diff)
	}
}

// TestAnswersAreComplete: the golden queries select every field of every type, apart from the subscription, whose answers
// are those of Query.changes.
func TestAnswersAreComplete(t *testing.T) {
	t.Parallel()
	s := loadSchema(t)
	text, err := os.ReadFile("testdata/answers/everything.graphql")
	if err != nil {
		t.Fatal(err)
	}
	document, errs := gqlparser.LoadQueryWithRules(s, string(text), rules.NewDefaultRules())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	selected := map[string]bool{}
	var visit func(set ast.SelectionSet)
	visit = func(set ast.SelectionSet) {
		for _, selection := range set {
			f := selection.(*ast.Field)
			selected[f.ObjectDefinition.Name+"."+f.Name] = true
			visit(f.SelectionSet)
		}
	}
	visit(document.Operations[0].SelectionSet)
	for name, definition := range s.Types {
		if definition.Kind != ast.Object || definition.BuiltIn || name == "Query" || name == "Subscription" {
			continue
		}
		for _, f := range definition.Fields {
			if !selected[name+"."+f.Name] {
				t.Errorf("%s.%s is in no golden answer", name, f.Name)
			}
		}
	}
}

// TestExamples: GraphiQL's tabs are good queries of this schema.
func TestExamples(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	fixture(a)
	names, err := fs.Glob(web.Examples(), "*.graphql")
	if err != nil || len(names) < 5 {
		t.Fatalf("%d examples: %v", len(names), err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(web.Examples(), name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, "live") {
			if _, errs := gqlparser.LoadQueryWithRules(loadSchema(t), string(text), rules.NewDefaultRules()); len(errs) > 0 {
				t.Errorf("%s: %v", name, errs)
			}
			continue
		}
		if data := a.data(string(text), ""); !strings.Contains(data, "nodes") || strings.Contains(data, `"nodes":[]`) && !strings.Contains(name, "tomorrow") {
			t.Errorf("%s finds nothing in the fixture: %s", name, data)
		}
	}
}

// TestIntrospection asks what every client's tool asks.
func TestIntrospection(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	const query = `query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name } types { ...FullType }
		directives { name description locations args { ...InputValue } } } }
	fragment FullType on __Type { kind name description specifiedByURL fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
		inputFields { ...InputValue } interfaces { ...TypeRef } enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
	fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
	fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }`
	data := a.data(query, "")
	for _, want := range []string{`"name":"EventConnection"`, `"name":"THIS_WEEKEND"`, "A page of events.", `"defaultValue":"OVERLAPS"`} {
		if !strings.Contains(data, want) {
			t.Errorf("introspection lacks %s", want)
		}
	}
	if strings.Contains(data, `"name":"defer"`) {
		t.Error("introspection promises @defer")
	}
}

// TestNodes: objects of all types by their ids, in order, null where there is none.
func TestNodes(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	fixture(a)
	none := event.ProviderID("nobody")
	ids := []event.ID{globex, concert, none, jazz, unlisted, acme, concert, festival}
	list, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	const parts = `{ __typename id ... on Event { title description offers { name } } ... on EventSeries { title } ... on Provider { slug } }`
	var got struct{ Nodes []json.RawMessage }
	if err := json.Unmarshal([]byte(a.data("query ($ids: [ID!]!) { nodes(ids: $ids) "+parts+" }", `{"ids": `+string(list)+`}`)), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Nodes) != len(ids) {
		t.Fatalf("%d nodes, want %d", len(got.Nodes), len(ids))
	}
	types := map[event.ID]string{globex: "Provider", acme: "Provider", concert: "Event", festival: "Event", jazz: "EventSeries"}
	for i, id := range ids {
		var node struct {
			Typename string `json:"__typename"`
			ID       string
		}
		if err := json.Unmarshal(got.Nodes[i], &node); err != nil {
			t.Fatal(err)
		}
		want := types[id]
		if node.Typename != want || want != "" && node.ID != id.String() {
			t.Errorf("node %d is %s, want %s %s", i, got.Nodes[i], want, id)
		}
		one := a.data(fmt.Sprintf("{ node(id: %q) %s }", id, parts), "")
		if want := `{"node":` + string(got.Nodes[i]) + `}`; one != want {
			t.Errorf("node alone is %s, among others %s", one, want)
		}
	}
	hundred := "[" + strings.TrimSuffix(strings.Repeat(`"`+concert.String()+`",`, 100), ",") + "]"
	if n := strings.Count(a.data("{ nodes(ids: "+hundred+") { id } }", ""), concert.String()); n != 100 {
		t.Errorf("one id a hundred times: %d objects", n)
	}
}

// TestUnlisted: what no snapshot ever sold online is nowhere to be seen.
func TestUnlisted(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	fixture(a)
	for _, query := range []string{
		`{ events(first: 100) { nodes { id title } edges { node { id } } } }`,
		`{ events(window: {from: "2021-06-30", to: "2021-07-01"}) { nodes { id title } } }`,
		`{ events(window: {from: "2021-06-30", to: "2021-07-01", match: ENDS_IN}) { nodes { id title } } }`,
		`{ events(where: {ids: ["` + unlisted.String() + `"]}) { totalCount nodes { id } } }`,
		`{ events(where: {series: ["` + hidden.String() + `"]}) { nodes { id title } } }`,
		`{ event(id: "` + unlisted.String() + `") { id title } }`,
		`{ node(id: "` + unlisted.String() + `") { id } }`,
		`{ nodes(ids: ["` + unlisted.String() + `"]) { id } }`,
		`{ series(id: "` + hidden.String() + `") { events { totalCount nodes { id title } } } }`,
	} {
		if data := a.data(query, ""); strings.Contains(data, unlisted.String()) || strings.Contains(data, "Unlisted") || strings.Contains(data, `"totalCount":1`) {
			t.Errorf("%s shows it: %s", query, data)
		}
	}
}

// TestAvailability follows an event's availability along a moving clock.
func TestAvailability(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	fixture(a)
	sold := values{"sold_out": true, "no_seats_left": true, "min_price": "5", "max_price": "5"}
	sales := values{"sale_starts_at": at("2021-06-20T10:00:00Z"), "sale_ends_at": at("2021-06-30T18:00:00Z"), "min_price": "5", "max_price": "5"}
	with := func(base, more values) values {
		both := values{}
		for _, v := range []values{base, more} {
			maps.Copy(both, v)
		}
		return both
	}
	end := values{"ends_at": at("2021-06-30T21:00:00Z"), "ends_local": at("2021-06-30T23:00:00Z")}
	type change struct{ at, want string } // from this instant on
	for i, test := range []struct {
		given   values
		changes []change
	}{
		{nil, []change{{"2021-06-01T00:00:00Z", "UNKNOWN"}, {"2021-06-30T18:59:59Z", "UNKNOWN"}, {"2021-06-30T19:00:00Z", "SALE_ENDED"}}},
		{end, []change{{"2021-06-30T19:00:00Z", "UNKNOWN"}, {"2021-06-30T20:59:59Z", "UNKNOWN"}, {"2021-06-30T21:00:00Z", "SALE_ENDED"}}},
		{sales, []change{{"2021-06-20T09:59:59Z", "PRE_SALE"}, {"2021-06-20T10:00:00Z", "IN_STOCK"}, {"2021-06-30T17:59:59Z", "IN_STOCK"}, {"2021-06-30T18:00:00Z", "SALE_ENDED"}}},
		{sold, []change{{"2021-06-01T00:00:00Z", "SOLD_OUT"}, {"2021-06-30T19:00:00Z", "SALE_ENDED"}}},
		{with(sales, sold), []change{{"2021-06-01T00:00:00Z", "SOLD_OUT"}, {"2021-06-30T18:00:00Z", "SALE_ENDED"}}},
		{with(sales, values{"online": false}), []change{{"2021-06-20T09:59:59Z", "PRE_SALE"}, {"2021-06-25T00:00:00Z", "UNKNOWN"}}},
		{with(sales, values{"removed_at": at("2021-06-21T00:00:00Z")}), []change{{"2021-06-25T00:00:00Z", "UNKNOWN"}, {"2021-06-30T18:00:00Z", "SALE_ENDED"}}},
		{with(sales, values{"status": "CANCELLED"}), []change{{"2021-06-01T00:00:00Z", "SALE_ENDED"}, {"2021-06-25T00:00:00Z", "SALE_ENDED"}}},
		{values{"min_price": "0", "max_price": "0"}, []change{{"2021-06-25T00:00:00Z", "IN_STOCK"}}},
		{values{"sold_out": false}, []change{{"2021-06-25T00:00:00Z", "IN_STOCK"}}},
		{values{"no_seats_left": true}, []change{{"2021-06-25T00:00:00Z", "SOLD_OUT"}}},
	} {
		id := event.Key{Provider: "acme", Event: fmt.Sprint("availability", i)}.ID()
		add(a, id, test.given)
		for _, c := range test.changes {
			a.clock.set(at(c.at))
			want := `{"event":{"availability":"` + c.want + `"}}`
			if got := a.data(`{ event(id: "`+id.String()+`") { availability } }`, ""); got != want {
				t.Errorf("case %d, at %s: got %s, want %s", i, c.at, got, want)
			}
		}
	}
}

// TestPresets: a preset is the venue's day only in the venue's zone.
func TestPresetsFollowTheClock(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	fixture(a)
	titles := func(preset, zone string) string {
		return a.data(`{ events(window: {preset: `+preset+`, timeZone: "`+zone+`", match: STARTS_IN}) { nodes { title } } }`, "")
	}
	const tonight, friday = `{"events":{"nodes":[{"title":"Trío «Sombra» 🎷"}]}}`, `{"events":{"nodes":[{"title":"Free"}]}}`
	for _, test := range []struct {
		now          time.Time
		preset, zone string
		want         string
	}{
		{now, "TODAY", "Europe/Madrid", tonight},
		{now, "TOMORROW", "Europe/Madrid", friday},
		{now, "TODAY", "Pacific/Kiritimati", tonight}, // 1 July there since ten in the morning, UTC
		{now, "TODAY", "Pacific/Honolulu", tonight},
		{at("2021-06-30T22:00:00Z"), "TODAY", "Europe/Madrid", friday}, // midnight
		{at("2021-06-30T21:59:59Z"), "TODAY", "Europe/Madrid", tonight},
	} {
		a.clock.set(test.now)
		if got := titles(test.preset, test.zone); got != test.want {
			t.Errorf("%s in %s at %s: got %s", test.preset, test.zone, test.now, got)
		}
	}
}
