package event_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// full is an event that has a value in every field.
func full(tb testing.TB) *event.Event {
	tb.Helper()
	madrid := zone(tb, "Europe/Madrid")
	e := &event.Event{
		Key:         event.Key{Provider: "acme", Series: "291", Event: "1642"},
		SeriesTitle: "The Lantern Parade",
		Title:       "The Lantern Parade, the last night",
		Description: "Lights.",
		URL:         "https://acme.example/1642",
		ImageURL:    "https://acme.example/1642.png",
		Categories:  []string{"music", "family"},
		Start:       local(tb, "2030-06-30T21:00").At(madrid),
		End:         local(tb, "2030-06-30T22:30").At(madrid),
		Zone:        "Europe/Madrid",
		AllDay:      true,
		Status:      event.StatusScheduled,
		Attendance:  event.AttendanceOffline,
		Online:      true,
		SoldOut:     new(bool),
		SaleStart:   time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
		SaleEnd:     time.Date(2030, 6, 30, 0, 0, 0, 0, time.UTC),
		Offers: []event.Offer{
			{ExternalID: "40", Name: "Stalls", Price: decimal(tb, "20"), Capacity: new(int32(243)), Numbered: new(true)},
			{ExternalID: "40", Name: "Stalls", Price: decimal(tb, "15.5"), Capacity: new(int32(0)), Numbered: new(false)},
		},
		Currency:   "EUR",
		Place:      event.Place{Name: "Old Mill", Address: "1 Mill Lane", City: "Madrid", Country: "ES"},
		Organizer:  "Lantern Society",
		Attributes: json.RawMessage(`{"organizer_company_id":"2"}`),
	}
	e.SetPriceBounds(event.PriceAllOffers)
	return e
}

// mutation is full with another value in one place.
type mutation struct {
	field string
	event *event.Event
}

// mutations changes every field that an Event has, down to the last, one at a time. It goes by reflection: a
// field that is added to the struct is in it without a word here, and one of a type that it does not know
// fails the test.
func mutations(tb testing.TB) []mutation {
	tb.Helper()
	var all []mutation
	// at finds the same place in another event.
	var walk func(path string, at func(*event.Event) reflect.Value)
	walk = func(path string, at func(*event.Event) reflect.Value) {
		change := func(suffix string, value any) {
			e := full(tb)
			at(e).Set(reflect.ValueOf(value).Convert(at(e).Type()))
			all = append(all, mutation{path + suffix, e})
		}
		v := at(full(tb))
		if v.IsZero() && v.Kind() != reflect.Bool {
			tb.Fatalf("%s has no value in the full event", path)
		}
		switch x := v.Interface().(type) {
		case time.Time:
			change("", x.Add(time.Second))
			change(" none", time.Time{})
			return
		case event.LocalDateTime:
			change("", x.Add(time.Second))
			change(" none", event.LocalDateTime{})
			return
		case *event.Decimal:
			change("", decimal(tb, "17.25"))
			change(" zero", decimal(tb, "0"))
			change(" none", (*event.Decimal)(nil))
			return
		case *bool:
			change("", new(!*x))
			change(" none", (*bool)(nil))
			return
		case *int32:
			change("", new(*x+1))
			change(" none", (*int32)(nil))
			return
		case json.RawMessage:
			change("", json.RawMessage(`{}`))
			change(" none", json.RawMessage(nil))
			return
		}
		switch v.Kind() {
		case reflect.String:
			change("", v.String()+"x")
			change(" none", "")
		case reflect.Bool:
			change("", !v.Bool())
		case reflect.Struct:
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, func(e *event.Event) reflect.Value { return at(e).Field(i) })
			}
		case reflect.Slice:
			change(" none", reflect.Zero(v.Type()).Interface())
			change(" shorter", v.Slice(0, v.Len()-1).Interface())
			change(" longer", reflect.AppendSlice(v, v.Slice(0, 1)).Interface())
			for i := range v.Len() {
				walk(path+"[]", func(e *event.Event) reflect.Value { return at(e).Index(i) })
			}
		default:
			tb.Fatalf("%s is a %s: teach this test to change it", path, v.Type())
		}
	}
	walk("Event", func(e *event.Event) reflect.Value { return reflect.ValueOf(e).Elem() })
	return all
}

func TestMutationsReachEveryField(t *testing.T) {
	t.Parallel()
	for field := range reflect.TypeFor[event.Event]().Fields() {
		name := "Event." + field.Name
		if !slices.ContainsFunc(mutations(t), func(m mutation) bool { return strings.HasPrefix(m.field, name) }) {
			t.Errorf("%s is never changed", name)
		}
	}
}
