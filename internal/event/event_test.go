package event_test

import (
	"testing"

	"github.com/aledotdev/marquee/internal/event"
)

func TestIsSoldOut(t *testing.T) {
	t.Parallel()
	seats := func(n int32) event.Offer { return event.Offer{Capacity: &n} }
	tests := map[string]struct {
		says   *bool
		offers []event.Offer
		want   bool
	}{
		"no word, no offers":           {nil, nil, false},
		"no word, unknown capacity":    {nil, []event.Offer{{}}, false},
		"no word, seats":               {nil, []event.Offer{seats(3)}, false},
		"no word, no seats":            {nil, []event.Offer{seats(0), seats(0)}, true},
		"no word, some seats":          {nil, []event.Offer{seats(0), seats(1)}, false},
		"no word, one unknown":         {nil, []event.Offer{seats(0), {}}, false},
		"yes, whatever the seats":      {new(true), []event.Offer{seats(3)}, true},
		"yes, no offers":               {new(true), nil, true},
		"no, whatever the seats":       {new(false), []event.Offer{seats(0)}, false},
		"no, although there is no one": {new(false), nil, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := event.Event{SoldOut: test.says, Offers: test.offers}
			if got := e.IsSoldOut(); got != test.want {
				t.Errorf("%t, want %t", got, test.want)
			}
		})
	}
}

func TestSetPriceBounds(t *testing.T) {
	t.Parallel()
	offer := func(price string, capacity int32) event.Offer {
		return event.Offer{ExternalID: "186", Price: decimal(t, price), Capacity: &capacity}
	}
	tests := map[string]struct {
		rule     event.PriceRule
		offers   []event.Offer
		min, max string // empty: none
	}{
		"no offers":                      {event.PriceAllOffers, nil, "", ""},
		"no price":                       {event.PriceAllOffers, []event.Offer{{Name: "Stalls"}}, "", ""},
		"one":                            {event.PriceAllOffers, []event.Offer{offer("20", 1)}, "20", "20"},
		"one id twice":                   {event.PriceAllOffers, []event.Offer{offer("75.00", 2), offer("65.00", 16)}, "65", "75"},
		"free":                           {event.PriceAllOffers, []event.Offer{offer("0.00", 2)}, "0", "0"},
		"free and not":                   {event.PriceAllOffers, []event.Offer{offer("9.5", 2), offer("0", 2)}, "0", "9.5"},
		"by number, not by text":         {event.PriceAllOffers, []event.Offer{offer("100", 2), offer("9", 2)}, "9", "100"},
		"some without a price":           {event.PriceAllOffers, []event.Offer{{}, offer("9", 2), {}}, "9", "9"},
		"no seats count with all":        {event.PriceAllOffers, []event.Offer{offer("75", 0), offer("65", 14)}, "65", "75"},
		"no rule is all":                 {"", []event.Offer{offer("75", 0), offer("65", 14)}, "65", "75"},
		"no seats don't count otherwise": {event.PriceWithCapacity, []event.Offer{offer("75", 0), offer("65", 14)}, "65", "65"},
		"unknown seats count":            {event.PriceWithCapacity, []event.Offer{{Price: decimal(t, "5")}, offer("65", 0)}, "5", "5"},
		"no seats anywhere":              {event.PriceWithCapacity, []event.Offer{offer("75", 0)}, "", ""},
	}
	text := func(d *event.Decimal) string {
		if d == nil {
			return ""
		}
		return d.String()
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := event.Event{Offers: test.offers, MinPrice: decimal(t, "1"), MaxPrice: decimal(t, "1")}
			e.SetPriceBounds(test.rule)
			if text(e.MinPrice) != test.min || text(e.MaxPrice) != test.max {
				t.Errorf("%q to %q, want %q to %q", text(e.MinPrice), text(e.MaxPrice), test.min, test.max)
			}
		})
	}
}

func TestLastInstant(t *testing.T) {
	t.Parallel()
	e := full(t)
	if got := e.LastInstant(); !e.HasEnd() || !got.Equal(e.End.Instant) {
		t.Errorf("%s, want the end", got)
	}
	e.End = event.Moment{}
	if got := e.LastInstant(); e.HasEnd() || !got.Equal(e.Start.Instant) {
		t.Errorf("%s, want the start", got)
	}
}
