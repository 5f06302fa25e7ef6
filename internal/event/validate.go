package event

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Reason is why a record was put into quarantine. There are no others than those below, so that metrics can count by them.
type Reason string

// The reasons.
const (
	ReasonMissingID      Reason = "MISSING_ID"
	ReasonMissingTitle   Reason = "MISSING_TITLE"
	ReasonInvalidDate    Reason = "INVALID_DATE"     // a date or time that does not exist or cannot be read
	ReasonEndBeforeStart Reason = "END_BEFORE_START" //
	ReasonInvalidPrice   Reason = "INVALID_PRICE"    // not a number, negative, or out of range
	ReasonInvalidNumber  Reason = "INVALID_NUMBER"   // not a number of seats, or neither true nor false
	ReasonInvalidText    Reason = "INVALID_TEXT"     // not UTF-8, or with a NUL
	ReasonTooLarge       Reason = "TOO_LARGE"        // over one of the limits below
	ReasonDuplicate      Reason = "DUPLICATE"        // a later record of the snapshot has the same key
	ReasonInvalidRecord  Reason = "INVALID_RECORD"   // anything else
)

// Limits of one event. They are far above what real feeds have, and keep one record from filling a
// page of an index, or a client's memory.
const (
	MaxIDBytes          = 200
	MaxTitleBytes       = 1_000
	MaxTextBytes        = 64 << 10 // a description
	MaxURLBytes         = 2_048
	MaxNameBytes        = 500 // names of places, organizers, offers, categories
	MaxCategories       = 50
	MaxOffers           = 10_000
	MaxAttributesBytes  = 64 << 10
	maxExcerptOfInvalid = 80
)

// Invalid is the fault of one record: what is wrong with which field. It concerns that record only, not the snapshot.
//
//nolint:errname // The word of the domain: a record is valid or invalid.
type Invalid struct {
	Reason Reason
	Field  string // by its name in the feed if it has one, such as plan_start_date
	Value  string // the beginning of the field's value, up to 80 bytes
	Err    error  // says more than Reason; may be nil
}

// NewInvalid makes an Invalid, with the value cut to 80 bytes.
func NewInvalid(reason Reason, field, value string, err error) *Invalid {
	return &Invalid{Reason: reason, Field: field, Value: Excerpt(value, maxExcerptOfInvalid), Err: err}
}

// NewDuplicate is the fault of a record if a later one, at winner, has the same key and other content.
func NewDuplicate(key Key, winner Position) *Invalid {
	return NewInvalid(ReasonDuplicate, "id", key.Event, fmt.Errorf("%s has the same key and other content; it counts", winner))
}

// Error names the field, the value and what is wrong.
func (i *Invalid) Error() string {
	text := fmt.Sprintf("%s: %s", i.Field, i.Reason)
	if i.Value != "" {
		text += fmt.Sprintf(" %q", i.Value)
	}
	if i.Err != nil {
		text += ": " + i.Err.Error()
	}
	return text
}

// Unwrap is Err.
func (i *Invalid) Unwrap() error { return i.Err }

// Excerpt is the beginning of s, at most limit bytes of valid UTF-8 without NULs, so that it can be stored and
// shown whatever s is. If s was cut, it ends in an ellipsis, which takes three of the bytes.
func Excerpt(s string, limit int) string {
	const ellipsis, bad = "…", string(utf8.RuneError)
	out := strings.ReplaceAll(strings.ToValidUTF8(s[:min(len(s), limit)], bad), "\x00", bad)
	if len(s) <= limit && len(out) <= limit {
		return out
	}
	end := min(len(out), max(0, limit-len(ellipsis)))
	for end > 0 && end < len(out) && !utf8.RuneStart(out[end]) {
		end--
	}
	return out[:end] + ellipsis
}

var (
	errNotUTF8  = errors.New("not UTF-8, or with a NUL character")
	errYear     = fmt.Errorf("outside the years %d to %d", minYear, maxYear)
	errNegative = errors.New("below 0")
	errNotJSON  = errors.New("not a JSON object")
)

// Validate checks the event by the catalog's rules. The error is an *Invalid.
func (e *Event) Validate() error {
	if invalid := cmp.Or(e.checkIdentity(), e.checkTexts(), e.checkTimes(), e.checkOffers(), e.checkAttributes()); invalid != nil {
		return invalid
	}
	return nil
}

func (e *Event) checkIdentity() *Invalid {
	switch {
	case e.Key.Event == "":
		return NewInvalid(ReasonMissingID, "id", "", nil)
	case e.Title == "":
		return NewInvalid(ReasonMissingTitle, "title", "", nil)
	}
	return nil
}

func (e *Event) checkTexts() *Invalid {
	texts := []struct {
		field, value string
		limit        int
	}{
		{"id", e.Key.Event, MaxIDBytes},
		{"series id", e.Key.Series, MaxIDBytes},
		{"series title", e.SeriesTitle, MaxTitleBytes},
		{"title", e.Title, MaxTitleBytes},
		{"description", e.Description, MaxTextBytes},
		{"url", e.URL, MaxURLBytes},
		{"imageUrl", e.ImageURL, MaxURLBytes},
		{"place.name", e.Place.Name, MaxNameBytes},
		{"place.address", e.Place.Address, MaxNameBytes},
		{"place.city", e.Place.City, MaxNameBytes},
		{"place.country", e.Place.Country, MaxNameBytes},
		{"organizer", e.Organizer, MaxNameBytes},
	}
	for _, t := range texts {
		if invalid := checkText(t.field, t.value, t.limit); invalid != nil {
			return invalid
		}
	}
	if len(e.Categories) > MaxCategories {
		return NewInvalid(ReasonTooLarge, "categories", "", fmt.Errorf("%d, the limit is %d", len(e.Categories), MaxCategories))
	}
	for _, c := range e.Categories {
		if invalid := checkText("categories", c, MaxNameBytes); invalid != nil {
			return invalid
		}
	}
	return nil
}

// WebAddress is text without white space around it if it is an http or https URL with a host, to which a page may link. For anything
// else (javascript:, data:, a path alone) it is empty.
func WebAddress(text string) string {
	text = strings.TrimSpace(text)
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
		return ""
	}
	return text
}

func checkText(field, value string, limit int) *Invalid {
	if len(value) > limit {
		return NewInvalid(ReasonTooLarge, field, value, fmt.Errorf("%d bytes, the limit is %d", len(value), limit))
	}
	if !isText(value) {
		return NewInvalid(ReasonInvalidText, field, value, errNotUTF8)
	}
	return nil
}

func isText(s string) bool { return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) }

func (e *Event) checkTimes() *Invalid {
	if e.Start.IsZero() {
		return NewInvalid(ReasonInvalidDate, "start", "", errors.New("missing"))
	}
	times := []struct {
		field string
		value time.Time
	}{{"start", e.Start.Instant}, {"end", e.End.Instant}, {"sale start", e.SaleStart}, {"sale end", e.SaleEnd}}
	for _, t := range times {
		// With a day's margin the wall clock is within these years, too, whatever the zone.
		if !t.value.IsZero() && (t.value.Add(-24*time.Hour).Year() < minYear || t.value.Add(24*time.Hour).Year() > maxYear) {
			return NewInvalid(ReasonInvalidDate, t.field, t.value.String(), errYear)
		}
	}
	if e.HasEnd() && e.End.Instant.Before(e.Start.Instant) {
		return NewInvalid(ReasonEndBeforeStart, "end", e.End.Local.String(), fmt.Errorf("the start is %s", e.startAsUsed()))
	}
	return nil
}

// startAsUsed is the start for people. If clocks skip the reading, it stands for a later one, which is shown as well.
func (e *Event) startAsUsed() string {
	shown := e.Start.Local.String()
	if zone, err := LoadZone(e.Zone); err == nil {
		if shows := LocalOf(e.Start.Instant.In(zone)); shows != e.Start.Local {
			shown += ", which clocks skip: " + shows.String()
		}
	}
	return shown
}

func (e *Event) checkOffers() *Invalid {
	if len(e.Offers) > MaxOffers {
		return NewInvalid(ReasonTooLarge, "offers", "", fmt.Errorf("%d, the limit is %d", len(e.Offers), MaxOffers))
	}
	for i := range e.Offers {
		o := &e.Offers[i]
		if invalid := checkText("offer id", o.ExternalID, MaxIDBytes); invalid != nil {
			return invalid
		}
		if invalid := checkText("offer name", o.Name, MaxNameBytes); invalid != nil {
			return invalid
		}
		if o.Price != nil && o.Price.Negative() {
			return NewInvalid(ReasonInvalidPrice, "price", o.Price.String(), errNegative)
		}
		if o.Capacity != nil && *o.Capacity < 0 {
			return NewInvalid(ReasonInvalidNumber, "capacity", fmt.Sprint(*o.Capacity), errNegative)
		}
	}
	return nil
}

func (e *Event) checkAttributes() *Invalid {
	if len(e.Attributes) == 0 {
		return nil
	}
	if len(e.Attributes) > MaxAttributesBytes {
		return NewInvalid(ReasonTooLarge, "attributes", "", fmt.Errorf("%d bytes, the limit is %d", len(e.Attributes), MaxAttributesBytes))
	}
	switch {
	case e.Attributes[0] != '{' || !json.Valid(e.Attributes):
		return NewInvalid(ReasonInvalidRecord, "attributes", string(e.Attributes), errNotJSON)
	case !isText(string(e.Attributes)) || hasNUL(e.Attributes):
		return NewInvalid(ReasonInvalidText, "attributes", string(e.Attributes), errNotUTF8)
	}
	return nil
}

// hasNUL reports whether JSON has the escape of a NUL: \u0000 with a backslash that is not escaped itself.
func hasNUL(text []byte) bool {
	for {
		at := bytes.Index(text, []byte(`\u0000`))
		if at < 0 {
			return false
		}
		before := len(text[:at]) - len(bytes.TrimRight(text[:at], `\`))
		if before%2 == 0 {
			return true
		}
		text = text[at+len(`\u0000`):]
	}
}
