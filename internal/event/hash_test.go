package event_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/event"
)

func TestHashOfEqualEvents(t *testing.T) {
	t.Parallel()
	a, b := full(t), full(t)
	if a.Hash() != b.Hash() {
		t.Error("equal events have different hashes")
	}
	b.Start.Instant = b.Start.Instant.In(zone(t, "Asia/Tokyo")) // the same instant
	b.Key.Provider = "another"
	if a.Hash() != b.Hash() {
		t.Error("the hash depends on a time's location, or on the provider")
	}
	empty := &event.Event{Categories: []string{}, Offers: []event.Offer{}, Attributes: json.RawMessage{}}
	if (&event.Event{}).Hash() != empty.Hash() {
		t.Error("an empty list is another than none")
	}
}

// TestHashIsStable fails when the encoding changes: raise HashVersion then, and put the new value here.
func TestHashIsStable(t *testing.T) {
	t.Parallel()
	hash := full(t).Hash()
	if got, want := hex.EncodeToString(hash[:]), "0a5e10bf2cd045448c2631c410e061fb"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestEveryFieldChangesTheHash(t *testing.T) {
	t.Parallel()
	hash := full(t).Hash()
	for _, m := range mutations(t) {
		if ofKeyProvider := strings.HasPrefix(m.field, "Event.Key.Provider"); (m.event.Hash() == hash) != ofKeyProvider {
			t.Errorf("%s: the same hash %t, want %t", m.field, !ofKeyProvider, ofKeyProvider)
		}
	}
}

// TestHashKeepsTextsApart: what moves from one text to the next gives another hash.
func TestHashKeepsTextsApart(t *testing.T) {
	t.Parallel()
	for name, pair := range map[string][2]event.Event{
		"neighbours": {{Title: "ab", Description: "c"}, {Title: "a", Description: "bc"}},
		"categories": {{Categories: []string{"a,b"}}, {Categories: []string{"a", "b"}}},
		"lists":      {{Categories: []string{"a"}}, {Categories: []string{"a", ""}}},
		"no price":   {{MinPrice: decimal(t, "0")}, {MaxPrice: decimal(t, "0")}},
	} {
		if pair[0].Hash() == pair[1].Hash() {
			t.Errorf("%s: the same hash", name)
		}
	}
}

func drawOffers(t *rapid.T) []event.Offer {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]{0,12}`),
		rapid.SampledFrom([]string{"", "<b>&amp;</b>", "\"\\/", "\u2028\u2029", "\x7f", "\xff\xfe", "\x00\x01\b\f\n\r\t", "Grada 2 Ñ", "\U0001F3AD"}))
	offers := make([]event.Offer, rapid.IntRange(0, 4).Draw(t, "offers"))
	for i := range offers {
		o := &offers[i]
		o.ExternalID, o.Name = text.Draw(t, "id"), text.Draw(t, "name")
		if rapid.Bool().Draw(t, "priced") {
			o.Price = new(drawDecimal(t, "price"))
		}
		if rapid.Bool().Draw(t, "counted") {
			o.Capacity = new(rapid.Int32().Draw(t, "capacity"))
		}
		if rapid.Bool().Draw(t, "seated") {
			o.Numbered = new(rapid.Bool().Draw(t, "numbered"))
		}
	}
	return offers
}

func TestAppendOffersIsWhatEncodingJSONWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		offers := drawOffers(t)
		want, err := json.Marshal(offers)
		if err != nil {
			t.Fatal(err)
		}
		if got := event.AppendOffers([]byte("x"), offers); string(got) != "x"+string(want) {
			t.Fatalf("got  %s\nwant x%s", got, want)
		}
		if slices.ContainsFunc(offers, func(o event.Offer) bool { return !utf8.ValidString(o.ExternalID + o.Name) }) {
			return // never stored: Validate refuses it
		}
		var read []event.Offer
		if err := json.Unmarshal(want, &read); err != nil {
			t.Fatal(err)
		}
		if again := event.AppendOffers(nil, read); !bytes.Equal(again, want) {
			t.Fatalf("%s comes back as %s", want, again)
		}
	})
}

func TestAppendOffersOfNone(t *testing.T) {
	t.Parallel()
	if got := string(event.AppendOffers(nil, nil)); got != "[]" {
		t.Error(got)
	}
	if got := string(event.AppendOffers(nil, []event.Offer{{}})); got != "[{}]" {
		t.Error(got)
	}
}
