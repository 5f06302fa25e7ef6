package event_test

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/event"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	text := func(n int) string { return strings.Repeat("x", n) }
	at := func(year int) event.Moment {
		return event.MomentOf(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC), time.UTC)
	}
	tests := map[string]struct {
		change func(*event.Event)
		reason event.Reason // empty: valid
		field  string
	}{
		"as it is":         {func(*event.Event) {}, "", ""},
		"the least":        {func(e *event.Event) { *e = event.Event{Key: event.Key{Event: "1"}, Title: "x", Start: e.Start} }, "", ""},
		"no id":            {func(e *event.Event) { e.Key.Event = "" }, event.ReasonMissingID, "id"},
		"no series":        {func(e *event.Event) { e.Key.Series = "" }, "", ""},
		"no title":         {func(e *event.Event) { e.Title = "" }, event.ReasonMissingTitle, "title"},
		"id first":         {func(e *event.Event) { e.Key.Event, e.Title = "", "" }, event.ReasonMissingID, "id"},
		"no start":         {func(e *event.Event) { e.Start = event.Moment{} }, event.ReasonInvalidDate, "start"},
		"no end":           {func(e *event.Event) { e.End = event.Moment{} }, "", ""},
		"end is start":     {func(e *event.Event) { e.End = e.Start }, "", ""},
		"end before start": {func(e *event.Event) { e.Start, e.End = e.End, e.Start }, event.ReasonEndBeforeStart, "end"},
		"sale ends early":  {func(e *event.Event) { e.SaleStart, e.SaleEnd = e.SaleEnd, e.SaleStart }, "", ""},
		"year 999":         {func(e *event.Event) { e.Start = at(999) }, event.ReasonInvalidDate, "start"},
		"year 1000":        {func(e *event.Event) { e.Start = at(1000) }, "", ""},
		"year 9999":        {func(e *event.Event) { e.End = at(9999) }, "", ""},
		"year 10000":       {func(e *event.Event) { e.End = at(10000) }, event.ReasonInvalidDate, "end"},
		"last hours of 9999": {
			func(e *event.Event) {
				e.End = event.MomentOf(time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC), time.UTC)
			}, event.ReasonInvalidDate, "end",
		},
		"first hours of 1000": {
			func(e *event.Event) {
				e.Start = event.MomentOf(time.Date(1000, 1, 1, 1, 0, 0, 0, time.UTC), time.UTC)
			}, event.ReasonInvalidDate, "start",
		},
		"sale start of year 1":    {func(e *event.Event) { e.SaleStart = at(1).Instant }, event.ReasonInvalidDate, "sale start"},
		"sale end of year 20000":  {func(e *event.Event) { e.SaleEnd = at(20000).Instant }, event.ReasonInvalidDate, "sale end"},
		"50 categories":           {func(e *event.Event) { e.Categories = slices.Repeat([]string{"x"}, event.MaxCategories) }, "", ""},
		"51 categories":           {func(e *event.Event) { e.Categories = slices.Repeat([]string{"x"}, event.MaxCategories+1) }, event.ReasonTooLarge, "categories"},
		"category of NUL":         {func(e *event.Event) { e.Categories = []string{"a", "\x00"} }, event.ReasonInvalidText, "categories"},
		"long category":           {func(e *event.Event) { e.Categories = []string{text(event.MaxNameBytes + 1)} }, event.ReasonTooLarge, "categories"},
		"10,000 offers":           {func(e *event.Event) { e.Offers = make([]event.Offer, event.MaxOffers) }, "", ""},
		"10,001 offers":           {func(e *event.Event) { e.Offers = make([]event.Offer, event.MaxOffers+1) }, event.ReasonTooLarge, "offers"},
		"offer without a price":   {func(e *event.Event) { e.Offers = []event.Offer{{}} }, "", ""},
		"long offer id":           {func(e *event.Event) { e.Offers[1].ExternalID = text(event.MaxIDBytes + 1) }, event.ReasonTooLarge, "offer id"},
		"offer id of bad bytes":   {func(e *event.Event) { e.Offers[1].ExternalID = "\xff" }, event.ReasonInvalidText, "offer id"},
		"long offer name":         {func(e *event.Event) { e.Offers[1].Name = text(event.MaxNameBytes + 1) }, event.ReasonTooLarge, "offer name"},
		"offer name of bad bytes": {func(e *event.Event) { e.Offers[1].Name = "\xff" }, event.ReasonInvalidText, "offer name"},
		"free":                    {func(e *event.Event) { e.Offers[1].Price = decimal(t, "0") }, "", ""},
		"negative price":          {func(e *event.Event) { e.Offers[1].Price = decimal(t, "-0.01") }, event.ReasonInvalidPrice, "price"},
		"negative capacity":       {func(e *event.Event) { e.Offers[1].Capacity = new(int32(-1)) }, event.ReasonInvalidNumber, "capacity"},
		"attributes, empty":       {func(e *event.Event) { e.Attributes = json.RawMessage{} }, "", ""},
		"attributes, a list":      {func(e *event.Event) { e.Attributes = json.RawMessage(`[]`) }, event.ReasonInvalidRecord, "attributes"},
		"attributes, broken":      {func(e *event.Event) { e.Attributes = json.RawMessage(`{"a":`) }, event.ReasonInvalidRecord, "attributes"},
		"attributes, bad bytes":   {func(e *event.Event) { e.Attributes = json.RawMessage("{\"a\":\"\xff\"}") }, event.ReasonInvalidText, "attributes"},
		"attributes, a NUL":       {func(e *event.Event) { e.Attributes = json.RawMessage(`{"a":"\\\u0000"}`) }, event.ReasonInvalidText, "attributes"},
		"attributes, no NUL":      {func(e *event.Event) { e.Attributes = json.RawMessage(`{"a":"x\\u0000y"}`) }, "", ""},
		"attributes, large":       {func(e *event.Event) { e.Attributes = json.RawMessage(text(event.MaxAttributesBytes + 1)) }, event.ReasonTooLarge, "attributes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := full(t)
			test.change(e)
			checkInvalid(t, e.Validate(), test.reason, test.field)
		})
	}
}

// checkInvalid wants no error when reason is empty.
func checkInvalid(t *testing.T, err error, reason event.Reason, field string) {
	t.Helper()
	if reason == "" {
		if err != nil {
			t.Errorf("invalid: %v", err)
		}
		return
	}
	var invalid *event.Invalid
	if !errors.As(err, &invalid) || invalid.Reason != reason || invalid.Field != field {
		t.Errorf("%v, want %s of %s", err, reason, field)
	}
}

func TestValidateTexts(t *testing.T) {
	t.Parallel()
	fields := map[string]struct {
		limit int
		of    func(*event.Event) *string
	}{
		"id":            {event.MaxIDBytes, func(e *event.Event) *string { return &e.Key.Event }},
		"series id":     {event.MaxIDBytes, func(e *event.Event) *string { return &e.Key.Series }},
		"series title":  {event.MaxTitleBytes, func(e *event.Event) *string { return &e.SeriesTitle }},
		"title":         {event.MaxTitleBytes, func(e *event.Event) *string { return &e.Title }},
		"description":   {event.MaxTextBytes, func(e *event.Event) *string { return &e.Description }},
		"url":           {event.MaxURLBytes, func(e *event.Event) *string { return &e.URL }},
		"imageUrl":      {event.MaxURLBytes, func(e *event.Event) *string { return &e.ImageURL }},
		"place.name":    {event.MaxNameBytes, func(e *event.Event) *string { return &e.Place.Name }},
		"place.address": {event.MaxNameBytes, func(e *event.Event) *string { return &e.Place.Address }},
		"place.city":    {event.MaxNameBytes, func(e *event.Event) *string { return &e.Place.City }},
		"place.country": {event.MaxNameBytes, func(e *event.Event) *string { return &e.Place.Country }},
		"organizer":     {event.MaxNameBytes, func(e *event.Event) *string { return &e.Organizer }},
	}
	for field, f := range fields {
		values := map[string]event.Reason{
			strings.Repeat("x", f.limit):         "",
			strings.Repeat("x", f.limit+1):       event.ReasonTooLarge,
			"Ñandú 🎭 \x01\t\n":                   "", // odd, but every reader can carry it
			"a\x00b":                             event.ReasonInvalidText,
			"a\xffb":                             event.ReasonInvalidText,
			"\xed\xa0\x80":                       event.ReasonInvalidText, // a surrogate
			"\xc0\x80":                           event.ReasonInvalidText, // an overlong NUL
			strings.Repeat("é", f.limit/2) + "é": event.ReasonTooLarge,    // bytes count, not characters
		}
		for value, reason := range values {
			e := full(t)
			*f.of(e) = value
			checkInvalid(t, e.Validate(), reason, field)
		}
	}
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	invalid := event.NewInvalid(event.ReasonInvalidPrice, "price", "abc\xff"+strings.Repeat("x", 500), io.EOF)
	if !errors.Is(invalid, io.EOF) {
		t.Error("the cause is lost")
	}
	if len(invalid.Value) > 80 || !utf8.ValidString(invalid.Value) {
		t.Errorf("value %q", invalid.Value)
	}
	for want, invalid := range map[string]*event.Invalid{
		`price: INVALID_PRICE "abc": EOF`: event.NewInvalid(event.ReasonInvalidPrice, "price", "abc", io.EOF),
		`id: MISSING_ID`:                  event.NewInvalid(event.ReasonMissingID, "id", "", nil),
		`start: INVALID_DATE: EOF`:        event.NewInvalid(event.ReasonInvalidDate, "start", "", io.EOF),
	} {
		if got := invalid.Error(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in    string
		limit int
		want  string
	}{
		{"", 10, ""},
		{"abc", 10, "abc"},
		{"abcdefghij", 10, "abcdefghij"},
		{"abcdefghijk", 10, "abcdefg…"},
		{"ñññññ", 10, "ñññññ"},
		{"ñññññx", 10, "ñññ…"},
		{"🎭🎭🎭", 10, "🎭…"},
		{"a\x00b", 10, "a\uFFFDb"},
		{"a\xffb", 10, "a\uFFFDb"},
		{"\x00\x00\x00\x00\x00", 10, "\uFFFD\uFFFD…"}, // what replaces them is longer
		{"abcdefghi\xc3", 10, "abcdefg…"},
	} {
		if got := event.Excerpt(test.in, test.limit); got != test.want {
			t.Errorf("Excerpt(%q, %d) = %q, want %q", test.in, test.limit, got, test.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte("\x00\xff\xc3\xe2\xf0a")))).Draw(t, "bytes"))
		if rapid.Bool().Draw(t, "text") {
			s = rapid.String().Draw(t, "string")
		}
		limit := rapid.IntRange(3, 40).Draw(t, "limit")
		got := event.Excerpt(s, limit)
		if len(got) > limit || !utf8.ValidString(got) || strings.ContainsRune(got, 0) {
			t.Fatalf("%q", got)
		}
		if len(s) <= limit && utf8.ValidString(s) && !strings.ContainsRune(s, 0) && got != s {
			t.Fatalf("%q, want it whole", got)
		}
	})
}

// TestStartThatClocksSkip: the end may come before a start that stands for a later one, and the message says so.
func TestStartThatClocksSkip(t *testing.T) {
	t.Parallel()
	e := full(t)
	e.Start, e.End = local(t, "2030-03-31T02:30").At(zone(t, e.Zone)), local(t, "2030-03-31T03:15").At(zone(t, e.Zone))
	if err := e.Validate(); err == nil || !strings.Contains(err.Error(), "2030-03-31T02:30:00, which clocks skip: 2030-03-31T03:30:00") {
		t.Errorf("%v", err)
	}
}
