package provider_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/fetch"
	"github.com/aledotdev/marquee/internal/provider"
)

// TestFingerprint differs by whatever makes other events of the same bytes, and by nothing else.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	same := mustLoad(t, acme()).Fingerprint()
	seen := map[event.Decoder]string{same: "the least"}
	for _, lines := range [][]string{
		{"timeZone: Europe/Lisbon"},
		{"currency: USD"},
		{"prices: with-capacity"},
		{"map: '.events[] | {id, title, start }'"},
		{"records: .events[]"},
		{"format: xml"},
		{"format: xml", "xml: {lists: [a]}"},
		{"format: csv"},
		{"format: csv", "csv: {separator: ';'}"},
		{"format: csv", "csv: {charset: latin1}"},
		{"format: planlist", "map:"},
		{"format: icalendar", "map:"},
		{"format: icalendar", "map:", "horizon: {pastDays: 31}"},
		{"format: icalendar", "map:", "horizon: {futureDays: 31}"},
	} {
		name := mustLoad(t, acme(lines...)).Fingerprint()
		if other, again := seen[name]; again {
			t.Errorf("%q has the fingerprint of %s: %s", lines, other, name)
		}
		seen[name] = strings.Join(lines, ", ")
	}
	for _, line := range []string{"name: Other", "url: https://other.example", "schedule: '0 * * * *'", "brake: {minRemoved: 1}", "headers: {X-Y: z}", "prices: all"} {
		if name := mustLoad(t, acme(line)).Fingerprint(); name != same {
			t.Errorf("%s makes the fingerprint %s, not %s", line, name, same)
		}
	}
}

// TestHorizonMovesByTheDay: an unchanged calendar is read anew when there are new dates to be seen.
func TestHorizonMovesByTheDay(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 6, 1, 0, 0, 0, 0, time.UTC)
	source, err := provider.New(provider.Config{
		Slug: "acme", Name: "Acme", URL: "https://acme.example", Format: "icalendar", TimeZone: "UTC", Currency: "EUR",
		Horizon: provider.HorizonConfig{PastDays: new(1), FutureDays: new(3)},
	}, nil, provider.WithClock(func() time.Time { return now }))
	if err != nil {
		t.Fatal(err)
	}
	days := func() (days []string) {
		t.Helper()
		const calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Choir\r\nDTSTART:20300501T190000\r\nDTEND:20300501T200000\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
		for rec, err := range source.Decode(t.Context(), strings.NewReader(calendar)) {
			if err != nil || rec.Invalid != nil {
				t.Fatal(err, rec.Invalid)
			}
			days = append(days, rec.Event.Start.Local.Date())
		}
		return days
	}
	first := source.Fingerprint()
	if diff := cmp.Diff([]string{"2030-05-31", "2030-06-01", "2030-06-02", "2030-06-03", "2030-06-04"}, days()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	now = now.Add(24*time.Hour - time.Second)
	if source.Fingerprint() != first || len(days()) != 5 {
		t.Errorf("another horizon on the same day: %s, %v", source.Fingerprint(), days())
	}
	previous := &event.Snapshot{Decoder: first, Hash: make([]byte, len(fetch.Snapshot{}.Hash))}
	if source.Repeated(previous, &fetch.Snapshot{}) == nil {
		t.Error("the same snapshot is not taken for the same on the same day")
	}
	now = now.Add(time.Second)
	if source.Fingerprint() == first || days()[0] != "2030-06-01" {
		t.Errorf("the same horizon on another day: %v", days())
	}
	if source.Repeated(previous, &fetch.Snapshot{}) != nil {
		t.Error("the same snapshot is not read anew on another day")
	}
	if source.Fingerprint().Settings() != first.Settings() {
		t.Errorf("the settings are %q, and another day %q", first.Settings(), source.Fingerprint().Settings())
	}
}

func TestHeadersAreSent(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer hunter2-hunter2" || r.URL.Path != "/hunter2-hunter2" {
			http.Error(w, "who are you, "+r.URL.Path+"?", http.StatusForbidden)
			return
		}
		http.Error(w, "no", http.StatusTeapot)
	}))
	defer server.Close()
	limits := fetch.DefaultLimits()
	limits.Attempts = 1
	config, err := provider.Parse(strings.NewReader(acme("url: "+server.URL+"/${KEY}", "headers: {authorization: 'Bearer ${KEY}'}", "allowPrivateAddresses: true")),
		environment(map[string]string{"KEY": "hunter2-hunter2"}))
	if err != nil {
		t.Fatal(err)
	}
	source, err := provider.New(config, fetch.New(fetch.Options{Limits: limits}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = source.Fetch(t.Context(), nil, nil)
	var failed *fetch.Error
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "418") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v, want one of status 418 without secrets", err)
	}
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 6, 1, 12, 7, 30, 0, time.FixedZone("", 7200)) // 10:07:30 UTC
	for line, want := range map[string]string{
		"":                          "0001-01-01T00:00:00Z",
		"schedule: '*/15 * * * *'":  "2030-06-01T10:15:00Z",
		"schedule: ' 0  6 * * * '":  "2030-06-02T06:00:00Z",
		"schedule: '0 0 29 2 *'":    "2032-02-29T00:00:00Z",
		"schedule: '30 9 * * mon'":  "2030-06-03T09:30:00Z",
		"every: 15m":                "2030-06-01T10:22:30Z",
		"every: 36h":                "2030-06-02T22:07:30Z",
		"schedule: '7-8 10 * * *'":  "2030-06-01T10:08:00Z",
		"schedule: '0 12 1 jan *'":  "2031-01-01T12:00:00Z",
		"schedule: '0 12 1,15 * *'": "2030-06-01T12:00:00Z",
	} {
		s := mustLoad(t, acme(line)).Schedule()
		if got := s.Next(at).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
		if s.IsZero() != (line == "") {
			t.Errorf("%s: IsZero is %t", line, s.IsZero())
		}
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	source := mustLoad(t, acme("map: '.events[] | {id, title, start, online: .o}'"))
	p, err := source.Preview(t.Context(), strings.NewReader(`{"events": [
		{"id": 1, "title": "A", "start": "2030-01-01"},
		{"id": 2, "title": "B", "start": "2030-01-01", "o": false},
		{"id": 1, "title": "A", "start": "2030-01-01"},
		{"id": 2, "title": "B, again", "start": "2030-01-01"},
		{"id": 3, "title": "C", "start": "2030-02-30"},
		{"id": 4, "title": "D", "start": "2030-01-01", "o": false}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, rec := range p.Events {
		got = append(got, rec.Place.String()+" "+rec.Event.Title)
	}
	for _, rec := range p.Quarantine {
		got = append(got, rec.Place.String()+" "+rec.Key.Event+" "+string(rec.Invalid.Reason))
	}
	want := []string{".events[0] A", ".events[3] B, again", ".events[5] D", ".events[1] 2 DUPLICATE", ".events[4] 3 INVALID_DATE"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p.Records != 6 || p.Quarantined != 2 || p.Repeated != 1 || p.Online != 2 {
		t.Errorf("%d records, %d quarantined, %d repeated, %d online", p.Records, p.Quarantined, p.Repeated, p.Online)
	}

	p, err = source.Preview(t.Context(), strings.NewReader(`{"events": [{"id": 1, "title": "A", "start": "2030-01-01"}`))
	if !errors.Is(err, event.ErrMalformed) || p.Records != 1 {
		t.Errorf("of a truncated snapshot: %d records, %v", p.Records, err)
	}
}

func TestPreviewIsBounded(t *testing.T) {
	t.Parallel()
	source := mustLoad(t, acme("map: '.events[] | {id: ., title: (if . % 2 == 0 then \"x\" else null end), start: \"2030-01-01\"}'"))
	var document strings.Builder
	document.WriteString(`{"events": [0`)
	for i := range 4*provider.MaxPreviewed + 1 {
		document.WriteString("," + string(rune('0'+i%10)))
	}
	for i := range 4 * provider.MaxPreviewed {
		document.WriteString(strings.Repeat(",", 1) + "1" + strings.Repeat("0", i%5) + string(rune('0'+i%10)) + strings.Repeat("1", i%3))
	}
	document.WriteString("]}")
	p, err := source.Preview(t.Context(), strings.NewReader(document.String()))
	if err != nil {
		t.Fatal(err)
	}
	if p.Records != 8*provider.MaxPreviewed+2 || len(p.Quarantine) != provider.MaxPreviewed || p.Quarantined <= len(p.Quarantine) {
		t.Errorf("%d records, %d of %d quarantined", p.Records, len(p.Quarantine), p.Quarantined)
	}
}

// TestPreviewCountsAll: the last record of a key counts, also where its events are counted only.
func TestPreviewCountsAll(t *testing.T) {
	t.Parallel()
	source := mustLoad(t, acme("map: '.events[] | {id: .[0], title: \"A\", start: \"2030-01-01\", online: .[1]}'"))
	var document strings.Builder
	document.WriteString(`{"events": [`)
	for i := range provider.MaxPreviewed + 1 {
		fmt.Fprintf(&document, "[%d, true],", i)
	}
	fmt.Fprintf(&document, "[%d, false]]}", provider.MaxPreviewed)
	p, err := source.Preview(t.Context(), strings.NewReader(document.String()))
	if err != nil {
		t.Fatal(err)
	}
	if p.Online != provider.MaxPreviewed || len(p.Events) != provider.MaxPreviewed || p.Quarantined != 1 {
		t.Errorf("%d online, %d kept, %d quarantined", p.Online, len(p.Events), p.Quarantined)
	}
}

// TestDecodeIsInterrupted: when a run is told to end, so does the reading, whatever a map is at; that is no fault of the feed.
func TestDecodeIsInterrupted(t *testing.T) {
	t.Parallel()
	feeds := map[string]struct {
		config provider.Config
		feed   io.Reader
	}{
		"a map that loops for ever":     {provider.Config{Format: "json", Map: "def f: f; f"}, strings.NewReader("{}")},
		"a map that loops on a record":  {provider.Config{Format: "json", Map: ".[] | def f: f; {id: f}"}, strings.NewReader("[1]")},
		"a calendar that never ends":    {provider.Config{Format: "icalendar"}, endless{"BEGIN:VCALENDAR\r\n", "X-A:b\r\n"}.reader()},
		"a native feed that never ends": {provider.Config{Format: "planlist"}, endless{"<planList><output>", "<base_plan/>"}.reader()},
	}
	for name, test := range feeds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := test.config
			c.Slug, c.Name, c.URL, c.TimeZone, c.Currency = "acme", "Acme", "https://acme.example", "UTC", "EUR"
			source, err := provider.New(c, nil)
			if err != nil {
				t.Fatal(err)
			}
			interrupted := errors.New("interrupted")
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(100*time.Millisecond, func() { cancel(interrupted) })
			var last error
			for _, err := range source.Decode(ctx, test.feed) {
				last = err
			}
			if !errors.Is(last, interrupted) || errors.Is(last, event.ErrMalformed) {
				t.Errorf("it ends with %v", last)
			}
		})
	}
}

// endless is a document of a beginning, and then the same again and again.
type endless struct{ first, again string }

func (e endless) reader() io.Reader {
	return io.MultiReader(strings.NewReader(e.first), &repeating{text: e.again})
}

type repeating struct{ text string }

func (r *repeating) Read(b []byte) (int, error) {
	n := copy(b, r.text)
	r.text = r.text[n:] + r.text[:n]
	return n, nil
}

// TestValidatorsAreOfOneResource: another address, or other headers, are asked without those of the ones before.
func TestValidatorsAreOfOneResource(t *testing.T) {
	t.Parallel()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+" "+r.Header.Get("If-None-Match")+r.Header.Get("If-Modified-Since"))
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Content-Type", "application/xml")
		_, _ = w.Write([]byte("<planList/>"))
	}))
	t.Cleanup(server.Close)
	config := provider.Config{Slug: "acme", Name: "Acme", Format: "planlist", TimeZone: "Europe/Madrid", Currency: "EUR", URL: server.URL + "/a", AllowPrivateAddresses: true}
	fetched := func(c provider.Config, previous *event.Snapshot) *event.Snapshot {
		source, err := provider.New(c, fetch.New(fetch.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		got, err := source.Fetch(t.Context(), previous, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		return &event.Snapshot{ETag: got.ETag, LastModified: got.LastModified, Decoder: source.Fingerprint()}
	}
	first := fetched(config, nil)
	fetched(config, first)
	elsewhere, other := config, config
	elsewhere.URL, other.Headers = server.URL+"/b", map[string]string{"X-Tenant": "2"}
	fetched(elsewhere, first)
	fetched(other, first)
	if want := []string{"/a ", `/a "v1"`, "/b ", "/a "}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
}
