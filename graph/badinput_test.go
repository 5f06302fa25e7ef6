package graph_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

// leak is text of the database, of the driver or of Go.
var leak = regexp.MustCompile(`(?i)sqlstate|pgx|postgres|syntax error at|relation "|invalid byte|goroutine|panic|runtime error|\.go:|strconv|reflect|json:|did you mean`)

// refused checks that a reply is an error of the client's, with its code, without a word of what lies behind.
func (a *api) refused(t *testing.T, got reply, argument string) {
	t.Helper()
	if got.status >= http.StatusInternalServerError {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	if len(got.Errors) == 0 {
		t.Fatalf("no error: %.300s", got.body)
	}
	for _, e := range got.Errors {
		if e.Extensions.Code != string(catalog.CodeBadUserInput) && e.Extensions.Code != "QUERY_TOO_COMPLEX" {
			t.Errorf("code %q: %.300s", e.Extensions.Code, got.body)
		}
		if argument != "*" && e.Extensions.Argument != argument {
			t.Errorf("argument %q, want %q: %.300s", e.Extensions.Argument, argument, got.body)
		}
		if found := leak.FindString(e.Message); found != "" || len(e.Message) > 500 {
			t.Errorf("the message tells too much (%q): %.300s", found, e.Message)
		}
	}
	if lines := a.log.take(); len(lines) > 0 {
		t.Errorf("a client's mistake is logged: %s", lines)
	}
}

// TestArguments gives every argument values that it doesn't take: as a literal, in a variable, and in a variable
// that is nested in an input object. The error names the argument all the same.
func TestArguments(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	fixture(a)
	ids := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("%q", event.Key{Provider: "acme", Event: fmt.Sprint(i)}.ID())
		}
		return "[" + strings.Join(list, ", ") + "]"
	}
	slugs := `["` + strings.Repeat(`a", "`, 100) + `a"]`
	runs := forged(time.Unix(0, 0), event.ID{})[:12]
	for _, test := range []struct {
		argument string   // as the error has to name it
		field    string   // with %s for the arguments
		typ      string   // of the argument, the input object's field for nested ones
		values   []string // as JSON; strings, numbers, lists and booleans are the same in GraphQL
	}{
		{"first", "events(%s) { totalCount }", "Int", []string{"0", "-1", "101", "100000", "2147483648", "99999999999", "9223372036854775808", "99999999999999999999999999", `"x"`, "true", "1.5", "[1, 2]", `"\u0000"`}},
		{"last", "events(%s) { totalCount }", "Int", []string{"0", "-5", "101", "100000", "99999999999999999999", `"x"`}},
		{"after", "events(%s) { totalCount }", "String", []string{`""`, `"x"`, `"\u0000"`, "5", `"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`, `"AX////////////////////////////////"`, `"` + strings.Repeat("A", 5000) + `"`, `"ÄÖÜ"`}},
		{"before", "events(%s) { totalCount }", "String", []string{`""`, `"AX////////////////////////////////"`, `"AYAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`, `"` + runs + `"`}},
		{"window", "events(%s) { totalCount }", "EventWindow", []string{"5", `"x"`, "true"}},
		{"window.from", "events(%s) { totalCount }", "DateOrDateTime", []string{
			`""`, `"x"`, "20210630", `"2021-09-31"`, `"2021-02-29"`, `"2021-06-30T24:00"`, `"2021-06-30T12:60"`, `"2021-06-30 20:00"`, `"0999-01-01"`, `"10000-01-01"`, `"2021-06-30\u0000"`, `"\u0000"`, `"2021-06-30T20:00+99:00"`, "true", "1.5",
			`"` + strings.Repeat("2", 10_000) + `"`,
		}},
		{"window.to", "events(%s) { totalCount }", "DateOrDateTime", []string{`"2021-13-01"`, `"tomorrow"`, `["2021-06-30", "2021-07-01"]`}},
		{"window.timeZone", "events(%s) { totalCount }", "TimeZone", []string{`""`, `"Local"`, `"Mars/Olympus"`, `"../../etc/passwd"`, `"/etc/localtime"`, `"\u0000"`, `"Europe/Madrid\u0000"`, "5", `"` + strings.Repeat("Europe/", 50) + `"`}},
		{"window.match", "events(%s) { totalCount }", "WindowMatch", []string{`"NEAR"`, `""`, "1", `"\u0000"`, "true"}},
		{"window.preset", "events(%s) { totalCount }", "WindowPreset", []string{`"YESTERDAY"`, "5"}},
		{"where", "events(%s) { totalCount }", "EventFilter", []string{"5"}},
		{"where.ids", "events(%s) { totalCount }", "[ID!]", []string{ids(101), `["x"]`, `[""]`, `["\u0000"]`, "[null]", "5", `["9544cef3-7587-5640-92c0-59fe2667d37"]`, `["9544cef3-7587-5640-92c0-59fe2667d370 "]`, `["zzzzzzzz-7587-5640-92c0-59fe2667d370"]`}},
		{"where.series", "events(%s) { totalCount }", "[ID!]", []string{ids(101), `["x"]`}},
		{"where.providers", "events(%s) { totalCount }", "[String!]", []string{slugs, "true", "[null]"}},
		{"where.price", "events(%s) { totalCount }", "PriceFilter", []string{"5"}},
		{"where.price.max", "events(%s) { totalCount }", "Decimal", []string{`"x"`, `""`, `"1e9"`, `"1,5"`, `"\u0000"`, `"1234567890123"`, `"0.1234567"`, "true", "[1, 2]", `"` + strings.Repeat("1", 10_000) + `"`, "1e300"}},
		{"where.price.min", "events(%s) { totalCount }", "Decimal", []string{`"NaN"`, `"Infinity"`, `"--1"`, `"0x10"`}},
		{"where.price.currency", "events(%s) { totalCount }", "String", []string{`"eur"`, `""`, `"EURO"`, `"EUR\n"`, `"\u0000"`, `"E\u0000R"`, "5", `"' OR 1=1 --"`}},
		{"where.removed", "events(%s) { totalCount }", "Boolean", []string{`"x"`, "1"}},
		{"where.text", "events(%s) { totalCount }", "String", []string{`"!!"`, `"\u0000"`, `["jazz"]`, `"` + strings.Repeat("a", 201) + `"`, `"a b c d e f g h i j k l m n o p q r s t u"`}},
		{"where.categories", "events(%s) { totalCount }", "[String!]", []string{slugs, `[""]`, `["a\u0000"]`, `["` + strings.Repeat("a", 501) + `"]`, "[null]"}},
		{"where.cities", "events(%s) { totalCount }", "[String!]", []string{slugs, `[""]`, "true"}},
		{"where.countries", "events(%s) { totalCount }", "[String!]", []string{slugs, `["\u0000"]`}},
		{"where.availability", "events(%s) { totalCount }", "[Availability!]", []string{`["SOLD"]`, "[null]", "5", `["` + strings.Repeat(`SOLD_OUT", "`, 100) + `SOLD_OUT"]`}},
		{"where.status", "events(%s) { totalCount }", "[EventStatus!]", []string{`["GONE"]`, "true"}},
		{"where.updatedSince", "events(%s) { totalCount }", "DateTime", []string{`"2021-06-30"`, `"x"`, "5", `"2021-09-31T00:00:00Z"`}},
		{"where.starts", "events(%s) { totalCount }", "StartsFilter", []string{"5"}},
		{"where.starts.from", "events(%s) { totalCount }", "DateOrDateTime", []string{`"x"`, `"2021-09-31"`, "20210630"}},
		{"where.starts.timeZone", "events(%s) { totalCount }", "TimeZone", []string{`"Mars/Olympus"`, `""`}},
		{"orderBy", "events(%s) { totalCount }", "EventOrder", []string{"5"}},
		{"orderBy.field", "events(%s) { totalCount }", "EventOrderField!", []string{`"NAME"`, "null"}},
		{"orderBy.direction", "events(%s) { totalCount }", "OrderDirection!", []string{`"SIDEWAYS"`, "null"}},
		{"id", "event(%s) { id }", "ID!", []string{`""`, `"x"`, `"\u0000"`, "5", `"9544cef3758756409 2c059fe2667d370"`, "null", "true", `"` + strings.Repeat("a", 10_000) + `"`}},
		{"id", "series(%s) { id }", "ID!", []string{`"x"`}},
		{"id", "node(%s) { id }", "ID!", []string{`"x"`, `"\u0000"`}},
		{"ids", "nodes(%s) { id }", "[ID!]!", []string{ids(101), `["x"]`, "null"}},
		{"slug", "provider(%s) { id }", "String!", []string{"true", "null"}},
		{"first", `provider(slug: "acme") { runs(%s) { nodes { id } } }`, "Int", []string{"0", "101", `"x"`}},
		{"after", `provider(slug: "acme") { runs(%s) { nodes { id } } }`, "String", []string{`""`, `"x"`, `"` + forged(time.Unix(0, 0), event.ID{}) + `"`}},
		{"first", `provider(slug: "acme") { runs { nodes { quarantine(%s) { key } } } }`, "Int", []string{"0", "101"}},
		{"first", `series(id: "` + jazz.String() + `") { events(%s) { totalCount } }`, "Int", []string{"0", "101", "99999999999999999999"}},
		{"window.from", `series(id: "` + jazz.String() + `") { again: events(%s) { totalCount } }`, "DateOrDateTime", []string{`"x"`}},
	} {
		for _, value := range test.values {
			literal := value
			enum := strings.HasPrefix(test.typ, "Window") || strings.HasPrefix(test.typ, "EventOrderField") || strings.HasPrefix(test.typ, "OrderDir")
			if name := strings.Trim(value, `"`); enum && regexp.MustCompile(`^[A-Z]+$`).MatchString(name) {
				literal = name
			}
			top, _, nested := strings.Cut(test.argument, ".")
			name := fmt.Sprintf("%s %.40s", test.argument, value)
			t.Run(name+" literal", func(t *testing.T) {
				a.refused(t, a.ask("{ "+fmt.Sprintf(test.field, spell(test.argument, literal))+" }", ""), test.argument)
			})
			t.Run(name+" variable", func(t *testing.T) {
				query := fmt.Sprintf("query ($v: %s) { %s }", test.typ, fmt.Sprintf(test.field, spell(test.argument, "$v")))
				a.refused(t, a.ask(query, `{"v": `+value+`}`), test.argument)
			})
			if !nested {
				continue
			}
			t.Run(name+" whole variable", func(t *testing.T) {
				types := map[string]string{"window": "EventWindow", "where": "EventFilter", "orderBy": "EventOrder"}
				query := fmt.Sprintf("query ($other: Int, $whole: %s) { %s }", types[top], fmt.Sprintf(test.field, "first: $other, "+top+": $whole"))
				whole := strings.TrimPrefix(spellJSON(test.argument, value), top+": ")
				a.refused(t, a.ask(query, `{"other": 5, "whole": `+whole+`}`), test.argument)
			})
		}
	}
}

// spell writes an argument path with its value: where: {price: {max: 5}}.
func spell(path, value string) string {
	names := strings.Split(path, ".")
	return strings.Join(names, ": {") + ": " + value + strings.Repeat("}", len(names)-1)
}

// spellJSON is spell with the names of fields quoted.
func spellJSON(path, value string) string {
	top, rest, _ := strings.Cut(path, ".")
	names := strings.Split(rest, ".")
	return top + `: {"` + strings.Join(names, `": {"`) + `": ` + value + strings.Repeat("}", len(names))
}

// TestCombinations: arguments that are good alone and not together.
func TestCombinations(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	for query, argument := range map[string]string{
		`{ events(first: 1, last: 1) { totalCount } }`:                                                                                                 "last",
		`{ events(window: {from: "2021-07-01", to: "2021-06-30"}) { totalCount } }`:                                                                    "window.from",
		`{ events(window: {from: "2021-07-01T00:00:00Z", to: "2021-06-30T23:59:59Z"}) { totalCount } }`:                                                "window.from",
		`{ events(window: {from: "2021-07-05", to: "2021-06-30T00:00:00Z"}) { totalCount } }`:                                                          "window.from",
		`{ events(window: {from: "2021-07-01", to: "2021-06-30", timeZone: "Europe/Madrid"}) { totalCount } }`:                                         "window.from",
		`{ events(window: {preset: TODAY}) { totalCount } }`:                                                                                           "window.timeZone",
		`{ events(window: {preset: TODAY, timeZone: "Europe/Madrid", from: "2021-06-30"}) { totalCount } }`:                                            "window.preset",
		`{ events(window: {preset: TODAY, to: "2021-06-30"}) { totalCount } }`:                                                                         "window.preset",
		`{ events(where: {price: {min: 5, max: 4.99}}) { totalCount } }`:                                                                               "where.price",
		`{ series(id: "` + jazz.String() + `") { id } events(first: 0) { totalCount } }`:                                                               "first",
		`{ events(where: {ids: ["` + strings.Repeat(jazz.String()+`", "`, 100) + jazz.String() + `"], providers: ["a"]}, first: 100) { totalCount } }`: "where.ids",
	} {
		t.Run(argument+" "+query[:min(60, len(query))], func(t *testing.T) { a.refused(t, a.ask(query, ""), argument) })
	}
}

// TestDocuments: what is no query of this schema, or too much of one.
func TestDocuments(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	nested := func(levels int) string {
		return "{ events { nodes { " + strings.Repeat("series { events { nodes { ", levels) + "id" + strings.Repeat(" } } }", levels) + " } } }"
	}
	laughs := "{ ...f0 } "
	for i := range 300 {
		laughs += fmt.Sprintf("fragment f%d on Query { ...f%d ...f%d } ", i, i+1, i+1)
	}
	laughs += "fragment f300 on Query { providers { id } }"
	deep := "{ providers { ...g0 } } "
	for i := range 30 {
		deep += fmt.Sprintf("fragment g%d on Provider { runs { nodes { id } } ...g%d } ", i, i+1)
	}
	for name, query := range map[string]string{
		"empty":              "",
		"blank":              " \n\t",
		"null bytes":         "\x00",
		"null byte inside":   "{ providers { id \x00 } }",
		"null in a string":   "{ provider(slug: \"a\x00\") { id } }",
		"no GraphQL":         "SELECT 1",
		"unclosed":           "{ providers { id ",
		"unclosed string":    `{ provider(slug: "a`,
		"bad escape":         `{ provider(slug: "\q") { id } }`,
		"unknown field":      "{ event { titel } }",
		"unknown field near": `{ providers { slugg } }`,
		"unknown argument":   "{ events(frist: 1) { totalCount } }",
		"unknown input":      `{ events(window: {form: "2021-06-30"}) { totalCount } }`,
		"unknown type":       `{ events { nodes { ... on Evnt { id } } } }`,
		"unknown enum":       `{ events(window: {match: OVERLAP}) { totalCount } }`,
		"unknown fragment":   "{ providers { ...nowhere } }",
		"unknown variable":   "{ events(first: $n) { totalCount } }",
		"unknown directive":  "{ providers @fast { id } }",
		"defer":              "{ providers { slug ... @defer { name runs { nodes { id } } } } }",
		"defer, labelled":    `query ($d: Boolean) { ...f @defer(if: $d, label: "x") } fragment f on Query { events { totalCount } }`,
		"unused variable":    "query ($n: Int) { providers { id } }",
		"unknown var type":   "query ($n: Integer) { events(first: $n) { totalCount } }",
		"wrong var type":     "query ($n: String) { events(first: $n) { totalCount } }",
		"no selection":       "{ providers }",
		"selection of text":  "{ providers { id { x } } }",
		"mutation":           "mutation { drop }",
		"subscription":       "subscription { changes { id } }",
		"only a fragment":    "fragment f on Event { id }",
		"fragment cycle":     "{ providers { ...f } } fragment f on Provider { id ...f }",
		"conflict":           "{ a: providers { id } a: provider(slug: \"x\") { id } }",
		"missing argument":   "{ event { id } }",
		"too deep":           nested(4),
		"far too deep":       nested(200),
		"endless number":     "{ events(where: {price: {max: 1e9999}}) { totalCount } }",
		"many tokens":        "{ " + strings.Repeat("a ", 6_000) + "}",
		"list of tokens":     "{ nodes(ids: [" + strings.Repeat("1 ", 30_000) + "]) { id } }",
		"braces":             strings.Repeat("{", 30_000),
		"brackets":           "{ nodes(ids: " + strings.Repeat("[", 30_000),
		"introspection deep": "{ __schema { types { " + strings.Repeat("fields { type { ", 20) + "name" + strings.Repeat(" } }", 20) + " } } }",
	} {
		t.Run(name, func(t *testing.T) { a.refused(t, a.ask(query, ""), "*") })
	}
	for name, query := range map[string]string{"fragments that double": laughs, "fragments on end": deep} {
		t.Run(name, func(t *testing.T) { // good or not, it must not take long
			began := time.Now()
			got := a.ask(query, "")
			if took := time.Since(began); took > 5*time.Second || got.status >= http.StatusInternalServerError {
				t.Errorf("status %d after %v", got.status, took)
			}
		})
	}
	t.Run("several operations, none named", func(t *testing.T) {
		a.refused(t, a.ask("query A { providers { id } } query B { providers { id } }", ""), "*")
	})
	t.Run("operation that is not there", func(t *testing.T) {
		body, _ := json.Marshal(map[string]any{"query": "query A { providers { id } }", "operationName": "B\x00"})
		a.refused(t, a.post(body), "*")
	})
}

// TestSubscriptionsHaveOneRoot: one field, whatever the variables are.
func TestSubscriptionsHaveOneRoot(t *testing.T) {
	t.Parallel()
	engine := graph.NewEngine(nil, slog.New(slog.DiscardHandler), graph.Limits{})
	for query, good := range map[string]bool{
		"subscription { changes { cursor } }":                                                                              true,
		"subscription { changes { cursor } changes { kind } }":                                                             true,
		"subscription { a: changes { cursor @skip(if: true) } }":                                                           true,
		"subscription { ...f ...f } fragment f on Subscription { changes { cursor } }":                                     true,
		"subscription { a: changes { cursor } b: changes { cursor } }":                                                     false,
		"subscription { changes { cursor } b: changes { cursor } }":                                                        false,
		"subscription { changes { cursor } __typename }":                                                                   false,
		"subscription { __typename }":                                                                                      false,
		"subscription { a: changes { cursor } ...f } fragment f on Subscription { b: changes { cursor } }":                 false,
		"subscription { a: changes { cursor } ... { b: changes { cursor } } }":                                             false,
		"subscription { changes @skip(if: true) { cursor } }":                                                              false,
		"subscription ($s: Boolean!) { changes @include(if: $s) { cursor } }":                                              false,
		"subscription ($s: Boolean!) { ... @skip(if: $s) { changes { cursor } } }":                                         false,
		"subscription { ...f @skip(if: true) } fragment f on Subscription { changes { cursor } }":                          false,
		"subscription { ...f } fragment f on Subscription { ...g } fragment g on Subscription { changes { cursor } ...f }": false,
	} {
		_, refused := engine.Prepare(t.Context(), graph.Request{Query: query, Variables: map[string]any{"s": false}})
		if good != (refused == nil) {
			t.Errorf("%s: refused %v", query, refused != nil)
		}
		if refused != nil && (!refused.Refused || slices.ContainsFunc(refused.Codes, func(c catalog.Code) bool { return c != catalog.CodeBadUserInput })) {
			t.Errorf("%s: %s", query, refused.Body)
		}
	}
}

// TestVariables: variables that don't fit what the document says of them.
func TestVariables(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	for _, test := range []struct{ query, variables, argument string }{
		{"query ($n: Int!) { events(first: $n) { totalCount } }", "", "first"},
		{"query ($n: Int!) { events(first: $n) { totalCount } }", `{"n": null}`, "first"},
		{"query ($n: Int!) { events(first: $n) { totalCount } }", `{"N": 5}`, "first"},
		{"query ($n: Int = 0) { events(first: $n) { totalCount } }", "", "first"},
		{"query ($w: EventWindow) { events(window: $w) { totalCount } }", `{"w": {"form": "2021-06-30"}}`, "window.form"},
		{"query ($w: EventWindow) { events(window: $w) { totalCount } }", `{"w": [{"from": "2021-06-30"}, {}]}`, "window"},
		{"query ($f: DateOrDateTime, $w: EventWindow) { a: events(window: $w) { totalCount } events(window: {from: $f}) { totalCount } }", `{"f": {"x": 1}}`, "window.from"},
		{"query ($i: [ID!]) { events(where: {ids: $i}) { totalCount } }", `{"i": ["` + jazz.String() + `", null]}`, "where.ids"},
		{"query ($p: PriceFilter) { events(where: {price: $p}) { totalCount } }", `{"p": {"max": "x"}}`, "where.price.max"},
		{"query ($p: PriceFilter) { events(where: {price: $p}) { totalCount } }", `{"p": {"currency": 5}}`, "where.price.currency"},
		{"query ($p: PriceFilter) { ...f } fragment f on Query { events(where: {price: $p}) { totalCount } }", `{"p": {"currency": 5}}`, "where.price.currency"},
		{"query ($s: Boolean!) { providers @skip(if: $s) { id } }", `{"s": "yes"}`, "if"},
	} {
		t.Run(test.query+test.variables, func(t *testing.T) {
			a.refused(t, a.ask(test.query, test.variables), test.argument)
			a.refused(t, a.get(test.query, test.variables), test.argument)
		})
	}
}

// TestValuesOfVariables: a value that is none of its type is refused before anything is executed, whether it comes to be read or not.
func TestValuesOfVariables(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	fixture(a)
	const events = "events(first: 1, %s) { totalCount }"
	none := `event(id: "00000000-0000-0000-0000-000000000000") { series { events(window: {%s}) { totalCount } } }`
	for _, test := range []struct{ typ, field, use, value, argument, message string }{
		{"EventWindow", events, "window: $v", `{"from": "2021-06-28", "match": "starts_in"}`, "window.match", `$v.match: "starts_in" is no value of WindowMatch`},
		{"EventWindow", events, "window: $v", `{"preset": "tomorrow", "timeZone": "Europe/Madrid"}`, "window.preset", `$v.preset: "tomorrow" is no value of WindowPreset`},
		{"WindowPreset", events, "window: {timeZone: \"Europe/Madrid\", preset: $v}", `"Tomorrow"`, "window.preset", `$v: "Tomorrow" is no value of WindowPreset`},
		{"EventFilter", events, "where: $v", `{"availability": ["SOLD_OUT", "in_stock"]}`, "where.availability", `$v.availability[1]: "in_stock" is no value of Availability`},
		{"EventFilter", events, "where: $v", `{"availability": "in_stock"}`, "where.availability", `$v.availability[0]: "in_stock" is no value of Availability`},
		{"OrderDirection!", events, "orderBy: {direction: $v}", `"desc"`, "orderBy.direction", `$v: "desc" is no value of OrderDirection`},
		{"OrderDirection", events, "orderBy: {direction: $v}", `null`, "orderBy.direction", `$v: cannot be null`},
		{"[ChangeKind!]", "changes(where: {kinds: %s}) { nodes { kind } }", "$v", `["removed"]`, "where.kinds", `$v[0]: "removed" is no value of ChangeKind`},
		{"[EventFacet!]!", "events { facets(%s) { facet } }", "by: $v", `["city"]`, "by", `$v[0]: "city" is no value of EventFacet`},
		{"TimeZone", none, "timeZone: $v", `"Mars"`, "window.timeZone", `$v: not a time zone: want an IANA name such as Europe/Madrid`},
		{"DateOrDateTime", none, "from: $v", `"soon"`, "window.from", `$v: not a date that exists: want a form such as 2021-06-30, 2021-06-30T20:00 or 2021-06-30T20:00:00+02:00`},
		{"Decimal", events, "where: {price: {min: $v}}", `"x"`, "where.price.min", `$v: not a Decimal: want a form such as "15.5"`},
		{"Decimal", events, "where: {price: {min: $v}}", `"1234567890123"`, "where.price.min", `$v: not a Decimal: want up to 12 digits before the point and 6 behind it`},
		{"DateTime", events, "where: {updatedSince: $v}", `"x"`, "where.updatedSince", `$v: not a DateTime: want RFC 3339 such as 2021-06-30T19:00:00Z`},
		{"Int", "events(%s) { totalCount }", "first: $v", `"5"`, "first", `$v: "5" is no value of Int`},
		{"Int", "events(%s) { totalCount }", "first: $v", `5.5`, "first", `$v: 5.5 is no value of Int`},
		{"Int", "events(%s) { totalCount }", "first: $v", `2147483648`, "first", `$v: 2147483648 is no value of Int`},
		{"String!", "provider(%s) { id }", "slug: $v", `5`, "slug", `$v: 5 is no value of String`},
		{"EventFilter", events, "where: $v", `{"cities": [5]}`, "where.cities", `$v.cities[0]: 5 is no value of String`},
		{"EventFilter", events, "where: $v", `{"cities": 5}`, "where.cities", `$v.cities[0]: 5 is no value of String`},
		{"EventFilter", events, "where: $v", `{"removed": "true"}`, "where.removed", `$v.removed: "true" is no value of Boolean`},
		{"ID!", "event(%s) { id }", "id: $v", `5.5`, "id", `$v: 5.5 is no value of ID`},
		{"ID!", "event(%s) { id }", "id: $v", `true`, "id", `$v: true is no value of ID`},
		{"EventWindow", events, "window: $v", `{"form": "2021-06-28"}`, "window.form", `$v.form: unknown field`},
		{"Int!", "events(%s) { totalCount }", "first: $v", `null`, "first", `$v: cannot be null`},
	} {
		t.Run(test.typ+" "+test.value, func(t *testing.T) {
			got := a.ask("query ($v: "+test.typ+") { "+fmt.Sprintf(test.field, test.use)+" }", `{"v": `+test.value+`}`)
			a.refused(t, got, test.argument)
			if got.Data != nil || got.Errors[0].Path != nil || got.Errors[0].Message != test.message {
				t.Errorf("%s, want no data, no path, and message %s", got.body, test.message)
			}
		})
	}
	const query, variables = "query ($v: WindowMatch) { events(window: {match: $v}) { totalCount } }", `{"v": "overlaps"}`
	if got := a.get(query, variables); got.status != http.StatusOK {
		t.Errorf("status %d", got.status)
	}
	body := `{"query": "` + query + `", "variables": ` + variables + `}`
	if status, _ := a.send(http.MethodPost, "", "application/json", body, "Accept", "application/graphql-response+json"); status != http.StatusBadRequest {
		t.Errorf("status %d", status)
	}
	for _, good := range []struct{ query, variables, want string }{
		{"query ($v: OrderDirection) { events(orderBy: {direction: $v}) { totalCount } }", "{}", `{"events":{"totalCount":5}}`},
		{"query ($v: [ID!]) { events(where: {ids: $v}) { totalCount } }", `{"v": "` + bare.String() + `"}`, `{"events":{"totalCount":1}}`},
		{"query ($v: EventFilter) { events(where: $v) { totalCount } }", `{"v": {"ids": "` + bare.String() + `", "availability": null}}`, `{"events":{"totalCount":1}}`},
		{"query ($v: PriceFilter) { events(where: {price: $v}) { totalCount } }", `{"v": {"min": 12.25, "max": "12.25"}}`, `{"events":{"totalCount":2}}`},
	} {
		if got := a.data(good.query, good.variables); got != good.want {
			t.Errorf("%s %s: %s, want %s", good.query, good.variables, got, good.want)
		}
	}
}

// TestRefusedDocuments: what is said of documents that can't be executed.
func TestRefusedDocuments(t *testing.T) {
	t.Parallel()
	engine := graph.NewEngine(nil, slog.New(slog.DiscardHandler), graph.Limits{Tokens: 10})
	for _, test := range []struct{ query, name, want string }{
		{"query A { __typename } query B { __typename } # and", "A", `"code":"QUERY_TOO_COMPLEX"`},
		{"{ providers { id name slug timeZone a b c d", "", `{"message":"the document has too many tokens, at most 10 are allowed","extensions":{"code":"QUERY_TOO_COMPLEX"}}`},
		{"query A { id } #\n#\n#\n#\n#\n#\n#", "", `"code":"QUERY_TOO_COMPLEX"`},
		{"{ a } { b }", "", `"code":"BAD_USER_INPUT"`},
		{"# nothing", "", `{"message":"no operation provided","extensions":{"code":"BAD_USER_INPUT"}}`},
		{"query A { __typename }", "B", `{"message":"operation B not found","extensions":{"code":"BAD_USER_INPUT"}}`},
	} {
		_, refused := engine.Prepare(t.Context(), graph.Request{Query: test.query, OperationName: test.name})
		if refused == nil || !strings.Contains(string(refused.Body), test.want) {
			t.Errorf("%s: %+v, want %s", test.query, refused, test.want)
		}
	}
	engine = graph.NewEngine(nil, slog.New(slog.DiscardHandler), graph.Limits{})
	_, refused := engine.Prepare(t.Context(), graph.Request{Query: "query A { __typename } query B { __typename }"})
	if want := `operationName has to say which`; refused == nil || !strings.Contains(string(refused.Body), want) {
		t.Errorf("%+v, want %s", refused, want)
	}
}

// TestArgumentOfLongDocument: where longer documents are let in, their errors name the argument, too.
func TestArgumentOfLongDocument(t *testing.T) {
	t.Parallel()
	engine := graph.NewEngine(nil, slog.New(slog.DiscardHandler), graph.Limits{Tokens: 10_000})
	query := `{ events(first: "many") { totalCount } } ` + strings.Repeat("#\n", 6_000)
	_, refused := engine.Prepare(t.Context(), graph.Request{Query: query})
	if want := `"argument":"first"`; refused == nil || !strings.Contains(string(refused.Body), want) {
		t.Errorf("%+v, want %s", refused, want)
	}
}

// TestHugeDocuments: what is too large is refused before it is validated, and of what is wrong in many places some are told. Each of these took
// seconds.
func TestHugeDocuments(t *testing.T) {
	t.Parallel()
	engine := graph.NewEngine(nil, slog.New(slog.DiscardHandler), graph.Limits{})
	repeat := func(n int, part string) string { // # is a number
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(part, "#", fmt.Sprint(i)))
		}
		return b.String()
	}
	for name, test := range map[string]struct {
		query, code string
		errors      int
	}{
		"fields that are not there":     {"{ " + repeat(400, "f# ") + "}", "BAD_USER_INPUT", 10},
		"too many of these":             {"{ " + repeat(4500, "f# ") + "}", "QUERY_TOO_COMPLEX", 1},
		"one field over and over":       {"{ providers { " + repeat(4900, "id ") + "} }", "QUERY_TOO_COMPLEX", 1},
		"fragments that are not there":  {"{ " + repeat(400, "...f# ") + "}", "BAD_USER_INPUT", 10},
		"too many of these fragments":   {"{ " + repeat(2400, "...f# ") + "}", "QUERY_TOO_COMPLEX", 1},
		"fragments that nobody spreads": {"{ __typename }" + repeat(399, "fragment f# on Query { __typename } "), "BAD_USER_INPUT", 10},
		"variables that nobody uses":    {"query (" + repeat(1000, "$v#: Int ") + ") { __typename }", "BAD_USER_INPUT", 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, refused := engine.Prepare(t.Context(), graph.Request{Query: test.query})
			if refused == nil || len(refused.Codes) != test.errors || string(refused.Codes[0]) != test.code {
				t.Errorf("%.500v, want %d errors %s", refused, test.errors, test.code)
			}
		})
	}
}

// TestPathOfArguments: the path of an error leads to the field of the response that can't be answered, and not on into its arguments.
func TestPathOfArguments(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	for query, want := range map[string]string{
		`{ events(window: {timeZone: "Mars/Phobos"}) { totalCount } }`: `"path":["events"],"locations":[{"line":1,"column":3}]`,
		`{ some: nodes(ids: ["nope"]) { id } }`:                        `"path":["some"],"locations":[{"line":1,"column":3}]`,
	} {
		if got := a.ask(query, ""); !strings.Contains(string(got.body), want) {
			t.Errorf("%s: %s, want %s", query, got.body, want)
		}
	}
}

// TestRequests: requests that hold no document, or too large a one.
func TestRequests(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	send := func(method, contentType, query, body string) reply {
		r, err := http.NewRequestWithContext(t.Context(), method, a.url+query, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		return a.request(r)
	}
	const good = `{"query": "{ providers { id } }"}`
	const secret = "tell-nobody"
	for _, test := range []struct{ name, method, contentType, query, body string }{
		{"empty body", "POST", "application/json", "", ""},
		{"no JSON", "POST", "application/json", "", secret},
		{"half of it", "POST", "application/json", "", good[:20] + secret},
		{"a list", "POST", "application/json", "", "[" + good + "]"},
		{"null", "POST", "application/json", "", "null"},
		{"a number", "POST", "application/json", "", "5"},
		{"query a number", "POST", "application/json", "", `{"query": 5}`},
		{"variables a list", "POST", "application/json", "", `{"query": "{ providers { id } }", "variables": []}`},
		{"variables text", "POST", "application/json", "", `{"query": "{ providers { id } }", "variables": "` + secret + `"}`},
		{"operation a number", "POST", "application/json", "", `{"query": "{ providers { id } }", "operationName": 5}`},
		{"null bytes", "POST", "application/json", "", "\x00\x00"},
		{"2 MB", "POST", "application/json", "", `{"query": "{ providers { id } } #` + strings.Repeat("x", 2<<20) + `"}`},
		{"a form", "POST", "application/x-www-form-urlencoded", "", "query={providers{id}}"},
		{"no type", "POST", "", "", good},
		{"bad type", "POST", ";;", "", good},
		{"GET without a query", "GET", "", "", ""},
		{"GET malformed", "GET", "", "?query=%zz", ""},
		{"GET with bad variables", "GET", "", "?query={providers{id}}&variables=" + secret, ""},
		{"GET with listed variables", "GET", "", "?query={providers{id}}&variables=[]", ""},
		{"GET of 2 MB", "GET", "", "?query={providers{id}}%23" + strings.Repeat("x", 100<<10), ""},
		{"GET of a mutation", "GET", "", "?query=mutation{x}", ""},
		{"PUT", "PUT", "application/json", "", good},
		{"DELETE", "DELETE", "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := send(test.method, test.contentType, test.query, test.body)
			a.refused(t, got, "*")
			if strings.Contains(string(got.body), secret) {
				t.Errorf("the request is echoed: %s", got.body)
			}
			if got.status < 400 {
				t.Errorf("status %d", got.status)
			}
		})
	}
}

// TestStrangeButGood: what looks wrong and is not.
func TestStrangeButGood(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	fixture(a)
	for query, want := range map[string]string{
		`{ provider(slug: "\u0000") { id } }`:                                                                                   `{"provider":null}`,
		`{ provider(slug: "") { id } }`:                                                                                         `{"provider":null}`,
		`{ event(id: "00000000-0000-0000-0000-000000000000") { id } }`:                                                          `{"event":null}`,
		`{ event(id: "` + strings.ToUpper(free.String()) + `") { title } }`:                                                     `{"event":{"title":"Free"}}`,
		`{ nodes(ids: []) { id } }`:                                                                                             `{"nodes":[]}`,
		`{ events(where: {providers: ["\u0000"]}) { totalCount } }`:                                                             `{"events":{"totalCount":0}}`,
		`{ events(where: {ids: []}) { totalCount } }`:                                                                           `{"events":{"totalCount":5}}`,
		`{ events(first: null, window: null, where: null, orderBy: null) { totalCount } }`:                                      `{"events":{"totalCount":5}}`,
		`{ events(window: {match: null, from: "2021-07-01"}) { totalCount } }`:                                                  `{"events":{"totalCount":4}}`,
		`{ events(window: {from: "2021-07-01", to: "2021-07-01"}) { totalCount } }`:                                             `{"events":{"totalCount":0}}`,
		`{ events(where: {price: {min: 12.25, max: "12.25"}}) { nodes { title } } }`:                                            `{"events":{"nodes":[{"title":"Trío «Sombra» 🎷"},{"title":"Gone"}]}}`,
		`{ events(where: {price: {min: 31}}) { totalCount } }`:                                                                  `{"events":{"totalCount":0}}`,
		`{ events(where: {price: {max: 0, currency: "EUR"}}) { totalCount } }`:                                                  `{"events":{"totalCount":2}}`,
		`{ events(where: {ids: "` + bare.String() + `"}) { nodes { title } } }`:                                                 `{"events":{"nodes":[{"title":"Bare"}]}}`,
		`{ events(after: "` + forged(at("9999-12-31T23:59:59Z"), concert) + `") { totalCount } }`:                               `{"events":{"totalCount":5}}`,
		`{ events(last: 1, before: "` + forged(time.Date(-3999, 1, 1, 0, 0, 0, 0, time.UTC), concert) + `") { nodes { id } } }`: `{"events":{"nodes":[]}}`,
	} {
		if got := a.data(query, ""); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

// forged is a cursor as somebody might make it who has looked into one.
func forged(startsAt time.Time, id event.ID) string {
	b := binary.BigEndian.AppendUint64([]byte{1}, uint64(startsAt.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(b, id[:]...))
}
