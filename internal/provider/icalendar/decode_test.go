package icalendar_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/icalendar"
)

func update() bool { return *updateFlag }

var updateFlag = flag.Bool("update", false, "write the golden files anew")

// golden is a record as the golden files have it: an error as its text.
type golden struct {
	Event   *event.Event `json:",omitempty"`
	Invalid string       `json:",omitempty"`
	Key     event.Key
	Place   string
	Excerpt string `json:",omitempty"`
}

func TestDecodeGolden(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"season", "series", "zones"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := fixture(t, name+".ics")
			got := goldenOf(t, bytes.NewReader(document))
			for form, other := range map[string]io.Reader{
				"byte by byte":             iotest.OneByteReader(bytes.NewReader(document)),
				"with CRLF":                strings.NewReader(strings.ReplaceAll(string(document), "\n", "\r\n")),
				"with CR":                  strings.NewReader(strings.ReplaceAll(string(document), "\n", "\r")),
				"with a byte order mark":   io.MultiReader(strings.NewReader("\ufeff"), bytes.NewReader(document)),
				"without the last newline": bytes.NewReader(bytes.TrimSpace(document)),
			} {
				if diff := cmp.Diff(got, goldenOf(t, other)); diff != "" {
					t.Errorf("another result %s:\n%s", form, diff)
				}
			}
			file := filepath.Join("testdata", name+".golden.json")
			if update() {
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
	records, err := decode(t, r, years(2030, 2031))
	if err != nil {
		t.Fatal(err)
	}
	out := make([]golden, len(records))
	for i, rec := range records {
		out[i] = golden{Key: rec.Key, Place: rec.Place.String(), Excerpt: rec.Excerpt}
		if rec.Invalid != nil {
			out[i].Invalid = rec.Invalid.Error()
		} else {
			out[i].Event = &rec.Event
		}
	}
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// calendarOf puts components into a calendar.
func calendarOf(components ...string) string {
	return "BEGIN:VCALENDAR\n" + strings.Join(components, "\n") + "\nEND:VCALENDAR\n"
}

func vevent(lines ...string) string {
	return "BEGIN:VEVENT\n" + strings.Join(lines, "\n") + "\nEND:VEVENT"
}

func TestOneBadRecordCostsOneRecord(t *testing.T) {
	t.Parallel()
	const id, title, start = "UID:8", "SUMMARY:Show", "DTSTART:20300630T210000"
	good := func(uid string) string { return vevent("UID:"+uid, title, start) }
	tests := map[string]struct {
		lines  []string
		reason event.Reason // empty: a good record
		field  string
	}{
		"good":                             {[]string{id, title, start}, "", ""},
		"no UID":                           {[]string{title, start}, event.ReasonMissingID, "UID"},
		"blank UID":                        {[]string{"UID: ", title, start}, event.ReasonMissingID, "UID"},
		"long UID":                         {[]string{"UID:" + strings.Repeat("8", 201), title, start}, event.ReasonTooLarge, "id"},
		"no title":                         {[]string{id, start}, event.ReasonMissingTitle, "SUMMARY"},
		"blank title":                      {[]string{id, start, "SUMMARY:\\n"}, event.ReasonMissingTitle, "SUMMARY"},
		"title with NUL":                   {[]string{id, start, "SUMMARY:a\x00b"}, event.ReasonInvalidText, "title"},
		"title of bad bytes":               {[]string{id, start, "SUMMARY:a\xffb"}, event.ReasonInvalidText, "title"},
		"no start":                         {[]string{id, title}, event.ReasonInvalidDate, "DTSTART"},
		"start in words":                   {[]string{id, title, "DTSTART:tomorrow"}, event.ReasonInvalidDate, "DTSTART"},
		"impossible start":                 {[]string{id, title, "DTSTART:20210931T200000"}, event.ReasonInvalidDate, "DTSTART"},
		"impossible date":                  {[]string{id, title, "DTSTART;VALUE=DATE:20210931"}, event.ReasonInvalidDate, "DTSTART"},
		"the first hour of year 1000":      {[]string{id, title, "DTSTART:10000101T000000Z"}, event.ReasonInvalidDate, "start"},
		"a leap second":                    {[]string{id, title, "DTSTART:20161231T235960Z"}, "", ""},
		"impossible end":                   {[]string{id, title, start, "DTEND:20300631T200000"}, event.ReasonInvalidDate, "DTEND"},
		"end before start":                 {[]string{id, title, start, "DTEND:20300630T205959"}, event.ReasonEndBeforeStart, "DTEND"},
		"end is start":                     {[]string{id, title, start, "DTEND:20300630T210000"}, "", ""},
		"end a date":                       {[]string{id, title, start, "DTEND;VALUE=DATE:20300701"}, event.ReasonInvalidDate, "DTEND"},
		"last day before first":            {[]string{id, title, "DTSTART:20300630", "DTEND:20300629"}, event.ReasonEndBeforeStart, "DTEND"},
		"duration":                         {[]string{id, title, start, "DURATION:P1DT2H30M"}, "", ""},
		"negative duration":                {[]string{id, title, start, "DURATION:-PT2H"}, event.ReasonEndBeforeStart, "DURATION"},
		"impractical duration":             {[]string{id, title, start, "DURATION:P999999999999999999W"}, event.ReasonInvalidDate, "DURATION"},
		"empty values":                     {[]string{id, title, start, "DTEND:", "DURATION: ", "RRULE:", "RDATE:", "EXDATE;TZID=Europe/Madrid:", "RECURRENCE-ID:"}, "", ""},
		"too long a duration":              {[]string{id, title, start, "DURATION:PT999999999H"}, event.ReasonInvalidDate, "DURATION"},
		"empty duration":                   {[]string{id, title, start, "DURATION:P"}, event.ReasonInvalidDate, "DURATION"},
		"duration in words":                {[]string{id, title, start, "DURATION:two hours"}, event.ReasonInvalidDate, "DURATION"},
		"hours of whole days":              {[]string{id, title, "DTSTART:20300630", "DURATION:PT5H"}, event.ReasonInvalidDate, "DURATION"},
		"a rule by the hour of whole days": {[]string{id, title, "DTSTART:20300630", "RRULE:FREQ=HOURLY;INTERVAL=7;COUNT=9"}, event.ReasonInvalidRecord, "RRULE"},
		"24 hours of whole days":           {[]string{id, title, "DTSTART:20300630", "DURATION:PT48H"}, "", ""},
		"long text":                        {[]string{id, title, start, "DESCRIPTION:" + strings.Repeat("x", event.MaxTextBytes+1)}, event.ReasonTooLarge, "description"},
		"a line without end":               {[]string{id, title, start, "DESCRIPTION:" + strings.Repeat("x", 2*icalendar.MaxLineBytes)}, event.ReasonTooLarge, "DESCRIPTION"},
		"a huge line of no use":            {[]string{id, title, start, "X-BLOB:" + strings.Repeat("x", 2*icalendar.MaxLineBytes)}, "", ""},
		"a huge image":                     {[]string{id, title, start, "ATTACH;ENCODING=BASE64;VALUE=BINARY:" + strings.Repeat("A", 2*icalendar.MaxLineBytes)}, "", ""},
		"too many lines":                   {[]string{id, title, start, strings.TrimSpace(strings.Repeat("CATEGORIES:x\n", 20_000))}, event.ReasonTooLarge, "CATEGORIES"},
		"too many categories":              {[]string{id, title, start, "CATEGORIES:" + categories(51)}, event.ReasonTooLarge, "categories"},
		"a stray line":                     {[]string{id, title, start, "and so on, and so on"}, "", ""},
		"a line without a value":           {[]string{id, title, start, "X-FOO", "LOCATION;X=\"unended:here"}, "", ""},
		"bad RECURRENCE-ID":                {[]string{id, title, start, "RECURRENCE-ID:soon"}, event.ReasonInvalidDate, "RECURRENCE-ID"},
		"bad RDATE":                        {[]string{id, title, start, "RDATE:20300631T210000"}, event.ReasonInvalidDate, "RDATE"},
		"bad period":                       {[]string{id, title, start, "RDATE;VALUE=PERIOD:20300630T210000/PX"}, event.ReasonInvalidDate, "RDATE"},
		"period that ends too early":       {[]string{id, title, start, "RDATE;VALUE=PERIOD:20300630T210000/20300630T200000"}, event.ReasonEndBeforeStart, "RDATE"},
		"bad EXDATE":                       {[]string{id, title, start, "RDATE:20300630T210000", "EXDATE:20300631T210000"}, event.ReasonInvalidDate, "EXDATE"},
		"an END of nothing":                {[]string{id, title, "END:VALARM", start}, "", ""},
		"an alarm":                         {[]string{id, title, "BEGIN:VALARM", "UID:9", "DTSTART:never", "END:VALARM", start}, "", ""},
		"an alarm without an end":          {[]string{id, title, start, "BEGIN:VALARM", "UID:9"}, "", ""},
		"an alarm in an alarm":             {[]string{id, title, start, "BEGIN:VALARM", "BEGIN:VALARM", "END:VALARM", "END:VALARM"}, "", ""},
		"a link to a script is no URL":     {[]string{id, title, start, "URL:javascript:alert(1)"}, "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := calendarOf(good("1"), vevent(test.lines...), good("2"))
			records, err := decode(t, strings.NewReader(body), years(2030, 2031))
			if err != nil || len(records) != 3 {
				t.Fatalf("%d records, %v", len(records), err)
			}
			var rec *event.Record
			for i := range records {
				if strings.HasPrefix(records[i].Place.String(), "VEVENT[2], ") {
					rec = &records[i]
				} else if records[i].Invalid != nil {
					t.Errorf("a neighbour: %v", records[i].Invalid)
				}
			}
			switch {
			case rec == nil:
				t.Fatal("the record is not accounted for")
			case rec.Place.String() != "VEVENT[2], line 7":
				t.Errorf("place %q", rec.Place)
			}
			switch {
			case test.reason == "" && rec.Invalid != nil:
				t.Fatalf("invalid: %v", rec.Invalid)
			case test.reason == "" && (rec.Excerpt != "" || rec.Event.URL != ""):
				t.Errorf("excerpt %q, URL %q", rec.Excerpt, rec.Event.URL)
			case test.reason == "":
			case rec.Invalid == nil || rec.Invalid.Reason != test.reason || rec.Invalid.Field != test.field:
				t.Errorf("%v, want %s of %s", rec.Invalid, test.reason, test.field)
			case !strings.HasPrefix(rec.Excerpt, "BEGIN:VEVENT\n"):
				t.Errorf("excerpt %q", rec.Excerpt)
			}
		})
	}
}

// TestCancelled: a word of the event's own, else what the calendar around it is for.
func TestCancelled(t *testing.T) {
	t.Parallel()
	show := vevent("UID:1", "SUMMARY:Show", "DTSTART:20300630T210000")
	stated := func(status string) string { return strings.Replace(show, "SUMMARY", "STATUS:"+status+"\nSUMMARY", 1) }
	for document, want := range map[string]event.Status{
		calendarOf(show):                                          event.StatusScheduled,
		calendarOf("METHOD:PUBLISH", show):                        event.StatusScheduled,
		calendarOf("METHOD:CANCEL", show):                         event.StatusCancelled,
		calendarOf("method:cancel ", show):                        event.StatusCancelled,
		calendarOf("METHOD:CANCEL", stated("CONFIRMED")):          event.StatusScheduled,
		calendarOf("METHOD:CANCEL") + calendarOf(show):            event.StatusScheduled,
		calendarOf("BEGIN:VTODO\nMETHOD:CANCEL\nEND:VTODO", show): event.StatusScheduled,
		calendarOf(stated("CANCELLED")):                           event.StatusCancelled,
		calendarOf(stated("canceled")):                            event.StatusCancelled,
		calendarOf(stated("TENTATIVE")):                           event.StatusScheduled,
		calendarOf("METHOD:CANCEL", strings.Replace(show, "DTSTART", "RDATE:20300630T210000\nDTSTART", 1)): event.StatusCancelled,
	} {
		records, err := decode(t, strings.NewReader(document), years(2030, 2031))
		if err != nil || len(records) != 1 || records[0].Event.Status != want {
			t.Errorf("%s%v, %v, want %s", document, records, err, want)
		}
	}
}

func categories(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = strings.Repeat("z", i+1)
	}
	return strings.Join(list, ",")
}

func TestMissingEndOfAnEvent(t *testing.T) {
	t.Parallel()
	const begun = "BEGIN:VEVENT\nUID:1\nSUMMARY:Show\nDTSTART:20300630T210000"
	for _, body := range []string{calendarOf(begun, vevent("UID:2", "SUMMARY:Show", "DTSTART:20300630")), calendarOf(vevent("UID:2", "SUMMARY:Show", "DTSTART:20300630"), begun)} {
		records, err := decode(t, strings.NewReader(body), years(2030, 2031))
		if err != nil || len(records) != 2 {
			t.Fatalf("%d records, %v", len(records), err)
		}
		for _, rec := range records {
			if bad := rec.Key.Event == "1"; bad != (rec.Invalid != nil) || bad && rec.Invalid.Reason != event.ReasonInvalidRecord {
				t.Errorf("%s: %v", rec.Key.Event, rec.Invalid)
			}
		}
	}
}

func TestMalformedFeeds(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"empty":               "",
		"white space":         "\r\n \r\n",
		"a byte order mark":   "\ufeff",
		"X-lines alone":       "X-COMMENT:Cached\n",
		"HTML":                "<!DOCTYPE html>\n<html><body>Down for maintenance</body></html>",
		"JSON":                `{"error":"unauthorized"}`,
		"an event alone":      vevent("UID:1"),
		"a card":              "BEGIN:VCARD\nEND:VCARD\n",
		"in UTF-16":           "\xff\xfeB\x00E\x00G\x00I\x00N\x00",
		"no end":              "BEGIN:VCALENDAR\nVERSION:2.0\n",
		"no end of the 2nd":   calendarOf() + "BEGIN:VCALENDAR\n",
		"one in another":      "BEGIN:VCALENDAR\n" + calendarOf() + "END:VCALENDAR\n",
		"text between":        calendarOf() + "<br>\n" + calendarOf(),
		"an error at the end": calendarOf(vevent("UID:1", "SUMMARY:Show", "DTSTART:20300630")) + "Fatal error: out of memory",
		"too deep":            calendarOf(strings.Repeat("BEGIN:X\n", 100)),
	} {
		if _, err := decode(t, strings.NewReader(document), years(2030, 2031)); !errors.Is(err, event.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEmptyCalendarIsACalendar(t *testing.T) {
	t.Parallel()
	for _, document := range []string{calendarOf(), "\ufeff" + calendarOf(), calendarOf() + "\ufeff" + calendarOf(), "X-MADE:by hand\n" + calendarOf() + "X-COMMENT:Cached\n", "\n\nbegin:vcalendar\r\nend:vcalendar"} {
		if records, err := decode(t, strings.NewReader(document), years(2030, 2031)); err != nil || len(records) > 0 {
			t.Errorf("%q: %d records, %v", document, len(records), err)
		}
	}
}

// TestTruncatedFeeds is of one calendar: one that ends between two of them is as good as one that has no
// more, and the fetching's to notice.
func TestTruncatedFeeds(t *testing.T) {
	t.Parallel()
	document := bytes.TrimSpace(fixture(t, "series.ics"))
	for n := range document {
		if _, err := decode(t, bytes.NewReader(document[:n]), years(2030, 2031)); !errors.Is(err, event.ErrMalformed) {
			t.Errorf("cut at byte %d: %v", n, err)
		}
	}
}

func TestReaderErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	for _, begun := range []string{"", "BEGIN:VCAL", "BEGIN:VCALENDAR\r", "BEGIN:VCALENDAR\n", calendarOf(vevent("UID:1"))[:40]} {
		_, err := decode(t, io.MultiReader(strings.NewReader(begun), iotest.ErrReader(broken)), years(2030, 2031))
		if !errors.Is(err, broken) || errors.Is(err, event.ErrMalformed) {
			t.Errorf("after %q: %v", begun, err)
		}
	}
}

func TestDecodeStopsWhenTold(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"season.ics", "series.ics"} {
		for stop := 1; stop <= 4; stop++ {
			seen := 0
			for _, err := range icalendar.Decode(bytes.NewReader(fixture(t, name)), madrid(t), years(2030, 2031)) {
				if err != nil {
					t.Fatal(err)
				}
				if seen++; seen == stop {
					break
				}
			}
			if seen != stop {
				t.Errorf("%s: %d records", name, seen)
			}
		}
	}
}

// TestHeldSeriesAreBounded: what must wait for the end can't fill the memory, and zones that nothing needs
// any more don't count.
func TestHeldSeriesAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 60_000)
	series := vevent("UID:%", "SUMMARY:Show", "DTSTART:20300630", "RRULE:FREQ=DAILY;COUNT=2", "DESCRIPTION:"+long)
	_, err := decode(t, strings.NewReader(calendarOf(strings.Repeat(series+"\n", 600))), years(2030, 2031))
	if !errors.Is(err, event.ErrMalformed) {
		t.Errorf("36 MB of series: %v", err)
	}
	zone := "BEGIN:VTIMEZONE\nTZID:Nowhere" + long + "\nEND:VTIMEZONE"
	if _, err := decode(t, strings.NewReader(strings.Repeat(calendarOf(zone), 600)), years(2030, 2031)); err != nil {
		t.Errorf("36 MB of zones, in a calendar each: %v", err)
	}
	show := vevent("UID:%", "SUMMARY:Show", "DTSTART;TZID=CET:20300630T210000", "DESCRIPTION:"+long)
	records, err := decode(t, strings.NewReader(calendarOf(strings.Repeat(show+"\n", 600))), years(2030, 2031))
	if err != nil || len(records) != 600 {
		t.Errorf("36 MB of events by a short name, which is not defined in the end: %d, %v", len(records), err)
	}
}

// TestShortNamesOfZones: a calendar's own definition of a zone holds where the name is no more than an abbreviation
// (RFC 5545, 3.2.19).
func TestShortNamesOfZones(t *testing.T) {
	t.Parallel()
	zone := func(tzid string, lines ...string) string {
		return "BEGIN:VTIMEZONE\nTZID:" + tzid + "\n" + strings.Join(lines, "\n") + "\nEND:VTIMEZONE"
	}
	observance := func(name, start, from, to, rule string) string {
		return "BEGIN:" + name + "\nDTSTART:" + start + "\nTZOFFSETFROM:" + from + "\nTZOFFSETTO:" + to + "\nRRULE:" + rule + "\nEND:" + name
	}
	eastern := observance("STANDARD", "20071104T020000", "-0400", "-0500", "FREQ=YEARLY;BYMONTH=11;BYDAY=1SU") + "\n" +
		observance("DAYLIGHT", "20070311T020000", "-0500", "-0400", "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU")
	london := observance("STANDARD", "19961027T020000", "+0100", "+0000", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU") + "\n" +
		observance("DAYLIGHT", "19810329T010000", "+0000", "+0100", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU")
	central := observance("STANDARD", "19961027T030000", "+0200", "+0100", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU") + "\n" +
		observance("DAYLIGHT", "19810329T020000", "+0100", "+0200", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU")
	eastEuropean := strings.NewReplacer("+0100", "+0200", "+0200", "+0300", "T03", "T04", "T02", "T03").Replace(central)
	show := func(tzid, start string) string {
		return vevent("UID:1", "SUMMARY:Show", "DTSTART;TZID="+tzid+":"+start)
	}
	series := func(tzid, start string) string {
		return vevent("UID:1", "SUMMARY:Show", "DTSTART;TZID="+tzid+":"+start, "RDATE;TZID="+tzid+":"+start)
	}
	const winter, summer = "20260105T190000", "20260705T190000"
	const displayed = `"(UTC-05:00) Eastern Time (US & Canada)"`
	tests := map[string]struct {
		components []string
		want, zone string
	}{
		"EST with daylight, in summer":       {[]string{zone("EST", eastern), show("EST", summer)}, "2026-07-05T23:00:00Z", "Etc/GMT+4"},
		"EST with daylight, in winter":       {[]string{zone("EST", eastern), show("EST", winter)}, "2026-01-06T00:00:00Z", "EST"},
		"a series":                           {[]string{zone("EST", eastern), series("EST", summer)}, "2026-07-05T23:00:00Z", "Etc/GMT+4"},
		"a series before its zone":           {[]string{series("EST", summer), zone("EST", eastern)}, "2026-07-05T23:00:00Z", "Etc/GMT+4"},
		"an event before its zone":           {[]string{show("EST", summer), zone("EST", eastern)}, "2026-07-05T23:00:00Z", "Etc/GMT+4"},
		"GMT is London's, in summer":         {[]string{zone("GMT", london), show("GMT", summer)}, "2026-07-05T18:00:00Z", "Etc/GMT-1"},
		"GMT is London's, in winter":         {[]string{zone("GMT", london), show("GMT", winter)}, "2026-01-05T19:00:00Z", "UTC"},
		"CET as it is":                       {[]string{zone("CET", central), show("CET", summer)}, "2026-07-05T17:00:00Z", "Europe/Madrid"},
		"EET as it is":                       {[]string{zone("EET", eastEuropean), show("EET", summer)}, "2026-07-05T16:00:00Z", "EET"},
		"a Windows name that is an offset":   {[]string{zone("UTC-02", london), show("UTC-02", summer)}, "2026-07-05T18:00:00Z", "Etc/GMT-1"},
		"the definition says where it is":    {[]string{zone("EST", "X-LIC-LOCATION:America/New_York", london), show("EST", summer)}, "2026-07-05T23:00:00Z", "America/New_York"},
		"the definition says the name twice": {[]string{zone("EST", "X-LIC-LOCATION:EST", eastern), show("EST", summer)}, "2026-07-05T23:00:00Z", "Etc/GMT+4"},
		"a longer name of a short one":       {[]string{zone("Ours", "X-LIC-LOCATION:EST", eastern), show("Ours", summer)}, "2026-07-05T23:00:00Z", "Etc/GMT+4"},
		"a longer name, no rules":            {[]string{zone("Ours", "X-LIC-LOCATION:EST"), show("Ours", summer)}, "2026-07-06T00:00:00Z", "EST"},
		"no rules":                           {[]string{zone("EST"), show("EST", summer)}, "2026-07-06T00:00:00Z", "EST"},
		"rules that can't be read":           {[]string{zone("EST", observance("STANDARD", "soon", "-0400", "-0500", "")), show("EST", summer)}, "2026-07-06T00:00:00Z", "EST"},
		"no definition":                      {[]string{show("EST", summer)}, "2026-07-06T00:00:00Z", "EST"},
		"a definition of another calendar":   {[]string{zone("EST", eastern), "END:VCALENDAR\nBEGIN:VCALENDAR", show("EST", summer)}, "2026-07-06T00:00:00Z", "EST"},
		"a place is that place":              {[]string{zone("America/New_York", london), show("America/New_York", summer)}, "2026-07-05T23:00:00Z", "America/New_York"},
		"a Windows name is its place":        {[]string{zone("Eastern Standard Time", london), show("Eastern Standard Time", summer)}, "2026-07-05T23:00:00Z", "America/New_York"},
		"UTC is UTC":                         {[]string{zone("UTC", london), show("UTC", summer)}, "2026-07-05T19:00:00Z", "UTC"},
		"an offset, in summer":               {[]string{show("GMT+0100", summer)}, "2026-07-05T18:00:00Z", "Etc/GMT-1"},
		"an offset, in winter":               {[]string{show("GMT+0100", winter)}, "2026-01-05T18:00:00Z", "Europe/Madrid"},
		"an offset with a colon":             {[]string{show(`"UTC+01:00"`, summer)}, "2026-07-05T18:00:00Z", "Etc/GMT-1"},
		"an offset in hours":                 {[]string{show("UTC-5", summer)}, "2026-07-06T00:00:00Z", "Etc/GMT+5"},
		"an offset with half an hour":        {[]string{show(`"+05:30"`, summer)}, "2026-07-05T13:30:00Z", "UTC"},
		"a series by an offset":              {[]string{series("GMT+0100", summer)}, "2026-07-05T18:00:00Z", "Etc/GMT-1"},
		"an offset that is defined":          {[]string{zone("GMT+0100", eastern), show("GMT+0100", summer)}, "2026-07-05T23:00:00Z", "Etc/GMT+4"},
		"an offset that is defined later":    {[]string{show("GMT+0100", summer), zone("GMT+0100", eastern)}, "2026-07-05T23:00:00Z", "Etc/GMT+4"},
		"no such offset":                     {[]string{show("GMT+1500", summer)}, "2026-07-05T17:00:00Z", "Europe/Madrid"},
		"a displayed name":                   {[]string{show(displayed, summer)}, "2026-07-05T23:00:00Z", "America/New_York"},
		"an older displayed name":            {[]string{show(`"(GMT+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"`, summer)}, "2026-07-05T17:00:00Z", "Europe/Berlin"},
		"a displayed name that is defined":   {[]string{zone(strings.Trim(displayed, `"`), london), show(displayed, summer)}, "2026-07-05T18:00:00Z", "Etc/GMT-1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, err := decode(t, strings.NewReader(calendarOf(test.components...)), years(2026, 2027))
			if err != nil || len(records) != 1 || records[0].Invalid != nil {
				t.Fatalf("%v, %v", records, err)
			}
			e := &records[0].Event
			if diff := cmp.Diff([]string{test.want, test.zone}, []string{e.Start.Instant.Format(time.RFC3339), e.Zone}); diff != "" {
				t.Errorf("start (-want +got):\n%s", diff)
			}
		})
	}
}

// TestUnusableOverrides: what a bad override says of later instances is not known, so that nothing is said of them;
// its key is that of the whole series then, as it is of more than one instance.
func TestUnusableOverrides(t *testing.T) {
	t.Parallel()
	const bad = "DTEND:20300509T170000"
	override := func(id, start string, more ...string) string {
		return vevent(append([]string{"UID:1", "RECURRENCE-ID" + id, "DTSTART:" + start}, more...)...)
	}
	later := func(day, hour string, more ...string) string {
		return override(";RANGE=THISANDFUTURE:203005"+day+"T180000", "203005"+day+"T"+hour+"0000", more...)
	}
	tests := map[string]struct {
		overrides []string
		want      string // day@hour of each event, day! of each bad record
	}{
		"none":                         {nil, "07@18 08@18 09@18 10@18 11@18"},
		"good":                         {[]string{later("09", "19")}, "07@18 08@18 10@19 11@19 09@19"},
		"of one instance":              {[]string{override(":20300509T180000", "20300509T190000", bad)}, "07@18 08@18 10@18 11@18 09!"},
		"of one and the future":        {[]string{later("09", "19", bad)}, "07@18 08@18 !"},
		"private too":                  {[]string{later("09", "19", bad, "CLASS:PRIVATE")}, "07@18 08@18 !"},
		"a start that can't be read":   {[]string{later("09", "xx")}, "07@18 08@18 !"},
		"of the first":                 {[]string{later("07", "19", "DTEND:20300507T170000")}, "!"},
		"nobody knows since when":      {[]string{override(";RANGE=THISANDFUTURE:soon", "20300509T190000")}, "!"},
		"whole days, since when":       {[]string{override(";RANGE=THISANDFUTURE:20300532", "20300509")}, "!"},
		"one after a good one":         {[]string{later("08", "17"), later("10", "19", "DTEND:20300510T170000")}, "07@18 09@17 08@17 !"},
		"one before a good one":        {[]string{later("10", "17"), later("08", "19", "DTEND:20300508T170000")}, "07@18 11@17 10@17 !"},
		"since whenever, and a good":   {[]string{override(";RANGE=THISANDFUTURE:soon", "20300509T190000"), later("10", "17")}, "11@17 ! 10@17"},
		"and one instance among those": {[]string{later("08", "19", "DTEND:20300508T170000"), override(":20300510T180000", "20300510T200000")}, "07@18 ! 10@20"},
	}
	master := vevent("UID:1", "SUMMARY:Show", "DTSTART:20300507T180000", "RRULE:FREQ=DAILY;COUNT=5")
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, err := decode(t, strings.NewReader(calendarOf(append(test.overrides, master)...)), years(2030, 2031))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, rec := range records {
				if rec.Key.Series != "1" {
					t.Errorf("key %v", rec.Key)
				}
				id := strings.TrimSuffix(strings.TrimPrefix(rec.Key.Event, "203005"), "T180000")
				if rec.Invalid != nil {
					got = append(got, id+"!")
				} else {
					got = append(got, id+"@"+rec.Event.Start.Local.Time()[:2])
				}
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}
