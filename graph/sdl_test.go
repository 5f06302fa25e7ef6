package graph_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/aledotdev/marquee/graph"
)

// golden compares with a file in testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-update writes it anew): -want +got\n%s", file, diff)
	}
}

func loadSchema(t *testing.T) *ast.Schema {
	t.Helper()
	loaded, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: graph.SDL()})
	if err != nil {
		t.Fatalf("the SDL is not valid: %v", err)
	}
	return loaded
}

// TestSDL shows each change of the contract in a diff of its own.
func TestSDL(t *testing.T) {
	t.Parallel()
	golden(t, "schema.graphql", graph.SDL())
}

// TestDescriptions: clients read the schema, and nothing else.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	described := func(name, text string) {
		if text = strings.TrimSpace(text); len(text) < 5 || !strings.ContainsAny(text[len(text)-1:], ".`)") {
			t.Errorf("%s: description %q, want a sentence", name, text)
		}
	}
	n := 0
	for name, definition := range loadSchema(t).Types {
		if definition.BuiltIn || name == "Query" {
			for _, f := range definition.Fields {
				if name == "Query" && !strings.HasPrefix(f.Name, "__") {
					described(name+"."+f.Name, f.Description)
				}
			}
			continue
		}
		described(name, definition.Description)
		for _, f := range definition.Fields {
			described(name+"."+f.Name, f.Description)
			for _, a := range f.Arguments {
				described(name+"."+f.Name+"."+a.Name, a.Description)
			}
			n++
		}
		for _, v := range definition.EnumValues {
			described(name+"."+v.Name, v.Description)
			n++
		}
	}
	for _, f := range loadSchema(t).Query.Fields {
		for _, a := range f.Arguments {
			if !strings.HasPrefix(f.Name, "__") {
				described("Query."+f.Name+"."+a.Name, a.Description)
			}
		}
	}
	if n < 100 {
		t.Errorf("%d fields and values looked at: the test is broken", n)
	}
}

// TestContract holds the names that clients rely on.
func TestContract(t *testing.T) {
	t.Parallel()
	s := loadSchema(t)
	for name, fields := range map[string]string{
		"Query":           "events(first: Int, after: String, last: Int, before: String, window: EventWindow, where: EventFilter, orderBy: EventOrder): EventConnection! | event(id: ID!): Event | series(id: ID!): EventSeries | providers: [Provider!]! | provider(slug: String!): Provider | changes(first: Int, after: String, where: ChangeFilter): ChangeConnection! | node(id: ID!): Node | nodes(ids: [ID!]!): [Node]!",
		"EventWindow":     "from: DateOrDateTime | to: DateOrDateTime | timeZone: TimeZone | match: WindowMatch | preset: WindowPreset",
		"EventConnection": "edges: [EventEdge!]! | nodes: [Event!]! | pageInfo: PageInfo! | totalCount: Int!",
		"Event":           "id: ID! | title: String! | description: String | url: String | imageUrl: String | categories: [String!]! | startsAt: DateTime! | endsAt: DateTime | startsLocal: LocalDateTime! | endsLocal: LocalDateTime | timeZone: TimeZone! | allDay: Boolean! | status: EventStatus! | availability: Availability! | saleStartsAt: DateTime | saleEndsAt: DateTime | minPrice: Money | maxPrice: Money | offers: [Offer!]! | series: EventSeries | place: Place | organizer: String | attendanceMode: AttendanceMode! | provider: Provider! | externalId: String! | attributes: JSON | firstSeenAt: DateTime! | lastSeenAt: DateTime! | removedAt: DateTime | history(first: Int, after: String): ChangeConnection!",
		"Money":           "amount: Decimal! | currency: String!",
		"Offer":           "externalId: String | name: String | price: Money | capacity: Int | numbered: Boolean",
	} {
		for want := range strings.SplitSeq(fields, " | ") {
			field, _, _ := strings.Cut(strings.ReplaceAll(want, "(", ":"), ":")
			got := s.Types[name].Fields.ForName(field)
			if got == nil {
				t.Errorf("%s.%s is gone", name, field)
				continue
			}
			var arguments []string
			for _, a := range got.Arguments {
				arguments = append(arguments, a.Name+": "+a.Type.String())
			}
			spelt := field
			if len(arguments) > 0 {
				spelt += "(" + strings.Join(arguments, ", ") + ")"
			}
			if spelt += ": " + got.Type.String(); spelt != want {
				t.Errorf("%s: %s, want %s", name, spelt, want)
			}
		}
	}
	if match := s.Types["EventWindow"].Fields.ForName("match"); match.DefaultValue.String() != "OVERLAPS" {
		t.Errorf("match is %s by default", match.DefaultValue)
	}
}
