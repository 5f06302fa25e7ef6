package fetch_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/fetch"
)

// sent are the headers of interest that a server got.
func sent(h http.Header) map[string]string {
	got := map[string]string{}
	for _, name := range []string{"Authorization", "Cookie", "X-Api-Key", "Accept", "If-None-Match", "Referer"} {
		if value := h.Get(name); value != "" {
			got[name] = value
		}
	}
	return got
}

func TestRedirectCredentials(t *testing.T) {
	t.Parallel()
	seen := make(chan map[string]string, 8)
	note := func(r *http.Request) { seen <- sent(r.Header) }
	var home string
	away := serve(t, func(w http.ResponseWriter, r *http.Request) {
		note(r)
		http.Redirect(w, r, home+"/back", http.StatusFound)
	})
	home = serve(t, func(w http.ResponseWriter, r *http.Request) {
		note(r)
		switch r.URL.Path {
		case "/feed":
			http.Redirect(w, r, "/same", http.StatusSeeOther)
		case "/same":
			// Another port is another origin, even on the same host. User and
			// password in a Location are not used.
			http.Redirect(w, r, strings.Replace(away, "http://", "http://evil:evil@", 1), http.StatusTemporaryRedirect)
		case "/back":
			http.Redirect(w, r, "/end", http.StatusFound)
		default:
			_, _ = io.WriteString(w, feed)
		}
	})
	mustGet(t, once(), fetch.Request{
		URL: home + "/feed?token=secret", ETag: `"v0"`,
		Header: http.Header{"Authorization": {"Bearer t"}, "Cookie": {"a=b"}, "x-api-key": {"k"}, "Accept": {"text/xml"}},
	})
	full := map[string]string{"Authorization": "Bearer t", "Cookie": "a=b", "X-Api-Key": "k", "Accept": "text/xml", "If-None-Match": `"v0"`}
	bare := map[string]string{"Accept": "text/xml", "If-None-Match": `"v0"`}
	for i, want := range []map[string]string{full, full, bare, bare, bare} {
		if diff := cmp.Diff(want, <-seen); diff != "" {
			t.Errorf("hop %d: %s", i, diff)
		}
	}
}

func TestRedirectRefused(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header().Set("Location", to)
		}
		w.WriteHeader(http.StatusFound)
	})
	for to, code := range map[string]fetch.Code{
		"":                                  fetch.CodeRedirect,
		"ftp://example.com/":                fetch.CodeRedirect,
		"file:///etc/passwd":                fetch.CodeRedirect,
		"http://[":                          fetch.CodeRedirect,
		"/" + strings.Repeat("a", 9000):     fetch.CodeRedirect,
		"?to=%3Fto%3Dx":                     fetch.CodeRedirect,
		"http://169.254.169.254/latest/":    fetch.CodeAddress,
		"http://[::ffff:a9fe:a9fe]/latest/": fetch.CodeAddress,
		"http://[fd00:ec2::254]/latest/":    fetch.CodeAddress,
	} {
		limits := once()
		limits.Redirects = 1
		_, err := get(t, limits, fetch.Request{URL: url + "/?to=" + queryEscape(to)})
		wantCode(t, err, code, false)
	}
}

func TestRedirectCount(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.Path) > 3 {
			_, _ = io.WriteString(w, feed)
			return
		}
		http.Redirect(w, r, r.URL.Path+"x", http.StatusMovedPermanently)
	})
	limits := once()
	limits.Redirects = 3
	var log bytes.Buffer
	client := fetch.New(fetch.Options{Limits: limits, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	snap, err := client.Get(t.Context(), fetch.Request{URL: url + "/?key=topsecret", AllowPrivate: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	if text := log.String(); strings.Count(text, "moved for good") != 3 || strings.Contains(text, "topsecret") {
		t.Errorf("log is %s", text)
	}
	for _, most := range []int{2, -1} {
		limits.Redirects = most
		_, err := get(t, limits, fetch.Request{URL: url})
		wantCode(t, err, fetch.CodeRedirect, false)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	quiet := slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	plain := serve(t, body([]byte(feed)))
	start := func(most uint16) (string, *tls.Config) {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/down" {
				http.Redirect(w, r, plain, http.StatusFound)
				return
			}
			_, _ = io.WriteString(w, r.Proto)
		}))
		server.Config.ErrorLog = quiet
		server.EnableHTTP2 = true
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: most}
		server.StartTLS()
		t.Cleanup(server.Close)
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		return server.URL, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10}
	}
	url, trusting := start(tls.VersionTLS13)
	old, trustingOld := start(tls.VersionTLS11)
	for name, c := range map[string]struct {
		url  string
		tls  *tls.Config
		code fetch.Code
	}{
		"good":              {url, trusting, ""},
		"unknown authority": {url, nil, fetch.CodeTLS},
		"downgrade":         {url + "/down", trusting, fetch.CodeRedirect},
		"old protocol":      {old, trustingOld, fetch.CodeTLS},
		"no TLS at all":     {strings.Replace(plain, "http:", "https:", 1), nil, fetch.CodeTLS},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := fetch.New(fetch.Options{Limits: once(), TLS: c.tls})
			snap, err := client.Get(t.Context(), fetch.Request{URL: c.url, AllowPrivate: true}, nil)
			if c.code != "" {
				wantCode(t, err, c.code, false)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer snap.Close()
			if got := string(read(t, snap)); got != "HTTP/2.0" {
				t.Errorf("spoken is %s", got)
			}
		})
	}
}
