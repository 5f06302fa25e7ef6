package httpapi_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/aledotdev/marquee/internal/httpapi"
)

func TestPlaces(t *testing.T) {
	t.Parallel()
	server := httpapi.New(options(found()))
	for target, want := range map[string]struct {
		status            int
		contentType, body string
	}{
		"/":               {200, "", "pages"},
		"/none":           {404, "", "404 page not found\n"},
		"/livez":          {200, "text/plain; charset=utf-8", "ok\n"},
		"/readyz":         {200, "text/plain; charset=utf-8", "ok\n"},
		"/version":        {200, "application/json", `{"version":"1.2.3","commit":"abc","go":"go1.26"}` + "\n"},
		"/schema.graphql": {200, "text/plain; charset=utf-8", "type Query { hello: String }\n"},
		"/graphql":        {200, "", `{"data":{}}`},
		"/metrics":        {404, "", "404 page not found\n"}, // the admin listener's
		"/debug/pprof/":   {404, "", "404 page not found\n"},
	} {
		w := do(t, server, http.MethodGet, target)
		if w.Code != want.status || w.Body.String() != want.body {
			t.Errorf("%s: status %d, %q", target, w.Code, w.Body)
		}
		if got := w.Header().Get("Content-Type"); want.contentType != "" && got != want.contentType {
			t.Errorf("%s: Content-Type %q", target, got)
		}
		if want.contentType == "" {
			continue
		}
		if head := do(t, server, http.MethodHead, target); head.Code != want.status {
			t.Errorf("HEAD %s: status %d", target, head.Code)
		}
		if post := do(t, server, http.MethodPost, target); post.Code != http.StatusMethodNotAllowed || post.Header().Get("Allow") == "" {
			t.Errorf("POST %s: status %d, header %v", target, post.Code, post.Header())
		}
	}
}

func TestDocumentsHaveETags(t *testing.T) {
	t.Parallel()
	server := httpapi.New(options(found()))
	for _, target := range []string{"/schema.graphql", "/openapi.json", "/version"} {
		etag := do(t, server, http.MethodGet, target).Header().Get("ETag")
		if w := do(t, server, http.MethodGet, target, "If-None-Match", etag); etag == "" || w.Code != http.StatusNotModified || w.Body.Len() != 0 {
			t.Errorf("%s with If-None-Match %q: status %d", target, etag, w.Code)
		}
		if w := do(t, server, http.MethodGet, target, "If-None-Match", `"other"`); w.Code != http.StatusOK {
			t.Errorf("%s with another ETag: status %d", target, w.Code)
		}
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	var seen string
	o := options(found())
	o.GraphQL = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = httpapi.RequestID(r.Context()) })
	server := httpapi.New(o)
	ids := map[string]bool{}
	for _, tc := range []struct {
		given string
		kept  bool
	}{
		{"4bf92f35-77b3.a_B", true},
		{strings.Repeat("x", 64), true},
		{strings.Repeat("x", 65), false},
		{"", false},
		{"two words", false},
		{"line\nbreak", false},
		{"nul\x00", false},
		{"ñ", false},
	} {
		w := do(t, server, http.MethodGet, "/graphql", "X-Request-Id", tc.given)
		id := w.Header().Get("X-Request-Id")
		if id == "" || id != seen || (id == tc.given) != tc.kept || ids[id] {
			t.Errorf("given %q: answered %q, context %q", tc.given, id, seen)
		}
		ids[id] = true
	}
	if id := httpapi.RequestID(t.Context()); id != "" {
		t.Errorf("outside of a request: %q", id)
	}
}

func TestPanicIsAnInternalError(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/":        `{"data":null,"error":{"code":"INTERNAL","message":"internal error"}}`,
		"/graphql": `{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL"}}]}`,
	} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			var log journal
			o := options(found())
			o.Log = log.logger(slog.LevelInfo)
			o.Pages = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("ETag", `"x"`)
				panic("secret")
			})
			o.GraphQL = o.Pages
			w := do(t, httpapi.New(o), http.MethodGet, target, "X-Request-Id", "r-1")
			if w.Code != http.StatusInternalServerError || w.Body.String() != want || w.Header().Get("ETag") != "" {
				t.Errorf("status %d, header %v: %s", w.Code, w.Header(), w.Body)
			}
			var line struct {
				Panic, Stack string
				RequestID    string `json:"request_id"`
			}
			if err := json.Unmarshal([]byte(log.String()), &line); err != nil {
				t.Fatalf("%v: want one line: %s", err, log.String())
			}
			if line.Panic != "secret" || line.RequestID != "r-1" || !strings.Contains(line.Stack, "server_test.go") {
				t.Errorf("log %+v", line)
			}
		})
	}
}

func TestPanicInTheMiddleCutsTheConnection(t *testing.T) {
	t.Parallel()
	o := options(found())
	o.Pages = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "half of ")
		w.(http.Flusher).Flush()
		panic("secret")
	})
	server := start(t, httpapi.New(o))
	body, err := io.ReadAll(ask(t, server.URL, "identity").body)
	if err == nil || string(body) != "half of " {
		t.Errorf("%v: %q", err, body)
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	o := options(found())
	o.Pages = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Security-Policy", "mine") })
	server := httpapi.New(o)
	for _, target := range []string{"/search", "/search?starts_at=x", "/graphql", "/schema.graphql", "/readyz", "/openapi.json"} {
		h := do(t, server, http.MethodGet, target).Header()
		got := [2]string{h.Get("X-Content-Type-Options"), h.Get("Content-Security-Policy")}
		want := [2]string{"nosniff", "default-src 'none'; frame-ancestors 'none'"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", target, diff)
		}
	}
	if got := do(t, server, http.MethodGet, "/").Header().Values("Content-Security-Policy"); !cmp.Equal(got, []string{"mine"}) {
		t.Errorf("the pages' policy is %q", got)
	}
}

func TestCrossOriginWritesAreRefused(t *testing.T) {
	t.Parallel()
	server := httpapi.New(options(found()))
	for name, tc := range map[string]struct {
		method string
		header []string
		status int
	}{
		"no browser":          {http.MethodPost, nil, 200},
		"our page":            {http.MethodPost, []string{"Sec-Fetch-Site", "same-origin"}, 200},
		"another's page":      {http.MethodPost, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another's, old":      {http.MethodPost, []string{"Origin", "https://evil.example"}, 403},
		"another's, only GET": {http.MethodGet, []string{"Sec-Fetch-Site", "cross-site"}, 200},
	} {
		w := do(t, server, tc.method, "/graphql", tc.header...)
		if w.Code != tc.status || tc.status == 403 && !strings.Contains(w.Body.String(), `"code":"FORBIDDEN"`) {
			t.Errorf("%s: status %d, want %d: %s", name, w.Code, tc.status, w.Body)
		}
	}
}

func TestEveryRequestIsLoggedAtDebugAndCounted(t *testing.T) {
	t.Parallel()
	var log journal
	registry := prometheus.NewRegistry()
	o := options(found())
	o.Log, o.Registry = log.logger(slog.LevelDebug), registry
	server := httpapi.New(o)
	do(t, server, http.MethodGet, "/search?starts_at=x"+strings.Repeat("&", 1000), "X-Request-Id", "r-1")
	do(t, server, "BREW", "/livez")
	do(t, server, http.MethodGet, "/"+strings.Repeat("wp-admin", 1000))

	var first struct {
		Msg, Method, Path, Query string
		Status, Bytes            int
		RequestID                string `json:"request_id"`
	}
	text := log.String()
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&first); err != nil {
		t.Fatal(err)
	}
	if first.Msg != "request" || first.Method != http.MethodGet || first.Path != "/search" || first.Status != 400 || first.Bytes == 0 || first.RequestID != "r-1" {
		t.Errorf("line %+v", first)
	}
	if strings.Count(text, "\n") != 3 || len(text) > 3000 {
		t.Errorf("%d lines of %d bytes, want 3 short ones", strings.Count(text, "\n"), len(text))
	}

	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			got[strings.Join(labels, " ")] += m.GetHistogram().GetSampleCount()
		}
	}
	want := map[string]uint64{"GET /search 400": 1, "other /livez 405": 1, "GET / 404": 1} // method route status
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

// TestNothingOddIsAnInternalError: null bytes, huge URLs and headers, on every path.
func TestNothingOddIsAnInternalError(t *testing.T) {
	t.Parallel()
	server := start(t, httpapi.New(options(found(show(t, "a")))))
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	for _, path := range []string{"/search", "/search/", "/graphql", "/livez", "/readyz", "/version", "/schema.graphql", "/openapi.json", "/", "/none"} {
		for name, odd := range map[string]string{
			"null byte in the path":   "%00",
			"null byte in the query":  "?starts_at=%00&query=%00&verbose=%00",
			"no UTF-8":                "?starts_at=%ff%c0&query=%ff",
			"2 MB of query":           "?starts_at=" + strings.Repeat("1", 2<<20),
			"2 MB of path":            strings.Repeat("1", 2<<20),
			"many parameters":         "?" + strings.Repeat("starts_at&", 20_000),
			"dots and double slashes": "/..//../%2e%2e/%5c",
			"bad percent encoding":    "?starts_at=%",
		} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.URL, err = url.Parse(server.URL + path + odd)
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Do(r)
			if err != nil {
				t.Errorf("%s, %s: %v", path, name, err)
				continue
			}
			_, err = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if err != nil || response.StatusCode >= 500 {
				t.Errorf("%s, %s: status %d, %v", path, name, response.StatusCode, err)
			}
		}
	}
}
