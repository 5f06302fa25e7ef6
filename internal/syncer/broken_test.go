package syncer_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/test/harness"
)

// serve answers with a body, and header name, value, ….
func serve(body []byte, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		_, _ = w.Write(body)
	}
}

// TestBrokenSnapshots: a snapshot that is not whole changes nothing, the run says why, and the next good one is applied.
func TestBrokenSnapshots(t *testing.T) { //nolint:tparallel // one database for all
	t.Parallel()
	next := harness.PlanList(varied(func(p *harness.Plan) { p.SoldOut = "true" }), show("new", "2030-07-01T20:00:00"))
	document := func(inside string) []byte {
		return []byte(`<?xml version="1.0"?>` + inside)
	}
	var attributes strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&attributes, ` a%d="1"`, i)
	}
	var bomb bytes.Buffer
	packer := gzip.NewWriter(&bomb)
	_, _ = packer.Write(append(bytes.Clone(next), bytes.Repeat([]byte(" "), 8<<20)...))
	_ = packer.Close()
	var packed bytes.Buffer
	packer.Reset(&packed)
	_, _ = packer.Write(next)
	_ = packer.Close()

	tests := map[string]struct {
		answer http.HandlerFunc
		code   string
	}{
		"500":                {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }, "STATUS"},
		"404":                {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusNotFound) }, "STATUS"},
		"a web page":         {serve([]byte("<!DOCTYPE html><title>Maintenance</title>"), "Content-Type", "text/html"), "HTML"},
		"nothing":            {serve(nil), "EMPTY"},
		"white space":        {serve([]byte(" \n\n")), "EMPTY"},
		"half a document":    {serve(next[:len(next)/2]), "MALFORMED"},
		"all but the end":    {serve(bytes.TrimSuffix(next, []byte("</planList>\n"))), "MALFORMED"},
		"two documents":      {serve(append(bytes.Clone(next), next...)), "MALFORMED"},
		"another root":       {serve(bytes.ReplaceAll(next, []byte("planList"), []byte("shopList"))), "MALFORMED"},
		"no XML":             {serve([]byte(`{"plans": []}`)), "MALFORMED"},
		"an unknown charset": {serve(bytes.Replace(next, []byte("UTF-8"), []byte("X-KLINGON"), 1)), "MALFORMED"},
		"an entity bomb": {serve(document(`<!DOCTYPE planList [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>` +
			`<planList><output><base_plan base_plan_id="1" title="&b;"/></output></planList>`)), "MALFORMED"},
		"an undefined entity":        {serve(bytes.Replace(next, []byte("Lantern"), []byte("&lantern;"), 1)), "MALFORMED"},
		"100,000 attributes":         {serve(bytes.Replace(next, []byte("<plan "), []byte("<plan "+attributes.String()+" "), 1)), "MALFORMED"},
		"100,000 levels":             {serve(bytes.Replace(next, []byte("<output>"), []byte("<output>"+strings.Repeat("<a>", 100_000)), 1)), "MALFORMED"},
		"a gzip bomb":                {serve(bomb.Bytes(), "Content-Encoding", "gzip"), "RATIO"},
		"half a gzip":                {serve(packed.Bytes()[:packed.Len()/2], "Content-Encoding", "gzip"), "TRUNCATED"},
		"an encoding not asked for":  {serve(next, "Content-Encoding", "br"), "ENCODING"},
		"a connection cut half-way":  {cut(next), "TRUNCATED"},
		"a connection cut at once":   {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "NETWORK"},
		"a hang before the answer":   {hang(nil), "TIMEOUT"},
		"a hang in the middle of it": {hang(next[:len(next)/2]), "TIMEOUT"},
		"an endless redirect":        {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }, "REDIRECT"},
	}
	app := harness.Start(t, noon)
	limits := app.Limits
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			app := app.In(t)
			app.Limits = limits
			if test.code == "TIMEOUT" {
				app.Limits.Time = 300 * time.Millisecond
			}
			feed := app.Feed(slug(name))
			feed.Sync(harness.PlanList(parade(), show("old", "2030-07-01T20:00:00")))
			before := app.Rows(own...)
			feed.Answer(test.answer)
			report, err := feed.Try()
			if err == nil {
				t.Error("no error")
			}
			sameCounts(t, report, event.OutcomeFailed, event.Counts{})
			recorded(t, app, report, event.OutcomeFailed, test.code)
			same(t, "the catalog after "+name, before, app.Rows(own...))

			last := lastChange(app)
			sameCounts(t, feed.Sync(next), event.OutcomeApplied, event.Counts{Records: 2, Added: 1, Changed: 1, Removed: 1})
			if diff := cmp.Diff([]string{"SOLD_OUT 71/1", "ADDED new/1", "REMOVED old/1"}, changes(app, last)); diff != "" {
				t.Errorf("the next good snapshot (-want +got):\n%s", diff)
			}
		})
	}
}

// slug makes a provider's name of a test's.
func slug(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:8])
}

// cut announces a body and sends half of it.
func cut(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// hang sends the beginning of an answer, if any, and no more until the client has gone.
func hang(beginning []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if beginning != nil {
			_, _ = w.Write(beginning)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}
}

// TestInterrupted: a run that is told to stop says so in its record.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	feed.Sync(harness.PlanList(parade()))
	before := app.Rows(own...)
	ctx, cancel := context.WithCancel(t.Context())
	feed.Answer(func(w http.ResponseWriter, r *http.Request) {
		cancel()
		hang(nil)(w, r)
	})
	report, err := app.Syncer.Sync(ctx, feed.Source)
	wantError(t, err, context.Canceled)
	recorded(t, app, report, event.OutcomeFailed, "CANCELLED")
	same(t, "the catalog", before, app.Rows(own...))
	sameCounts(t, feed.Sync(harness.PlanList(parade())), event.OutcomeUnchanged, event.Counts{Records: 1, Unchanged: 1})
}

// TestBrokenRecords: a bad record costs that record, whatever is wrong with it.
func TestBrokenRecords(t *testing.T) {
	t.Parallel()
	plan := func(edit func(*harness.Plan)) func(*harness.Base) {
		return func(b *harness.Base) { edit(&b.Plans[0]) }
	}
	price := func(p string) func(*harness.Base) {
		return plan(func(pl *harness.Plan) { pl.Zones[0].Price = p })
	}
	capacity := func(c string) func(*harness.Base) {
		return plan(func(p *harness.Plan) { p.Zones[0].Capacity = c })
	}
	tests := map[string]struct {
		edit   func(*harness.Base)
		reason string // empty: it is fine
	}{
		"a plan without id":           {plan(func(p *harness.Plan) { p.ID = "" }), "MISSING_ID"},
		"a base plan without id":      {func(b *harness.Base) { b.ID = "" }, "MISSING_ID"},
		"no title":                    {func(b *harness.Base) { b.Title = "" }, "MISSING_TITLE"},
		"a title of 100 kB":           {func(b *harness.Base) { b.Title = strings.Repeat("x", 100<<10) }, "TOO_LARGE"},
		"a title that is no UTF-8":    {func(b *harness.Base) { b.Title = "INVALID" }, "INVALID_TEXT"},
		"an id of a kilobyte":         {plan(func(p *harness.Plan) { p.ID = strings.Repeat("1", 1<<10) }), "TOO_LARGE"},
		"price abc":                   {price("abc"), "INVALID_PRICE"},
		"price -5":                    {price("-5"), "INVALID_PRICE"},
		"price 1e9":                   {price("1e9"), "INVALID_PRICE"},
		"price NaN":                   {price("NaN"), "INVALID_PRICE"},
		"a price of 13 digits":        {price("1000000000000"), "INVALID_PRICE"},
		"price 0":                     {price("0"), ""},
		"no price":                    {price(""), ""},
		"no capacity":                 {capacity(""), ""},
		"capacity -1":                 {capacity("-1"), "INVALID_NUMBER"},
		"capacity 2^31":               {capacity("2147483648"), "INVALID_NUMBER"},
		"no start":                    {plan(func(p *harness.Plan) { p.Start = "" }), "INVALID_DATE"},
		"an impossible start":         {plan(func(p *harness.Plan) { p.Start = "2030-02-29T20:00:00" }), "INVALID_DATE"},
		"an impossible end of sale":   {plan(func(p *harness.Plan) { p.SellTo = "2030-09-31T20:00:00" }), "INVALID_DATE"},
		"the year 0":                  {plan(func(p *harness.Plan) { p.Start = "0000-01-01T00:00:00" }), "INVALID_DATE"},
		"the year 9999":               {plan(func(p *harness.Plan) { p.Start, p.End = "9999-12-30T00:00:00", "" }), ""},
		"end before start":            {plan(func(p *harness.Plan) { p.End = "2030-06-30T20:59:59" }), "END_BEFORE_START"},
		"end at start":                {plan(func(p *harness.Plan) { p.End = p.Start }), ""},
		"sold_out maybe":              {plan(func(p *harness.Plan) { p.SoldOut = "maybe" }), "INVALID_NUMBER"},
		"odd characters in the title": {func(b *harness.Base) { b.Title = "\ufeff\u202e\U0010FFFF '\"; DROP TABLE events; --" }, ""},
		"no UTF-8 in the organizer":   {func(b *harness.Base) { b.Organizer = "INVALID" }, ""},
	}
	app := harness.Start(t, noon)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := app.In(t)
			bad := parade()
			test.edit(&bad)
			feed := harness.PlanList(show("1", "2030-07-01T20:00:00"), bad, show("2", "2030-07-02T20:00:00"))
			feed = bytes.Replace(feed, []byte("INVALID"), []byte("\xff\xfe"), 1)
			want := event.Counts{Records: 3, Added: 3}
			var reasons []string
			if test.reason != "" {
				want.Added, want.Quarantined = 2, 1
				reasons = []string{test.reason}
			}
			report := app.Feed(slug(name)).Sync(feed)
			sameCounts(t, report, event.OutcomeApplied, want)
			if diff := cmp.Diff(reasons, harness.Query[string](app, `SELECT reason FROM quarantined_records WHERE run_id = $1`, report.RunID), emptyIsNil); diff != "" {
				t.Errorf("quarantine (-want +got):\n%s", diff)
			}
			good := func(series string) string {
				return event.Key{Provider: slug(name), Series: series, Event: "1"}.ID().String()
			}
			n := harness.One[int64](app, `SELECT count(*) FROM events WHERE id IN ($1::uuid, $2::uuid)`, good("1"), good("2"))
			if n != 2 {
				t.Errorf("%d of 2 good records are there", n)
			}
		})
	}
}

// TestUnclearSeries: if a record can't be used and names only its series, all events of that series stay as they are.
func TestUnclearSeries(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	several := parade()
	several.Plans = append(several.Plans, several.Plans[0])
	several.Plans[1].ID = "2"
	gone, kept := show("gone", "2030-07-02T20:00:00"), show("kept", "2030-07-02T20:00:00")
	sameCounts(t, feed.Sync(harness.PlanList(several, gone, kept)), event.OutcomeApplied, event.Counts{Records: 4, Added: 4})
	app.Clock.Set(noon.Add(time.Hour))
	nameless := parade()
	nameless.Plans[0].ID = ""
	sameCounts(t, feed.Sync(harness.PlanList(nameless, kept)), event.OutcomeApplied, event.Counts{Records: 2, Removed: 1, Unchanged: 1, Quarantined: 1})
	app.Clock.Set(noon.Add(2 * time.Hour))
	sameCounts(t, feed.Sync(harness.PlanList(several, kept)), event.OutcomeUnchanged, event.Counts{Records: 3, Unchanged: 3})
}

// TestNUL: PostgreSQL can't keep a NUL, in whatever text it comes.
func TestNUL(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	for _, nul := range []string{"\x00", "&#0;", "&#x0;", `\u0000`} {
		for _, where := range []string{"Lantern", `organizer_company_id="2`, "Stalls", `plan_id="1`, `zone_id="4`, `base_plan_id="71`} {
			t.Run(fmt.Sprintf("%q in %s", nul, where), func(t *testing.T) {
				t.Parallel()
				feed := app.In(t).Feed(slug(t.Name()))
				feed.Serve(bytes.Replace(harness.PlanList(show("1", "2030-07-01T20:00:00"), parade()), []byte(where), []byte(where+nul), 1))
				report, err := feed.Try()
				if report.Result.ErrorCode != "MALFORMED" && (err != nil || report.Result.Counts.Added == 0) {
					t.Errorf("%+v, %v", report.Result, err)
				}
			})
		}
	}
}
