// Package web is what a person sees in a browser: the landing page, GraphiQL
// and the viewer of the REST docs, all embedded in the binary.
//
// The landing page is part of the source. GraphiQL and the viewer are bundled
// from npm packages into dist/ (see build.mjs) before the binary is built;
// without that step everything still compiles and works, and the two pages say
// how to get them.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed all:dist
var dist embed.FS

//go:embed static
var static embed.FS

//go:embed src/examples/*.graphql
var examples embed.FS

const (
	// plainCSP is for pages without scripts.
	plainCSP = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; " +
		"base-uri 'none'; frame-ancestors 'none'"

	// toolCSP is for GraphiQL and the docs viewer: scripts and workers are our
	// own files, and nothing is loaded from or sent to another origin. Inline
	// styles have to be allowed: the editor positions every line and colours
	// every token by style elements and attributes it makes as one types. Both
	// tools draw icons from data: images in their style sheets.
	toolCSP = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; " +
		"style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
		"form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)

// Handler serves "/", "/graphiql", "/docs" and "/assets/", by GET and HEAD.
// Everything else is 404 Not Found.
func Handler() http.Handler {
	return newHandler(sub(dist, "dist"), time.Now)
}

// Built tells whether GraphiQL and the docs viewer are in this binary.
func Built() bool {
	return built(sub(dist, "dist"))
}

// Examples returns the queries of GraphiQL's first tabs, one *.graphql file
// each, all of which must be valid against the schema.
func Examples() fs.FS {
	return sub(examples, "src/examples")
}

type site struct {
	dist   fs.FS
	static fs.FS
	pages  *template.Template
	now    func() time.Time
}

// newHandler is Handler over any build output. now gives the dates of the
// landing page's example search.
func newHandler(dist fs.FS, now func() time.Time) http.Handler {
	s := &site{dist: dist, static: sub(static, "static"), now: now}
	s.pages = template.Must(template.ParseFS(s.static, "*.html"))

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.landing)
	mux.HandleFunc("GET /graphiql", s.tool("graphiql.html", "GraphiQL"))
	mux.HandleFunc("GET /docs", s.tool("docs.html", "The viewer of the REST docs"))
	mux.HandleFunc("GET /assets/{name}", s.asset)
	return secure(mux)
}

// secure sets the headers that hold for every answer; a page with scripts
// widens the policy for itself.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", plainCSP)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// landing is a template only for the dates of its example: a search that finds
// something today would find nothing in a year.
func (s *site) landing(w http.ResponseWriter, r *http.Request) {
	today := s.now().UTC()
	s.render(w, r, "index.html", struct{ From, To string }{
		From: today.Format(time.DateOnly),
		To:   today.AddDate(0, 0, 7).Format(time.DateOnly),
	})
}

// tool serves one page of the build, or says how to build it.
func (s *site) tool(file, name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page, err := fs.ReadFile(s.dist, file)
		if err != nil {
			s.render(w, r, "notbuilt.html", struct{ Name string }{name})
			return
		}
		w.Header().Set("Content-Security-Policy", toolCSP)
		serve(w, r, "text/html; charset=utf-8", page)
	}
}

func (s *site) render(w http.ResponseWriter, r *http.Request, name string, data any) {
	var page bytes.Buffer
	if err := s.pages.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	serve(w, r, "text/html; charset=utf-8", page.Bytes())
}

// asset serves a file of the build, which is named by its content and never
// changes, or one of the few static files, which do.
func (s *site) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	contentType := contentTypeOf(name)
	if contentType == "" || !fs.ValidPath(name) {
		http.NotFound(w, r)
		return
	}
	if file, err := fs.ReadFile(s.static, name); err == nil {
		serve(w, r, contentType, file)
		return
	}
	zipped, err := fs.ReadFile(s.dist, "assets/"+name+".gz")
	if err != nil {
		http.NotFound(w, r)
		return
	}

	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Add("Vary", "Accept-Encoding")
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(zipped)))
		_, _ = w.Write(zipped) //nolint:gosec // Our own build's bytes. A client that left is no error of ours.
		return
	}
	plain, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	_, _ = io.Copy(w, plain) //nolint:gosec // Our own build's bytes, and so bounded.
}

// serve answers with body under a strong ETag, to be asked for again each time.
func serve(w http.ResponseWriter, r *http.Request, contentType string, body []byte) {
	sum := sha256.Sum256(body)
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// contentTypeOf knows the kinds of files among the assets; empty for any other.
// Not mime.TypeByExtension, which depends on the machine's own tables.
func contentTypeOf(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".ttf":
		return "font/ttf"
	case ".txt":
		return "text/plain; charset=utf-8"
	default:
		return ""
	}
}

// acceptsGzip reads Accept-Encoding by RFC 9110 12.5.3, as far as gzip goes.
func acceptsGzip(values []string) bool {
	for entry := range strings.SplitSeq(strings.Join(values, ","), ",") {
		coding, params, _ := strings.Cut(entry, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		weight, found := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q=")
		if !found {
			return true
		}
		q, err := strconv.ParseFloat(weight, 64)
		return err == nil && q > 0
	}
	return false
}

func built(dist fs.FS) bool {
	_, err := fs.Stat(dist, "graphiql.html")
	return err == nil
}

// sub is fs.Sub for the embedded folders, which are there or nothing compiles.
func sub(fsys fs.FS, dir string) fs.FS {
	found, err := fs.Sub(fsys, dir)
	if err != nil {
		panic(err)
	}
	return found
}
