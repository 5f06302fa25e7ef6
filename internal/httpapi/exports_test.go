package httpapi_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/httpapi"
	"github.com/aledotdev/marquee/internal/httpapi/ratelimit"
)

// happening is an event as a catalog exports it, of which only a calendar can be made.
func happening(t testing.TB, title string) catalog.Exported {
	t.Helper()
	start := local(t, "2026-11-28T21:00:00")
	return catalog.Exported{Event: &catalog.Event{
		ID: event.Key{Provider: "acme", Event: title}.ID(), Title: title,
		StartsAt: start.In(time.UTC), StartsLocal: start, TimeZone: "UTC", Status: event.StatusScheduled,
	}}
}

// TestExportAsks: the parameters are GraphQL's arguments.
func TestExportAsks(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 12, 0, 30, 0, time.UTC)
	minute := now.Truncate(time.Minute)
	id := event.Key{Provider: "acme", Event: "1"}.ID()
	day := func(s string) *catalog.Bound {
		b, ok := catalog.ParseBound(s)
		if !ok {
			t.Fatal(s)
		}
		return &b
	}
	for query, want := range map[string]catalog.EventQuery{
		"": {Window: catalog.Window{Match: catalog.Overlaps}},
		"from=2026-11-28&to=2026-11-30T20:00%2B01:00&match=STARTS_IN": {Window: catalog.Window{
			From: day("2026-11-28"), To: day("2026-11-30T20:00+01:00"), Match: catalog.StartsIn,
		}},
		"preset=TODAY&timeZone=UTC&text=": {Window: catalog.Window{
			From: &catalog.Bound{Instant: minute.Truncate(24 * time.Hour), Date: true}, To: &catalog.Bound{Instant: minute.Truncate(24*time.Hour).AddDate(0, 0, 1), Date: true},
			Match: catalog.Overlaps, Zone: time.UTC,
		}},
		"text=jazz&providers=a&providers=b&ids=" + id.String() + "&removed=false&price.min=1.5&price.currency=EUR&availability=IN_STOCK": {
			Window: catalog.Window{Match: catalog.Overlaps},
			Where: catalog.EventFilter{
				Text: new("jazz"), Providers: []string{"a", "b"}, IDs: []event.ID{id}, Removed: new(false),
				Price: &catalog.PriceFilter{Min: price(t, "1.5"), Currency: new("EUR")}, Availability: []catalog.Availability{catalog.InStock},
			},
		},
	} {
		var got catalog.EventQuery
		o := options(&fake{asked: func(q catalog.EventQuery) { got = q }})
		o.Clock = func() time.Time { return now }
		if w := do(t, httpapi.New(o), http.MethodGet, "/events.ics?"+query); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
		want.Now = minute
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(catalog.Fields{}), cmp.Comparer(func(a, b *time.Location) bool { return a == b }), cmp.Comparer(func(a, b event.LocalDateTime) bool { return a.Compare(b) == 0 }),
			cmp.Comparer(func(a, b event.Decimal) bool { return a.Compare(b) == 0 })); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
}

func TestExportRefuses(t *testing.T) {
	t.Parallel()
	server := httpapi.New(options(&fake{}))
	for query, names := range map[string]string{
		"provider=acme":                      `"provider" is not a parameter`,
		"from=tomorrow":                      "from: want a date",
		"from=2026-11-28&from=2026-11-29":    "from: given more than once",
		"from=2026-11-29&to=2026-11-28":      "from 2026-11-29 is after to 2026-11-28",
		"preset=TODAY":                       "needs a timeZone",
		"preset=NOW&timeZone=UTC":            "preset: want one of TODAY",
		"timeZone=Mars":                      "timeZone: want",
		"timeZone=Local":                     "timeZone: want",
		"match=overlaps":                     "match: want one of OVERLAPS",
		"ids=1":                              "ids: want a UUID",
		"price.min=free":                     "price.min: want a number",
		"removed=1":                          "removed: want true or false",
		"updatedSince=yesterday":             "updatedSince: want an instant",
		"status=ON":                          "status: want one of SCHEDULED",
		"%zz":                                "malformed",
		"text=" + strings.Repeat("x", 9<<10): "longer than 8 KiB",
	} {
		w := do(t, server, http.MethodGet, "/events.csv?"+query)
		var failure struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &failure); err != nil || w.Code != http.StatusBadRequest ||
			failure.Error.Code != "BAD_USER_INPUT" || !strings.Contains(failure.Error.Message, names) {
			t.Errorf("%s: %d %s, want %q", query, w.Code, w.Body, names)
		}
	}
}

// TestExportParameters: what GraphQL's events can be asked for, an export can, and the document tells of it.
func TestExportParameters(t *testing.T) {
	t.Parallel()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: graph.SDL()})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var collect func(prefix, input string)
	collect = func(prefix, input string) {
		for _, f := range schema.Types[input].Fields {
			if schema.Types[f.Type.Name()].Kind == ast.InputObject {
				collect(prefix+f.Name+".", f.Type.Name())
			} else {
				names = append(names, prefix+f.Name)
			}
		}
	}
	collect("", "EventWindow")
	collect("", "EventFilter")

	d := describe(t)
	for _, path := range []string{"/events.ics", "/events.csv", "/events.jsonld"} {
		operation, _ := d.at(t, "", "paths", escape(path), "get")
		var described []string
		for _, p := range operation["parameters"].([]any) {
			parameter, _ := d.at(t, strings.TrimPrefix(p.(map[string]any)["$ref"].(string), "#"))
			described = append(described, parameter["name"].(string))
		}
		if diff := cmp.Diff(names, described, cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	server := httpapi.New(options(&fake{}))
	for _, name := range names {
		if w := do(t, server, http.MethodGet, "/events.ics?"+url.Values{name: {"\x00"}}.Encode()); strings.Contains(w.Body.String(), "not a parameter") {
			t.Errorf("%s: %s", name, w.Body)
		}
	}
}

func TestExportIsAskedForAgain(t *testing.T) {
	t.Parallel()
	at := &clock{now: time.Date(2026, 11, 27, 12, 0, 20, 0, time.UTC)}
	data := &fake{version: 7}
	o := options(data)
	o.Clock = at.Now
	server := httpapi.New(o)
	ask := func(target string, header ...string) (status int, etag string) {
		t.Helper()
		w := do(t, server, http.MethodGet, target, header...)
		if got := w.Header().Get("Cache-Control"); got != "public, max-age=40" {
			t.Errorf("Cache-Control: %s", got)
		}
		if vary := w.Header().Get("Vary"); vary != "Accept-Encoding" {
			t.Errorf("Vary: %s", vary)
		}
		if (w.Code == http.StatusNotModified) != (w.Body.Len() == 0) {
			t.Errorf("%d with %d bytes", w.Code, w.Body.Len())
		}
		return w.Code, w.Header().Get("ETag")
	}
	const target = "/events.ics?preset=THIS_WEEKEND&timeZone=UTC"
	status, etag := ask(target)
	if status != http.StatusOK || len(etag) < 10 || etag[0] != '"' {
		t.Fatalf("%d, ETag %s", status, etag)
	}
	if w := do(t, server, http.MethodHead, target); w.Code != http.StatusOK || w.Header().Get("ETag") != etag || w.Body.Len() > 0 ||
		w.Header().Get("Content-Type") != "text/calendar; charset=utf-8" {
		t.Errorf("HEAD: %d %v %s", w.Code, w.Header(), w.Body)
	}
	zipped := strings.TrimSuffix(etag, `"`) + `-gzip"`
	for _, known := range []string{etag, "W/" + etag, `"other", ` + etag, zipped, "*"} {
		if status, again := ask(target, "If-None-Match", known); status != http.StatusNotModified || again != etag && again != zipped {
			t.Errorf("If-None-Match %s: %d, ETag %s", known, status, again)
		}
	}

	other := map[string]bool{etag: true}
	fresh := func(why, target string) {
		t.Helper()
		status, got := ask(target, "If-None-Match", etag)
		if status != http.StatusOK || other[got] {
			t.Errorf("%s: %d, ETag %s", why, status, got)
		}
		other[got] = true
	}
	fresh("another question", target+"&text=jazz")
	fresh("another format", strings.Replace(target, "ics", "csv", 1))
	data.version = 8
	fresh("another catalog", target)
	data.version = 7
	at.advance(24 * time.Hour) // Saturday still has the weekend before it
	if status, _ := ask(target, "If-None-Match", etag); status != http.StatusNotModified {
		t.Errorf("the same weekend: %d", status)
	}
	at.advance(48 * time.Hour)
	fresh("the next weekend", target)
	fresh("of now", target+"&availability=IN_STOCK")
	at.advance(time.Minute)
	fresh("of a minute later", target+"&availability=IN_STOCK")
}

func TestExportGzip(t *testing.T) {
	t.Parallel()
	var events []catalog.Exported
	for range 100 {
		events = append(events, happening(t, "The Lantern Parade"))
	}
	server := start(t, httpapi.New(options(&fake{export: events})))
	response := ask(t, server.URL+"/events.ics", "gzip")
	if response.header.Get("Content-Encoding") != "gzip" || !strings.HasSuffix(response.header.Get("ETag"), `-gzip"`) {
		t.Fatalf("header %v", response.header)
	}
	body, err := gzip.NewReader(response.body)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(body)
	if err != nil || !strings.HasSuffix(string(all), "END:VCALENDAR\r\n") {
		t.Errorf("%d bytes, %v", len(all), err)
	}
}

// TestExportsAtATime: too many are told to come again, and places become free.
func TestExportsAtATime(t *testing.T) {
	t.Parallel()
	begun, leave := make(chan struct{}), make(chan struct{})
	o := options(&fake{asked: func(catalog.EventQuery) { begun <- struct{}{}; <-leave }})
	o.Exports = 1
	server := httpapi.New(o)
	done := make(chan int)
	go func() { done <- do(t, server, http.MethodGet, "/events.ics").Code }()
	<-begun
	if w := do(t, server, http.MethodGet, "/events.csv"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	close(leave)
	if status := <-done; status != http.StatusOK {
		t.Errorf("%d", status)
	}
	go func() { done <- do(t, server, http.MethodGet, "/events.csv").Code }()
	<-begun
	if status := <-done; status != http.StatusOK {
		t.Errorf("%d", status)
	}
}

// TestRefusedMethodsAreFree: what is refused for its method takes no points away from what is asked next.
func TestRefusedMethodsAreFree(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/events.ics", "/search"} {
		o := options(&fake{})
		o.Limiter = ratelimit.New(ratelimit.Options{Budget: ratelimit.Budget{Rate: 1, Burst: 2_000}, Clock: func() time.Time { return time.Unix(0, 0) }})
		server := httpapi.New(o)
		for range 5 {
			if w := do(t, server, http.MethodPost, target); w.Code != http.StatusMethodNotAllowed {
				t.Errorf("POST %s: %d", target, w.Code)
			}
		}
		if w := do(t, server, http.MethodGet, target); w.Code != http.StatusOK {
			t.Errorf("GET %s: %d", target, w.Code)
		}
	}
}

// TestExportFails: nothing of a failure is kept, and nobody takes half a calendar for a whole one.
func TestExportFails(t *testing.T) {
	t.Parallel()
	w := do(t, httpapi.New(options(&fake{exportErr: errDatabase})), http.MethodGet, "/events.ics")
	if h := w.Header(); w.Code != http.StatusInternalServerError || h.Get("ETag") != "" || h.Get("Cache-Control") != "no-store" || strings.Contains(w.Body.String(), "relation") {
		t.Errorf("%d %v %s", w.Code, h, w.Body)
	}
	var events []catalog.Exported
	for range 2_000 {
		events = append(events, happening(t, "The Lantern Parade"))
	}
	server := start(t, httpapi.New(options(&fake{export: events, exportErr: errDatabase})))
	response := ask(t, server.URL+"/events.ics", "identity")
	if all, err := io.ReadAll(response.body); err == nil {
		t.Errorf("%d bytes, and no error", len(all))
	}
}

// Export is a catalog's, of what the fake has.
func (f *fake) Export(_ context.Context, q catalog.EventQuery, begin func(int64) error, yield func(catalog.Exported) error) error {
	if f.asked != nil {
		f.asked(q)
	}
	if err := begin(f.version); err != nil {
		return err
	}
	for _, e := range f.export {
		if err := yield(e); err != nil {
			return err
		}
	}
	return f.exportErr
}
