package httpapi_test

import (
	"context"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/httpapi"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestSearchIsTheseBytes is the contract with those who have been using /search for years.
func TestSearchIsTheseBytes(t *testing.T) {
	t.Parallel()
	open := show(t, "No end")
	open.End = event.LocalDateTime{}
	unpriced := show(t, "No offers")
	unpriced.MinPrice, unpriced.MaxPrice = nil, nil
	free := show(t, "Free")
	free.MinPrice, free.MaxPrice = price(t, "0.00"), price(t, "123456789012.123456")
	days := show(t, "Whole days: their last is shown, not the midnight after it")
	days.Start, days.End, days.AllDay = local(t, "2026-05-01T00:00:00"), local(t, "2026-05-04T00:00:00"), true
	for name, events := range map[string][]catalog.Listing{
		"days": {days},
		"none": nil,
		"one":  {show(t, "The Lantern Parade")},
		"odd": {
			open, unpriced, free, show(t, "Ñandú & <b>Søn</b> 'n' 日本 🎪\u2028"), show(t, "quote \" backslash \\ slash /"),
			show(t, "tab\tline\nreturn\rbell\x07delete\x7f"), show(t, "not \xff UTF-8"), show(t, ""),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httpapi.New(options(found(events...)))
			w := do(t, server, http.MethodGet, "/search/?starts_at=2021-06-30&ends_at=2021-07-31T23:59")
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
				t.Fatalf("status %d, header %v", w.Code, w.Header())
			}
			file := filepath.Join("testdata", "search_"+name+".json")
			if *update {
				if err := os.WriteFile(file, w.Body.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), w.Body.String()); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if again := do(t, server, http.MethodGet, "/search").Body.String(); again != w.Body.String() {
				t.Errorf("the same events are other bytes the second time: %s", again)
			}
		})
	}
}

func TestSearchUnderstands(t *testing.T) {
	t.Parallel()
	const open = "open"
	for query, want := range map[string][2]string{
		"":                     {open, open},
		"starts_at=&ends_at=":  {open, open},
		"other=1&STARTS_AT=x":  {open, open},
		"starts_at=2021-06-30": {"2021-06-30", open},
		"ends_at=2021-06-30":   {open, "2021-06-30"},
		"ends_at=2021-07-31T23:59&starts_at=2021-06-30":                  {"2021-06-30", "2021-07-31T23:59:00"},
		"starts_at=2021-06-30&ends_at=2021-06-30":                        {"2021-06-30", "2021-06-30"},
		"starts_at=2021-06-30T20:00:01":                                  {"2021-06-30T20:00:01", open},
		"starts_at=2021-06-30T20%3A00":                                   {"2021-06-30T20:00:00", open},
		"starts_at=2021-06-30T20:00Z":                                    {"2021-06-30T20:00:00Z", open},
		"starts_at=2021-06-30T20:00:00%2B02:00":                          {"2021-06-30T18:00:00Z", open},
		"starts_at=2021-06-30T20:00:00+02:00":                            {"2021-06-30T18:00:00Z", open},
		"starts_at=2021-06-30T20:00:00%2002:00":                          {"2021-06-30T18:00:00Z", open},
		"starts_at=2021-06-30T20:00+02:00":                               {"2021-06-30T18:00:00Z", open},
		"starts_at=2021-06-30T20:00:00-05:30":                            {"2021-07-01T01:30:00Z", open},
		"starts_at=2021-06-30Z&ends_at=2021-06-30-05:00":                 {"2021-06-30T00:00:00Z", "2021-06-30T05:00:00Z"},
		"starts_at=2021-06-30%2B02:00":                                   {"2021-06-29T22:00:00Z", open},
		"starts_at=2024-02-29":                                           {"2024-02-29", open},
		"starts_at=2021-06-30T12:00&ends_at=2021-06-30T12:00:00%2B02:00": {"2021-06-30T12:00:00", "2021-06-30T10:00:00Z"},
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			asked := 0
			var window catalog.Window
			server := httpapi.New(options(&fake{search: func(_ context.Context, w catalog.Window, _ func(catalog.Listing) error) error {
				asked++
				window = w
				return nil
			}}))
			w := do(t, server, http.MethodGet, "/search?"+query)
			if w.Code != http.StatusOK || asked != 1 {
				t.Fatalf("status %d, asked %d times: %s", w.Code, asked, w.Body)
			}
			name := func(b *catalog.Bound) string {
				if b == nil {
					return open
				}
				return b.String()
			}
			if got := [2]string{name(window.From), name(window.To)}; got != want {
				t.Errorf("bounds %v, want %v", got, want)
			}
			if window.Match != catalog.Contained || !window.Inclusive {
				t.Errorf("rule %s, inclusive %t", window.Match, window.Inclusive)
			}
		})
	}
}

func TestSearchRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 2<<20)
	for query, argument := range map[string]string{
		"starts_at=nonsense":                               "starts_at",
		"ends_at=30.06.2021":                               "ends_at",
		"starts_at=2021-09-31":                             "starts_at",
		"starts_at=2021-02-29":                             "starts_at",
		"starts_at=2021-6-30":                              "starts_at",
		"starts_at=2021-06-30T24:00":                       "starts_at",
		"starts_at=2021-06-30T20":                          "starts_at",
		"starts_at=2021-06-30%2020:00":                     "starts_at", // a time, or an offset?
		"starts_at=2021-06-30T20:00%20%2002:00":            "starts_at",
		"starts_at=%202021-06-30":                          "starts_at",
		"starts_at=0000-00-00":                             "starts_at",
		"starts_at=%00":                                    "starts_at",
		"ends_at=2021-06-30%00":                            "ends_at",
		"ends_at=%ff%fe":                                   "ends_at",
		"starts_at=2021-06-30&starts_at=2021-06-30":        "starts_at",
		"ends_at=2021-06-30&ends_at=":                      "ends_at",
		"starts_at=2021-07-01&ends_at=2021-06-30":          "starts_at",
		"starts_at=2021-06-30T20:00&ends_at=2021-06-30":    "ends_at",
		"starts_at=2021-07-02T00:00Z&ends_at=2021-06-30":   "starts_at",
		"starts_at=2021-06-30Z&ends_at=2021-06-30%2B02:00": "starts_at",
		"starts_at=%zz":                                    "query string",
		"starts_at=2021-06-30;ends_at=2021-07-01":          "query string",
		"starts_at=" + long:                                "query string",
		long:                                               "query string",
		strings.Repeat("&starts_at=2021-06-30", 100):       "starts_at",
	} {
		t.Run(query[:min(len(query), 64)], func(t *testing.T) {
			t.Parallel()
			server := httpapi.New(options(&fake{search: func(context.Context, catalog.Window, func(catalog.Listing) error) error {
				t.Error("the catalog was asked")
				return nil
			}}))
			w := do(t, server, http.MethodGet, "/search?"+query)
			body := w.Body.String()
			if w.Code != http.StatusBadRequest || w.Header().Get("Content-Type") != "application/json" {
				t.Fatalf("status %d, header %v: %s", w.Code, w.Header(), body)
			}
			if !strings.HasPrefix(body, `{"data":null,"error":{"code":"BAD_USER_INPUT","message":"`) || !strings.Contains(body, argument) {
				t.Errorf("answer %s, want one that names %s", body, argument)
			}
		})
	}
}

func TestSearchMethods(t *testing.T) {
	t.Parallel()
	server := httpapi.New(options(found(show(t, "a"))))
	for _, path := range []string{"/search", "/search/"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "BREW"} {
			w := do(t, server, method, path)
			want := `{"data":null,"error":{"code":"METHOD_NOT_ALLOWED","message":"only GET and HEAD are allowed here"}}`
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" || w.Body.String() != want {
				t.Errorf("%s %s: status %d, Allow %q: %s", method, path, w.Code, w.Header().Get("Allow"), w.Body)
			}
		}
		w := do(t, server, http.MethodHead, path+"?starts_at=2021-06-30")
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || w.Body.Len() != 0 {
			t.Errorf("HEAD %s: status %d, header %v: %s", path, w.Code, w.Header(), w.Body)
		}
		if w := do(t, server, http.MethodHead, path+"?starts_at=x"); w.Code != http.StatusBadRequest || w.Body.Len() != 0 {
			t.Errorf("HEAD %s, bad: status %d: %s", path, w.Code, w.Body)
		}
	}
	if w := do(t, server, http.MethodGet, "/search/more"); w.Code != http.StatusNotFound {
		t.Errorf("GET /search/more: status %d", w.Code)
	}
}

// TestSearchFailsEarly: what goes wrong before anything was sent is an answer, which tells nothing.
func TestSearchFailsEarly(t *testing.T) {
	t.Parallel()
	const internal = `{"data":null,"error":{"code":"INTERNAL","message":"internal error"}}`
	for name, tc := range map[string]struct {
		err     error
		timeout time.Duration
		status  int
		body    string
		logged  int
	}{
		"database":    {errDatabase, 0, 500, internal, 1},
		"out of time": {nil, time.Millisecond, 500, internal, 1},
		"bad input": {
			&catalog.Error{Code: catalog.CodeBadUserInput, Argument: "starts_at", Message: "starts_at is odd"},
			0, 400, `{"data":null,"error":{"code":"BAD_USER_INPUT","message":"starts_at is odd"}}`, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log journal
			o := options(&fake{search: func(ctx context.Context, _ catalog.Window, yield func(catalog.Listing) error) error {
				if err := yield(show(t, "a")); err != nil || tc.err == nil {
					<-ctx.Done()
					return ctx.Err()
				}
				return tc.err
			}})
			o.Log, o.Timeouts.Search = log.logger(0), tc.timeout
			w := do(t, httpapi.New(o), http.MethodGet, "/search", "Accept-Encoding", "gzip", "X-Request-Id", "r-1")
			if w.Code != tc.status || w.Body.String() != tc.body || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("status %d, header %v: %s", w.Code, w.Header(), w.Body)
			}
			text := log.String()
			if strings.Count(text, "\n") != tc.logged || strings.Count(text, `"request_id":"r-1"`) != tc.logged {
				t.Errorf("log %q, want %d lines with the request's id", text, tc.logged)
			}
		})
	}
}
