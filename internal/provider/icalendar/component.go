package icalendar

import (
	"fmt"
	"strings"

	"github.com/aledotdev/marquee/internal/event"
)

// component is a VEVENT, a VTIMEZONE, or a STANDARD or DAYLIGHT of a VTIMEZONE, with the properties that are used.
type component struct {
	name     string
	number   int // of the VEVENT in the snapshot, from 1
	line     int // of its BEGIN
	size     int // bytes of memory, about
	props    []property
	children []*component // STANDARD and DAYLIGHT of a VTIMEZONE
	calendar *calendar
	fault    *event.Invalid // the first one found while it was read
}

// propertyOverhead is about how many bytes a property takes in addition to its text.
const propertyOverhead = 72

// kept reports whether a property of a component is used. The others take no memory, however long they are.
func kept(component, property string) bool {
	switch component {
	case "VEVENT":
		switch property {
		case "UID", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE",
			"SUMMARY", "DESCRIPTION", "LOCATION", "GEO", "CATEGORIES", "URL", "ORGANIZER", "ATTACH", "IMAGE", "STATUS", "CLASS":
			return true
		}
	case "VTIMEZONE":
		return property == "TZID" || property == "X-LIC-LOCATION"
	case "STANDARD", "DAYLIGHT":
		switch property {
		case "DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE":
			return true
		}
	}
	return false
}

// add keeps a property if it is used. If the component would become too large with it, the component gets a fault instead.
func (c *component) add(p property) {
	// An empty value is the same as no property: some exports write DTEND: and RRULE: if there is none.
	if !kept(c.name, p.name) || strings.TrimSpace(p.value) == "" || isImage(p.name) && (p.cut || strings.EqualFold(p.param("ENCODING"), "BASE64")) {
		return
	}
	size := len(p.name) + len(p.params) + len(p.value) + propertyOverhead
	switch {
	case p.cut:
		c.tooLarge(p.name, p.value, "a line of more than %d bytes", MaxLineBytes)
	case c.size+size > MaxComponentBytes:
		c.tooLarge(p.name, p.value, "a component of more than %d bytes", MaxComponentBytes)
	default:
		c.size += size
		c.props = append(c.props, p)
	}
}

func (c *component) tooLarge(field, value, format string, limit int) {
	if c.fault == nil {
		c.fault = event.NewInvalid(event.ReasonTooLarge, field, value, fmt.Errorf(format, limit))
	}
}

func isImage(name string) bool { return name == "ATTACH" || name == "IMAGE" }

// get is the first property of a name; if there is none, one without a value, whose line is 0.
func (c *component) get(name string) *property {
	for i := range c.props {
		if c.props[i].name == name {
			return &c.props[i]
		}
	}
	return &property{name: name}
}

// all is every property of a name.
func (c *component) all(name string) []*property {
	var found []*property
	for i := range c.props {
		if c.props[i].name == name {
			found = append(found, &c.props[i])
		}
	}
	return found
}

func (c *component) has(name string) bool { return c.get(name).line > 0 }

// uid is the VEVENT's identity.
func (c *component) uid() string { return strings.TrimSpace(unescape(c.get("UID").value)) }

// recurs reports whether the VEVENT is, or is a part of, a series.
func (c *component) recurs() bool { return c.has("RRULE") || c.has("RDATE") || c.has("RECURRENCE-ID") }

// private reports whether the VEVENT is not for the public. An unknown CLASS counts as PRIVATE (RFC 5545, 3.8.1.3).
func (c *component) private() bool {
	class := strings.TrimSpace(c.get("CLASS").value)
	return class != "" && !strings.EqualFold(class, "PUBLIC")
}

// place is where the VEVENT stands.
func (c *component) place() event.Position {
	return event.Position{Path: "VEVENT[#]", Index: [2]int32{int32(c.number)}, Line: int32(c.line)}
}

// excerpt is the beginning of the VEVENT: its kept properties, unfolded.
func (c *component) excerpt() string {
	var b strings.Builder
	b.WriteString("BEGIN:" + c.name)
	for i := range c.props {
		if b.Len() > event.MaxExcerptBytes {
			break
		}
		p := &c.props[i]
		b.WriteString("\n" + p.name + p.params + ":" + p.value)
	}
	return event.Excerpt(b.String(), event.MaxExcerptBytes)
}
