package icalendar

import (
	"testing"
	"time"
)

func TestWindowsZonesExist(t *testing.T) {
	t.Parallel()
	for windows, name := range windowsZones {
		if _, err := time.LoadLocation(name); err != nil {
			t.Errorf("%s: %v", windows, err)
		}
	}
}

func TestDisplayNamesAreOfWindowsZones(t *testing.T) {
	t.Parallel()
	for text, windows := range displayNames {
		if zoneName(windows) == "" {
			t.Errorf("%s: %q is no zone", text, windows)
		}
	}
}

func TestZoneName(t *testing.T) {
	t.Parallel()
	for tzid, want := range map[string]string{
		"Europe/Berlin": "Europe/Berlin",
		"/freeassociation.sourceforge.net/Europe/Berlin":    "Europe/Berlin",
		"/mozilla.org/20050126_1/America/Argentina/Ushuaia": "America/Argentina/Ushuaia",
		"custom_America/New_York":                           "America/New_York",
		`"Europe/Berlin"`:                                   "Europe/Berlin",
		"US/Eastern":                                        "US/Eastern",
		"right/Asia/Tokyo":                                  "Asia/Tokyo",
		"Romance Standard Time":                             "Europe/Paris",
		"Bahia Standard Time":                               "America/Bahia",
		"Sao Tome Standard Time":                            "Africa/Sao_Tome",
		"Aus Central W. Standard Time":                      "Australia/Eucla",
		"Turks And Caicos Standard Time":                    "America/Grand_Turk",
		"Russia Time Zone 11":                               "Asia/Kamchatka",
		"Dateline Standard Time":                            "Etc/GMT+12",
		"UTC-02":                                            "Etc/GMT+2",
		"UTC+13":                                            "Etc/GMT-13",
		"GMT":                                               "UTC",
		"(UTC) Coordinated Universal Time":                  "UTC",
		"(GMT-05:00) Eastern Time (US & Canada)":            "America/New_York",
		"(UTC-05:00) Somewhere":                             "",
		"Eastern Time (US & Canada)":                        "",
		"CET":                                               "CET",
		"Local":                                             "",
		"localtime":                                         "",
		"":                                                  "",
		"UTC+11":                                            "",
		"BUS/Stop":                                          "",
		"/etc/localtime":                                    "",
	} {
		if got := zoneName(tzid); got != want {
			t.Errorf("%q: %q, want %q", tzid, got, want)
		}
	}
}

// TestZoneFromRules: New York's own rules, told by a VTIMEZONE, give New York's clock.
func TestZoneFromRules(t *testing.T) {
	t.Parallel()
	observance := func(name, start, from, to, rule string) *component {
		return &component{name: name, props: []property{
			{name: "DTSTART", value: start, line: 1},
			{name: "TZOFFSETFROM", value: from, line: 1},
			{name: "TZOFFSETTO", value: to, line: 1},
			{name: "RRULE", value: rule, line: 1},
		}}
	}
	zone := &component{name: "VTIMEZONE", children: []*component{
		observance("STANDARD", "20071104T020000", "-0400", "-0500", "FREQ=YEARLY;BYMONTH=11;BYDAY=1SU"),
		observance("DAYLIGHT", "20070311T020000", "-0500", "-0400", "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU"),
	}}
	got := locationOf(zone, &budget{})
	if got == nil {
		t.Fatal("no zone")
	}
	want, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	last := time.Date(2037, 1, 1, 0, 0, 0, 0, time.UTC)
	for at := time.Date(2007, 1, 1, 0, 30, 0, 0, time.UTC); at.Before(last); at = at.Add(time.Hour) {
		_, a := at.In(got).Zone()
		if _, b := at.In(want).Zone(); a != b {
			t.Fatalf("%s: offset %d, want %d", at, a, b)
		}
	}
	zone.children = append(zone.children, observance("STANDARD", "20071104T020000", "-2500", "-0500", "FREQ=YEARLY"))
	if locationOf(zone, &budget{}) != nil {
		t.Error("an offset of more than a day")
	}
}
