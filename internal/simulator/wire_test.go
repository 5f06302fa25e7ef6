package simulator_test

import (
	"bytes"
	"errors"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/simulator"
)

func TestFeedStreamsErrors(t *testing.T) {
	t.Parallel()
	today, tick := noon(2026, 2, 2)
	w := &brokenWriter{after: 0}
	if err := simulator.NewWorld(1).At(today, tick).Write(w, simulator.PlanList); !errors.Is(err, errBroken) {
		t.Errorf("%v, want the writer's error", err)
	}
}

// Each generation is valid XML and carries the same shows under its own names.
func TestGenerations(t *testing.T) {
	t.Parallel()
	today, tick := noon(2026, 12, 30)
	world := simulator.NewWorld(2).At(today, tick)
	want := parse(t, render(t, world, simulator.PlanList))
	for _, g := range simulator.Generations() {
		t.Run(g.String(), func(t *testing.T) {
			t.Parallel()
			text := render(t, world, g)
			feed := parse(t, text)
			root, series, event := "eventList", "base_event", "event"
			if g == simulator.PlanList {
				root, series, event = "planList", "base_plan", "plan"
			}
			if feed.XMLName.Local != root {
				t.Fatalf("root is %s, want %s", feed.XMLName.Local, root)
			}
			if !bytes.HasPrefix(text, []byte(`<?xml version="1.0" encoding="UTF-8"?>`)) {
				t.Error("no XML declaration")
			}
			if len(feed.Output.Series) != len(want.Output.Series) {
				t.Fatalf("%d series, want %d", len(feed.Output.Series), len(want.Output.Series))
			}
			for i, s := range feed.Output.Series {
				if s.XMLName.Local != series || s.PlanID+s.EventID != strconv.FormatInt(world.Series[i].ID, 10) || s.Title != world.Series[i].Title {
					t.Fatalf("series %d: %s %s %q, want %s %+v", i, s.XMLName.Local, s.PlanID+s.EventID, s.Title, series, world.Series[i])
				}
				for j, e := range s.Events {
					model := world.Series[i].Events[j]
					end := model.End
					if g == simulator.EventDate {
						end = ""
					}
					if e.XMLName.Local != event || e.PlanStart+e.EventStart+e.EventDate != model.Start || e.PlanEnd+e.EventEnd != end {
						t.Fatalf("event %+v, want %+v", e, model)
					}
					if diff := cmp.Diff(want.Output.Series[i].Events[j].Zones, e.Zones); diff != "" {
						t.Fatalf("zones differ from those of planList:\n%s", diff)
					}
				}
			}
		})
	}
}

func TestGenerationNames(t *testing.T) {
	t.Parallel()
	for _, g := range simulator.Generations() {
		var back simulator.Generation
		if err := back.UnmarshalText([]byte(g.String())); err != nil || back != g {
			t.Errorf("%s: got %v, %v", g, back, err)
		}
	}
	var g simulator.Generation
	if err := g.UnmarshalText([]byte("planlist")); err == nil {
		t.Error("planlist is no generation, but taken for one")
	}
}

func TestWriterEscapes(t *testing.T) {
	t.Parallel()
	const title = "<Tom & \"Ann's\">\n\tñ 🎭"
	feed := simulator.Feed{Series: []simulator.Series{{ID: 1, Title: title, Events: []simulator.Event{{
		ID: 2, Offers: []simulator.Offer{{ID: 3, Name: title, Cents: 5}, {ID: 4, Cents: 123456}},
	}}}}}
	got := parse(t, render(t, feed, simulator.PlanList)).Output.Series[0]
	if got.Title != title || got.Events[0].Zones[0].Name != title {
		t.Errorf("title %q and name %q, want %q", got.Title, got.Events[0].Zones[0].Name, title)
	}
	if got.Events[0].Zones[0].Price != "0.05" || got.Events[0].Zones[1].Price != "1234.56" {
		t.Errorf("prices %s and %s", got.Events[0].Zones[0].Price, got.Events[0].Zones[1].Price)
	}
}
