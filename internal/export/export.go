// Package export writes lists of events in the forms that other programs keep: iCalendar (RFC 5545), CSV
// (RFC 4180) and JSON-LD (schema.org). A document is made event by event, and never held whole.
package export

import (
	"slices"

	"github.com/aledotdev/marquee/internal/catalog"
)

// Format is a form of a list of events.
type Format struct {
	Name        string // what a file's name ends in: ics
	ContentType string
	Timed       bool // it says what holds as of now only: availability
	New         func() Writer
}

// Writer writes one document, by appending to the bytes that it is given. It is not safe for concurrent use.
type Writer interface {
	Begin(b []byte) []byte
	// Event fails for an event that the catalog should not hold.
	Event(b []byte, e catalog.Exported) ([]byte, error)
	End(b []byte) []byte
}

// Formats are all there are.
func Formats() []Format {
	return []Format{
		{Name: "ics", ContentType: "text/calendar; charset=utf-8", New: func() Writer { return &calendar{zones: map[string]bool{}} }},
		{Name: "csv", ContentType: "text/csv; charset=utf-8; header=present", Timed: true, New: func() Writer { return newTable() }},
		{Name: "jsonld", ContentType: "application/ld+json", Timed: true, New: func() Writer { return &graph{} }},
	}
}

// text is what a part says, or nothing.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// given are the texts that are there.
func given(texts ...*string) []string {
	var all []string
	for _, t := range texts {
		if t != nil && *t != "" && !slices.Contains(all, *t) { // a place is often called as its city
			all = append(all, *t)
		}
	}
	return all
}
