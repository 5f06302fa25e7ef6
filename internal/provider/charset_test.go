package provider_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/fetch"
	"github.com/aledotdev/marquee/internal/provider"
)

// TestCharset: what HTTP says of a body's charset holds for formats that don't say it themselves, if the body bears it out.
func TestCharset(t *testing.T) {
	t.Parallel()
	calendar := func(title string) string {
		return "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20300630T210000Z\r\nSUMMARY:" + title + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	}
	csv := func(title string) string { return "id,title,start\n1," + title + ",2030-06-30\n" }
	mapped := provider.Config{Format: "csv", Map: "{id, title, start}"}
	for _, tc := range []struct {
		config            provider.Config
		contentType, body string
		want              string // empty: it is quarantined
	}{
		{provider.Config{Format: "icalendar"}, "text/calendar; charset=ISO-8859-1", calendar("Caf\xe9"), "Café"},
		{provider.Config{Format: "icalendar"}, `text/calendar; charset="iso-8859-2"`, calendar("\xa3\xf3d\xbc"), "Łódź"},
		{provider.Config{Format: "icalendar"}, "text/calendar; charset=ISO-8859-1", calendar("Café"), "Café"},
		{provider.Config{Format: "icalendar"}, "text/calendar; charset=utf-8", calendar("Caf\xe9"), ""},
		{provider.Config{Format: "icalendar"}, "text/calendar; charset=x-none", calendar("Caf\xe9"), ""},
		{provider.Config{Format: "icalendar"}, "text/calendar", calendar("Caf\xe9"), ""},
		{mapped, "text/csv; charset=windows-1252", csv("Caf\xe9"), "Café"},
		{provider.Config{Format: "csv", Map: mapped.Map, CSV: provider.CSVConfig{Charset: "iso-8859-2"}}, "text/csv; charset=windows-1252", csv("\xa3\xf3d\xbc"), "Łódź"},
		{provider.Config{Format: "json", Map: ".[] | {id, title, start}"}, "application/json; charset=ISO-8859-1", `[{"id": 1, "title": "` + "Caf\xe9" + `", "start": "2030-06-30"}]`, ""},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", tc.contentType)
			_, _ = w.Write([]byte(tc.body))
		}))
		tc.config.Slug, tc.config.Name, tc.config.URL, tc.config.TimeZone, tc.config.Currency, tc.config.AllowPrivateAddresses = "acme", "Acme", server.URL, "Europe/Madrid", "EUR", true
		source, err := provider.New(tc.config, fetch.New(fetch.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		fetched, err := source.Fetch(t.Context(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := source.Open(fetched)
		if err != nil {
			t.Fatal(err)
		}
		for rec, err := range source.Decode(t.Context(), body) {
			if err != nil || (rec.Invalid != nil) != (tc.want == "") || rec.Event.Title != tc.want && tc.want != "" {
				t.Errorf("%s %s %q: %q, %v, %v", tc.config.Format, tc.contentType, tc.body, rec.Event.Title, rec.Invalid, err)
			}
		}
		fetched.Close()
		server.Close()
	}
}

// TestAnotherCharset: the same bytes are read anew if HTTP names another charset.
func TestAnotherCharset(t *testing.T) {
	t.Parallel()
	contentType := "text/calendar"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"))
	}))
	t.Cleanup(server.Close)
	config := provider.Config{Slug: "acme", Name: "Acme", Format: "icalendar", TimeZone: "Europe/Madrid", Currency: "EUR", URL: server.URL, AllowPrivateAddresses: true}
	source, err := provider.New(config, fetch.New(fetch.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	var previous *event.Snapshot
	for _, step := range []struct {
		contentType string
		repeated    bool
	}{
		{"text/calendar", false},
		{"text/calendar; charset=utf-8", true},
		{"text/calendar; charset=iso-8859-1", false},
		{"text/calendar; charset=ISO-8859-1", true},
		{"text/calendar; charset=iso-8859-2", false},
	} {
		contentType = step.contentType
		fetched, err := source.Fetch(t.Context(), previous, nil)
		if err != nil {
			t.Fatal(err)
		}
		if repeated := source.Repeated(previous, fetched) != nil; repeated != step.repeated {
			t.Errorf("%s: repeated %t", contentType, repeated)
		}
		previous = &event.Snapshot{Hash: fetched.Hash[:], Decoder: source.Fingerprint()}
		fetched.Close()
	}
}
