package icalendar

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of a VTIMEZONE.
const (
	maxObservances = 200
	lastZoneYear   = 2100 // rules are expanded to the beginning of this year; after it, the offset doesn't change
	maxTransitions = 5_000
)

// transition is a change of a zone's offset.
type transition struct {
	at       int64 // seconds since 1970
	from, to int   // seconds east of UTC
	daylight bool  // to is daylight saving time
}

// locationOf is the zone that a VTIMEZONE defines, or nil if its rules can't be read.
func locationOf(z *component, work *budget) *time.Location {
	var all []transition
	for _, observance := range z.children {
		found, err := transitions(observance, work)
		if err != nil || len(all)+len(found) > maxTransitions {
			return nil
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b transition) int { return cmp.Compare(a.at, b.at) })
	location, err := time.LoadLocationFromTZData(z.text("TZID"), tzif(all))
	if err != nil {
		return nil
	}
	return location
}

// transitions are the changes to an observance, in order.
func transitions(c *component, work *budget) ([]transition, error) {
	from, err := parseOffset(c.get("TZOFFSETFROM").value)
	if err != nil {
		return nil, err
	}
	to, err := parseOffset(c.get("TZOFFSETTO").value)
	if err != nil {
		return nil, err
	}
	local, _, _, err := parseClock(strings.TrimSpace(c.get("DTSTART").value))
	if err != nil {
		return nil, err
	}
	// The times of an observance are by the clock before the change (RFC 5545, 3.6.5).
	start := stamp{local: local, zone: time.FixedZone("", from), kind: floating}
	onsets := []time.Time{local.AsUTC()}
	for _, p := range c.all("RRULE") {
		found, err := expand(start, p.value, time.Time{}, time.Date(lastZoneYear, 1, 1, 0, 0, 0, 0, time.UTC), work)
		if err != nil {
			return nil, err
		}
		onsets = append(onsets, found...)
	}
	for _, p := range c.all("RDATE") {
		for value := range strings.SplitSeq(p.value, ",") {
			first, _, _ := strings.Cut(strings.TrimSpace(value), "/")
			local, _, isUTC, err := parseClock(first)
			if err != nil {
				return nil, err
			}
			onset := stamp{local: local, zone: start.zone, kind: floating}
			if isUTC {
				onset.zone, onset.kind = time.UTC, utc
			}
			onsets = append(onsets, onset.clockOf(start))
		}
	}
	slices.SortFunc(onsets, time.Time.Compare)
	onsets = slices.CompactFunc(onsets, time.Time.Equal)
	list := make([]transition, len(onsets))
	for i, onset := range onsets {
		list[i] = transition{at: onset.Unix() - int64(from), from: from, to: to, daylight: c.name == "DAYLIGHT"}
	}
	return list, nil
}

var errOffset = errors.New("not an offset from UTC")

// parseOffset reads ±HHMM or ±HHMMSS as seconds, less than a day.
func parseOffset(s string) (int, error) {
	s = strings.TrimSpace(s)
	if len(s) != 5 && len(s) != 7 || s[0] != '+' && s[0] != '-' {
		return 0, errOffset
	}
	n, err := strconv.ParseUint((s[1:] + "00")[:6], 10, 32)
	hours, minutes, seconds := int(n/10000), int(n/100%100), int(n%100)
	if err != nil || hours > 23 || minutes > 59 || seconds > 59 {
		return 0, errOffset
	}
	offset := hours*3600 + minutes*60 + seconds
	if s[0] == '-' {
		offset = -offset
	}
	return offset, nil
}

// tzif writes transitions, which are in order, as a zone file (RFC 8536): there is no other way to make a time.Location that has them.
func tzif(all []transition) []byte {
	type period struct {
		offset   int
		daylight bool
	}
	periods := []period{{offset: all[0].from}} // the first is that before all transitions
	indexes := make([]byte, len(all))
	for i, t := range all {
		p := period{t.to, t.daylight}
		at := slices.Index(periods[1:], p) + 1
		if at == 0 {
			at = len(periods)
			periods = append(periods, p)
		}
		if at > 255 {
			return nil // one byte holds no greater index; LoadLocationFromTZData then fails
		}
		indexes[i] = byte(at)
	}
	var b bytes.Buffer
	write := func(v any) { _ = binary.Write(&b, binary.BigEndian, v) } // numbers and a Buffer never fail
	header := func(counts [6]uint32) {
		b.WriteString("TZif2")
		b.Write(make([]byte, 15))
		write(counts)
	}
	header([6]uint32{}) // the part with 32-bit times, empty
	header([6]uint32{0, 0, 0, uint32(len(all)), uint32(len(periods)), uint32(1)})
	for _, t := range all {
		write(t.at)
	}
	b.Write(indexes)
	for _, p := range periods {
		write(int32(p.offset))
		write(p.daylight)
		write(byte(0)) // the index of its name, which is empty
	}
	b.WriteString("\x00\n\n")
	return b.Bytes()
}
