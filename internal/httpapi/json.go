package httpapi

import (
	"time"
	"unicode/utf8"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

const jsonType = "application/json"

// appendListing appends an event as /search shows it: always these fields, in this order, without white space, so that
// the same event gives the same bytes.
func appendListing(b []byte, l *catalog.Listing) []byte {
	b = append(b, `{"id":"`...)
	b = l.ID.AppendTo(b)
	b = append(b, `","title":`...)
	b = appendString(b, l.Title)
	b = append(b, `,"start_date":"`...)
	b = l.Start.AppendDate(b)
	b = append(b, `","start_time":`...)
	b = appendTime(b, l.Start, l.AllDay)
	if l.End.IsZero() {
		b = append(b, `,"end_date":null,"end_time":null`...)
	} else {
		last := l.End
		if l.AllDay { // whole days end at the midnight after the last, which is no day of theirs
			last = last.Add(-24 * time.Hour)
		}
		b = append(b, `,"end_date":"`...)
		b = last.AppendDate(b)
		b = append(b, `","end_time":`...)
		b = appendTime(b, l.End, l.AllDay)
	}
	b = append(b, `,"min_price":`...)
	b = appendNumber(b, l.MinPrice)
	b = append(b, `,"max_price":`...)
	b = appendNumber(b, l.MaxPrice)
	return append(b, '}')
}

// appendTime appends a time of day, null for an event of whole days.
func appendTime(b []byte, l event.LocalDateTime, allDay bool) []byte {
	if allDay {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = l.AppendTime(b)
	return append(b, '"')
}

// appendNumber appends an exact number, null if there is none. It is not converted to a float on the way.
func appendNumber[T interface{ Append(b []byte) []byte }](b []byte, number *T) []byte {
	if number == nil {
		return append(b, "null"...)
	}
	return (*number).Append(b)
}

// appendString appends s as a JSON string (RFC 8259, 7). It escapes only what JSON requires, unlike encoding/json, which escapes for
// HTML, too. Bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		default:
			b = append(b, c)
		}
		i++
	}
	return append(b, '"')
}
