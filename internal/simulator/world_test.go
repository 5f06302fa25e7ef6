package simulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/simulator"
)

func TestWorldIsDeterministic(t *testing.T) {
	t.Parallel()
	today, tick := noon(2026, 3, 14)
	one := simulator.NewWorld(7).At(today, tick)
	if diff := cmp.Diff(one, simulator.NewWorld(7).At(today, tick)); diff != "" {
		t.Errorf("the same seed, day and tick differ (-first +second):\n%s", diff)
	}
	if cmp.Equal(one, simulator.NewWorld(8).At(today, tick)) {
		t.Error("another seed gives the same world")
	}
	if cmp.Equal(one, simulator.NewWorld(7).At(today, tick+1)) {
		t.Error("the next tick gives the same world")
	}
	if cmp.Equal(one, simulator.NewWorld(7).At(today+1, tick)) {
		t.Error("the next day gives the same world")
	}
}

// What every snapshot must offer somebody who looks at it, on each day of two years, whatever the incidents. The days
// include leap day, year ends and the days on which clocks change.
func TestEveryDayHasSomething(t *testing.T) {
	t.Parallel()
	first, _ := noon(2027, 7, 1)
	for offset := range 731 {
		today := first + simulator.Day(offset)
		tick := int64(today)*24*60 + int64(offset)*37%(24*60) // another time of day each day
		midnight := time.Unix(int64(today)*24*60*60, 0).UTC()
		saturday := midnight.AddDate(0, 0, (6-int(midnight.Weekday()))%7) // on a Sunday it is the one to come
		found := map[string]int{}
		for _, s := range simulator.NewWorld(uint64(offset)).At(today, tick).Series {
			for _, e := range s.Events {
				found["all"]++
				at, ok := start(e)
				if !ok {
					continue
				}
				day := at.Truncate(24 * time.Hour)
				count := func(name string, is bool) {
					if is {
						found[name]++
					}
				}
				count("tomorrow", s.Online && day.Equal(midnight.AddDate(0, 0, 1)))
				count("Saturday", s.Online && day.Equal(saturday))
				count("Sunday", s.Online && day.Equal(saturday.AddDate(0, 0, 1)))
				count("today", day.Equal(midnight))
				count("past", day.Before(midnight))
				count("in months", day.After(midnight.AddDate(0, 3, 0)))
				for _, o := range e.Offers {
					upcoming := s.Online && !day.Before(midnight)
					count("free", upcoming && o.Cents == 0)
					count("under 20", upcoming && o.Cents > 0 && o.Cents < 2000 && o.Capacity > 0)
				}
			}
		}
		for _, name := range []string{"tomorrow", "Saturday", "Sunday", "today", "past", "in months", "free", "under 20"} {
			if found[name] == 0 {
				t.Errorf("%s: nothing %s", midnight.Format(time.DateOnly), name)
			}
		}
		if found["all"] < 60 || found["all"] > 120 {
			t.Errorf("%s: %d events, want 60 to 120", midnight.Format(time.DateOnly), found["all"])
		}
	}
}

// On a Sunday "this weekend" is the one that ends today.
func TestSundayKeepsItsWeekend(t *testing.T) {
	t.Parallel()
	today, tick := noon(2026, 3, 29)
	found := map[string]int{}
	for _, e := range byKey(simulator.NewWorld(1).At(today, tick)) {
		found[e.Start[:10]]++
	}
	for _, day := range []string{"2026-03-28", "2026-03-29"} {
		if found[day] == 0 {
			t.Errorf("nothing on %s", day)
		}
	}
}

func TestKeysAreUnique(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		feed := anyWorld(t)
		seen := map[key]bool{}
		series := map[int64]bool{}
		for _, s := range feed.Series {
			if series[s.ID] {
				t.Fatalf("series %d occurs twice", s.ID)
			}
			series[s.ID] = true
			for _, e := range s.Events {
				if k := (key{s.ID, e.ID}); seen[k] {
					t.Fatalf("event %v occurs twice", k)
				} else {
					seen[k] = true
				}
			}
		}
	})
}

// Values stay within reason whatever comes together.
func TestValuesAreSane(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		for k, e := range byKey(anyWorld(t)) {
			if _, possible := start(e); possible && (e.End <= e.Start || e.SellTo <= e.SellFrom) {
				t.Fatalf("%v: starts %s, ends %s, on sale from %s to %s", k, e.Start, e.End, e.SellFrom, e.SellTo)
			}
			for _, o := range e.Offers {
				if o.Cents < 0 || o.Cents > 20_000 || o.Capacity < 0 || o.Capacity > 10_000 || e.SoldOut && o.Capacity > 0 {
					t.Fatalf("%v: sold out %v, offer %+v", k, e.SoldOut, o)
				}
			}
		}
	})
}

func anyWorld(t *rapid.T) simulator.Feed {
	today := rapid.IntRange(10_000, 40_000).Draw(t, "day")
	tick := rapid.Int64Range(0, 1<<32).Draw(t, "tick")
	return simulator.NewWorld(rapid.Uint64().Draw(t, "seed")).At(simulator.Day(today), tick)
}

// The oddities of the real feed, as a reader of the XML meets them.
func TestOddities(t *testing.T) {
	t.Parallel()
	today, tick := noon(2026, 11, 20)
	feed := parse(t, render(t, simulator.NewWorld(3).At(today, tick), simulator.PlanList))

	found := map[string]int{}
	under := map[string]string{} // plan id to the series that has it
	for _, s := range feed.Output.Series {
		if s.Organizer == nil {
			found["no organizer"]++
		}
		if strings.ContainsAny(s.Title, `&<"'`) {
			found["title that needs escaping"]++
		}
		for _, e := range s.Events {
			if other, ok := under[e.PlanID]; ok && other != s.PlanID {
				found["plan id under two series"]++
			}
			under[e.PlanID] = s.PlanID
			if s.Mode == "offline" && e.PlanStart == "2026-09-31T20:00:00" {
				found["impossible date, offline"]++
			}
			if strings.Contains(e.PlanEnd, "T02:30") {
				found["ends when clocks change"]++
			}
			prices := map[string]string{}
			for _, z := range e.Zones {
				if price, ok := prices[z.ID]; ok && price != z.Price {
					found["zone twice with two prices"]++
				}
				prices[z.ID] = z.Price
				if z.Capacity == 0 && z.Price != "0.00" && !e.SoldOut {
					found["full zone with a price"]++
				}
			}
		}
	}
	for _, name := range []string{
		"no organizer", "title that needs escaping", "plan id under two series", "impossible date, offline",
		"ends when clocks change", "zone twice with two prices", "full zone with a price",
	} {
		if found[name] == 0 {
			t.Errorf("the feed has no %s", name)
		}
	}
}

// Within a few fetches each kind of change is to be seen.
func TestWorldMoves(t *testing.T) {
	t.Parallel()
	const fetches = 40
	today, tick := noon(2026, 5, 6)
	for seed := range uint64(10) {
		world := simulator.NewWorld(seed)
		seen := map[string]bool{}
		gone := map[key]bool{}
		before := world.At(today, tick)
		for step := range int64(fetches) {
			after := world.At(today, tick+1+step)
			compare(before, after, gone, seen)
			if step == 0 && len(seen) == 0 {
				t.Errorf("seed %d: the first fetch changes nothing", seed)
			}
			before = after
		}
		for _, name := range []string{
			"price fell", "seats went", "sold out", "back on sale", "went offline", "came online", "vanished", "returned",
			"added", "end moved",
		} {
			if !seen[name] {
				t.Errorf("seed %d: no show %s within %d fetches", seed, name, fetches)
			}
		}
	}
}

// compare notes what changed between two snapshots.
func compare(before, after simulator.Feed, gone map[key]bool, seen map[string]bool) {
	online := map[int64]bool{}
	for _, s := range before.Series {
		online[s.ID] = s.Online
	}
	for _, s := range after.Series {
		if was, ok := online[s.ID]; ok && was != s.Online {
			seen[map[bool]string{true: "came online", false: "went offline"}[s.Online]] = true
		}
	}
	old, current := byKey(before), byKey(after)
	for k := range old {
		if _, ok := current[k]; !ok {
			gone[k] = true
			seen["vanished"] = true
		}
	}
	for k, e := range current {
		was, ok := old[k]
		switch {
		case !ok && gone[k]:
			seen["returned"] = true
			continue
		case !ok:
			seen["added"] = true
			continue
		case was.SoldOut != e.SoldOut:
			seen[map[bool]string{true: "sold out", false: "back on sale"}[e.SoldOut]] = true
			continue
		case was.End != e.End:
			seen["end moved"] = true
		}
		for i, o := range e.Offers {
			if o.Cents < was.Offers[i].Cents {
				seen["price fell"] = true
			}
			if o.Capacity < was.Offers[i].Capacity {
				seen["seats went"] = true
			}
		}
	}
}

// However long it runs and however often it is asked, the world keeps its size and brings few new shows.
func TestWorldIsBounded(t *testing.T) {
	t.Parallel()
	world := simulator.NewWorld(5)
	first, tick := noon(2026, 8, 1)
	ever := map[key]bool{}
	const days = 28
	for day := range days {
		for range 12 {
			tick += 120
			feed := world.At(first+simulator.Day(day), tick)
			events := byKey(feed)
			if n := len(events); n < 60 || n > 120 {
				t.Fatalf("day %d: %d events, want 60 to 120", day, n)
			}
			for k := range events {
				ever[k] = true
			}
		}
	}
	if most := 120 + days*15; len(ever) > most {
		t.Errorf("%d events in %d days, want at most %d", len(ever), days, most)
	}
}

// No snapshot may look like a disaster to a provider's brake: from one fetch to the next, over midnight and over a
// restart at another tick, few upcoming events leave.
func TestFewShowsLeaveAtOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		world := simulator.NewWorld(rapid.Uint64().Draw(t, "seed"))
		today := simulator.Day(rapid.IntRange(20_000, 22_000).Draw(t, "day"))
		tick := rapid.Int64Range(0, 1<<32).Draw(t, "tick")
		later := today + simulator.Day(rapid.IntRange(0, 3).Draw(t, "days between"))
		before := byKey(world.At(today, tick))
		after := byKey(world.At(later, tick+rapid.Int64Range(-min(tick, 5000), 5000).Draw(t, "ticks between")))
		left, upcoming := 0, 0
		for k, e := range before {
			at, ok := start(e)
			if !ok || simulator.DayOf(at) <= later {
				continue
			}
			upcoming++
			if _, still := after[k]; !still {
				left++
			}
		}
		if left > 5 && left*5 > upcoming {
			t.Fatalf("%d of %d upcoming events left", left, upcoming)
		}
	})
}

func TestPastShowsExpire(t *testing.T) {
	t.Parallel()
	first, tick := noon(2026, 2, 2)
	world := simulator.NewWorld(1)
	for k := range byKey(world.At(first, tick)) {
		if _, still := byKey(world.At(first+400, tick))[k]; still && k.series != 444 {
			t.Errorf("event %v is still there after 400 days", k)
		}
	}
}
