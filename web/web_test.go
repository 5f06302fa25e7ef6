package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

const script = "console.log('hello')\n"

func noon() time.Time { return time.Date(2024, 12, 28, 12, 0, 0, 0, time.UTC) }

func notBuilt() fs.FS { return fstest.MapFS{".gitkeep": {}} }

func aBuild(t *testing.T) fs.FS {
	t.Helper()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := io.WriteString(w, script); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{
		"graphiql.html":           {Data: []byte("<title>graphiql</title>")},
		"docs.html":               {Data: []byte("<title>docs</title>")},
		"assets/app-1234.js.gz":   {Data: zipped.Bytes()},
		"assets/broken-12.js.gz":  {Data: []byte("no gzip")},
		"assets/odd-1234.html.gz": {Data: zipped.Bytes()},
	}
}

func get(t *testing.T, h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPages(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		dist   fs.FS
		target string
		want   string
	}{
		"landing, built":      {aBuild(t), "/", `href="/search?starts_at=2024-12-28&amp;ends_at=2025-01-04"`},
		"landing, not built":  {notBuilt(), "/", `href="/graphiql"`},
		"graphiql, built":     {aBuild(t), "/graphiql", "<title>graphiql</title>"},
		"docs, built":         {aBuild(t), "/docs", "<title>docs</title>"},
		"graphiql, not built": {notBuilt(), "/graphiql", "make web"},
		"docs, not built":     {notBuilt(), "/docs", "make web"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHandler(tc.dist, noon)
			w := get(t, h, tc.target)
			if w.Code != http.StatusOK {
				t.Fatalf("status = %d, want 200", w.Code)
			}
			if !strings.Contains(w.Body.String(), tc.want) {
				t.Errorf("page lacks %q:\n%s", tc.want, w.Body)
			}
			if got := w.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
				t.Errorf("Content-Type = %q", got)
			}

			etag := w.Header().Get("ETag")
			if again := get(t, h, tc.target, "If-None-Match", etag); etag == "" || again.Code != http.StatusNotModified {
				t.Errorf("with If-None-Match %q: status = %d, want 304", etag, again.Code)
			}
		})
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	h := newHandler(aBuild(t), noon)
	foreign := regexp.MustCompile(`https?:|wss?:|\*|blob:|unsafe-eval`)
	for _, target := range []string{"/", "/graphiql", "/docs", "/assets/site.css", "/assets/app-1234.js", "/none"} {
		header := get(t, h, target).Header()
		directives := map[string]string{}
		for part := range strings.SplitSeq(header.Get("Content-Security-Policy"), ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), " ")
			directives[name] = value
			if foreign.MatchString(value) {
				t.Errorf("%s: policy allows too much: %s %s", target, name, value)
			}
		}
		if directives["default-src"] != "'none'" || directives["frame-ancestors"] != "'none'" {
			t.Errorf("%s: default-src or frame-ancestors is not 'none': %v", target, directives)
		}
		if src := directives["script-src"]; src != "" && src != "'self'" {
			t.Errorf("%s: script-src = %q", target, src)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options":     "nosniff",
			"Referrer-Policy":            "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%s: %s = %q, want %q", target, name, got, want)
			}
		}
	}
}

func TestAssetEncodings(t *testing.T) {
	t.Parallel()
	h := newHandler(aBuild(t), noon)
	for accept, zipped := range map[string]bool{
		"gzip":                  true,
		"br;q=1.0, GZip; q=0.5": true,
		"":                      false,
		"br":                    false,
		"gzip;q=0":              false,
		"gzip;q=nonsense":       false,
	} {
		w := get(t, h, "/assets/app-1234.js", "Accept-Encoding", accept)
		if got := w.Header().Get("Content-Encoding") == "gzip"; w.Code != http.StatusOK || got != zipped {
			t.Errorf("Accept-Encoding %q: status %d, gzipped %t, want %t", accept, w.Code, got, zipped)
			continue
		}
		var body io.Reader = w.Body
		if zipped {
			var err error
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		content, err := io.ReadAll(body)
		if err != nil || string(content) != script {
			t.Errorf("Accept-Encoding %q: body %q, %v", accept, content, err)
		}
		got := [3]string{w.Header().Get("Content-Type"), w.Header().Get("Cache-Control"), w.Header().Get("Vary")}
		want := [3]string{"text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "Accept-Encoding"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Accept-Encoding %q (-want +got):\n%s", accept, diff)
		}
	}
}

func TestStaticAssetsAreRevalidated(t *testing.T) {
	t.Parallel()
	w := get(t, newHandler(notBuilt(), noon), "/assets/site.css")
	if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-cache" || w.Header().Get("ETag") == "" {
		t.Errorf("status %d, header %v", w.Code, w.Header())
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	h := newHandler(aBuild(t), noon)
	for _, target := range []string{
		"/none", "/graphiql/x", "/assets/", "/assets/none.js", "/assets/index.html", "/assets/odd-1234.html",
		"/assets/app-1234.js.gz", "/assets/..%2fgraphiql.js", "/assets/%00.js", "/assets/%5c.js",
	} {
		if w := get(t, h, target); w.Code != http.StatusNotFound {
			t.Errorf("%s: status = %d, want 404", target, w.Code)
		}
	}
}

func TestBrokenAsset(t *testing.T) {
	t.Parallel()
	if w := get(t, newHandler(aBuild(t), noon), "/assets/broken-12.js"); w.Code != http.StatusInternalServerError {
		t.Errorf("status = %d, want 500", w.Code)
	}
}

func TestOnlyReads(t *testing.T) {
	t.Parallel()
	h := newHandler(aBuild(t), noon)
	for _, target := range []string{"/", "/graphiql", "/assets/app-1234.js"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, target, nil)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: status = %d, want 405", target, w.Code)
		}
	}
}

func TestBuilt(t *testing.T) {
	t.Parallel()
	if built(notBuilt()) || !built(aBuild(t)) {
		t.Errorf("built = %t without a build, %t with one", built(notBuilt()), built(aBuild(t)))
	}
}

// TestEmbedded checks the binary's own pages: all they load is there and ours.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	if !Built() {
		t.Log("GraphiQL and the docs viewer are not built (make web): only the pages without them are checked")
	}
	h := Handler()
	loads := regexp.MustCompile(`(?:src="|<link[^>]* href=")([^"]+)"`)
	for _, page := range []string{"/", "/graphiql", "/docs"} {
		found := loads.FindAllStringSubmatch(get(t, h, page).Body.String(), -1)
		if len(found) == 0 {
			t.Errorf("%s loads nothing", page)
		}
		for _, match := range found {
			if w := get(t, h, match[1]); !strings.HasPrefix(match[1], "/assets/") || w.Code != http.StatusOK {
				t.Errorf("%s loads %s: status %d", page, match[1], w.Code)
			}
		}
	}
}

func TestExamples(t *testing.T) {
	t.Parallel()
	tabs, err := os.ReadFile("src/graphiql.jsx")
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Glob(Examples(), "*")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		query, err := fs.ReadFile(Examples(), file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := parser.ParseQuery(&ast.Source{Name: file, Input: string(query)})
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		for _, op := range doc.Operations {
			names = append(names, op.Name) // the tab's title
		}
		if !strings.Contains(string(tabs), "'./examples/"+file+"'") {
			t.Errorf("%s is in no tab of graphiql.jsx", file)
		}
	}
	want := []string{"CheapestUnder20", "Live", "ProviderRuns", "SeriesWithItsDates", "ThisWeekend", "Tomorrow", "WhatChanged"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}
