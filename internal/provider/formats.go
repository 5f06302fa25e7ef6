package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/icalendar"
	"github.com/aledotdev/marquee/internal/provider/mapped"
	"github.com/aledotdev/marquee/internal/provider/planlist"
)

// decoder reads the snapshots of one provider.
type decoder struct {
	decode   func(context.Context, io.Reader, event.Defaults) iter.Seq2[event.Record, error]
	version  int    // rises when the same bytes and settings would give other events than before
	settings string // identifies the format's own settings; empty if it has none
	charset  bool   // the feed's charset may be that of Content-Type
	// moment names the time as coarsely as the events depend on it. Nil if they don't.
	moment func() string
	// decodeUnknown does not read records that are known. Nil if the format's records can't be identified without reading them.
	decodeUnknown func(io.Reader, event.Defaults, event.Skip) iter.Seq2[event.Record, error]
}

// formats are all formats: a new one takes a folder, and a line here.
//
//nolint:gochecknoglobals // A constant: Go has no literal for constant maps.
var formats = map[string]func(Config, func() time.Time) (decoder, error){
	"planlist":  newPlanlist,
	"icalendar": newICalendar,
	mapped.JSON: newMapped,
	mapped.XML:  newMapped,
	mapped.CSV:  newMapped,
}

func newDecoder(c Config, clock func() time.Time) (decoder, error) {
	construct, ok := formats[c.Format]
	if !ok {
		return decoder{}, c.fail("format", fmt.Errorf("%q: want one of %s", c.Format, strings.Join(slices.Sorted(maps.Keys(formats)), ", ")))
	}
	for _, setting := range []struct {
		field   string
		given   bool
		formats []string
	}{
		{"map", c.Map != "", []string{mapped.JSON, mapped.XML, mapped.CSV}},
		{"records", c.Records != "", []string{mapped.JSON, mapped.XML, mapped.CSV}},
		{"csv", c.CSV != CSVConfig{}, []string{mapped.CSV}},
		{"xml", c.XML.Lists != nil, []string{mapped.XML}},
		{"horizon", c.Horizon != HorizonConfig{}, []string{"icalendar"}},
	} {
		if setting.given && !slices.Contains(setting.formats, c.Format) {
			return decoder{}, c.fail(setting.field, fmt.Errorf("means nothing for the format %s", c.Format))
		}
	}
	return construct(c, clock)
}

func newPlanlist(Config, func() time.Time) (decoder, error) {
	decode := func(_ context.Context, r io.Reader, defaults event.Defaults) iter.Seq2[event.Record, error] {
		return planlist.Decode(r, defaults)
	}
	return decoder{decode: decode, version: planlist.Version, decodeUnknown: planlist.DecodeUnknown}, nil
}

func newMapped(c Config, _ func() time.Time) (decoder, error) {
	m, err := mapped.New(mapped.Settings{
		Format: c.Format, Map: c.Map, Records: c.Records,
		Separator: c.CSV.Separator, Charset: c.CSV.Charset, Lists: c.XML.Lists,
	})
	var wrong *mapped.SettingError
	switch {
	case errors.As(err, &wrong) && wrong.Line > 0:
		return decoder{}, c.failInProgram(wrong.Setting, wrong.Line,
			fmt.Errorf("line %d, column %d: %w", wrong.Line, wrong.Column, wrong.Err))
	case errors.As(err, &wrong):
		return decoder{}, c.fail(wrong.Setting, wrong.Err)
	case err != nil:
		return decoder{}, c.fail("map", err)
	}
	return decoder{decode: m.Decode, version: mapped.Version, settings: m.Fingerprint(), charset: c.Format == mapped.CSV && c.CSV.Charset == ""}, nil
}

// Days before and after today for which recurring events are expanded, unless the provider's file says otherwise.
const (
	defaultPastDays   = 30
	defaultFutureDays = 400
)

// newICalendar makes a decoder whose horizon moves by one day a day: so even an unchanged feed is decoded anew each day, and gives
// the dates that have come within the horizon.
func newICalendar(c Config, clock func() time.Time) (decoder, error) {
	past, future := defaultPastDays, defaultFutureDays
	if c.Horizon.PastDays != nil {
		past = *c.Horizon.PastDays
	}
	if c.Horizon.FutureDays != nil {
		future = *c.Horizon.FutureDays
	}
	horizon := func() icalendar.Horizon {
		today := clock().UTC().Truncate(24 * time.Hour)
		return icalendar.Horizon{From: today.AddDate(0, 0, -past), To: today.AddDate(0, 0, future+1)}
	}
	return decoder{
		decode: func(_ context.Context, r io.Reader, defaults event.Defaults) iter.Seq2[event.Record, error] {
			return icalendar.Decode(r, defaults, horizon())
		},
		version:  icalendar.Version,
		charset:  true,
		settings: fmt.Sprintf("-%d/+%d", past, future),
		moment:   func() string { return clock().UTC().Format(time.DateOnly) },
	}, nil
}
