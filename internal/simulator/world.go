// Package simulator simulates a ticketing provider: an invented programme of shows around today, served
// over HTTP in the format planlist, with the oddities of the real feed and, on request, the faults of bad servers.
// It is the demo provider of `marquee dev`, and a changing feed for tests. A [Script] makes it give exactly the answers that
// the script lists.
//
// # Why nothing is stored
//
// The world has no state that would have to be saved. The programme follows from the calendar: on every n-th day of a track a production
// opens, which is announced a fixed number of days before, and expires a fixed number of days after; its id is made of the track
// and of its number. What changes between two fetches follows from a tick, which counts fetches and is never less than the
// minutes of the clock. Each tick begins a few incidents, and each of these lasts a known number of ticks: so the state at a tick is the
// calendar with the incidents of the last 120 ticks. So [World.At] depends on nothing but seed, day and
// tick. A process that starts today serves the same shows as yesterday's process and, since the tick follows
// the clock, even the same incidents: in a database that is kept between runs, shows are not removed in masses.
package simulator

import (
	"cmp"
	"slices"
)

// World is the demo world of one seed. The zero value is the world of seed 0.
type World struct {
	seed uint64
}

// NewWorld returns the world of a seed. Seeds differ in titles, prices and incidents, but not in when there are shows.
func NewWorld(seed uint64) World { return World{seed: seed} }

// At returns the feed on a day at a tick: between about 60 and 120 events, by series and start.
func (w World) At(today Day, tick int64) Feed {
	productions := slices.Concat(programme(today), w.popUps(today, tick))
	happened := w.incidents(productions, today, tick)

	var feed Feed
	for _, p := range productions {
		series := Series{
			ID: p.id, Title: p.track.names.title(w.seed, p.number), Organizer: p.track.organizer, Online: !happened.offline[p.id],
		}
		for _, d := range p.dates {
			key := eventKey{p.id, d.id}
			if !happened.vanished[key] {
				series.Events = append(series.Events, w.event(p, d, today, happened.to(key)))
			}
		}
		if len(series.Events) > 0 {
			feed.Series = append(feed.Series, series)
		}
	}
	feed.Series = append(feed.Series, impossible(today))
	slices.SortFunc(feed.Series, func(a, b Series) int { return cmp.Compare(a.ID, b.ID) })
	return feed
}

// event is one date as the feed shows it today.
func (w World) event(p production, d date, today Day, happened incident) Event {
	t := p.track
	e := Event{
		ID:       d.id,
		Start:    d.on.at(d.slot.minute),
		End:      d.on.at(d.slot.minute + d.slot.minutes + happened.overrun),
		SellFrom: (d.announce + Day(t.presale)).at(0),
		SellTo:   d.on.at(d.slot.minute - 10),
		SoldOut:  happened.soldOut,
		Offers:   slices.Clone(t.offers),
	}
	if d.lastDay() > d.on+1 { // an exhibition or a pass, which is sold until it ends
		e.SellTo = d.on.at(d.slot.minute + d.slot.minutes - 60)
	}
	sold := w.sold(p, d, today)
	for i := range e.Offers {
		o := &e.Offers[i]
		if t.varied {
			o.Cents = roundTo(o.Cents*(80+below(hash(w.seed, uint64(p.id)), 60))/100, 50)
		}
		// A priced offer never becomes free: its floor is 60 % of the price.
		o.Cents = roundTo(o.Cents*(100-5*min(happened.cuts[i%maxOffers], 8))/100, 10)
		switch {
		case o.Capacity == 0:
		case happened.soldOut:
			o.Capacity = 0
		default:
			o.Capacity = max(1, o.Capacity*(100-sold)/100-happened.seats)
		}
	}
	return e
}

// sold is the percentage of seats that have been sold since the announcement, by today: up to 94 for the most popular shows.
func (w World) sold(p production, d date, today Day) int {
	popularity := 30 + below(hash(w.seed, uint64(p.id), uint64(d.id)), 65)
	total, passed := max(1, int(d.on-d.announce)), int(today-d.announce)
	return popularity * min(passed, total) / total
}

const (
	popUpsADay   = 6
	popUpTicks   = 6 // between two announcements
	popUpHorizon = 4 // days
)

// popUps are the shows that are announced at short notice. Each day has six of its own, which take turns in the feed: every few
// ticks one of them appears, and the one that was there longest disappears. When the day is over, all six stay. So there is always
// something new to see soon, but even in months a database gets only six of them a day.
func (w World) popUps(today Day, tick int64) []production {
	t := popUps()
	var out []production
	for announced := today - popUpHorizon - linger; announced <= today; announced++ {
		for nth := range popUpsADay {
			const cycle = 2 * popUpsADay
			phase := (tick/(popUpTicks/2) + int64(2*nth)) % cycle
			if announced == today && phase >= popUpsADay {
				continue
			}
			number := int(announced)*popUpsADay + nth
			d := date{
				on: announced + 1 + Day(nth%popUpHorizon), announce: announced,
				slot: slot{minute: hm(18+nth%5, 30), minutes: hm(1, 10)},
			}
			d.id = eventID(d.on, 0)
			if d.lastDay()+1 >= today { // these expire sooner than the rest
				out = append(out, production{
					track: t, id: seriesID(t.number, number), number: number, opens: d.on, dates: []date{d},
				})
			}
		}
	}
	return out
}

// impossible is the offline series that takes place on 31 September, a day that does not exist; the real feed has one.
func impossible(today Day) Series {
	year := today.wall(0).Format("2006")
	return Series{
		ID: 444, Title: "Tribute to the Thirty-First of September (Teatro Alborán)", Organizer: 1,
		Events: []Event{{
			ID: eventID(today, 0), Start: year + "-09-31T20:00:00", End: year + "-09-31T21:00:00",
			SellFrom: year + "-02-10T00:00:00", SellTo: year + "-09-31T19:50:00",
			Offers: []Offer{{7, "Amphitheatre", 22, 6500, false}},
		}},
	}
}

// roundTo rounds to the nearest multiple of unit; a price above 0 is at least one unit.
func roundTo(cents, unit int) int {
	if cents == 0 {
		return 0
	}
	return max(unit, (cents+unit/2)/unit*unit)
}
