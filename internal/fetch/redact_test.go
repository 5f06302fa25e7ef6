package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aledotdev/marquee/internal/fetch"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://example.com/events.xml":                  "https://example.com/events.xml",
		"https://joan:secret@example.com:8443/a?b=c":      "https://example.com:8443/a",
		"https://token@example.com/a#frag":                "https://example.com/a",
		"https://example.com/a;jsessionid=1/b":            "https://example.com/a",
		"https://example.com/a%2Fb%20c":                   "https://example.com/a%2Fb%20c",
		"HTTPS://example.com":                             "https://example.com",
		"http://user:secret#x@example.com/":               "(invalid URL)",
		"secret":                                          "(invalid URL)",
		"secret:word@example.com":                         "(invalid URL)",
		"ftp://example.com/secret":                        "(invalid URL)",
		"":                                                "(invalid URL)",
		"https://example.com/" + strings.Repeat("a", 300): "https://example.com/" + strings.Repeat("a", 180) + "…",
	} {
		if got := fetch.Redact(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

// However a request is printed, it shows nothing but its redacted URL.
func TestRequestPrints(t *testing.T) {
	t.Parallel()
	req := fetch.Request{
		URL:     "https://joan:hunter22@example.com/cal/s%2fcr%2Ft/feed?key=topsecret",
		Header:  http.Header{"Authorization": {"Bearer topsecret"}},
		Secrets: []string{"s/cr/t"},
	}
	const want = "https://example.com/cal/xxxxx/feed"
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		if got := fmt.Sprintf(verb, req); got != want {
			t.Errorf("%s: %s", verb, got)
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "request", req)
	if !strings.Contains(log.String(), `"request":"`+want+`"`) {
		t.Errorf("log is %s", log.String())
	}
}

// A server can repeat the secrets that it was sent in places that get into
// errors.
func TestReflectedSecrets(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		name, password, _ := r.BasicAuth()
		_, _ = fmt.Fprintf(conn, "%s %s %s %s %s\r\n\r\n", name, password, r.URL.RawQuery, r.Header.Get("X-Api-Key"), r.Header.Get("Authorization"))
		_ = conn.Close()
	})
	var log bytes.Buffer
	client := fetch.New(fetch.Options{Limits: quick(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	_, err := client.Get(t.Context(), fetch.Request{
		URL:    strings.Replace(url, "://", "://joan:hunter22@", 1) + "/?key=top%2Fsecret",
		Header: http.Header{"X-Api-Key": {"keykeykey"}}, AllowPrivate: true,
	}, nil)
	wantCode(t, err, fetch.CodeNetwork, true)
	if !strings.Contains(log.String(), "malformed") {
		t.Errorf("nothing was reflected: %s", log.String())
	}
	for _, secret := range []string{"joan", "hunter22", "secret", "keykeykey", "am9hbjpodW50ZXIyMg"} {
		if strings.Contains(err.Error()+log.String(), secret) {
			t.Errorf("%s in %v", secret, err)
		}
	}
}

// FuzzRedact: a secret in user, password, query or fragment appears in no text,
// wherever Get fails and however broken the URL is.
func FuzzRedact(f *testing.F) {
	f.Add("http", "example.com", "/feed", "a", "b", byte(0))
	f.Add("https", "[::1]:80", "/x;y", "%", "&", byte(1))
	f.Add("HTTP", "exa mple", "%zz", "\x00", "+", byte(2))
	f.Add("ftp", "169.254.169.254", "//", "=", ";", byte(3))
	f.Add("", ":99999", "", "", "", byte(0))
	f.Fuzz(func(t *testing.T, scheme, host, path, before, after string, place byte) {
		const marker = "zqSECRETqz"
		// Characters that end the user or begin the path make the secret a part of
		// the path, which is shown. Request.Secrets is for such secrets.
		if strings.ContainsAny(scheme+host+before+after, "/?#@\\") || strings.ContainsAny(path, "?#@") ||
			strings.Contains(strings.ToLower(scheme+host+path+before+after), "zqsecret") || len(scheme+host+path+before+after) > 1000 {
			t.Skip("not a URL with the secret where it is meant to be")
		}
		secret := before + marker + after
		if path != "" && path[0] != '/' {
			path = "/" + path
		}
		raw := []string{
			scheme + "://" + secret + ":x@" + host + path,
			scheme + "://x:" + secret + "@" + host + path,
			scheme + "://" + host + path + "?q=" + secret,
			scheme + "://" + host + path + "#" + secret,
		}[place%4]
		shown := []string{fetch.Redact(raw), fetch.Request{URL: raw}.String()}

		elsewhere := "HTTP/1.1 302 Found\r\nLocation: ?" + url.QueryEscape(before+after) + "zqSEC%52ETqz\r\nContent-Length: 0\r\n\r\n"
		for _, answer := range []string{"", elsewhere, "HTTP/1.1 404 " + marker + "\r\nContent-Length: 0\r\n\r\n", marker} {
			client := fetch.New(fetch.Options{Limits: fetch.Limits{Attempts: 1, Redirects: 1}})
			client.SetDial(func(context.Context, string, string) (net.Conn, error) {
				if answer == "" {
					return nil, errors.New("no route")
				}
				ours, theirs := net.Pipe()
				go func() {
					defer theirs.Close()
					_, _ = theirs.Read(make([]byte, 64<<10))
					_, _ = io.WriteString(theirs, answer)
				}()
				return ours, nil
			})
			req := fetch.Request{URL: raw}
			if strings.Contains(answer, marker) { // the answer repeats only a part of the secret, so that part has to be declared
				req.Secrets = []string{marker}
			}
			_, err := client.Get(t.Context(), req, nil)
			if err == nil {
				t.Fatal("no error")
			}
			for ; err != nil; err = errors.Unwrap(err) {
				shown = append(shown, err.Error())
			}
		}
		for _, text := range shown {
			if strings.Contains(text, marker) {
				t.Errorf("%q shows in %q", raw, text)
			}
		}
	})
}
