package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/graph/generated"
	"github.com/aledotdev/marquee/internal/catalog"
)

// checked checks an operation as the server does.
func checked(t fatal, limits Limits, query, variables string) (Cost, error) {
	t.Helper()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	document, errs := gqlparser.LoadQueryWithRules(schema, query, rules.NewDefaultRules())
	if len(errs) > 0 {
		t.Fatalf("%s: %v", query, errs)
	}
	var given map[string]any
	if variables != "" {
		decoder := json.NewDecoder(strings.NewReader(variables))
		decoder.UseNumber()
		if err := decoder.Decode(&given); err != nil {
			t.Fatalf("%s: %v", variables, err)
		}
	}
	coerced, err := validator.VariableValues(schema, document.Operations[0], given)
	if err != nil {
		t.Fatalf("%s: %v", variables, err)
	}
	l := &limiter{limits: limits.orDefaults(), costs: costsOf(schema)}
	if err := l.checkSize(document); err != nil {
		return Cost{}, err
	}
	return l.check(document.Operations[0], coerced)
}

type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

func TestCost(t *testing.T) {
	t.Parallel()
	const id = `"9544cef3-7587-5640-92c0-59fe2667d370"`
	for _, test := range []struct {
		name, query, variables string
		want                   int
	}{
		{"nothing", "{ __typename }", "", 1},
		{"one object", "{ event(id: " + id + ") { title minPrice { amount } } }", "", 1},
		{"a page as the server chooses it", "{ events { nodes { title } } }", "", 51},
		{"first", "{ events(first: 10) { nodes { title } } }", "", 11},
		{"last", "{ events(last: 7) { nodes { title } } }", "", 8},
		{"first null", "{ events(first: null) { nodes { title } } }", "", 51},
		{"first in a variable", "query ($n: Int) { events(first: $n) { nodes { title } } }", `{"n": 20}`, 21},
		{"first in a variable's default", "query ($n: Int = 30) { events(first: $n) { nodes { title } } }", "", 31},
		{"first in a variable that is not given", "query ($n: Int) { events(first: $n) { nodes { title } } }", "", 51},
		{"first by the schema's default", `{ provider(slug: "a") { runs { nodes { id } } } }`, "", 1 + 1 + 20},
		{"edges cost as much as nodes", "{ events(first: 10) { edges { cursor node { title } } } }", "", 11},
		{"both", "{ events(first: 10) { nodes { id } edges { node { id } } } }", "", 21},
		{"an alias is another", "{ a: events(first: 10) { nodes { id } } b: events(first: 10) { nodes { id } } }", "", 22},
		{"totalCount", "{ events(first: 1) { totalCount } }", "", 21},
		{"offers", "{ events(first: 10) { nodes { offers { name price { amount } } } } }", "", 1 + 10*(1+5)},
		{"nested pages multiply", "{ events(first: 10) { nodes { series { events(first: 20) { nodes { id } } } } } }", "", 1 + 10*(1+1+1+20)},
		{"in a named fragment", "{ events(first: 10) { ...P } } fragment P on EventConnection { nodes { ...E } } fragment E on Event { provider { slug } }", "", 1 + 10*2},
		{"one fragment, two pages", "{ a: events(first: 10) { ...P } b: events(first: 20) { ...P } } fragment P on EventConnection { nodes { id } }", "", 32},
		{"in an inline fragment", "{ events(first: 10) { ... on EventConnection { nodes { id } } } }", "", 11},
		{"a list of ids", "{ nodes(ids: [" + id + ", " + id + "]) { id } }", "", 2},
		{"a list of ids in a variable", "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", `{"ids": [` + id + `, ` + id + `, ` + id + `]}`, 3},
		{"a list of one id", "{ nodes(ids: " + id + ") { id } }", "", 1},
		{"a list of one id in a variable", "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", `{"ids": ` + id + `}`, 1},
		{"one id in a variable", "query ($id: ID!) { nodes(ids: [$id]) { id } }", `{"id": ` + id + `}`, 1},
		{"no list of ids", "query ($ids: [ID!] = []) { nodes(ids: $ids) { id } }", `{"ids": []}`, 1},
		{"one facet", "{ events { facets(by: DAY) { facet } } }", "", 1 + 20},
		{"one facet in a variable", "query ($by: [EventFacet!]!) { events { facets(by: $by) { facet } } }", `{"by": "DAY"}`, 1 + 20},
		{"two facets", "{ events { facets(by: [DAY, CITY]) { facet } } }", "", 1 + 20 + 20},
		{"skipped", "query ($no: Boolean = true) { events(first: 10) @skip(if: $no) { nodes { id } } }", "", 1},
		{"not included", "{ events(first: 10) { nodes @include(if: false) { id } } }", "", 1},
		{"included", "{ events(first: 10) { nodes @include(if: true) { id } } }", "", 11},
		{"introspection", "{ __schema { types { name fields { name } } } }", "", 100},
		{"one type", `{ __type(name: "Event") { name fields { name } } }`, "", 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := checked(t, Limits{}, test.query, test.variables)
			if err != nil || got.Requested != test.want {
				t.Errorf("cost %d, %v, want %d", got.Requested, err, test.want)
			}
			if got.Requested+got.Remaining != got.Limit {
				t.Errorf("%+v does not add up", got)
			}
		})
	}
}

// TestLimits crosses each of them, and stays just below it.
func TestLimits(t *testing.T) {
	t.Parallel()
	repeat := func(n int, field string) string { // # is a number
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(field, "#", strconv.Itoa(i)))
		}
		return "{ " + b.String() + "}"
	}
	deep := func(n int) string { // levels of fields
		return "{ events(first: 1) { nodes { id " + strings.Repeat("series { events(first: 1) { nodes { id ", (n-3)/3) + strings.Repeat("} } } ", (n-3)/3) + "} } }"
	}
	const spread = " fragment f on Query { __typename }"
	for _, test := range []struct {
		name        string
		limits      Limits
		below, over string
		code        catalog.Code
		argument    string
	}{
		{"fields", Limits{}, repeat(400, "__typename "), repeat(401, "__typename "), codeTooComplex, ""},
		{"fragment spreads", Limits{}, repeat(400, "...f ") + spread, repeat(401, "...f ") + spread, codeTooComplex, ""},
		{"aliases", Limits{}, repeat(30, "a#: __typename "), repeat(31, "a#: __typename "), codeTooComplex, ""},
		{"directives", Limits{}, repeat(30, "__typename @skip(if: false) "), repeat(31, "__typename @skip(if: false) "), codeTooComplex, ""},
		{"depth", Limits{}, deep(12), deep(15), codeTooComplex, ""},
		{"page size", Limits{}, "{ events(first: 100) { nodes { id } } }", "{ events(first: 101) { nodes { id } } }", catalog.CodeBadUserInput, "first"},
		{"smaller page size", Limits{PageSize: 10}, "{ events(last: 10) { nodes { id } } }", "{ events(last: 11) { nodes { id } } }", catalog.CodeBadUserInput, "last"},
		{"cost", Limits{}, "{ events(first: 100) { nodes { series { events(first: 40) { nodes { id } } } } } }", "{ events(first: 100) { nodes { series { events(first: 50) { nodes { id } } } } } }", codeTooComplex, ""},
		{"lower cost", Limits{Cost: 10}, "{ events(first: 9) { nodes { id } } }", "{ events(first: 10) { nodes { id } } }", codeTooComplex, ""},
		{"introspection by aliases", Limits{Aliases: 100}, repeat(30, "a#: __schema { types { name } } "), repeat(51, "a#: __schema { types { name } } "), codeTooComplex, ""},
		{"no introspection", Limits{NoIntrospection: true}, "{ __typename }", "{ __schema { types { name } } }", codeIntrospection, ""},
		{"no introspection of a type", Limits{NoIntrospection: true}, "{ __typename }", `{ ...F } fragment F on Query { __type(name: "Event") { name } }`, codeIntrospection, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := checked(t, test.limits, test.below, ""); err != nil {
				t.Errorf("below the limit: %v", err)
			}
			_, err := checked(t, test.limits, test.over, "")
			refused, ok := errors.AsType[*catalog.Error](err)
			if !ok || refused.Code != test.code || refused.Argument != test.argument {
				t.Errorf("over the limit: %v", err)
			}
		})
	}
}

// TestEveryListHasALength: a field of objects that may be many says how many, or is a page's own.
func TestEveryListHasALength(t *testing.T) {
	t.Parallel()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	prices := costsOf(schema)
	looked := 0
	for name, definition := range schema.Types {
		if definition.BuiltIn || definition.Kind != ast.Object || name == "Subscription" {
			continue
		}
		for _, field := range definition.Fields {
			returned := schema.Types[field.Type.Name()]
			connection := strings.HasSuffix(field.Type.Name(), "Connection")
			if strings.HasPrefix(field.Name, "__") || !returned.IsCompositeType() || field.Type.Elem == nil && !connection {
				continue
			}
			looked++
			if p := prices[field]; p.list == nil && !p.page {
				t.Errorf("%s.%s: want @listSize, so that its cost is known", name, field.Name)
			}
		}
	}
	if looked < 8 {
		t.Errorf("%d lists looked at: the test is broken", looked)
	}
}

// TestCostMultiplies: pages inside pages cost the product, and where that is beyond all numbers they are refused.
func TestCostMultiplies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		query, want := "id", 0
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 1<<31-1), 0, 8).Draw(t, "pages") {
			query = fmt.Sprintf("series { events(first: %d) { nodes { %s } } }", n, query)
			want = min(1<<40, 1+1+n*min(1+want, 1<<31)) // the series, the page, its events
		}
		want = max(1, 1+want) // the event
		got, err := checked(t, Limits{PageSize: 1 << 31, Depth: 1000, Fields: 1000, Cost: 1 << 30}, `{ event(id: "x") { `+query+" } }", "")
		switch {
		case want > 1<<30 && err == nil:
			t.Fatalf("%d is not too much", want)
		case want <= 1<<30 && (err != nil || got.Requested != want):
			t.Fatalf("cost %d, %v, want %d", got.Requested, err, want)
		}
	})
}

// TestFragmentsThatDouble: what is spread twice by each of thirty is added up, and not walked a billion times.
func TestFragmentsThatDouble(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("{ events(first: 100) { nodes { ...F0 } } } ")
	for i := range 30 {
		fmt.Fprintf(&b, "fragment F%d on Event { ...F%d ...F%d } ", i, i+1, i+1)
	}
	b.WriteString("fragment F30 on Event { provider { slug } }")
	if _, err := checked(t, Limits{}, b.String(), ""); err == nil {
		t.Error("a billion providers are not too many")
	}
}
