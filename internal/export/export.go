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
	Timed       bool // its documents depend on the time, since they show availability
	New         func() Writer
}

// Writer writes one document: first Begin, then Event for each event, at last End. Each appends to the bytes that it is given. A Writer
// is not safe for concurrent use.
type Writer interface {
	Begin(b []byte) []byte
	// Event fails only if the catalog's data of the event is broken.
	Event(b []byte, e catalog.Exported) ([]byte, error)
	End(b []byte) []byte
}

// Formats are all formats.
func Formats() []Format {
	return []Format{
		{Name: "ics", ContentType: "text/calendar; charset=utf-8", New: func() Writer { return &calendar{zones: map[string]bool{}} }},
		{Name: "csv", ContentType: "text/csv; charset=utf-8; header=present", Timed: true, New: func() Writer { return newTable() }},
		{Name: "jsonld", ContentType: "application/ld+json", Timed: true, New: func() Writer { return &graph{} }},
	}
}

// text is the text, empty for nil.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// given are those of the texts that are not empty, each once.
func given(texts ...*string) []string {
	var all []string
	for _, t := range texts {
		if t != nil && *t != "" && !slices.Contains(all, *t) { // places often have the name of their city
			all = append(all, *t)
		}
	}
	return all
}
