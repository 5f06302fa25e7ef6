package mapped_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
)

func TestAllFields(t *testing.T) {
	t.Parallel()
	got := one(t, `{
		"id": 291, "seriesId": " s1 ", "seriesTitle": "Lanterns", "title": "Lanterns, the last night",
		"description": "Lights.", "url": "https://acme.example/291", "imageUrl": "https://acme.example/291.png",
		"categories": ["music", "", "family", "music", null],
		"start": "2030-06-30T21:00:00+02:00", "end": "2030-06-30 22:30", "timeZone": "Europe/Lisbon",
		"status": "https://schema.org/EventPostponed", "soldOut": "no", "online": false,
		"saleStart": "2030-01-01", "saleEnd": "2030-06-30T19:00:00.000Z",
		"offers": [{"id": 40, "name": "Lawn", "price": 19.90, "capacity": "243", "numbered": true}, {"price": "15"}, {}],
		"currency": "USD", "place": {"name": "Old Fort", "address": "1 Quay", "city": "Porto", "country": "PT"},
		"organizer": "Acme", "attendanceMode": "MixedEventAttendanceMode", "attributes": {"b": 1.10, "a": "<x>"}}`)
	if got.Invalid != nil {
		t.Fatal(got.Invalid)
	}
	want := `{
  "seriesTitle": "Lanterns", "title": "Lanterns, the last night", "description": "Lights.",
  "url": "https://acme.example/291", "imageUrl": "https://acme.example/291.png",
  "categories": ["music", "family"],
  "start": {"local": "2030-06-30T20:00:00", "instant": "2030-06-30T19:00:00Z"},
  "end": {"local": "2030-06-30T22:30:00", "instant": "2030-06-30T21:30:00Z"},
  "timeZone": "Europe/Lisbon", "allDay": false,
  "status": "POSTPONED", "attendanceMode": "MIXED", "online": false, "soldOut": false,
  "saleStartsAt": "2030-01-01T00:00:00Z", "saleEndsAt": "2030-06-30T19:00:00Z",
  "offers": [{"id": "40", "name": "Lawn", "price": 19.9, "capacity": 243, "numbered": true}, {"price": 15}, {}],
  "currency": "USD", "minPrice": 15, "maxPrice": 19.9,
  "place": {"name": "Old Fort", "address": "1 Quay", "city": "Porto", "country": "PT"},
  "organizer": "Acme", "attributes": {"a": "<x>", "b": 1.10}
}`
	if diff := cmp.Diff(parsed(t, []byte(want)), parsed(t, marshal(t, got.Event))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := (event.Key{Provider: "acme", Series: "s1", Event: "291"}); got.Key != want || got.Event.Key != want {
		t.Errorf("the record's key is %s, its event's %s", got.Key, got.Event.Key)
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func parsed(t *testing.T, text []byte) (v any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

func TestTheLeastFields(t *testing.T) {
	t.Parallel()
	for _, fields := range []string{
		``,
		`, "seriesId": null, "description": null, "categories": null, "end": null, "duration": null, "allDay": null, "timeZone": null, "status": null,
		"availability": null, "soldOut": null, "online": null, "saleStart": null, "price": null, "minPrice": null, "offers": null, "currency": null,
		"place": null, "organizer": null, "attendanceMode": null, "attributes": null, "url": null`,
		`, "seriesId": "", "description": " ", "categories": [], "end": "", "duration": "", "allDay": "", "timeZone": "", "status": "",
		"availability": "", "soldOut": "", "online": "", "saleStart": "", "price": "", "minPrice": "", "offers": [], "currency": "",
		"place": {}, "organizer": "", "attendanceMode": "", "attributes": {}, "url": ""`,
	} {
		got := one(t, least(fields))
		if got.Invalid != nil {
			t.Fatal(got.Invalid)
		}
		zone := madrid(t).Zone
		start, _ := event.ParseLocal("2030-06-30T21:00")
		want := event.Event{
			Key: event.Key{Provider: "acme", Event: "1"}, Title: "Lanterns", Start: start.At(zone), Zone: "Europe/Madrid",
			Status: event.StatusScheduled, Attendance: event.AttendanceOffline, Online: true, Currency: "EUR",
		}
		if want.Hash() != got.Event.Hash() {
			t.Errorf("%s: %v", fields, event.Diff(&want, &got.Event))
		}
	}
}

func TestFieldByField(t *testing.T) {
	t.Parallel()
	text := func(f func(e event.Event) string) func(event.Event) string { return f }
	soldOut := text(func(e event.Event) string {
		if e.SoldOut == nil {
			return "not said"
		}
		return map[bool]string{true: "yes", false: "no"}[*e.SoldOut]
	})
	status := text(func(e event.Event) string { return string(e.Status) })
	attendance := text(func(e event.Event) string { return string(e.Attendance) })
	bounds := text(func(e event.Event) string { return string(marshal(t, []any{e.MinPrice, e.MaxPrice, len(e.Offers)})) })
	tests := []struct {
		fields string
		of     func(event.Event) string
		want   string // or of a record that is refused the reason and field
	}{
		{`"url": "https://a.example/?q=1", "imageUrl": "HTTP://a.example/x.png"`, func(e event.Event) string { return e.URL + " " + e.ImageURL }, "https://a.example/?q=1 HTTP://a.example/x.png"},
		{`"url": "javascript:alert(1)", "imageUrl": "data:image/png;base64,AA=="`, func(e event.Event) string { return e.URL + e.ImageURL }, ""},
		{`"id": true`, nil, "INVALID_RECORD id"},
		{`"id": {}`, nil, "INVALID_RECORD id"},
		{`"id": 12345678901234567890`, text(func(e event.Event) string { return e.Key.Event }), "12345678901234567890"},
		{`"id": null`, nil, "MISSING_ID id"},
		{`"title": ""`, nil, "MISSING_TITLE title"},
		{`"title": 1984`, text(func(e event.Event) string { return e.Title }), "1984"},
		{`"title": ["a"]`, nil, "INVALID_RECORD title"},
		{`"title": null, "seriesId": 5, "seriesTitle": "Series"`, text(func(e event.Event) string { return e.Title + "/" + e.SeriesTitle }), "Series/Series"},
		{`"seriesId": 5`, text(func(e event.Event) string { return e.Title + "/" + e.SeriesTitle }), "Lanterns/Lanterns"},
		{`"seriesTitle": "of none"`, text(func(e event.Event) string { return e.Title + "/" + e.SeriesTitle }), "Lanterns/"},
		{`"categories": "music"`, text(func(e event.Event) string { return strings.Join(e.Categories, "|") }), "music"},
		{`"categories": [["music"]]`, nil, "INVALID_RECORD categories"},
		{`"status": "Cancelled"`, status, "CANCELLED"},
		{`"status": "CANCELED"`, status, "CANCELLED"},
		{`"status": "http://schema.org/EventRescheduled"`, status, "RESCHEDULED"},
		{`"status": "EventScheduled"`, status, "SCHEDULED"},
		{`"status": "TENTATIVE"`, status, "SCHEDULED"},
		{`"status": "perhaps"`, nil, "INVALID_RECORD status"},
		{`"status": "EventMovedOnline"`, attendance, "ONLINE"},
		{`"attendanceMode": "https://schema.org/OnlineEventAttendanceMode"`, attendance, "ONLINE"},
		{`"attendanceMode": "mixed"`, attendance, "MIXED"},
		{`"attendanceMode": "hybrid"`, nil, "INVALID_RECORD attendanceMode"},
		{`"availability": "https://schema.org/SoldOut"`, soldOut, "yes"},
		{`"availability": "OutOfStock"`, soldOut, "yes"},
		{`"availability": "IN_STOCK"`, soldOut, "no"},
		{`"availability": "PreSale"`, soldOut, "no"},
		{`"availability": "UNKNOWN"`, soldOut, "not said"},
		{`"availability": "few"`, nil, "INVALID_RECORD availability"},
		{`"soldOut": true`, soldOut, "yes"},
		{`"soldOut": 0`, soldOut, "no"},
		{`"soldOut": "Yes"`, soldOut, "yes"},
		{`"soldOut": "perhaps"`, nil, "INVALID_NUMBER soldOut"},
		{`"soldOut": []`, nil, "INVALID_NUMBER soldOut"},
		{`"soldOut": 2`, nil, "INVALID_NUMBER soldOut"},
		{`"online": "false"`, text(func(e event.Event) string { return map[bool]string{true: "on", false: "off"}[e.Online] }), "off"},
		{`"place": "Old Fort"`, text(func(e event.Event) string { return e.Place.Name }), "Old Fort"},
		{`"place": {"town": "Porto"}`, nil, "INVALID_RECORD place.town"},
		{`"place": {"name": {}}`, nil, "INVALID_RECORD place.name"},
		{`"place": []`, nil, "INVALID_RECORD place"},
		{`"attributes": []`, nil, "INVALID_RECORD attributes"},
		{`"Title": "x"`, nil, "INVALID_RECORD Title"},
		{`"price": 12.5`, bounds, "[12.5,12.5,1]"},
		{`"price": 0`, bounds, "[0,0,1]"},
		{`"price": "abc"`, nil, "INVALID_PRICE price"},
		{`"price": "12,50"`, nil, "INVALID_PRICE price"},
		{`"price": -1`, nil, "INVALID_PRICE price"},
		{`"price": true`, nil, "INVALID_PRICE price"},
		{`"minPrice": 5, "maxPrice": "7.50"`, bounds, "[5,7.5,0]"},
		{`"minPrice": 5`, bounds, "[5,null,0]"},
		{`"minPrice": 8, "maxPrice": 7`, nil, "INVALID_PRICE minPrice"},
		{`"price": 8, "maxPrice": 7`, nil, "INVALID_PRICE price"},
		{`"price": 8, "offers": [{}]`, nil, "INVALID_PRICE price"},
		{`"offers": {"price": 3}`, bounds, "[3,3,1]"},
		{`"offers": [{"price": 3}, {"price": 1}, {"price": 2}]`, bounds, "[1,3,3]"},
		{`"offers": [{"cost": 3}]`, nil, "INVALID_RECORD offers[0].cost"},
		{`"offers": [{}, 5]`, nil, "INVALID_RECORD offers[1]"},
		{`"offers": [{}, {"price": "x"}]`, nil, "INVALID_PRICE offers[1].price"},
		{`"offers": [{"capacity": -1}]`, nil, "INVALID_NUMBER offers[0].capacity"},
		{`"offers": [{"capacity": 1.5}]`, nil, "INVALID_NUMBER offers[0].capacity"},
		{`"offers": [{"capacity": 2147483648}]`, nil, "INVALID_NUMBER offers[0].capacity"},
		{`"offers": [{"capacity": 1e2}]`, text(func(e event.Event) string { return string(marshal(t, e.Offers)) }), `[{"capacity":100}]`},
		{`"offers": [{"numbered": "x"}]`, nil, "INVALID_NUMBER offers[0].numbered"},
		{`"currency": "euro"`, nil, "INVALID_PRICE currency"},
		{`"currency": "usd"`, text(func(e event.Event) string { return e.Currency }), "USD"},
	}
	for _, test := range tests {
		got := one(t, least(", "+test.fields))
		var result string
		switch {
		case got.Invalid != nil:
			result = string(got.Invalid.Reason) + " " + got.Invalid.Field
		case test.of == nil:
			result = "no fault"
		default:
			result = test.of(got.Event)
		}
		if result != test.want {
			t.Errorf("%s: %s, want %s (%v)", test.fields, result, test.want, got.Invalid)
		}
	}
}

// TestPricesAreExact follows numbers through jq, by value and by computing.
func TestPricesAreExact(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		`19.99`: "19.99", `0.1`: "0.1", `1e2`: "100", `1E+2`: "100", `1.5e1`: "15", `125e-2`: "1.25", `1e-2`: "0.01", `0e0`: "0",
		`123456789012.123456`: "123456789012.123456", `0.000001`: "0.000001", `100`: "100", `-0`: "0",
		`"19.99"`: "19.99", `" 19.90 "`: "19.9", `1.10e0`: "1.1",
		`1999 / 100`: "19.99", `0.1 + 0.2`: "0.3", `19.99 * 3`: "59.97", `1.1 * 1.1`: "1.21", `4.35 * 100`: "435", `1000000 * 1000`: "1000000000",
		`"19.99" | tonumber`: "19.99", `[19.99, 5.10] | min`: "5.1", `[19.99, 5.10] | add`: "25.09",
		`"ab 1.234,50 €" | decimal`: "1234.5", `12.30 | decimal`: "12.3",

		`1 / 3`: "INVALID", `1e30`: "INVALID", `1e400`: "INVALID", `1e-400`: "INVALID", `1e999999999999`: "INVALID", `1234567890123`: "INVALID",
		`0.0000001`: "INVALID", `nan`: "INVALID", `infinite`: "INVALID", `"1e2"`: "INVALID", `"0x10"`: "INVALID",
	} {
		for name, literal := range map[string]bool{"in the map": false, "in the feed": true} {
			document, price := `{"p": 0}`, expression
			if !literal && (expression == "123456789012.123456" || expression == "1e-400") {
				continue // jq computes with floats
			}
			if literal {
				if !json.Valid([]byte(expression)) {
					continue
				}
				document, price = `{"p": `+expression+`}`, ".p"
			}
			rec := mustDecodeOne(t, `{id: 1, title: "x", start: "2030-01-01", price: (`+price+`)}`, document)
			got := "INVALID"
			if rec.Invalid == nil {
				got = rec.Event.MinPrice.String()
			} else if rec.Invalid.Reason != event.ReasonInvalidPrice {
				t.Errorf("%s %s: %v", expression, name, rec.Invalid)
			}
			if got != want {
				t.Errorf("%s %s is %s, want %s (%v)", expression, name, got, want, rec.Invalid)
			}
		}
	}
}
