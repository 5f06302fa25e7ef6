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
	held     bool // one of its components is held until the end of the snapshot
	cancels  bool // METHOD:CANCEL
}

// definition is a VTIMEZONE whose name alone does not say for certain which zone it is. Its rules are read when they are first needed.
type definition struct {
	component *component     // its rules are still to be read; nil if they have been, or are not needed
	zone      *time.Location // nil if neither X-LIC-LOCATION nor rules give one
	kind      kind
}

// define keeps a VTIMEZONE whose name alone does not say for certain which zone it is, and reports whether it did.
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

// knows reports whether all zones of the component are known already. A short name, or one that names no zone, may still be defined
// later in the calendar.
func (c *calendar) knows(v *component) bool {
	for i := range v.props {
		tzid := strings.TrimSpace(v.props[i].param("TZID"))
		if _, defined := c.zones[tzid]; tzid != "" && !defined && (short(tzid) || c.decoder.named(tzid) == nil) {
			return false
		}
	}
	return true
}

// names reports whether the name of each zone of the component says which zone it is, if the calendar does not define it.
func (c *calendar) names(v *component) bool {
	for i := range v.props {
		if tzid := strings.TrimSpace(v.props[i].param("TZID")); tzid != "" && c.decoder.named(tzid) == nil && fixed(tzid) == nil {
			return false
		}
	}
	return true
}

// zone is the zone of a TZID: the one that the calendar defines, else the one that it names, else the provider's.
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

// maxNames bounds how many TZIDs are remembered.
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
		zone, _ = time.LoadLocation(name) // nil if there is no such zone
	}
	if len(d.names) < maxNames {
		d.names[strings.Clone(tzid)] = zone
	}
	return zone
}

// zoneName is the name of an IANA zone that a TZID may stand for: the translation of a Windows name, or the end
// that begins with an area, as in /freeassociation.sourceforge.net/Europe/Berlin. It is empty if there is none; the zone may not exist.
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

// short reports whether a TZID is a name that calendars also give to zones of their own (RFC 5545, 3.2.19), as EST with
// daylight saving time, or GMT for London's clock: then their definition holds. In contrast, a name with an area, or Windows' own name
// for a zone, says more than the few rules of a definition, and UTC is always UTC.
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

// areas are what the names of IANA zones begin with.
//
//nolint:gochecknoglobals // A constant: Go has no literal for constant lists.
var areas = []string{
	"Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Brazil/", "Canada/",
	"Chile/", "Etc/", "Europe/", "Indian/", "Mexico/", "Pacific/", "US/",
}

// shownIn is the zone in which an event with that start is shown. It is always a zone of the IANA database.
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
			if zone := d.named(fmt.Sprintf("Etc/GMT%+d", -offset/3600)); zone != nil { // its sign is opposite to that of ISO 8601
				return zone
			}
		}
		return time.UTC
	default:
		return d.defaults.Zone
	}
}
