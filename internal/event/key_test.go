package event_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/event"
)

// TestIDsAreFixed: these ids are in clients' bookmarks and calendars. They never change, whatever the code does.
func TestIDsAreFixed(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]event.ID{
		"9544cef3-7587-5640-92c0-59fe2667d370": event.Key{Provider: "acme", Series: "291", Event: "291"}.ID(),
		"67edd418-341e-53c2-b1a6-4f25bae9f439": event.Key{Provider: "acme", Series: "322", Event: "1642"}.ID(),
		"42bec189-bece-53c0-ac6e-7e183337a4e5": event.Key{Provider: "acme", Series: "1591", Event: "1642"}.ID(),
		"1d62bc71-e25d-55fd-bc21-0343a97a6cd2": event.Key{Provider: "acme", Event: "1642"}.ID(),
		"4b07629f-3aa9-581b-bbb4-506f0a45d0ec": event.Key{Provider: "acme", Series: "Ñandú", Event: "日本"}.ID(),
		"e7211aad-bc0b-536c-88b6-7fefe5bd198d": event.Key{Provider: "acme", Series: "291", Event: "291"}.SeriesID(),
		"69d1d0ac-ce36-536b-ab8c-21adec2ae61c": event.ProviderID("acme"),
	} {
		if got.String() != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// reference makes an id by RFC 9562 as google/uuid has it, from the words of the doc comments alone.
func reference(kind string, parts ...string) string {
	space := uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/aledotdev/marquee#"+kind))
	var name strings.Builder
	for _, part := range parts {
		fmt.Fprintf(&name, "%d:%s,", len(part), part)
	}
	return uuid.NewSHA1(space, []byte(name.String())).String()
}

// drawKey draws parts full of what could pass for a delimiter.
func drawKey(t *rapid.T, label string) event.Key {
	part := rapid.OneOf(rapid.StringMatching(`[0-9:,/]{0,5}`), rapid.StringN(0, 5, -1), rapid.SampledFrom([]string{"", "1", "1,1:1", "3:1,1"}))
	return event.Key{
		Provider: part.Draw(t, label+" provider"),
		Series:   part.Draw(t, label+" series"),
		Event:    part.Draw(t, label+" event"),
	}
}

func TestIDsAreVersion5(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		k := drawKey(t, "key")
		parts := []string{k.Provider, k.Series, k.Event}
		if k.Series == "" {
			parts = []string{k.Provider, k.Event}
		}
		for _, pair := range [][2]string{
			{k.ID().String(), reference("Event", parts...)},
			{k.SeriesID().String(), reference("EventSeries", k.Provider, k.Series)},
			{event.ProviderID(k.Provider).String(), reference("Provider", k.Provider)},
		} {
			if pair[0] != pair[1] {
				t.Fatalf("%s, want %s", pair[0], pair[1])
			}
		}
	})
}

func TestKeysDoNotCollide(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawKey(t, "a"), drawKey(t, "b")
		if (a == b) != (a.ID() == b.ID()) {
			t.Fatalf("%q and %q are both %s", a, b, a.ID())
		}
	})
	// The same by hand, where a join with any of these delimiters would collide.
	seen := map[event.ID]event.Key{}
	for _, delimiter := range []string{"", "/", ":", ",", "|", "\x00", "\x1f"} {
		for _, k := range []event.Key{
			{Provider: "p", Series: "a" + delimiter + "b", Event: "c"},
			{Provider: "p", Series: "a", Event: "b" + delimiter + "c"},
			{Provider: "p", Event: "a" + delimiter + "b" + delimiter + "c"},
			{Provider: "p" + delimiter + "a", Series: "b", Event: "c"},
			{Provider: "p", Series: "1:a,", Event: delimiter},
		} {
			if other, ok := seen[k.ID()]; ok && other != k {
				t.Errorf("%q and %q are both %s", k, other, k.ID())
			}
			seen[k.ID()] = k
		}
	}
}

func TestKeyString(t *testing.T) {
	t.Parallel()
	if got := (event.Key{Provider: "acme", Series: "291", Event: "1642"}).String(); got != "acme/291/1642" {
		t.Error(got)
	}
	if got := (event.Key{Provider: "acme", Event: "1642"}).String(); got != "acme/1642" {
		t.Error(got)
	}
}

func TestParseID(t *testing.T) {
	t.Parallel()
	const text = "9544cef3-7587-5640-92c0-59fe2667d370"
	want := event.Key{Provider: "acme", Series: "291", Event: "291"}.ID()
	for _, in := range []string{text, strings.ToUpper(text)} {
		if got, err := event.ParseID(in); err != nil || got != want {
			t.Errorf("%q: %s, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"", "x", text + "0", text[1:], "{" + text + "}", "urn:uuid:" + text, strings.ReplaceAll(text, "-", ""),
		strings.Replace(text, "-", "_", 1), strings.Replace(text, "9", "g", 1), strings.Replace(text, "95", "é", 1),
		" " + text[1:], "9544cef37-587-5640-92c0-59fe2667d370", text[:35] + "\x00",
	} {
		if got, err := event.ParseID(in); !errors.Is(err, event.ErrBadID) {
			t.Errorf("%q: %s, %v", in, got, err)
		}
	}
}

func TestIDRoundTrips(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := event.ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		if id.String() != uuid.UUID(id).String() {
			t.Fatalf("%s, want %s", id, uuid.UUID(id))
		}
		text, err := id.MarshalText()
		var again event.ID
		if err != nil || again.UnmarshalText(text) != nil || again != id {
			t.Fatalf("%s comes back as %s, %v", text, again, err)
		}
	})
	if err := new(event.ID).UnmarshalText([]byte("x")); !errors.Is(err, event.ErrBadID) {
		t.Error(err)
	}
}
