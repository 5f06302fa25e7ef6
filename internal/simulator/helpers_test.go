package simulator_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/aledotdev/marquee/internal/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The feed as the standard library reads it: a second opinion on what the writer writes, for all generations.
type (
	xmlFeed struct {
		XMLName xml.Name
		Output  struct {
			Series []xmlSeries `xml:",any"`
		} `xml:"output"`
	}
	xmlSeries struct {
		XMLName   xml.Name
		PlanID    string     `xml:"base_plan_id,attr"`
		EventID   string     `xml:"base_event_id,attr"`
		Mode      string     `xml:"sell_mode,attr"`
		Organizer *string    `xml:"organizer_company_id,attr"`
		Title     string     `xml:"title,attr"`
		Events    []xmlEvent `xml:",any"`
	}
	xmlEvent struct {
		XMLName    xml.Name
		PlanID     string    `xml:"plan_id,attr"`
		EventID    string    `xml:"event_id,attr"`
		PlanStart  string    `xml:"plan_start_date,attr"`
		PlanEnd    string    `xml:"plan_end_date,attr"`
		EventStart string    `xml:"event_start_date,attr"`
		EventEnd   string    `xml:"event_end_date,attr"`
		EventDate  string    `xml:"event_date,attr"`
		SellFrom   string    `xml:"sell_from,attr"`
		SellTo     string    `xml:"sell_to,attr"`
		SoldOut    bool      `xml:"sold_out,attr"`
		Zones      []xmlZone `xml:"zone"`
	}
	xmlZone struct {
		ID       string `xml:"zone_id,attr"`
		Capacity int    `xml:"capacity,attr"`
		Price    string `xml:"price,attr"`
		Name     string `xml:"name,attr"`
		Numbered bool   `xml:"numbered,attr"`
	}
)

func parse(t *testing.T, text []byte) xmlFeed {
	t.Helper()
	var feed xmlFeed
	decoder := xml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&feed); err != nil {
		t.Fatalf("feed is no XML: %v", err)
	}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return feed
		}
		if space, ok := token.(xml.CharData); err != nil || !ok || len(bytes.TrimSpace(space)) > 0 {
			t.Fatalf("after the root: %v, %v, want nothing", token, err)
		}
	}
}

func render(t *testing.T, feed simulator.Feed, g simulator.Generation) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := feed.Write(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// key names an event in the whole feed.
type key struct{ series, event int64 }

func byKey(feed simulator.Feed) map[key]simulator.Event {
	out := map[key]simulator.Event{}
	for _, s := range feed.Series {
		for _, e := range s.Events {
			out[key{s.ID, e.ID}] = e
		}
	}
	return out
}

// start is an event's wall clock as UTC; the impossible date has none.
func start(e simulator.Event) (time.Time, bool) {
	at, err := time.Parse("2006-01-02T15:04:05", e.Start)
	return at, err == nil
}

// noon is the middle of a day, and the tick of a provider that has been up since before.
func noon(year int, month time.Month, day int) (simulator.Day, int64) {
	at := time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
	return simulator.DayOf(at), at.Unix() / 60
}
