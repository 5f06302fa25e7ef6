package graph_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/aledotdev/marquee/graph"
)

// TestGuide runs what docs/graphql.md and the README tell people to ask, with the variables that stand beneath.
func TestGuide(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	fixture(a)
	schema := gqlparser.MustLoadSchema(&ast.Source{Name: "schema.graphql", Input: graph.SDL()})
	block := regexp.MustCompile("(?s)```graphql\n(.*?)```(?:\n\n```json\n(.*?)```)?")
	for file, least := range map[string]int{"../docs/graphql.md": 8, "../README.md": 1} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		blocks := block.FindAllStringSubmatch(string(text), -1)
		if len(blocks) < least {
			t.Errorf("%s: %d examples, want %d", file, len(blocks), least)
		}
		for _, b := range blocks {
			query, variables := b[1], strings.TrimSpace(b[2])
			if strings.HasPrefix(query, "subscription") {
				if _, errs := gqlparser.LoadQueryWithRules(schema, query, nil); errs != nil {
					t.Errorf("%s: %v\n%s", file, errs, query)
				}
				continue
			}
			if data := a.data(query, variables); !json.Valid([]byte(data)) || data == "null" {
				t.Errorf("%s: %s\n%s", file, data, query)
			}
		}
	}
}

// TestGuideNamesCodes: whoever meets a code finds it in the guide.
func TestGuideNamesCodes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/graphql.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`catalog\.Code = "([A-Z_]+)"|Code[A-Z]\w+ +Code = "([A-Z_]+)"|code: "([A-Z_]+)"`)
	for _, file := range []string{"errors.go", "../internal/catalog/errors.go", "../internal/httpapi/failure.go", "../internal/httpapi/httpapi.go", "../internal/httpapi/gqlhttp/documents.go", "../internal/httpapi/gqlhttp/gqlhttp.go", "../internal/httpapi/gqlhttp/live.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(source), -1) {
			if name := m[1] + m[2] + m[3]; name != "METHOD_NOT_ALLOWED" && !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("%s: %s is not in the guide", file, name)
			}
		}
	}
}
