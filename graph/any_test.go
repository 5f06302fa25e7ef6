package graph_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/graph"
)

// TestAnyOperation asks whatever the schema allows to be asked, with values that are good, bad or hostile. It is answered, or the
// client is told what is wrong; it is never our fault, and nothing of what lies behind shows.
func TestAnyOperation(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	fixture(a)
	crowd(a, 12)
	schema := gqlparser.MustLoadSchema(&ast.Source{Name: "schema.graphql", Input: graph.SDL()})
	rapid.Check(t, func(t *rapid.T) {
		const deepest = 6
		m := &maker{t: t, schema: schema, fields: 28} // each has an alias, of which a document may have 30
		query := "query Any " + m.selection(schema.Query, deepest)
		got := a.ask(query, "")
		if got.status >= http.StatusInternalServerError {
			t.Fatalf("status %d: %s\n%s", got.status, got.body, query)
		}
		for _, e := range got.Errors {
			if e.Extensions.Code == "INTERNAL" || e.Extensions.Code == "" {
				t.Errorf("code %q: %s\n%s", e.Extensions.Code, e.Message, query)
			}
			if found := leak.FindString(e.Message); found != "" {
				t.Errorf("the message tells too much (%q): %.300s\n%s", found, e.Message, query)
			}
		}
		if lines := a.log.take(); len(lines) > 0 {
			t.Errorf("logged: %s\n%s", lines, query)
		}
	})
}

// maker makes operations of a schema.
type maker struct {
	t      *rapid.T
	schema *ast.Schema
	fields int // that may still be selected
}

func (m *maker) upTo(n int) int { return rapid.IntRange(0, n).Draw(m.t, "n") }

// selection selects some fields of a type, no lists of objects below depth.
func (m *maker) selection(of *ast.Definition, depth int) string {
	if of.Kind == ast.Interface || of.Kind == ast.Union {
		possible := m.schema.GetPossibleTypes(of)
		one := possible[m.upTo(len(possible)-1)]
		return "{ __typename ... on " + one.Name + " " + m.selection(one, depth) + " }"
	}
	var usable []*ast.FieldDefinition
	for _, f := range of.Fields {
		leaf := m.schema.Types[f.Type.Name()].IsLeafType()
		if !strings.HasPrefix(f.Name, "__") && (leaf || depth > 1) {
			usable = append(usable, f)
		}
	}
	selected := "{ __typename"
	for i := range 1 + m.upTo(3) {
		if len(usable) == 0 || m.fields == 0 {
			break
		}
		m.fields--
		f := usable[m.upTo(len(usable)-1)]
		selected += fmt.Sprintf(" f%d: %s%s", i, f.Name, m.arguments(f.Arguments))
		if of := m.schema.Types[f.Type.Name()]; !of.IsLeafType() {
			selected += " " + m.selection(of, depth-1)
		}
	}
	return selected + " }"
}

func (m *maker) arguments(all ast.ArgumentDefinitionList) string {
	var given []string
	for _, a := range all {
		if a.Type.NonNull && a.DefaultValue == nil || m.upTo(2) == 0 {
			given = append(given, a.Name+": "+m.value(a.Type, 3))
		}
	}
	if len(given) == 0 {
		return ""
	}
	return "(" + strings.Join(given, ", ") + ")"
}

// value is a literal of a type; of a scalar, one that may or may not be good.
func (m *maker) value(of *ast.Type, depth int) string {
	if !of.NonNull && m.upTo(9) == 0 {
		return "null"
	}
	if of.Elem != nil {
		var elements []string
		for range m.upTo(3) {
			elements = append(elements, m.value(of.Elem, depth))
		}
		return "[" + strings.Join(elements, ", ") + "]"
	}
	definition := m.schema.Types[of.Name()]
	switch definition.Kind {
	case ast.Enum:
		return definition.EnumValues[m.upTo(len(definition.EnumValues)-1)].Name
	case ast.InputObject:
		var given []string
		for _, f := range definition.Fields {
			if f.Type.NonNull && f.DefaultValue == nil || depth > 0 && m.upTo(3) == 0 {
				given = append(given, f.Name+": "+m.value(f.Type, depth-1))
			}
		}
		return "{" + strings.Join(given, ", ") + "}"
	default:
		return rapid.SampledFrom(scalars(definition.Name)).Draw(m.t, definition.Name)
	}
}

// scalars are literals of a scalar type, and some that only look like it.
func scalars(name string) []string {
	switch name {
	case "Int":
		return []string{"1", "2", "50", "100", "0", "-1", "101", "2147483647"}
	case "Float":
		return []string{"0", "1.5", "-1e300", "1e300"}
	case "Boolean":
		return []string{"true", "false"}
	case "ID":
		return []string{quoted(concert.String()), quoted(jazz.String()), quoted(acme.String()), quoted(gone.String()), quoted(unlisted.String()), `""`, `"x"`, "5", `"9544cef3-7587-5640-92c0-59fe2667d370"`}
	case "DateOrDateTime":
		return []string{`"2021-06-30"`, `"2021-07-31T23:59"`, `"2021-07-31T23:59:59+02:00"`, `"9999-12-31"`, `"1000-01-01"`, `"2021-02-30"`, `"soon"`}
	case "DateTime":
		return []string{`"2021-06-30T00:00:00Z"`, `"9999-12-31T23:59:59Z"`, `"2021-06-30"`}
	case "TimeZone":
		return []string{`"Europe/Madrid"`, `"America/New_York"`, `"UTC"`, `"Pacific/Kiritimati"`, `"Mars/Olympus"`}
	case "Decimal":
		return []string{`"0"`, `"15.5"`, "30", `"-1"`, `"999999999999.999999"`, `"1e9"`, `"NaN"`}
	default:
		return []string{`"acme"`, `"globex"`, `"jazz"`, `"Madrid"`, `"EUR"`, `"ES"`, `""`, `"\u0000"`, `"%_\\"`, `"' OR 1=1 --"`, `"música 🎷"`, `"AX////////////////////////////////"`, quoted(strings.Repeat("a ", 150))}
	}
}

func quoted(s string) string { return `"` + s + `"` }
