package planlist_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/planlist"
)

var update = flag.Bool("update", false, "write the golden files anew")

// decode collects a snapshot.
func decode(tb testing.TB, r io.Reader) ([]event.Record, error) {
	tb.Helper()
	var records []event.Record
	for rec, err := range planlist.Decode(r, madrid(tb)) {
		if err != nil {
			return records, err
		}
		records = append(records, rec)
	}
	return records, nil
}

func fixture(tb testing.TB, name string) []byte {
	tb.Helper()
	document, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return document
}

// golden is a record as the golden files have it: an error as its text.
type golden struct {
	Event   event.Event
	Invalid string `json:",omitempty"`
	Key     event.Key
	Place   string
	Excerpt string `json:",omitempty"`
}

func TestDecodeGolden(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"planlist", "eventlist", "eventdate"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := fixture(t, name+".xml")
			got := goldenOf(t, bytes.NewReader(document))
			if bytewise := goldenOf(t, iotest.OneByteReader(bytes.NewReader(document))); bytewise != got {
				t.Errorf("another result byte by byte:\n%s", cmp.Diff(got, bytewise))
			}
			file := filepath.Join("testdata", name+".golden.json")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(fixture(t, name+".golden.json")), got); diff != "" {
				t.Errorf("records (-want +got), or run with -update:\n%s", diff)
			}
		})
	}
}

func goldenOf(t *testing.T, r io.Reader) string {
	t.Helper()
	records, err := decode(t, r)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]golden, len(records))
	for i, rec := range records {
		out[i] = golden{Event: rec.Event, Key: rec.Key, Place: rec.Place.String(), Excerpt: rec.Excerpt}
		if rec.Invalid != nil {
			out[i].Event, out[i].Invalid = event.Event{}, rec.Invalid.Error()
		}
	}
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// TestGenerationsAgree: one show, told in three forms.
func TestGenerationsAgree(t *testing.T) {
	t.Parallel()
	const show = `<%ROOT%><output><base_%NOUN% base_%NOUN%_id="1" sell_mode="online" title="Lanterns"><%NOUN% %NOUN%_id="2" %DATES% sell_from="2030-01-01T00:00:00" sold_out="false">` +
		`<zone zone_id="3" capacity="4" price="5.50" name="Lawn" numbered="true"/></%NOUN%></base_%NOUN%></output></%ROOT%>`
	tell := func(root, noun, dates string) event.Event {
		document := strings.NewReplacer("%ROOT%", root, "%NOUN%", noun, "%DATES%", dates).Replace(show)
		records, err := decode(t, strings.NewReader(document))
		if err != nil || len(records) != 1 || records[0].Invalid != nil {
			t.Fatalf("%s: %v, %v", document, records, err)
		}
		return records[0].Event
	}
	of2025 := tell("planList", "plan", `plan_start_date="2030-06-30T21:00:00" plan_end_date="2030-06-30T22:00:00"`)
	of2022 := tell("eventList", "event", `event_start_date="2030-06-30T21:00:00" event_end_date="2030-06-30T22:00:00"`)
	of2021 := tell("eventList", "event", `event_date="2030-06-30T21:00:00"`)
	if of2025.Hash() != of2022.Hash() || of2025.Key.ID() != of2022.Key.ID() {
		t.Errorf("2025 and 2022 differ: %v", event.Diff(&of2025, &of2022))
	}
	if of2021.HasEnd() {
		t.Errorf("2021 has an end: %v", of2021.End)
	}
	of2021.End = of2022.End
	if of2022.Hash() != of2021.Hash() {
		t.Errorf("2022 and 2021 differ by more than the end: %v", event.Diff(&of2022, &of2021))
	}
}

// one is a planList of one plan, between two good ones that the bad one must not harm.
func one(base, plan, zone string) string {
	const good = `<base_plan base_plan_id="1" title="Good"><plan plan_id="%" plan_start_date="2030-06-30T21:00:00"/></base_plan>`
	return "<planList><output>" + strings.Replace(good, "%", "1", 1) +
		"<base_plan " + base + "><plan " + plan + "><zone " + zone + "/></plan></base_plan>" +
		strings.Replace(good, "%", "2", 1) + "</output></planList>"
}

func TestOneBadRecordCostsOneRecord(t *testing.T) {
	t.Parallel()
	const (
		base  = `base_plan_id="7" title="Show" sell_mode="online"`
		dates = `plan_start_date="2030-06-30T21:00:00" plan_end_date="2030-06-30T22:00:00"`
		plan  = `plan_id="8" ` + dates
		zone  = `zone_id="9" price="5.00" capacity="3" name="Lawn" numbered="true"`
	)
	tests := map[string]struct {
		base, plan, zone string
		reason           event.Reason // empty: a good record
		field            string
	}{
		"good":                      {base, plan, zone, "", ""},
		"white space":               {`base_plan_id=" 7 " title=" Show "`, `plan_id=" 8 " plan_start_date=" 2030-06-30T21:00:00 " sold_out=" "`, `zone_id="9 " price=" 5.00" capacity=" 3 " name=" Lawn" numbered=" true "`, "", ""},
		"blank plan id":             {base, `plan_id=" " ` + dates, zone, event.ReasonMissingID, "plan_id"},
		"no base plan id":           {`title="Show"`, plan, zone, event.ReasonMissingID, "base_plan_id"},
		"empty base plan id":        {`base_plan_id="" title="Show"`, plan, zone, event.ReasonMissingID, "base_plan_id"},
		"no plan id":                {base, dates, zone, event.ReasonMissingID, "plan_id"},
		"empty plan id":             {base, `plan_id="" ` + dates, zone, event.ReasonMissingID, "plan_id"},
		"long plan id":              {base, `plan_id="` + strings.Repeat("8", 201) + `" ` + dates, zone, event.ReasonTooLarge, "id"},
		"no title":                  {`base_plan_id="7"`, plan, zone, event.ReasonMissingTitle, "title"},
		"empty title":               {`base_plan_id="7" title=""`, plan, zone, event.ReasonMissingTitle, "title"},
		"title with NUL":            {"base_plan_id='7' title='a\x00b'", plan, zone, event.ReasonInvalidText, "series title"},
		"title of bad bytes":        {"base_plan_id='7' title='a\xffb'", plan, zone, event.ReasonInvalidText, "series title"},
		"zone name of bad bytes":    {base, plan, "name='\xff'", event.ReasonInvalidText, "offer name"},
		"no start":                  {base, `plan_id="8"`, zone, event.ReasonInvalidDate, "plan_start_date"},
		"empty start":               {base, `plan_id="8" plan_start_date=""`, zone, event.ReasonInvalidDate, "plan_start_date"},
		"impossible start":          {base, `plan_id="8" plan_start_date="2021-09-31T20:00:00"`, zone, event.ReasonInvalidDate, "plan_start_date"},
		"impossible end":            {base, `plan_id="8" plan_start_date="2021-09-30T20:00:00" plan_end_date="2021-09-31T20:00:00"`, zone, event.ReasonInvalidDate, "plan_end_date"},
		"impossible single date":    {base, `plan_id="8" plan_date="2021-09-31T20:00:00"`, zone, event.ReasonInvalidDate, "plan_date"},
		"impossible sale start":     {base, plan + ` sell_from="2021-02-29T00:00:00"`, zone, event.ReasonInvalidDate, "sell_from"},
		"impossible sale end":       {base, plan + ` sell_to="2021-02-29T00:00:00"`, zone, event.ReasonInvalidDate, "sell_to"},
		"impossible instant":        {base, `plan_id="8" plan_start_date="2021-09-31T20:00:00Z"`, zone, event.ReasonInvalidDate, "plan_start_date"},
		"a date only":               {base, `plan_id="8" plan_start_date="2021-09-30"`, zone, event.ReasonInvalidDate, "plan_start_date"},
		"two fractions":             {base, `plan_id="8" plan_start_date="2021-09-30T20:00:00.0.0"`, zone, event.ReasonInvalidDate, "plan_start_date"},
		"impossible, with a blank":  {base, `plan_id="8" plan_start_date="2021-09-31 20:00:00"`, zone, event.ReasonInvalidDate, "plan_start_date"},
		"a date in words":           {base, `plan_id="8" plan_start_date="tomorrow"`, zone, event.ReasonInvalidDate, "plan_start_date"},
		"year 999":                  {base, `plan_id="8" plan_start_date="0999-01-01T00:00:00"`, zone, event.ReasonInvalidDate, "plan_start_date"},
		"end before start":          {base, `plan_id="8" plan_start_date="2030-06-30T21:00:00" plan_end_date="2030-06-30T20:59:59"`, zone, event.ReasonEndBeforeStart, "end"},
		"end is start":              {base, `plan_id="8" plan_start_date="2030-06-30T21:00:00" plan_end_date="2030-06-30T21:00:00"`, zone, "", ""},
		"end over the autumn clock": {base, `plan_id="8" plan_start_date="2030-10-27T01:30:00" plan_end_date="2030-10-27T02:10:00"`, zone, "", ""},
		"price abc":                 {base, plan, `price="abc"`, event.ReasonInvalidPrice, "price"},
		"price -5":                  {base, plan, `price="-5"`, event.ReasonInvalidPrice, "price"},
		"price 1e9":                 {base, plan, `price="1e9"`, event.ReasonInvalidPrice, "price"},
		"price 1,50":                {base, plan, `price="1,50"`, event.ReasonInvalidPrice, "price"},
		"price of 13 digits":        {base, plan, `price="1000000000000"`, event.ReasonInvalidPrice, "price"},
		"no price":                  {base, plan, `zone_id="9"`, "", ""},
		"empty price":               {base, plan, `price=""`, "", ""},
		"free":                      {base, plan, `price="0"`, "", ""},
		"no capacity":               {base, plan, `price="5"`, "", ""},
		"empty capacity":            {base, plan, `capacity=""`, "", ""},
		"capacity abc":              {base, plan, `capacity="abc"`, event.ReasonInvalidNumber, "capacity"},
		"capacity -1":               {base, plan, `capacity="-1"`, event.ReasonInvalidNumber, "capacity"},
		"capacity 1.5":              {base, plan, `capacity="1.5"`, event.ReasonInvalidNumber, "capacity"},
		"capacity 2^31":             {base, plan, `capacity="2147483648"`, event.ReasonInvalidNumber, "capacity"},
		"sold out, perhaps":         {base, plan + ` sold_out="perhaps"`, zone, event.ReasonInvalidNumber, "sold_out"},
		"empty sold out":            {base, plan + ` sold_out=""`, zone, "", ""},
		"numbered, perhaps":         {base, plan, `numbered="perhaps"`, event.ReasonInvalidNumber, "numbered"},
		"the first fault counts":    {base, `plan_start_date="2021-09-31T20:00:00"`, `price="abc"`, event.ReasonMissingID, "plan_id"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, err := decode(t, strings.NewReader(one(test.base, test.plan, test.zone)))
			if err != nil || len(records) != 3 {
				t.Fatalf("%d records, %v", len(records), err)
			}
			if records[0].Invalid != nil || records[2].Invalid != nil {
				t.Fatalf("its neighbours: %v, %v", records[0].Invalid, records[2].Invalid)
			}
			rec := records[1]
			if rec.Place.String() != "base_plan[2]/plan[1], line 1" {
				t.Errorf("place %q", rec.Place)
			}
			switch {
			case test.reason == "" && rec.Invalid != nil:
				t.Fatalf("invalid: %v", rec.Invalid)
			case test.reason == "" && (rec.Excerpt != "" || rec.Key.Series != "7" || rec.Key.Event != "8" || rec.Event.Title != "Show"):
				t.Errorf("a good record: %v %q, excerpt %q", rec.Key, rec.Event.Title, rec.Excerpt)
			case test.reason == "":
			case rec.Invalid == nil || rec.Invalid.Reason != test.reason || rec.Invalid.Field != test.field:
				t.Errorf("%v, want %s of %s", rec.Invalid, test.reason, test.field)
			case !strings.HasPrefix(rec.Excerpt, "<plan "):
				t.Errorf("excerpt %q", rec.Excerpt)
			}
		})
	}
}

func TestSellMode(t *testing.T) {
	t.Parallel()
	for mode, online := range map[string]bool{
		`sell_mode="online"`: true, `sell_mode="offline"`: false, `sell_mode="other"`: false, `sell_mode=" Online"`: true, `sell_mode=""`: true, ``: true,
	} {
		records, err := decode(t, strings.NewReader(one(`base_plan_id="7" title="Show" `+mode, `plan_id="8" plan_start_date="2030-06-30T21:00"`, ``)))
		if err != nil || records[1].Invalid != nil || records[1].Event.Online != online {
			t.Errorf("%s: online %t, %v, %v", mode, records[1].Event.Online, records[1].Invalid, err)
		}
	}
}

func TestTimesWithOffset(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"2030-06-30T21:00:00":       "2030-06-30T21:00:00 2030-06-30T19:00:00Z",
		"2030-06-30T21:00":          "2030-06-30T21:00:00 2030-06-30T19:00:00Z",
		"2030-06-30T21:00:00+02:00": "2030-06-30T21:00:00 2030-06-30T19:00:00Z",
		"2030-06-30T21:00:00Z":      "2030-06-30T23:00:00 2030-06-30T21:00:00Z",
		"2030-06-30T21:00:00-05:00": "2030-07-01T04:00:00 2030-07-01T02:00:00Z",
		"2030-06-30T21:00:00.75":    "2030-06-30T21:00:00 2030-06-30T19:00:00Z",
		"2030-06-30 21:00:00":       "2030-06-30T21:00:00 2030-06-30T19:00:00Z",
		"2030-06-30 21:00":          "2030-06-30T21:00:00 2030-06-30T19:00:00Z",
		"2030-06-30 21:00:00Z":      "2030-06-30T23:00:00 2030-06-30T21:00:00Z",
		"2030-06-30T21:00:00.75Z":   "2030-06-30T23:00:00 2030-06-30T21:00:00Z",
		"2030-03-31T02:30:00":       "2030-03-31T02:30:00 2030-03-31T01:30:00Z", // in a gap: kept as given
		"2030-10-27T02:30:00":       "2030-10-27T02:30:00 2030-10-27T00:30:00Z", // twice: the first
		"2030-10-27T02:30:00+01:00": "2030-10-27T02:30:00 2030-10-27T01:30:00Z", // the second, by its offset
	} {
		records, err := decode(t, strings.NewReader(one(`base_plan_id="7" title="Show"`, `plan_id="8" plan_start_date="`+value+`"`, ``)))
		if err != nil || records[1].Invalid != nil {
			t.Fatalf("%s: %v, %v", value, records[1].Invalid, err)
		}
		start := records[1].Event.Start
		if got := start.Local.String() + " " + start.Instant.Format("2006-01-02T15:04:05Z07:00"); got != want {
			t.Errorf("%s: %s, want %s", value, got, want)
		}
	}
}

func TestPriceRule(t *testing.T) {
	t.Parallel()
	document := fixture(t, "planlist.xml")
	for rule, want := range map[event.PriceRule]string{event.PriceAllOffers: "75", event.PriceWithCapacity: "65.5"} {
		defaults := madrid(t)
		defaults.Prices = rule
		for rec, err := range planlist.Decode(bytes.NewReader(document), defaults) {
			if err != nil {
				t.Fatal(err)
			}
			if rec.Key.Series == "73" && rec.Event.MaxPrice.String() != want {
				t.Errorf("%s: %s, want %s", rule, rec.Event.MaxPrice, want)
			}
		}
	}
}

func TestMalformedFeeds(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"empty":           "",
		"white space":     "\n\n",
		"HTML":            "<!DOCTYPE html>\n<html><head><title>503</title></head><body>Down for maintenance</body></html>",
		"XHTML":           `<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>`,
		"JSON":            `{"error":"unauthorized"}`,
		"wrong root":      "<venueList><output/></venueList>",
		"other case":      "<planlist><output/></planlist>",
		"fault":           `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body/></soap:Envelope>`,
		"bad base plan":   `<planList><output><base_plan base_plan_id="1" base_plan_id="2"/></output></planList>`,
		"bad plan":        `<planList><output><base_plan><plan plan_id=1/></base_plan></output></planList>`,
		"bad zone":        `<planList><output><base_plan><plan><zone></plan></zone></base_plan></output></planList>`,
		"an entity":       `<planList><output><base_plan title="&eacute;"/></output></planList>`,
		"two lists":       "<planList><output/></planList><planList><output/></planList>",
		"unknown charset": `<?xml version="1.0" encoding="klingon"?><planList/>`,
	} {
		records, err := decode(t, strings.NewReader(document))
		if !errors.Is(err, event.ErrMalformed) || len(records) > 0 {
			t.Errorf("%s: %d records, %v", name, len(records), err)
		}
	}
}

func TestEmptyListIsAList(t *testing.T) {
	t.Parallel()
	for _, document := range []string{"<planList/>", "<planList><output/></planList>", "<eventList><output></output></eventList>"} {
		if records, err := decode(t, strings.NewReader(document)); err != nil || len(records) > 0 {
			t.Errorf("%s: %d records, %v", document, len(records), err)
		}
	}
}

func TestTruncatedFeeds(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"planlist.xml", "eventlist.xml", "eventdate.xml"} {
		document := bytes.TrimSpace(fixture(t, name))
		for n := range document {
			if _, err := decode(t, bytes.NewReader(document[:n])); !errors.Is(err, event.ErrMalformed) {
				t.Errorf("%s cut at byte %d: %v", name, n, err)
			}
		}
	}
}

func TestReaderErrors(t *testing.T) {
	t.Parallel()
	for _, broken := range []error{errors.New("connection reset"), fmt.Errorf("connection: %w", io.EOF), io.ErrUnexpectedEOF} {
		for _, document := range []string{"", one("", "", "")[:60], "<planList/>\n"} {
			records, err := decode(t, io.MultiReader(strings.NewReader(document), iotest.ErrReader(broken)))
			if !errors.Is(err, broken) || errors.Is(err, event.ErrMalformed) || len(records) > 0 {
				t.Errorf("%v behind %q: %d records, %v", broken, document, len(records), err)
			}
		}
	}
}

func TestDecodeStopsWhenTold(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, err := range planlist.Decode(bytes.NewReader(fixture(t, "planlist.xml")), madrid(t)) {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; seen == 2 {
			break
		}
	}
	if seen != 2 {
		t.Errorf("%d records", seen)
	}
}

// TestEventsKeepTheirValues: the decoder's memory serves for one record after the other, the events' must not.
func TestEventsKeepTheirValues(t *testing.T) {
	t.Parallel()
	document := fixture(t, "planlist.xml")
	var hashes []event.Hash
	var records []event.Record
	for rec, err := range planlist.Decode(bytes.NewReader(document), madrid(t)) {
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, rec.Event.Hash())
		records = append(records, rec)
	}
	for i := range records {
		if records[i].Event.Hash() != hashes[i] {
			t.Errorf("%s has changed since it was read", records[i].Place)
		}
	}
}
