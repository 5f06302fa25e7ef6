// Package scalar writes and reads the SDL's scalars.
package scalar

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

// quoted writes text that needs no escaping.
func quoted(text string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, `"`+text+`"`) // a failing writer is the transport's to notice
	})
}

// text is an input value as a string; empty, which is never valid, if it is none or longer than all that are.
func text(v any) string {
	s, _ := v.(string)
	if len(s) > 100 {
		return ""
	}
	return s
}

// wrong is the error for a value that is none of its scalar. Its argument is the path at which gqlgen
// puts it.
func wrong(message string) error {
	return &catalog.Error{Code: catalog.CodeBadUserInput, Message: message}
}

// What a value should have looked like.
const (
	wantID       = "not an id: want a UUID such as 9544cef3-7587-5640-92c0-59fe2667d370"
	wantRunID    = "not the number of a run"
	wantInstant  = "not a DateTime: want RFC 3339 such as 2021-06-30T19:00:00Z"
	wantLocal    = "not a LocalDateTime: want a form such as 2021-06-30T21:00:00"
	wantBound    = "not a date that exists: want a form such as 2021-06-30, 2021-06-30T20:00 or 2021-06-30T20:00:00+02:00"
	wantTimeZone = "not a time zone: want an IANA name such as Europe/Madrid"
	wantDecimal  = "not a Decimal: want a form such as \"15.5\""
	wantDigits   = "not a Decimal: want up to 12 digits before the point and 6 behind it"
)

// MarshalID writes a UUID.
func MarshalID(id event.ID) graphql.Marshaler { return quoted(id.String()) }

// UnmarshalID reads a UUID.
func UnmarshalID(v any) (event.ID, error) {
	id, err := event.ParseID(text(v))
	if err != nil {
		return event.ID{}, wrong(wantID)
	}
	return id, nil
}

// MarshalRunID writes the number of a run.
func MarshalRunID(id int64) graphql.Marshaler { return quoted(strconv.FormatInt(id, 10)) }

// UnmarshalRunID reads the number of a run.
func UnmarshalRunID(v any) (int64, error) {
	s := text(v)
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, wrong(wantRunID)
	}
	return id, nil
}

// MarshalDateTime writes an instant, to the second, in UTC.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return quoted(t.UTC().Format("2006-01-02T15:04:05Z"))
}

// UnmarshalDateTime reads an instant.
func UnmarshalDateTime(v any) (time.Time, error) {
	s := text(v)
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, wrong(wantInstant)
	}
	return t, nil
}

// MarshalLocalDateTime writes a wall clock reading, null for none.
func MarshalLocalDateTime(l event.LocalDateTime) graphql.Marshaler {
	if l.IsZero() {
		return graphql.Null
	}
	return quoted(l.String())
}

// UnmarshalLocalDateTime reads a wall clock reading.
func UnmarshalLocalDateTime(v any) (event.LocalDateTime, error) {
	l, err := event.ParseLocal(text(v))
	if err != nil {
		return event.LocalDateTime{}, wrong(wantLocal)
	}
	return l, nil
}

// MarshalDateOrDateTime writes a bound. The SDL uses the scalar for input only.
func MarshalDateOrDateTime(b catalog.Bound) graphql.Marshaler { return quoted(b.String()) }

// UnmarshalDateOrDateTime reads a bound.
func UnmarshalDateOrDateTime(v any) (catalog.Bound, error) {
	b, ok := catalog.ParseBound(text(v))
	if !ok {
		return catalog.Bound{}, wrong(wantBound)
	}
	return b, nil
}

// MarshalTimeZone writes a zone's name.
func MarshalTimeZone(zone *time.Location) graphql.Marshaler { return quoted(zone.String()) }

// UnmarshalTimeZone reads a zone's name.
func UnmarshalTimeZone(v any) (*time.Location, error) {
	zone, err := event.LoadZone(text(v))
	if err != nil {
		return nil, wrong(wantTimeZone)
	}
	return zone, nil
}

// MarshalDecimal writes an exact number, as a string: JavaScript's numbers are not exact.
func MarshalDecimal(d event.Decimal) graphql.Marshaler { return quoted(d.String()) }

// UnmarshalDecimal reads a string or a number.
func UnmarshalDecimal(v any) (event.Decimal, error) {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case json.Number:
		s = v.String()
	case int64, int:
		s = fmt.Sprint(v)
	case float64:
		s = strconv.FormatFloat(v, 'f', -1, 64)
	}
	d, err := event.ParseDecimal(s)
	if errors.Is(err, event.ErrDecimalRange) {
		return event.Decimal{}, wrong(wantDigits)
	}
	if len(s) > 100 || err != nil {
		return event.Decimal{}, wrong(wantDecimal)
	}
	return d, nil
}

// MarshalJSON writes a JSON value as it is, null for none.
func MarshalJSON(raw json.RawMessage) graphql.Marshaler {
	if len(raw) == 0 {
		return graphql.Null
	}
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(raw) })
}

// UnmarshalJSON reads any value.
func UnmarshalJSON(v any) (json.RawMessage, error) { return json.Marshal(v) }
