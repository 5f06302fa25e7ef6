package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/httpapi/gqlhttp"
)

// resolved is a catalog that writes no page: gqlgen's resolvers, the reference.
type resolved struct{ graph.Catalog }

func (resolved) WriteEvents(context.Context, catalog.EventQuery, *catalog.Layout, []byte) ([]byte, error) {
	return nil, catalog.ErrUnwritten
}

// counting counts what is written and what is left.
type counting struct {
	graph.Catalog
	written, left atomic.Int64
}

func (c *counting) WriteEvents(ctx context.Context, eq catalog.EventQuery, l *catalog.Layout, b []byte) ([]byte, error) {
	written, err := c.Catalog.WriteEvents(ctx, eq, l, b)
	if err == nil {
		c.written.Add(1)
	} else {
		c.left.Add(1)
	}
	return written, err
}

// answers is what a handler says to a query. Errors of lists side by side come in any order.
func answers(t interface{ Fatal(args ...any) }, handler http.Handler, query string, variables map[string]any) (int, string) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/graphql", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	var answer struct {
		Errors []json.RawMessage
		Data   json.RawMessage
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(answer.Errors, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	return w.Code, fmt.Sprintf("%s %s", answer.Errors, answer.Data)
}

// TestWrittenIsResolved: whatever is asked, in whatever form, what is written from the rows is what the resolvers say,
// byte by byte.
func TestWrittenIsResolved(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	fixture(a)
	crowd(a, 12)
	strange(a)
	count := &counting{Catalog: a.reads}
	writes, resolves := gqlhttp.New(gqlhttp.Options{Engine: graph.NewEngine(count, a.logger, graph.Limits{})}), gqlhttp.New(gqlhttp.Options{Engine: graph.NewEngine(resolved{a.reads}, a.logger, graph.Limits{})})
	api := gqlparser.MustLoadSchema(&ast.Source{Name: "schema.graphql", Input: graph.SDL()})
	var cursors []string
	for _, order := range []string{"{}", "{field: PRICE}", "{field: LAST_CHANGE, direction: DESC}", "{field: TITLE}", "{field: RELEVANCE}"} {
		var page struct {
			Events struct{ Edges []struct{ Cursor string } }
		}
		if err := json.Unmarshal([]byte(a.data("{ events(orderBy: "+order+") { edges { cursor } } }", "")), &page); err != nil {
			t.Fatal(err)
		}
		for _, edge := range page.Events.Edges {
			cursors = append(cursors, edge.Cursor)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := &drawer{t: t, api: api, cursors: cursors, variables: map[string]any{}}
		query := d.document()
		wantStatus, want := answers(t, resolves, query, d.variables)
		status, got := answers(t, writes, query, d.variables)
		if status != wantStatus || got != want {
			t.Fatalf("%s\n%v\nwritten  %d %s\nresolved %d %s", query, d.variables, status, got, wantStatus, want)
		}
	})
	t.Logf("%d pages written, %d left to the resolvers", count.written.Load(), count.left.Load())
	if count.written.Load() == 0 || count.left.Load() == 0 {
		t.Error("one way was never gone")
	}
}

// strange adds an event with text that needs escaping, and one with every part missing that may be.
func strange(a *api) {
	add(a, acme, values{
		"title": "\x01\x1f\x7f\"\\/\b\f\n\r\t <&> \u2028 é 🎷", "description": " ", "organizer": "null", "place_city": "\\",
		"categories": []string{"a, b", "", "\"q\"", "\b\f\t", "\\", "é"}, "min_price": "123456789012.123456", "max_price": "-0.000001", "currency": "",
		"offers":     `[{"id": "\b\f\"\\ é", "name": "", "price": "7.50"}, {"name": "[{,:}]", "price": 1e2, "capacity": -1, "numbered": null, "other": "x"}]`,
		"attributes": `[]`, "updated_at": at("1999-12-31T23:59:59Z"), "ends_at": at("9999-12-31T23:59:59Z"), "ends_local": at("9999-12-31T23:59:59Z"), "span_class": 24,
	})
	add(a, globex, values{"min_price": "0.01", "max_price": "10000", "starts_at": at("1000-01-01T00:00:00Z"), "starts_local": at("1000-01-01T00:00:00Z")})
	a.sent.take()
}

// drawer draws a document that asks for lists of events.
type drawer struct {
	t         *rapid.T
	api       *ast.Schema
	cursors   []string
	variables map[string]any
	declared  []string
	fragments []string
	names     int
}

func (d *drawer) oneIn(n int) bool { return rapid.IntRange(1, n).Draw(d.t, "chance") == 1 }

func (d *drawer) of(values ...string) string { return rapid.SampledFrom(values).Draw(d.t, "one") }

func (d *drawer) document() string {
	var fields []string
	for i := range rapid.IntRange(1, 2).Draw(d.t, "lists") {
		field := fmt.Sprintf("e%d: events%s %s", i, d.arguments(), d.set("EventConnection", 5))
		if d.oneIn(6) {
			field = fmt.Sprintf(`s%d: series(id: %q) { events%s %s }`, i, jazz.String(), strings.Replace(d.arguments(), "where:", "# ", 1), d.set("EventConnection", 5))
		}
		fields = append(fields, field)
	}
	head := "query"
	if len(d.declared) > 0 {
		head += "(" + strings.Join(d.declared, ", ") + ")"
	}
	return head + " { " + strings.Join(fields, "\n") + " }\n" + strings.Join(d.fragments, "\n")
}

// arguments of a list of events, each on a line of its own.
func (d *drawer) arguments() string {
	var given []string
	give := func(name string, values ...string) {
		if !d.oneIn(3) {
			return
		}
		value := d.of(values...)
		if d.oneIn(3) && name != "where" && name != "orderBy" && name != "window" {
			d.names++
			variable := fmt.Sprintf("v%d", d.names)
			var decoded any
			if err := json.Unmarshal([]byte(value), &decoded); err != nil {
				d.t.Fatal(err)
			}
			kind := "Int"
			if _, text := decoded.(string); text {
				kind = "String"
			}
			d.variables[variable], d.declared = decoded, append(d.declared, "$"+variable+": "+kind)
			value = "$" + variable
		}
		given = append(given, name+": "+value)
	}
	cursors := []string{`"nonsense"`}
	for _, c := range d.cursors {
		cursors = append(cursors, `"`+c+`"`)
	}
	give(d.of("first", "last"), "1", "3", "7", "100", "0")
	give("after", cursors...)
	give("before", cursors...)
	give("window", `{from: "2021-06-30", to: "2021-07-02"}`, `{from: "2021-07-04T00:00:00Z", match: ENDS_IN}`, `{to: "2021-07-04", match: CONTAINED}`,
		`{from: "2021-07-01", match: STARTS_IN, timeZone: "Asia/Tokyo"}`, `{preset: NEXT_7_DAYS, timeZone: "Europe/Madrid"}`, `{preset: TODAY}`, "null")
	give("where", `{removed: false}`, `{providers: ["globex"]}`, `{price: {min: 1, max: "13"}}`, `{availability: [IN_STOCK, UNKNOWN]}`, `{status: [CANCELLED]}`, `{text: "free"}`, `{cities: ["Madrid"]}`, `{price: {min: 2, max: 1}}`)
	give("orderBy", "{direction: DESC}", "{field: PRICE}", "{field: PRICE, direction: DESC}", "{field: LAST_CHANGE}", "{field: TITLE}", "{field: RELEVANCE}", "{field: RELEVANCE, direction: DESC}", "null")
	if len(given) == 0 {
		return ""
	}
	return "(\n" + strings.Join(given, "\n") + "\n)"
}

// set draws a selection set of a type.
func (d *drawer) set(typeName string, depth int) string {
	definition := d.api.Types[typeName]
	var chosen []string
	for range rapid.IntRange(1, 6).Draw(d.t, "fields") {
		field := rapid.SampledFrom(d.fields(definition, depth)).Draw(d.t, "field")
		one := field.Name
		if d.oneIn(4) {
			one = d.of("a", "b") + "_" + field.Name + ": " + field.Name
		}
		one += d.directive()
		if inner := d.api.Types[field.Type.Name()]; inner.IsCompositeType() {
			one += " " + d.set(inner.Name, depth-1)
		}
		switch rapid.IntRange(0, 9).Draw(d.t, "form") {
		case 0:
			if slices.Contains(definition.Interfaces, "Node") {
				one = "... on Node" + d.directive() + " { " + d.of("id", "__typename", "... on "+typeName+" { "+one+" }") + " }"
			}
		case 1:
			one = "..." + d.of("", " on "+typeName) + d.directive() + " { " + one + " }"
		case 2:
			d.names++
			d.fragments = append(d.fragments, fmt.Sprintf("fragment f%d on %s { %s }", d.names, typeName, one))
			one = fmt.Sprintf("...f%d%s", d.names, d.directive())
		case 3:
			one = d.of("", "kind: ") + "__typename"
		}
		chosen = append(chosen, one)
	}
	return "{ " + strings.Join(chosen, " ") + " }"
}

// fields are those that can be selected without arguments, and at the deepest level without selecting further.
func (d *drawer) fields(definition *ast.Definition, depth int) []*ast.FieldDefinition {
	var found []*ast.FieldDefinition
	for _, f := range definition.Fields {
		required := slices.ContainsFunc(f.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.NonNull && a.DefaultValue == nil })
		composite := d.api.Types[f.Type.Name()].IsCompositeType()
		if strings.HasPrefix(f.Name, "__") || required || composite && depth == 0 {
			continue
		}
		// Lists in lists multiply; a few are enough.
		if len(f.Arguments) > 0 && (depth < 2 || !d.oneIn(4)) {
			continue
		}
		found = append(found, f)
	}
	return found
}

func (d *drawer) directive() string {
	if !d.oneIn(8) {
		return ""
	}
	condition := d.of("true", "false", "$yes", "$no")
	if name, variable := strings.CutPrefix(condition, "$"); variable {
		if _, known := d.variables[name]; !known {
			d.variables[name], d.declared = name == "yes", append(d.declared, condition+": Boolean!")
		}
	}
	return d.of(" @skip", " @include") + "(if: " + condition + ")"
}

// TestEveryFieldIsWritten, or said here to be left to the resolvers.
func TestEveryFieldIsWritten(t *testing.T) {
	t.Parallel()
	left := map[string]string{
		"EventSeries.provider":   "it takes a statement of its own",
		"EventSeries.events":     "it has arguments",
		"EventConnection.facets": "it has arguments",
		"Event.history":          "it has arguments",
		"Provider.runs":          "it has arguments",
		"Provider.lastSyncedAt":  "it takes a statement of its own",
	}
	api := gqlparser.MustLoadSchema(&ast.Source{Name: "schema.graphql", Input: graph.SDL()})
	var look func(typeName string)
	seen := map[string]bool{}
	look = func(typeName string) {
		if seen[typeName] {
			return
		}
		seen[typeName] = true
		for _, f := range api.Types[typeName].Fields {
			name := typeName + "." + f.Name
			_, isLeft := left[name]
			if catalog.Writes(typeName, f.Name) == isLeft {
				t.Errorf("%s: give it a writer in catalog/columns.go, or a reason in this test", name)
			}
			if !isLeft && len(f.Arguments) > 0 {
				t.Errorf("%s has arguments, which a writer doesn't see", name)
			}
			delete(left, name)
			if !isLeft && api.Types[f.Type.Name()].IsCompositeType() {
				look(f.Type.Name())
			}
		}
	}
	look("EventConnection")
	for name := range left {
		t.Errorf("the API has no %s", name)
	}
}
