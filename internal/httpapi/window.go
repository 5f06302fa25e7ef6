package httpapi

import (
	"net/url"
	"strings"

	"github.com/aledotdev/marquee/internal/catalog"
)

// maxQuery bounds the query string of a search, in bytes.
const maxQuery = 8 << 10

// The parameters of /search.
const (
	startsAt = "starts_at"
	endsAt   = "ends_at"
)

const boundForms = ": want a date (2021-06-30) or a date and time (2021-06-30T20:00, 2021-06-30T20:00:00), " +
	"with or without an offset (Z, +02:00)"

// parseWindow reads the window of a search. A parameter that is absent or empty leaves its side open. One that is given twice is refused,
// and so is a query string that is malformed anywhere: the rest of it might ask for something else. Other parameters are ignored.
func parseWindow(query string) (catalog.Window, error) {
	if len(query) > maxQuery {
		return catalog.Window{}, badInput("", "the query string is longer than 8 KiB")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return catalog.Window{}, badInput("", "the query string is malformed: want "+startsAt+"=…&"+endsAt+"=…, percent-encoded")
	}
	w := catalog.Window{Match: catalog.Contained, Inclusive: true}
	if w.From, err = parseBound(startsAt, values[startsAt]); err != nil {
		return catalog.Window{}, err
	}
	if w.To, err = parseBound(endsAt, values[endsAt]); err != nil {
		return catalog.Window{}, err
	}
	return w, w.Check(startsAt, endsAt)
}

func parseBound(name string, values []string) (*catalog.Bound, error) {
	if len(values) > 1 {
		return nil, badInput(name, name+" is given more than once")
	}
	if len(values) == 0 || values[0] == "" {
		return nil, nil //nolint:nilnil // No bound is a bound like any other: an open side.
	}
	bound, ok := catalog.ParseBound(normalize(values[0]))
	if !ok {
		return nil, badInput(name, name+boundForms)
	}
	return &bound, nil
}

// normalize makes a bound of what often stands in a URL. A + that was not escaped arrives as a space: after a time, that is the + of an
// offset; after a date it may as well stand for T, and is left. A date with an offset, 2021-06-30+02:00, becomes the midnight there.
func normalize(s string) string {
	const date = len("2006-01-02")
	if len(s) <= date {
		return s
	}
	switch s[date] {
	case 'T':
		return strings.Replace(s, " ", "+", 1)
	case '+', '-', 'Z', 'z':
		return s[:date] + "T00:00:00" + s[date:]
	default:
		return s
	}
}
