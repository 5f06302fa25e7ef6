package icalendar

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// calendar is a VCALENDAR, with the zones that it defines.
type calendar struct {
	decoder  *decoder
	defaults *event.Defaults
	zones    map[string]*definition
	size     int  // bytes of the zones
	held     bool // a component that waits for the end belongs to it
	cancels  bool // METHOD:CANCEL
}

// definition is a VTIMEZONE that its name does not tell, or not surely. Its rules are worked out when first needed.
type definition struct {
	component *component     // whose rules are still to be worked out, or nil
	zone      *time.Location // nil when neither a location nor rules tell it
	kind      kind
}

// define keeps a VTIMEZONE if its name alone says too little, and reports whether.
func (c *calendar) define(z *component) bool {
	tzid := z.text("TZID")
	if tzid == "" || z.fault != nil || c.decoder.named(tzid) != nil && !short(tzid) {
		return false
	}
	if c.zones == nil {
		c.zones = map[string]*definition{}
	}
	location := z.text("X-LIC-LOCATION")
	def := &definition{zone: c.decoder.named(location), kind: zoned}
	if def.zone == nil || short(location) {
		def.component = z
	}
	c.zones[tzid] = def
	c.size += z.size + propertyOverhead
	return true
}

// knows reports whether all zones of the component are known by now: that of a short name may be defined yet.
func (c *calendar) knows(v *component) bool {
	for i := range v.props {
		tzid := strings.TrimSpace(v.props[i].param("TZID"))
		if _, defined := c.zones[tzid]; tzid != "" && !defined && (short(tzid) || c.decoder.named(tzid) == nil) {
			return false
		}
	}
	return true
}

// names reports whether all zones of the component are told by their names, as far as no definition says otherwise.
func (c *calendar) names(v *component) bool {
	for i := range v.props {
		if tzid := strings.TrimSpace(v.props[i].param("TZID")); tzid != "" && c.decoder.named(tzid) == nil && fixed(tzid) == nil {
			return false
		}
	}
	return true
}

// zone is what a TZID means: by the calendar, else by its name. One that means nothing is the provider's zone.
func (c *calendar) zone(tzid string) (*time.Location, kind) {
	tzid = strings.TrimSpace(tzid)
	def := c.zones[tzid]
	if def != nil && def.component != nil {
		if zone := locationOf(def.component, &c.decoder.work); zone != nil {
			def.zone, def.kind = zone, defined
		}
		def.component = nil
	}
	if def != nil && def.zone != nil {
		return def.zone, def.kind
	}
	if zone := c.decoder.named(tzid); zone != nil {
		return zone, zoned
	}
	if zone := fixed(tzid); zone != nil {
		return zone, defined
	}
	return c.defaults.Zone, floating
}

// offsetForm has ISO 8601's signs, as all programs write it: GMT+1 is ahead of UTC, unlike Etc/GMT+1.
var offsetForm = regexp.MustCompile(`^(?:UTC|GMT)? ?([+-])(\d{1,2})(?::?([0-5]\d))?$`)

// fixed is the zone of a TZID that is an offset from UTC, such as GMT+0100, UTC+1 or +01:00; else nil.
func fixed(tzid string) *time.Location {
	parts := offsetForm.FindStringSubmatch(tzid)
	if parts == nil {
		return nil
	}
	hours, _ := strconv.Atoi(parts[2])         // one or two digits
	minutes, _ := strconv.Atoi("0" + parts[3]) // two digits, or none
	offset := hours*3600 + minutes*60
	if offset > 14*3600 { // no clock is further from UTC
		return nil
	}
	if parts[1] == "-" {
		offset = -offset
	}
	return time.FixedZone(tzid, offset)
}

// maxNames bounds what is remembered of zones' names.
const maxNames = 2_000

// named is the zone that a TZID names, or nil.
func (d *decoder) named(tzid string) *time.Location {
	if zone, known := d.names[tzid]; known {
		return zone
	}
	var zone *time.Location
	if name := zoneName(tzid); name == d.defaults.Zone.String() {
		zone = d.defaults.Zone
	} else if name != "" {
		zone, _ = time.LoadLocation(name) // nil where there is none
	}
	if len(d.names) < maxNames {
		d.names[strings.Clone(tzid)] = zone
	}
	return zone
}

// zoneName finds in a TZID what may be the name of an IANA zone: a Windows name's translation, or the end
// that begins with an area's name, as in /freeassociation.sourceforge.net/Europe/Berlin.
func zoneName(tzid string) string {
	tzid = strings.Trim(strings.TrimSpace(tzid), `"`)
	if len(tzid) > 200 {
		return ""
	}
	if name := displayed(tzid); name != "" {
		tzid = name
	}
	if name, ok := windowsZones[tzid]; ok {
		return name
	}
	for _, area := range areas {
		at := strings.LastIndex(tzid, area)
		if at == 0 || at > 0 && !isLetter(tzid[at-1]) {
			return tzid[at:]
		}
	}
	switch tzid {
	case "UTC", "GMT", "Z", "UCT", "Zulu", "Universal", "Greenwich", "tzone://Microsoft/Utc", "Coordinated Universal Time":
		return "UTC"
	}
	if short(tzid) {
		return tzid
	}
	return ""
}

// short reports whether a TZID is a name that calendars give to zones of their own too (RFC 5545, 3.2.19): EST with
// daylight saving time, GMT for London's clock. A name with an area, or by Windows, tells the zone better than the few
// rules that come with it, and UTC is UTC.
func short(tzid string) bool {
	switch tzid {
	case "GMT", "Greenwich", "CET", "EET", "MET", "WET", "EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "EST", "MST", "HST",
		"Cuba", "Egypt", "Eire", "GB", "Hongkong", "Iceland", "Iran", "Israel", "Jamaica", "Japan", "Libya",
		"NZ", "Poland", "Portugal", "PRC", "ROC", "ROK", "Singapore", "Turkey",
		"UTC-11", "UTC-09", "UTC-08", "UTC-02", "UTC+12", "UTC+13":
		return true
	}
	return displayed(tzid) != ""
}

// displayed is the Windows name of a zone that a TZID names as Windows displays it; else empty.
func displayed(tzid string) string {
	offset, text, found := strings.Cut(tzid, ") ")
	if !found || !strings.HasPrefix(offset, "(UTC") && !strings.HasPrefix(offset, "(GMT") {
		return ""
	}
	return displayNames[text]
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// areas begin the names of IANA zones.
//
//nolint:gochecknoglobals // A constant: Go has no literal for constant lists.
var areas = []string{
	"Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Brazil/", "Canada/",
	"Chile/", "Etc/", "Europe/", "Indian/", "Mexico/", "Pacific/", "US/",
}

// shownIn is the zone that an event of that start is shown in; it is one of the IANA database, or the
// provider's.
func (d *decoder) shownIn(start stamp) *time.Location {
	switch start.kind {
	case zoned:
		return start.zone
	case defined:
		instant := start.instant()
		_, offset := instant.In(start.zone).Zone()
		for _, zone := range []*time.Location{d.defaults.Zone, d.named(start.zone.String())} {
			if zone == nil {
				continue
			}
			if _, own := instant.In(zone).Zone(); own == offset {
				return zone
			}
		}
		if offset%3600 == 0 && offset != 0 {
			if zone := d.named(fmt.Sprintf("Etc/GMT%+d", -offset/3600)); zone != nil { // whose signs are the wrong way round
				return zone
			}
		}
		return time.UTC
	default:
		return d.defaults.Zone
	}
}
