package mapped_test

import (
	"testing"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/mapped"
)

func mustDecodeOne(tb testing.TB, program, document string) event.Record {
	tb.Helper()
	records := mustDecode(tb, mapped.Settings{Format: mapped.JSON, Map: program}, document)
	if len(records) != 1 {
		tb.Fatalf("%s: %d records", program, len(records))
	}
	return records[0]
}

// span is an event's start and end: local, then in UTC.
func span(e event.Event) string {
	text := e.Start.Local.String() + "/" + e.End.Local.String()
	if e.AllDay {
		text = e.Start.Local.Date() + "/" + e.End.Local.Date() + " all day"
		if !e.Start.Local.IsMidnight() || !e.End.Local.IsMidnight() {
			text += ", not at midnight"
		}
	}
	return text + " " + e.Start.Instant.Format("02T15:04Z") + " " + e.Zone
}

func TestTimes(t *testing.T) {
	t.Parallel()
	const zone = "Europe/Madrid"
	tests := []struct {
		fields string
		want   string // or reason and field
	}{
		{`"start": "2030-06-30T21:00"`, "2030-06-30T21:00:00/ 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00:30"`, "2030-06-30T21:00:30/ 30T19:00Z " + zone},
		{`"start": "2030-06-30 21:00:30"`, "2030-06-30T21:00:30/ 30T19:00Z " + zone},
		{`"start": " 2030-06-30T21:00:30.999 "`, "2030-06-30T21:00:30/ 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00Z"`, "2030-06-30T23:00:00/ 30T21:00Z " + zone},
		{`"start": "2030-06-30t21:00:00z"`, "2030-06-30T23:00:00/ 30T21:00Z " + zone},
		{`"start": "2030-06-30T21:00:00.123456789+00:00"`, "2030-06-30T23:00:00/ 30T21:00Z " + zone},
		{`"start": "2030-06-30T21:00:00 +0530"`, "2030-06-30T17:30:00/ 30T15:30Z " + zone},
		{`"start": "2030-06-30T21:00-03"`, "2030-07-01T02:00:00/ 01T00:00Z " + zone},
		{`"start": "2030-06-30T21:00", "timeZone": "Asia/Tokyo"`, "2030-06-30T21:00:00/ 30T12:00Z Asia/Tokyo"},
		{`"start": "2030-06-30T21:00Z", "timeZone": "Asia/Tokyo"`, "2030-07-01T06:00:00/ 30T21:00Z Asia/Tokyo"},
		{`"start": "2030-03-31T02:30"`, "2030-03-31T02:30:00/ 31T01:30Z " + zone}, // in the gap
		{`"start": "2030-10-27T02:30"`, "2030-10-27T02:30:00/ 27T00:30Z " + zone}, // the first of two

		{`"start": "2030-06-30T21:00", "end": "2030-06-30T22:00"`, "2030-06-30T21:00:00/2030-06-30T22:00:00 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00", "end": "2030-06-30T21:00"`, "2030-06-30T21:00:00/2030-06-30T21:00:00 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00", "end": "2030-06-30T20:00"`, "END_BEFORE_START end"},
		{`"start": "2030-06-30T21:00", "end": "2030-06-30"`, "2030-06-30T21:00:00/ 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00", "end": "2030-07-01"`, "2030-06-30T21:00:00/2030-07-01T00:00:00 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00", "lastDay": "2030-07-01"`, "2030-06-30T21:00:00/2030-07-02T00:00:00 30T19:00Z " + zone},

		{`"start": "2030-06-30T21:00", "duration": "01:30"`, "2030-06-30T21:00:00/2030-06-30T22:30:00 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00", "duration": "1:30:30"`, "2030-06-30T21:00:00/2030-06-30T22:30:30 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00", "duration": "26:00"`, "2030-06-30T21:00:00/2030-07-01T23:00:00 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00", "duration": 90`, "2030-06-30T21:00:00/2030-06-30T22:30:00 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00", "duration": "90"`, "2030-06-30T21:00:00/2030-06-30T22:30:00 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00", "duration": 0.5`, "2030-06-30T21:00:00/2030-06-30T21:00:30 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00", "duration": "PT1H30M"`, "2030-06-30T21:00:00/2030-06-30T22:30:00 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00", "duration": "P1DT2H"`, "2030-06-30T21:00:00/2030-07-01T23:00:00 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00", "duration": "P1W"`, "2030-06-30T21:00:00/2030-07-07T21:00:00 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00", "duration": "PT45.5S"`, "2030-06-30T21:00:00/2030-06-30T21:00:45 30T19:00Z " + zone},
		{`"start": "2030-03-31T01:30", "duration": 60`, "2030-03-31T01:30:00/2030-03-31T03:30:00 31T00:30Z " + zone}, // over the gap
		{`"start": "2030-06-30T21:00", "duration": 0`, "2030-06-30T21:00:00/ 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00", "duration": "00:00"`, "2030-06-30T21:00:00/ 30T19:00Z " + zone},
		{`"start": "2030-06-30T21:00", "end": "2030-06-30T22:00", "duration": 5`, "2030-06-30T21:00:00/2030-06-30T22:00:00 30T19:00Z " + zone},

		{`"start": "2030-06-30"`, "2030-06-30/2030-07-01 all day 29T22:00Z " + zone},
		{`"start": "2030-06-30", "end": "2030-07-02"`, "2030-06-30/2030-07-02 all day 29T22:00Z " + zone},
		{`"start": "2030-06-30", "end": "2030-06-30"`, "2030-06-30/2030-07-01 all day 29T22:00Z " + zone},
		{`"start": "2030-06-30", "lastDay": "2030-07-02"`, "2030-06-30/2030-07-03 all day 29T22:00Z " + zone},
		{`"start": "2030-06-30", "lastDay": "2030-06-30"`, "2030-06-30/2030-07-01 all day 29T22:00Z " + zone},
		{`"start": "2030-06-30", "lastDay": "2030-06-29"`, "2030-06-30/2030-07-01 all day 29T22:00Z " + zone}, // forgiven: a day has a day
		{`"start": "2030-06-30", "lastDay": "2030-06-28"`, "END_BEFORE_START end"},
		{`"start": "2030-06-30", "end": "2030-07-01T23:59"`, "2030-06-30/2030-07-02 all day 29T22:00Z " + zone},
		{`"start": "2030-06-30", "duration": "P2D"`, "2030-06-30/2030-07-02 all day 29T22:00Z " + zone},
		{`"start": "2030-06-30", "allDay": false`, "2030-06-30T00:00:00/ 29T22:00Z " + zone},
		{`"start": "2030-06-30T00:00", "allDay": true`, "2030-06-30/2030-07-01 all day 29T22:00Z " + zone},
		{`"start": "2030-06-30T00:00:00Z", "end": "2030-07-02T00:00:00Z", "allDay": true`, "2030-06-30/2030-07-02 all day 29T22:00Z " + zone},
		{`"start": "2030-06-30T00:00:00Z", "end": "2030-07-02T00:00:00Z", "allDay": true, "timeZone": "America/New_York"`, "2030-06-30/2030-07-02 all day 30T04:00Z America/New_York"},
		{`"start": "2030-06-29T22:00:00Z", "end": "2030-06-30T22:00:00Z", "allDay": true`, "2030-06-30/2030-07-01 all day 29T22:00Z " + zone},
		{`"start": "2030-06-30T21:00", "end": "2030-07-01T22:00", "allDay": true`, "2030-06-30/2030-07-02 all day 29T22:00Z " + zone},
		{`"start": "2030-03-31", "lastDay": "2030-03-31"`, "2030-03-31/2030-04-01 all day 30T23:00Z " + zone}, // of 23 hours

		{`"start": null`, "INVALID_DATE start"},
		{`"start": ""`, "INVALID_DATE start"},
		{`"start": 1909076400`, "INVALID_DATE start"},
		{`"start": true`, "INVALID_RECORD start"},
		{`"start": "tomorrow"`, "INVALID_DATE start"},
		{`"start": "2021-09-31"`, "INVALID_DATE start"},
		{`"start": "2021-09-31T20:00:00Z"`, "INVALID_DATE start"},
		{`"start": "2030-06-30T24:00"`, "INVALID_DATE start"},
		{`"start": "2030-06-30T21"`, "INVALID_DATE start"},
		{`"start": "2030-06-30T21:00+99:00"`, "INVALID_DATE start"},
		{`"start": "2030-06-30T21:00+"`, "INVALID_DATE start"},
		{`"start": "2030-06-30T21:00."`, "INVALID_DATE start"},
		{`"start": "2030-06-30T21:00 CEST"`, "INVALID_DATE start"},
		{`"start": "2030-W05"`, "INVALID_DATE start"},
		{`"start": "20300630T210000"`, "INVALID_DATE start"},
		{`"start": "9999-12-31"`, "INVALID_DATE end"},
		{`"start": "2030-06-30", "end": "2030-06-31"`, "INVALID_DATE end"},
		{`"start": "2030-06-30", "lastDay": "2030-06-31"`, "INVALID_DATE lastDay"},
		{`"start": "2030-06-30", "end": "2030-07-01", "lastDay": "2030-06-30"`, "INVALID_DATE lastDay"},
		{`"start": "2030-06-30", "timeZone": "Europe/Atlantis"`, "INVALID_DATE timeZone"},
		{`"start": "2030-06-30", "timeZone": "Local"`, "INVALID_DATE timeZone"},
		{`"start": "2030-06-30", "timeZone": "../../etc/passwd"`, "INVALID_DATE timeZone"},
		{`"start": "2030-06-30", "duration": "long"`, "INVALID_DATE duration"},
		{`"start": "2030-06-30", "duration": "1:75"`, "INVALID_DATE duration"},
		{`"start": "2030-06-30", "duration": "P"`, "INVALID_DATE duration"},
		{`"start": "2030-06-30", "duration": "PT"`, "INVALID_DATE duration"},
		{`"start": "2030-06-30", "duration": -5`, "INVALID_DATE duration"},
		{`"start": "2030-06-30", "duration": "NaN"`, "INVALID_DATE duration"},
		{`"start": "2030-06-30", "duration": 1e15`, "INVALID_DATE duration"},
		{`"start": "2030-06-30", "duration": []`, "INVALID_RECORD duration"},
		{`"start": "2030-06-30", "saleStart": "soon"`, "INVALID_DATE saleStart"},
	}
	for _, test := range tests {
		got := one(t, `{"id": 1, "title": "x", `+test.fields+`}`)
		result := span(got.Event)
		if got.Invalid != nil {
			result = string(got.Invalid.Reason) + " " + got.Invalid.Field
		}
		if result != test.want {
			t.Errorf("%s: %s, want %s (%v)", test.fields, result, test.want, got.Invalid)
		}
	}
}
