package event_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/event"
)

// TestDiffIsEmptyWhenTheHashesAreEqual takes the events by pairs, so that it sees changes back too.
func TestDiffIsEmptyWhenTheHashesAreEqual(t *testing.T) {
	t.Parallel()
	all := mutations(t)
	all = append(all, mutation{"nothing", full(t)}, mutation{"nothing, again", full(t)})
	for _, a := range all {
		if strings.HasPrefix(a.field, "Event.Key") { // the key names the event: it has no history of its own
			continue
		}
		for _, b := range all {
			if strings.HasPrefix(b.field, "Event.Key") {
				continue
			}
			changes := event.Diff(a.event, b.event)
			if same := a.event.Hash() == b.event.Hash(); same != (len(changes) == 0) {
				t.Errorf("%s to %s: hashes equal %t, changes %v", a.field, b.field, same, changes)
			}
		}
	}
}

func TestDiffOfOffersIsEmptyWhenTheHashesAreEqual(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := &event.Event{Offers: drawOffers(t)}, &event.Event{Offers: drawOffers(t)}
		if same := a.Hash() == b.Hash(); same != (len(event.Diff(a, b)) == 0) {
			t.Fatalf("hashes equal %t, changes %v", same, event.Diff(a, b))
		}
	})
}

// TestDiffOfAttributes: PostgreSQL keeps JSON by its meaning, and writes it in its own way.
func TestDiffOfAttributes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		before, after string
		same          bool
	}{
		{`{"a":"Simon \u0026 Garfunkel"}`, `{"a":"Simon & Garfunkel"}`, true},
		{`{"a":1500,"b":[0.0000001]}`, `{"b":[1e-7],"a":1.5e3}`, true},
		{`{"a":12345678901234567890}`, `{"a":12345678901234567891}`, false},
		{`{"a":1}`, `{"a":"1"}`, false},
		{`{"a":[1,2]}`, `{"a":[2,1]}`, false},
		{`{"a":1}`, ``, false},
		{``, ``, true},
	} {
		changes := event.Diff(&event.Event{Attributes: json.RawMessage(tc.before)}, &event.Event{Attributes: json.RawMessage(tc.after)})
		if same := len(changes) == 0; same != tc.same {
			t.Errorf("%s to %s: %v", tc.before, tc.after, changes)
		}
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	madrid := zone(t, "Europe/Madrid")
	field := func(name string, before, after any) event.FieldChange {
		return event.FieldChange{Field: name, Before: before, After: after}
	}
	tests := map[string]struct {
		before, after func(*event.Event)
		want          []event.Change
	}{
		"nothing": {},
		"a later start": {
			after: func(e *event.Event) { e.Start = local(t, "2030-06-30T21:15").At(madrid) },
			want: []event.Change{{Kind: event.ChangeRescheduled, Fields: []event.FieldChange{
				field("startsAt", "2030-06-30T19:00:00Z", "2030-06-30T19:15:00Z"),
				field("startsLocal", "2030-06-30T21:00:00", "2030-06-30T21:15:00"),
			}}},
		},
		"no end any more": {
			after: func(e *event.Event) { e.End = event.Moment{} },
			want: []event.Change{{Kind: event.ChangeRescheduled, Fields: []event.FieldChange{
				field("endsAt", "2030-06-30T20:30:00Z", nil),
				field("endsLocal", "2030-06-30T22:30:00", nil),
			}}},
		},
		"another title": {
			after: func(e *event.Event) { e.Title = "Lanterns" },
			want: []event.Change{{Kind: event.ChangeRetitled, Fields: []event.FieldChange{
				field("title", "The Lantern Parade, the last night", "Lanterns"),
			}}},
		},
		"a lower price": {
			after: func(e *event.Event) { e.Offers[1].Price = decimal(t, "12"); e.SetPriceBounds(event.PriceAllOffers) },
			want: []event.Change{
				{Kind: event.ChangePrice, Fields: []event.FieldChange{field("minPrice", "15.5", "12")}},
				{Kind: event.ChangeDetails, Fields: []event.FieldChange{
					field("offers", event.OffersSummary{Count: 2, Capacity: new(int64(243))}, event.OffersSummary{Count: 2, Capacity: new(int64(243)), Changed: new(1)}),
				}},
			},
		},
		"no offers any more": {
			after: func(e *event.Event) { e.Offers = nil; e.SetPriceBounds(event.PriceAllOffers) },
			want: []event.Change{
				{Kind: event.ChangePrice, Fields: []event.FieldChange{field("minPrice", "15.5", nil), field("maxPrice", "20", nil)}},
				{Kind: event.ChangeDetails, Fields: []event.FieldChange{
					field("offers", event.OffersSummary{Count: 2, Capacity: new(int64(243))}, event.OffersSummary{Changed: new(0)}),
				}},
			},
		},
		"a free price is not none": {
			before: func(e *event.Event) { e.MinPrice = decimal(t, "0") },
			after:  func(e *event.Event) { e.MinPrice = nil },
			want:   []event.Change{{Kind: event.ChangePrice, Fields: []event.FieldChange{field("minPrice", "0", nil)}}},
		},
		"sold out, says the provider": {
			after: func(e *event.Event) { e.SoldOut = new(true) },
			want:  []event.Change{{Kind: event.ChangeSoldOut, Fields: []event.FieldChange{field("soldOut", false, true)}}},
		},
		"back on sale": {
			before: func(e *event.Event) { e.SoldOut = new(true) },
			want:   []event.Change{{Kind: event.ChangeBackOnSale, Fields: []event.FieldChange{field("soldOut", true, false)}}},
		},
		"sold out, by its seats": {
			before: func(e *event.Event) { e.SoldOut = nil },
			after:  func(e *event.Event) { e.SoldOut = nil; e.Offers[0].Capacity = new(int32(0)) },
			want: []event.Change{
				{Kind: event.ChangeSoldOut, Fields: []event.FieldChange{field("soldOut", false, true)}},
				{Kind: event.ChangeDetails, Fields: []event.FieldChange{
					field("offers", event.OffersSummary{Count: 2, Capacity: new(int64(243))}, event.OffersSummary{Count: 2, Capacity: new(int64(0)), Changed: new(1)}),
				}},
			},
		},
		"the provider says no more whether it is sold out": {
			after: func(e *event.Event) { e.SoldOut = nil },
			want:  []event.Change{{Kind: event.ChangeDetails, Fields: []event.FieldChange{field("soldOut", false, nil)}}},
		},
		"cancelled": {
			after: func(e *event.Event) { e.Status = event.StatusCancelled },
			want:  []event.Change{{Kind: event.ChangeCancelled, Fields: []event.FieldChange{field("status", "SCHEDULED", "CANCELLED")}}},
		},
		"not cancelled any more": {
			before: func(e *event.Event) { e.Status = event.StatusCancelled },
			want:   []event.Change{{Kind: event.ChangeDetails, Fields: []event.FieldChange{field("status", "CANCELLED", "SCHEDULED")}}},
		},
		"details of one kind stand together": {
			after: func(e *event.Event) {
				e.Description, e.Online, e.SaleEnd, e.Place.City = "", false, time.Time{}, "Cádiz"
				e.Categories = []string{"music"}
			},
			want: []event.Change{{Kind: event.ChangeDetails, Fields: []event.FieldChange{
				field("description", "Lights.", nil),
				field("categories", []string{"music", "family"}, []string{"music"}),
				field("saleEndsAt", "2030-06-30T00:00:00Z", nil),
				field("online", true, false),
				field("place.city", "Madrid", "Cádiz"),
			}}},
		},
		"a capacity": {
			after: func(e *event.Event) { e.Offers[0].Capacity = nil },
			want: []event.Change{{Kind: event.ChangeDetails, Fields: []event.FieldChange{
				field("offers", event.OffersSummary{Count: 2, Capacity: new(int64(243))}, event.OffersSummary{Count: 2, Capacity: new(int64(0)), Changed: new(1)}),
			}}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, after := full(t), full(t)
			if test.before != nil {
				test.before(before)
			}
			if test.after != nil {
				test.after(after)
			}
			if diff := cmp.Diff(test.want, event.Diff(before, after)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}
