package httpapi_test

import (
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/httpapi"
	"github.com/aledotdev/marquee/internal/httpapi/gqlhttp"
	"github.com/aledotdev/marquee/internal/httpapi/ratelimit"
)

// description is the OpenAPI document as it is served. Schemas of OpenAPI 3.1 are JSON Schema 2020-12.
type description struct {
	root     map[string]any
	compiler *jsonschema.Compiler
}

const documentURL = "file:///openapi.json"

func describe(t *testing.T) description {
	t.Helper()
	w := do(t, httpapi.New(options(found())), http.MethodGet, "/openapi.json")
	root, err := jsonschema.UnmarshalJSON(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	d := description{root.(map[string]any), jsonschema.NewCompiler()}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(documentURL, root); err != nil {
		t.Fatal(err)
	}
	return d
}

// at follows keys, and references on the way; it returns the place of the value too.
func (d description) at(t *testing.T, place string, keys ...string) (value map[string]any, pointer string) {
	t.Helper()
	pointer = place
	if place != "" {
		keys = append(strings.Split(place[1:], "/"), keys...)
		pointer = ""
	}
	value = d.root
	for _, key := range keys {
		next, ok := value[strings.NewReplacer("~1", "/", "~0", "~").Replace(key)].(map[string]any)
		if !ok {
			t.Fatalf("%s has no %s", pointer, key)
		}
		value, pointer = next, pointer+"/"+key
		if ref, ok := value["$ref"].(string); ok {
			value, pointer = d.at(t, strings.TrimPrefix(ref, "#"))
		}
	}
	return value, pointer
}

func escape(key string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(key) }

// walk visits every object of the document.
func walk(value any, pointer string, visit func(object map[string]any, pointer string)) {
	switch value := value.(type) {
	case map[string]any:
		visit(value, pointer)
		for key, child := range value {
			walk(child, pointer+"/"+escape(key), visit)
		}
	case []any:
		for i, child := range value {
			walk(child, fmt.Sprintf("%s/%d", pointer, i), visit)
		}
	}
}

func TestOpenAPIIsWellFormed(t *testing.T) {
	t.Parallel()
	d := describe(t)
	if d.root["openapi"] != "3.1.0" {
		t.Errorf("openapi is %v", d.root["openapi"])
	}
	ids := map[string]bool{}
	paths, _ := d.at(t, "", "paths")
	for path := range paths {
		item, _ := d.at(t, "", "paths", escape(path))
		for method := range item {
			operation, at := d.at(t, "", "paths", escape(path), method)
			id, _ := operation["operationId"].(string)
			if id == "" || ids[id] || operation["summary"] == nil {
				t.Errorf("%s: operationId %q is none, or not its own, or there is no summary", at, id)
			}
			ids[id] = true
			responses, _ := d.at(t, at, "responses")
			for status := range responses {
				if response, at := d.at(t, at, "responses", status); response["description"] == nil {
					t.Errorf("%s has no description", at)
				}
			}
			parameters, _ := operation["parameters"].([]any)
			for _, p := range parameters {
				parameter := p.(map[string]any)
				if ref, ok := parameter["$ref"].(string); ok {
					parameter, _ = d.at(t, strings.TrimPrefix(ref, "#"))
				}
				if parameter["name"] == nil || parameter["in"] != "query" || parameter["schema"] == nil || parameter["description"] == nil {
					t.Errorf("%s: parameter %v", at, parameter)
				}
			}
		}
	}

	used := map[string]bool{}
	walk(d.root, "", func(object map[string]any, pointer string) {
		if ref, ok := object["$ref"].(string); ok {
			used[ref] = true
			d.at(t, strings.TrimPrefix(ref, "#"))
		}
		schema, ok := object["schema"]
		if !ok {
			return
		}
		compiled, err := d.compiler.Compile(documentURL + "#" + pointer + "/schema")
		if err != nil {
			t.Errorf("%s: schema %v: %v", pointer, schema, err)
			return
		}
		examples, _ := object["examples"].(map[string]any)
		for name, example := range examples {
			if err := compiled.Validate(example.(map[string]any)["value"]); err != nil {
				t.Errorf("%s: example %s: %v", pointer, name, err)
			}
		}
	})
	kinds, _ := d.at(t, "", "components")
	for kind := range kinds {
		components, at := d.at(t, "", "components", kind)
		for name := range components {
			if !used["#"+at+"/"+name] {
				t.Errorf("nothing uses %s/%s", at, name)
			}
		}
	}
}

// TestOpenAPIIsTrue compares real answers with what the document says of them.
func TestOpenAPIIsTrue(t *testing.T) {
	t.Parallel()
	d := describe(t)
	open, unpriced := show(t, "No end"), show(t, "No offers")
	open.End = event.LocalDateTime{}
	unpriced.MinPrice, unpriced.MaxPrice = nil, nil
	good := httpapi.New(options(found(show(t, "a"), open, unpriced)))
	o := options(found())
	o.GraphQL = gqlhttp.New(gqlhttp.Options{Engine: graph.NewEngine(nil, slog.New(slog.DiscardHandler), graph.Limits{})})
	graphQL := httpapi.New(o)
	o.Limiter = ratelimit.New(ratelimit.Options{Budget: ratelimit.Budget{Rate: 1, Burst: 1}, Keys: map[ratelimit.KeyHash]ratelimit.Key{{}: {}}})
	o.GraphQL = gqlhttp.New(gqlhttp.Options{Engine: graph.NewEngine(nil, slog.New(slog.DiscardHandler), graph.Limits{}), Limiter: o.Limiter})
	poor := httpapi.New(o) // its clients have one point
	o.GraphQL = gqlhttp.New(gqlhttp.Options{Engine: graph.NewEngine(nil, slog.New(slog.DiscardHandler), graph.Limits{}), Live: gqlhttp.Live{Connections: -1}})
	o.Limiter = nil
	crowded := httpapi.New(o) // no stream may be open
	o.GraphQL = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a bug") })
	broken := httpapi.New(o)
	bad := httpapi.New(options(&fake{search: failing, exportErr: errDatabase, ping: pinging}))
	calendar := httpapi.New(options(&fake{export: []catalog.Exported{happening(t, "a")}}))
	// One export is at work, which is as many as may be.
	begun, leave := make(chan struct{}), make(chan struct{})
	busy := options(&fake{asked: func(catalog.EventQuery) { close(begun); <-leave }})
	busy.Exports = 1
	full := httpapi.New(busy)
	ended := make(chan struct{})
	go func() {
		do(t, full, http.MethodGet, "/events.ics")
		close(ended)
	}()
	<-begun
	defer func() { close(leave); <-ended }()
	covered := map[string]bool{}
	for _, tc := range []struct {
		server http.Handler
		method string
		target string
		body   string
		status int
	}{
		{good, http.MethodGet, "/search?starts_at=2021-06-30", "", 200},
		{httpapi.New(options(found())), http.MethodGet, "/search", "", 200},
		{good, http.MethodGet, "/search?starts_at=x", "", 400},
		{good, http.MethodGet, "/search?starts_at=2021-07-01&ends_at=2021-06-30", "", 400},
		{good, http.MethodDelete, "/search", "", 405},
		{bad, http.MethodGet, "/search", "", 500},
		{graphQL, http.MethodPost, "/graphql", `{"query":"{__typename}"}`, 200},
		{graphQL, http.MethodPost, "/graphql", strings.Repeat("x", 64<<10+1), 413},
		{poor, http.MethodGet, "/search", "", 401},
		{poor, http.MethodGet, "/search", "", 429},
		{poor, http.MethodGet, "/events.ics", "", 401},
		{poor, http.MethodGet, "/events.ics", "", 429},
		{poor, http.MethodGet, "/events.csv", "", 401},
		{poor, http.MethodGet, "/events.csv", "", 429},
		{poor, http.MethodGet, "/events.jsonld", "", 401},
		{poor, http.MethodGet, "/events.jsonld", "", 429},
		{graphQL, http.MethodPost, "/graphql", "x", 400},
		{poor, http.MethodPost, "/graphql", `{"query":"{__typename}"}`, 401},
		{graphQL, http.MethodPost, "/graphql", `{"query":"{__typename}"}`, 403},
		{graphQL, http.MethodPut, "/graphql", "", 405},
		{graphQL, http.MethodPost, "/graphql", `{"query":"{__typename}"}`, 406},
		{graphQL, http.MethodPost, "/graphql", `{"query":"{__typename}"}`, 415},
		{poor, http.MethodPost, "/graphql", `{"query":"{providers{id}}"}`, 429},
		{broken, http.MethodPost, "/graphql", `{"query":"{__typename}"}`, 500},
		{crowded, http.MethodPost, "/graphql", `{"query":"subscription {changes {cursor}}"}`, 503},
		{calendar, http.MethodGet, "/events.ics?from=2026-11-28", "", 200},
		{good, http.MethodGet, "/events.csv", "", 200},
		{good, http.MethodGet, "/events.jsonld", "", 200},
		{good, http.MethodGet, "/events.ics?from=x", "", 400},
		{good, http.MethodGet, "/events.csv?from=x", "", 400},
		{good, http.MethodGet, "/events.jsonld?from=x", "", 400},
		{good, http.MethodDelete, "/events.ics", "", 405},
		{good, http.MethodDelete, "/events.csv", "", 405},
		{good, http.MethodDelete, "/events.jsonld", "", 405},
		{bad, http.MethodGet, "/events.ics", "", 500},
		{bad, http.MethodGet, "/events.csv", "", 500},
		{bad, http.MethodGet, "/events.jsonld", "", 500},
		{full, http.MethodGet, "/events.ics", "", 503},
		{full, http.MethodGet, "/events.csv", "", 503},
		{full, http.MethodGet, "/events.jsonld", "", 503},
		{good, http.MethodGet, "/schema.graphql", "", 200},
		{good, http.MethodGet, "/openapi.json", "", 200},
		{good, http.MethodGet, "/livez", "", 200},
		{good, http.MethodGet, "/readyz", "", 200},
		{bad, http.MethodGet, "/readyz?verbose", "", 503},
		{good, http.MethodGet, "/version", "", 200},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tc.method, tc.target, strings.NewReader(tc.body))
		r.Header.Set("Content-Type", "application/json")
		switch tc.status { // what is to blame
		case http.StatusUnauthorized:
			r.Header.Set(ratelimit.KeyHeader, "nobody's")
		case http.StatusForbidden:
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		case http.StatusNotAcceptable:
			r.Header.Set("Accept", "image/png")
		case http.StatusServiceUnavailable:
			r.Header.Set("Accept", "text/event-stream")
		case http.StatusUnsupportedMediaType:
			r.Header.Set("Content-Type", "text/plain")
		}
		w := httptest.NewRecorder()
		tc.server.ServeHTTP(w, r)
		if w.Code != tc.status {
			t.Errorf("%s %s: status %d, want %d", tc.method, tc.target, w.Code, tc.status)
			continue
		}
		operation := d.conforms(t, r, w)
		covered[fmt.Sprint(operation, tc.status)] = true
	}
	checkCovered(t, d, covered)
}

// conforms checks an answer against the document, and tells what was asked, in its terms.
func (d description) conforms(t *testing.T, r *http.Request, w *httptest.ResponseRecorder) (operation string) {
	t.Helper()
	method := strings.ToLower(r.Method)
	if w.Code == http.StatusMethodNotAllowed {
		item, _ := d.at(t, "", "paths", escape(r.URL.Path))
		for method = range item { // the only one, where it is described
		}
	}
	_, operation = d.at(t, "", "paths", escape(r.URL.Path), method)
	contentType, _, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if err != nil {
		t.Fatalf("%s: %v", r.URL, err)
	}
	_, media := d.at(t, operation, "responses", strconv.Itoa(w.Code), "content", escape(contentType))
	schema, err := d.compiler.Compile(documentURL + "#" + media + "/schema")
	if err != nil {
		t.Fatal(err)
	}
	var answer any = w.Body.String()
	if contentType == "application/json" || contentType == "application/ld+json" {
		if answer, err = jsonschema.UnmarshalJSON(w.Body); err != nil {
			t.Fatalf("%s: %v", r.URL, err)
		}
	}
	if err := schema.Validate(answer); err != nil {
		t.Errorf("%s: %v", r.URL, err)
	}
	return operation
}

// checkCovered finds what the document promises and no answer was seen of.
func checkCovered(t *testing.T, d description, covered map[string]bool) {
	t.Helper()
	paths, _ := d.at(t, "", "paths")
	for path := range paths {
		item, _ := d.at(t, "", "paths", escape(path))
		for method := range item {
			responses, at := d.at(t, "", "paths", escape(path), method, "responses")
			for status := range responses {
				if !covered[strings.TrimSuffix(at, "/responses")+status] && status != "304" { // TestDocumentsHaveETags
					t.Errorf("no test of %s %s %s", method, path, status)
				}
			}
		}
	}
}
