package icalendar_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/icalendar"
)

// starts is when the instances of a series in New York start, by its wall clock.
func starts(t *testing.T, from, to int, lines ...string) []string {
	t.Helper()
	body := "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:Show\n" + strings.Join(lines, "\n") + "\nEND:VEVENT\nEND:VCALENDAR\n"
	records, err := decode(t, strings.NewReader(body), years(from, to))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, rec := range records {
		if rec.Invalid != nil {
			t.Fatalf("%s: %v", lines, rec.Invalid)
		}
		want := rec.Key.Event
		if rec.Event.AllDay {
			want += "T000000"
		}
		if got := strings.NewReplacer("-", "", ":", "").Replace(rec.Event.Start.Local.String()); got != want {
			t.Errorf("%s starts at %s", want, got)
		}
		list = append(list, rec.Key.Event)
	}
	return list
}

// TestExamplesOfTheRFC is RFC 5545, 3.8.5.3, all examples in its order. An expected list that ends in …
// is the beginning of one.
func TestExamplesOfTheRFC(t *testing.T) {
	t.Parallel()
	const weekdays = "BYDAY=MO,TU,WE,TH,FR"
	quarters := "19970902T0900 0920 0940 1000 1020 1040 1100 1120 1140 1200 1220 1240 1300 1320 1340 1400 1420 1440 1500 1520 1540 1600 1620 1640 19970903T0900 …"
	tests := []struct{ start, rule, want string }{
		{"19970902", "FREQ=DAILY;COUNT=10", "1997: 0902 0903 0904 0905 0906 0907 0908 0909 0910 0911"},
		{"19970902", "FREQ=DAILY;UNTIL=19971224T000000Z", "113 to 19971223"},
		{"19970902", "FREQ=DAILY;INTERVAL=2", "1997: 0902 0904 0906 0908 0910 0912 0914 0916 0918 0920 0922 0924 0926 0928 0930 1002 1004 …"},
		{"19970902", "FREQ=DAILY;INTERVAL=10;COUNT=5", "1997: 0902 0912 0922 1002 1012"},
		{"19980101", "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA", "93 to 20000131"},
		{"19980101", "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", "93 to 20000131"},
		{"19970902", "FREQ=WEEKLY;COUNT=10", "1997: 0902 0909 0916 0923 0930 1007 1014 1021 1028 1104"},
		{"19970902", "FREQ=WEEKLY;UNTIL=19971224T000000Z", "17 to 19971223"},
		{"19970902", "FREQ=WEEKLY;INTERVAL=2;WKST=SU", "1997: 0902 0916 0930 1014 1028 1111 1125 1209 1223 1998: 0106 0120 0203 0217 …"},
		{"19970902", "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH", "1997: 0902 0904 0909 0911 0916 0918 0923 0925 0930 1002"},
		{"19970902", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", "1997: 0902 0904 0909 0911 0916 0918 0923 0925 0930 1002"},
		{"19970901", "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR", "1997: 0901 0903 0905 0915 0917 0919 0929 1001 1003 1013 1015 1017 1027 1029 1031 1110 1112 1114 1124 1126 1128 1208 1210 1212 1222"},
		{"19970902", "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", "1997: 0902 0904 0916 0918 0930 1002 1014 1016"},
		{"19970905", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR", "1997: 0905 1003 1107 1205 1998: 0102 0206 0306 0403 0501 0605"},
		{"19970905", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR", "1997: 0905 1003 1107 1205"},
		{"19970907", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU", "1997: 0907 0928 1102 1130 1998: 0104 0125 0301 0329 0503 0531"},
		{"19970922", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "1997: 0922 1020 1117 1222 1998: 0119 0216"},
		{"19970928", "FREQ=MONTHLY;BYMONTHDAY=-3", "1997: 0928 1029 1128 1229 1998: 0129 0226 …"},
		{"19970902", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15", "1997: 0902 0915 1002 1015 1102 1115 1202 1215 1998: 0102 0115"},
		{"19970930", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1", "1997: 0930 1001 1031 1101 1130 1201 1231 1998: 0101 0131 0201"},
		{"19970910", "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15", "1997: 0910 0911 0912 0913 0914 0915 1999: 0310 0311 0312 0313"},
		{"19970902", "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU", "1997: 0902 0909 0916 0923 0930 1104 1111 1118 1125 1998: 0106 0113 0120 0127 0303 0310 0317 0324 0331 …"},
		{"19970610", "FREQ=YEARLY;COUNT=10;BYMONTH=6,7", "1997: 0610 0710 1998: 0610 0710 1999: 0610 0710 2000: 0610 0710 2001: 0610 0710"},
		{"19970310", "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3", "1997: 0310 1999: 0110 0210 0310 2001: 0110 0210 0310 2003: 0110 0210 0310"},
		{"19970101", "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200", "1997: 0101 0410 0719 2000: 0101 0409 0718 2003: 0101 0410 0719 2006: 0101"},
		{"19970519", "FREQ=YEARLY;BYDAY=20MO", "1997: 0519 1998: 0518 1999: 0517 …"},
		{"19970512", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "1997: 0512 1998: 0511 1999: 0517 …"},
		{"19970313", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "1997: 0313 0320 0327 1998: 0305 0312 0319 0326 1999: 0304 0311 0318 0325 …"},
		{"19970605", "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8", "1997: 0605 0612 0619 0626 0703 0710 0717 0724 0731 0807 0814 0821 0828 1998: 0604 0611 …"},
		{"19970902", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13\nEXDATE;TZID=America/New_York:19970902T090000", "1998: 0213 0313 1113 1999: 0813 2000: 1013 …"},
		{"19970913", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13", "1997: 0913 1011 1108 1213 1998: 0110 0207 0307 0411 0509 0613 …"},
		{"19961105", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1996: 1105 2000: 1107 2004: 1102 …"},
		{"19970904", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997: 0904 1007 1106"},
		{"19970929", "FREQ=MONTHLY;" + weekdays + ";BYSETPOS=-2", "1997: 0929 1030 1127 1230 1998: 0129 0226 0330 …"},
		// As corrected by erratum 3883.
		{"19970902", "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z", "19970902T0900 1200 1500"},
		{"19970902", "FREQ=MINUTELY;INTERVAL=15;COUNT=6", "19970902T0900 0915 0930 0945 1000 1015"},
		{"19970902", "FREQ=MINUTELY;INTERVAL=90;COUNT=4", "19970902T0900 1030 1200 1330"},
		{"19970902", "FREQ=DAILY;COUNT=99;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40", quarters},
		{"19970902", "FREQ=MINUTELY;COUNT=99;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16", quarters},
		{"19970805", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997: 0805 0810 0819 0824"},
		{"19970805", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997: 0805 0817 0819 0831"},
		{"20070115", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007: 0115 0130 0215 0315 0330"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			got := starts(t, 1996, 2008, "DTSTART;TZID=America/New_York:"+test.start+"T090000", "RRULE:"+test.rule)
			var count int
			var last string
			if n, _ := fmt.Sscanf(test.want, "%d to %s", &count, &last); n == 2 {
				if len(got) != count || got[len(got)-1] != last+"T090000" {
					t.Errorf("%d to %s, want %s", len(got), got[len(got)-1], test.want)
				}
				return
			}
			want, more := parseWant(test.want)
			if more && len(got) > len(want) {
				got = got[:len(want)]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("instances (-want +got):\n%s", diff)
			}
		})
	}
}

// parseWant reads "1997: 0902 0904" as dates at nine, "19970902T0900 0920" as times of a date.
func parseWant(text string) (list []string, more bool) {
	prefix := ""
	for word := range strings.FieldsSeq(text) {
		date, minutes, timed := strings.Cut(word, "T")
		switch {
		case word == "…":
			more = true
		case strings.HasSuffix(word, ":"):
			prefix = word[:4]
		case timed:
			prefix = date + "T"
			list = append(list, prefix+minutes+"00")
		case strings.HasSuffix(prefix, "T"):
			list = append(list, prefix+word+"00")
		default:
			list = append(list, prefix+word+"T090000")
		}
	}
	return list, more
}

func TestRules(t *testing.T) {
	t.Parallel()
	const newYork = "DTSTART;TZID=America/New_York:20240115T190000"
	tests := map[string]struct {
		lines []string
		want  string
	}{
		"UNTIL in UTC is that instant":      {[]string{newYork, "RRULE:FREQ=DAILY;UNTIL=20240118T000000Z"}, "20240115T190000 20240116T190000 20240117T190000"},
		"UNTIL a second earlier":            {[]string{newYork, "RRULE:FREQ=DAILY;UNTIL=20240117T235959Z"}, "20240115T190000 20240116T190000"},
		"UNTIL by the wall clock":           {[]string{newYork, "RRULE:FREQ=DAILY;UNTIL=20240117T190000"}, "20240115T190000 20240116T190000 20240117T190000"},
		"UNTIL a date is all of it":         {[]string{newYork, "RRULE:FREQ=DAILY;UNTIL=20240117"}, "20240115T190000 20240116T190000 20240117T190000"},
		"UNTIL before the start":            {[]string{newYork, "RRULE:FREQ=DAILY;UNTIL=20230117"}, "20240115T190000"},
		"a start out of step is first":      {[]string{newYork, "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=3"}, "20240115T190000 20240117T190000 20240124T190000"},
		"a start out of step is the count":  {[]string{newYork, "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=1"}, "20240115T190000"},
		"white space and a last semicolon":  {[]string{newYork, "RRULE:freq=weekly; count=2;"}, "20240115T190000 20240122T190000"},
		"two rules":                         {[]string{newYork, "RRULE:FREQ=DAILY;COUNT=2", "RRULE:FREQ=WEEKLY;COUNT=2"}, "20240115T190000 20240116T190000 20240122T190000"},
		"EXRULE":                            {[]string{newYork, "RRULE:FREQ=DAILY;COUNT=4", "EXRULE:FREQ=DAILY;INTERVAL=2"}, "20240116T190000 20240118T190000"},
		"EXDATE by wall clock":              {[]string{newYork, "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=America/New_York:20240116T190000"}, "20240115T190000 20240117T190000"},
		"EXDATE in UTC":                     {[]string{newYork, "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20240117T000000Z"}, "20240115T190000 20240117T190000"},
		"EXDATE by another zone":            {[]string{newYork, "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Europe/Berlin:20240117T010000"}, "20240115T190000 20240117T190000"},
		"EXDATE floating":                   {[]string{newYork, "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20240116T190000,20240117T190000"}, "20240115T190000"},
		"EXDATE a date":                     {[]string{newYork, "RRULE:FREQ=DAILY;COUNT=2;BYHOUR=10,19", "EXDATE;VALUE=DATE:20240116"}, "20240115T190000"},
		"EXDATE at another time is none":    {[]string{newYork, "RRULE:FREQ=DAILY;COUNT=2", "EXDATE;TZID=America/New_York:20240116T180000"}, "20240115T190000 20240116T190000"},
		"empty EXDATE":                      {[]string{newYork, "RRULE:FREQ=DAILY;COUNT=2", "EXDATE:"}, "20240115T190000 20240116T190000"},
		"RDATE":                             {[]string{newYork, "RDATE;TZID=America/New_York:20240201T200000,20240115T190000"}, "20240115T190000 20240201T200000"},
		"RDATE in UTC":                      {[]string{newYork, "RDATE:20240202T010000Z"}, "20240115T190000 20240201T200000"},
		"RDATE a period":                    {[]string{newYork, "RDATE;VALUE=PERIOD:20240202T010000Z/PT3H"}, "20240115T190000 20240201T200000"},
		"RDATE a date":                      {[]string{newYork, "RDATE;VALUE=DATE:20240201"}, "20240115T190000 20240201T190000"},
		"whole days":                        {[]string{"DTSTART;VALUE=DATE:20240228", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20240229"}, "20240228 20240301"},
		"whole days, times in the rule":     {[]string{"DTSTART;VALUE=DATE:20240228", "RRULE:FREQ=DAILY;UNTIL=20240301T000000Z;BYHOUR=9", "EXDATE:20240229T000000Z"}, "20240228 20240301"},
		"the 29th of February":              {[]string{"DTSTART;VALUE=DATE:20200229", "RRULE:FREQ=YEARLY"}, "20240229"},
		"a plain weekday and a numbered":    {[]string{newYork, "RRULE:FREQ=MONTHLY;BYDAY=1MO,TH;COUNT=8"}, "20240115T190000 20240118T190000 20240125T190000 20240201T190000 20240205T190000 20240208T190000 20240215T190000 20240222T190000"},
		"the same weekday plain, numbered":  {[]string{newYork, "RRULE:FREQ=MONTHLY;BYDAY=MO,1MO,-1MO;COUNT=4"}, "20240115T190000 20240122T190000 20240129T190000 20240205T190000"},
		"both in the months of a year":      {[]string{newYork, "RRULE:FREQ=YEARLY;BYMONTH=2,5;BYDAY=TH,-1MO;COUNT=8"}, "20240115T190000 20240201T190000 20240208T190000 20240215T190000 20240222T190000 20240226T190000 20240229T190000 20240502T190000"},
		"both in a year":                    {[]string{newYork, "RRULE:FREQ=YEARLY;BYDAY=SU,-1TU;UNTIL=20250106", "EXRULE:FREQ=YEARLY;BYDAY=SU;UNTIL=20241223"}, "20240115T190000 20241229T190000 20241231T190000 20250105T190000"},
		"both, the 53rd of a year":          {[]string{newYork, "RRULE:FREQ=YEARLY;BYDAY=MO,1SU;BYYEARDAY=-2,-1,5,7;COUNT=5"}, "20240115T190000 20241230T190000 20250105T190000"},
		"both, chosen from by position":     {[]string{newYork, "RRULE:FREQ=MONTHLY;BYDAY=1MO,TH;BYSETPOS=2;COUNT=3"}, "20240115T190000 20240205T190000 20240307T190000"},
		"a week of the year":                {[]string{newYork, "RRULE:FREQ=YEARLY;BYWEEKNO=3;COUNT=4"}, "20240115T190000 20250113T190000"},
		"a week, by whole days":             {[]string{"DTSTART;VALUE=DATE:20240514", "RRULE:FREQ=YEARLY;BYWEEKNO=20"}, "20240514 20250513"},
		"a week, a Sunday":                  {[]string{"DTSTART;VALUE=DATE:20240519", "RRULE:FREQ=YEARLY;BYWEEKNO=20,21;BYMONTH=5"}, "20240519 20240526 20250518 20250525"},
		"a week and a day of the month":     {[]string{"DTSTART;VALUE=DATE:20240514", "RRULE:FREQ=YEARLY;BYWEEKNO=20;BYMONTHDAY=15,16"}, "20240514 20240515 20240516 20250515 20250516"},
		"a week and a day of the year":      {[]string{"DTSTART;VALUE=DATE:20240514", "RRULE:FREQ=YEARLY;BYWEEKNO=20;BYYEARDAY=136"}, "20240514 20240515 20250516"},
		"the days of a week":                {[]string{"DTSTART;VALUE=DATE:20251229", "RRULE:FREQ=DAILY;BYWEEKNO=1;COUNT=3"}, "20251229 20251230 20251231"},
		"through the changes of the clocks": {[]string{newYork, "RRULE:FREQ=MONTHLY;INTERVAL=3;COUNT=4"}, "20240115T190000 20240415T190000 20240715T190000 20241015T190000"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := starts(t, 2024, 2026, test.lines...)
			if diff := cmp.Diff(strings.Fields(test.want), got); diff != "" {
				t.Errorf("instances (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRulesOfBadFaith: each costs its series, and no time or memory to speak of.
func TestRulesOfBadFaith(t *testing.T) {
	t.Parallel()
	const nine = "1,2,3,4,5,6,7,8,9"
	many := strings.TrimSuffix(strings.Repeat("1,", 500), ",")
	for rule, want := range map[string]event.Reason{
		"FREQ=SECONDLY":                                  event.ReasonTooLarge,
		"FREQ=SECONDLY;INTERVAL=7":                       event.ReasonTooLarge,
		"FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30":          event.ReasonTooLarge,
		"FREQ=MINUTELY":                                  event.ReasonTooLarge,
		"FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12": event.ReasonTooLarge,
		"FREQ=YEARLY;BYSECOND=" + many:                   event.ReasonInvalidRecord,
		"FREQ=YEARLY;BYHOUR=" + nine + ";BYMINUTE=" + nine + ";BYSECOND=" + nine: event.ReasonTooLarge,
		"FREQ=HOURLY;INTERVAL=2;BYHOUR=8":                                        event.ReasonInvalidRecord,
		"FREQ=HOURLY;INTERVAL=24;BYHOUR=20":                                      event.ReasonInvalidRecord,
		"FREQ=MINUTELY;INTERVAL=60;BYMINUTE=1":                                   event.ReasonInvalidRecord,
		"FREQ=MONTHLY;BYDAY=53MO":                                                event.ReasonInvalidRecord,
		"FREQ=MONTHLY;BYDAY=-53MO":                                               event.ReasonInvalidRecord,
		"FREQ=YEARLY;BYMONTH=1;BYDAY=-53MO":                                      event.ReasonInvalidRecord,
		"FREQ=YEARLY;BYDAY=54MO":                                                 event.ReasonInvalidRecord,
		"FREQ=YEARLY;BYEASTER=400":                                               event.ReasonInvalidRecord,
		"FREQ=DAILY;INTERVAL=9223372036854775807":                                event.ReasonInvalidRecord,
		"FREQ=DAILY;INTERVAL=0":                                                  event.ReasonInvalidRecord,
		"FREQ=DAILY;COUNT=0":                                                     event.ReasonInvalidRecord,
		"FREQ=DAILY;COUNT=-1":                                                    event.ReasonInvalidRecord,
		"FREQ=DAILY;BYHOUR=25":                                                   event.ReasonInvalidRecord,
		"FREQ=FORTNIGHTLY":                                                       event.ReasonInvalidRecord,
		"FREQ=DAILY;UNTIL=20230931":                                              event.ReasonInvalidDate,
		"FREQ=DAILY;UNTIL=never":                                                 event.ReasonInvalidDate,
		"FREQ=YEARLY;RSCALE=CHINESE":                                             event.ReasonInvalidRecord,
		"FREQ=YEARLY;RSCALE=GREGORIAN;SKIP=FORWARD":                              event.ReasonInvalidRecord,
		"FREQ=YEARLY;COUNT=1;RSCALE=GREGORIAN;SKIP=OMIT":                         "",
		"COUNT=3":                            event.ReasonInvalidRecord,
		"DTSTART=20240101;FREQ=DAILY":        event.ReasonInvalidRecord,
		";":                                  event.ReasonInvalidRecord,
		"FREQ":                               event.ReasonInvalidRecord,
		"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30": "",
		"FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6":  "",
		"FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30;BYHOUR=1":    event.ReasonTooLarge,
		"FREQ=MINUTELY;BYSETPOS=2":                          event.ReasonTooLarge,
		"FREQ=DAILY;BYSETPOS=2":                             "",
		"FREQ=WEEKLY;BYDAY=53MO;COUNT=1":                    "",
		"FREQ=MONTHLY;BYDAY=MO,53TU":                        event.ReasonInvalidRecord,
		"FREQ=YEARLY;BYMONTH=1;BYDAY=MO,-6TU":               event.ReasonInvalidRecord,
		"FREQ=YEARLY;BYDAY=MO,-53TU;BYSETPOS=366":           "",
		"FREQ=MONTHLY;BYDAY=MO,5SU;BYMONTH=2;BYMONTHDAY=30": "",
		"FREQ=YEARLY;BYWEEKNO=53;BYSETPOS=2":                "",
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			body := "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:Show\nDTSTART:20240115T190000\nRRULE:" + rule + "\nEND:VEVENT\n" +
				"BEGIN:VEVENT\nUID:2\nSUMMARY:Other\nDTSTART:20240115T190000\nEND:VEVENT\nEND:VCALENDAR\n"
			records, err := decode(t, strings.NewReader(body), years(2024, 2026))
			if err != nil || len(records) != 2 {
				t.Fatalf("%d records, %v", len(records), err)
			}
			if records[0].Key.Event != "2" || records[0].Invalid != nil {
				t.Errorf("its neighbour: %v", records[0].Invalid)
			}
			switch invalid := records[1].Invalid; {
			case want == "" && (invalid != nil || records[1].Key.Event != "20240115T190000"):
				t.Errorf("%v, want the start alone", invalid)
			case want != "" && (invalid == nil || invalid.Reason != want || records[1].Key.Series != "1"):
				t.Errorf("%v, want %s", invalid, want)
			}
		})
	}
}

func TestHorizon(t *testing.T) {
	t.Parallel()
	body := calendarOf(
		vevent("UID:daily", "SUMMARY:Show", "DTSTART:20291229T233000", "DURATION:PT2H", "RRULE:FREQ=DAILY"),
		vevent("UID:tour", "SUMMARY:Show", "DTSTART;VALUE=DATE:20290101", "DURATION:P53W", "RRULE:FREQ=YEARLY"),
		vevent("UID:later", "SUMMARY:Show", "DTSTART:20310601T100000", "RDATE:20310701T100000"),
		vevent("UID:dates", "SUMMARY:Show", "DTSTART:20290601T100000", "RDATE;VALUE=PERIOD:20290701T100000/P300D,20290801T100000/PT1H"),
		vevent("UID:past", "SUMMARY:Show", "DTSTART:20010601T100000"),
		vevent("UID:future", "SUMMARY:Show", "DTSTART:20410601T100000"),
	)
	horizon := years(2030, 2031)
	horizon.To = horizon.From.AddDate(0, 0, 2)
	records, err := decode(t, strings.NewReader(body), horizon)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, rec := range records {
		got = append(got, rec.Key.Series+"/"+rec.Key.Event)
	}
	want := []string{
		"/past", "/future", "daily/20291231T233000", "daily/20300101T233000", "daily/20300102T233000", // the horizon is from 1 to 1 o'clock in Madrid
		"tour/20290101", "tour/20300101", "dates/20290701T100000",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestManyDatesAreTooLarge(t *testing.T) {
	t.Parallel()
	lines := []string{"UID:1", "SUMMARY:Show", "DTSTART:20300101T000000"}
	for i := range icalendar.MaxInstances {
		lines = append(lines, fmt.Sprintf("RDATE:203001%02dT%02d%02d01", 1+i/1440, i/60%24, i%60))
	}
	records, err := decode(t, strings.NewReader(calendarOf(vevent(lines...))), years(2030, 2031))
	if err != nil || len(records) != 1 || records[0].Invalid == nil || records[0].Invalid.Reason != event.ReasonTooLarge {
		t.Errorf("%d records, %v", len(records), err)
	}
}
