package simulator

import (
	"iter"
	"slices"
)

// track is a kind of show that is put on for ever: every period days one production opens. Which
// productions there are, and when, follows from the calendar alone.
type track struct {
	number    int  // identifies the track in ids; never use one again for another track
	period    int  // days from one opening to the next; a multiple of 7 keeps the weekday
	phase     int  // some opening is so many days after 1970-01-01, a Thursday
	ahead     int  // days before its opening at which a production enters the feed
	daily     bool // each date enters the feed ahead days before itself, not with its production
	steady    bool // no incident makes it sell out, go offline or vanish: so each snapshot has something tomorrow, and something free
	organizer int  // 0: the feed gives none
	presale   int  // days from announcement to the start of sale
	varied    bool // prices differ from production to production
	dates     []slot
	offers    []Offer
	names     names
}

// slot is when a date of a production takes place.
type slot struct {
	day     int // days after the opening
	minute  int // of the day
	minutes int // how long it lasts
}

// linger is how many days a past event stays in the feed before it expires.
const linger = 3

// The weekdays, as values of track.phase.
const (
	thursday = iota
	friday
	saturday
	sunday
	_ // monday
	tuesday
	wednesday
)

// hm is a time of day, or a duration, in minutes.
func hm(hours, minutes int) int { return hours*60 + minutes }

// every repeats one slot count times, step days apart.
func every(count, step, minute, minutes int) []slot {
	out := make([]slot, count)
	for i := range out {
		out[i] = slot{day: i * step, minute: minute, minutes: minutes}
	}
	return out
}

// run is a fortnight of theatre: Thursday to Sunday evenings, and a matinee on Saturdays.
func run() []slot {
	var out []slot
	for week := range 2 {
		for day := range 4 {
			if day == 2 {
				out = append(out, slot{week*7 + day, hm(16, 30), hm(2, 10)})
			}
			out = append(out, slot{week*7 + day, hm(20, 0), hm(2, 10)})
		}
	}
	return out
}

// tracks are all tracks except popUps. There are so many, and they are announced so early, that a snapshot has between about 60 and 120
// events.
func tracks() []*track {
	return []*track{
		{
			number: 1, period: 7, phase: saturday, ahead: 42, organizer: 2, varied: true,
			dates: []slot{{0, hm(21, 0), hm(2, 0)}}, names: concerts(),
			// Zone 186 is there twice with two prices, and a box that has a price but no seats: the real feed has both.
			offers: []Offer{
				{186, "Amphitheatre", 120, 3400, true},
				{186, "Amphitheatre", 260, 2600, false},
				{311, "Royal box", 0, 9000, true},
				{40, "Stalls", 340, 4200, true},
			},
		},
		{
			number: 2, period: 14, phase: friday, ahead: 56, presale: 10, varied: true, // no organizer
			dates: []slot{{0, hm(20, 30), hm(1, 45)}}, names: recitals(),
			offers: []Offer{{1, "Nave", 180, 2200, false}, {2, "Choir stalls", 24, 3500, true}},
		},
		{
			number: 3, period: 14, phase: thursday, ahead: 14, organizer: 1, varied: true,
			dates: run(), names: plays(),
			offers: []Offer{{40, "Stalls", 210, 2800, true}, {38, "Circle", 90, 2100, true}, {30, "Gods", 60, 1250, false}},
		},
		{
			number: 4, period: 28, phase: thursday, ahead: 8, daily: true, steady: true, organizer: 5,
			dates: every(28, 1, hm(22, 0), hm(1, 15)), names: cellar(),
			offers: []Offer{{7, "Table", 40, 1200, true}, {8, "Standing at the bar", 30, 800, false}},
		},
		{
			number: 5, period: 28, phase: tuesday, ahead: 21, organizer: 3,
			dates: []slot{{0, hm(10, 0), 40*24*60 + hm(9, 0)}}, names: exhibitions(),
			offers: []Offer{{1, "Admission", 5000, 1400, false}, {2, "Under 26", 2000, 700, false}, {3, "Under 12", 2000, 0, false}},
		},
		{
			number: 6, period: 35, phase: friday, ahead: 14, // no organizer
			dates: []slot{{0, hm(11, 0), 28*24*60 + hm(8, 30)}}, names: freeExhibitions(),
			offers: []Offer{{1, "Admission", 800, 0, false}},
		},
		{
			number: 7, period: 84, phase: friday, ahead: 80, organizer: 4, presale: 14, varied: true,
			dates: []slot{
				{0, hm(16, 0), 2*24*60 + hm(10, 0)}, // the pass for all three days
				{0, hm(17, 0), hm(9, 0)},
				{1, hm(12, 0), hm(14, 0)},
				{2, hm(12, 0), hm(12, 0)},
			},
			names:  festivals(),
			offers: []Offer{{1, "Meadow", 3000, 5900, false}, {2, "Meadow, with tent pitch", 400, 8900, false}, {3, "Terrace", 120, 12000, true}},
		},
		{
			// Ends at 02:30, an hour that does not exist, or exists twice, on the nights when clocks change in Europe.
			number: 8, period: 7, phase: saturday, ahead: 14, organizer: 5,
			dates: []slot{{0, hm(23, 59), hm(2, 31)}}, names: midnights(),
			offers: []Offer{{1, "Any seat", 85, 950, false}},
		},
		{
			// So far ahead that four of them are always more than three months away: incidents never make so many vanish at once.
			number: 9, period: 28, phase: saturday + 7, ahead: 224, organizer: 2, presale: 30, varied: true,
			dates: []slot{{0, hm(19, 0), hm(4, 0)}}, names: galas(),
			offers: []Offer{{40, "Stalls", 500, 6500, true}, {38, "Balcony", 320, 4000, true}, {39, "Restricted view", 60, 1900, true}},
		},
		{
			number: 10, period: 84, phase: sunday, ahead: 14, organizer: 6,
			dates: every(12, 7, hm(11, 30), hm(0, 50)), names: matinees(),
			offers: []Offer{{1, "Child", 90, 650, false}, {2, "Adult", 90, 950, false}},
		},
		{
			number: 11, period: 7, phase: wednesday, ahead: 21, steady: true, // no organizer
			dates: []slot{{0, hm(18, 30), hm(1, 30)}}, names: parks(),
			offers: []Offer{{1, "Lawn", 600, 0, false}},
		},
		{
			number: 12, period: 21, phase: tuesday, ahead: 40, organizer: 1, varied: true,
			dates: every(2, 1, hm(21, 15), hm(1, 20)), names: comedians(),
			offers: []Offer{{311, "A42", 2, 3300, true}, {40, "Stalls", 150, 2400, true}, {38, "Balcony", 80, 1750, false}},
		},
	}
}

// popUps is the track of shows that are announced at short notice during the day; see [World.popUps].
func popUps() *track {
	return &track{
		number: 13, steady: true, organizer: 6, names: popUpNames(),
		offers: []Offer{{1, "Door", 70, 1500, false}, {2, "Front row", 12, 2400, true}},
	}
}

// production is one production of a track: a series of the feed, before incidents.
type production struct {
	track  *track
	id     int64
	number int // its number within the track
	opens  Day
	dates  []date
}

// date is one event of a production.
type date struct {
	id       int64
	on       Day
	announce Day
	slot     slot
}

// lastDay is the day on which the event ends.
func (d date) lastDay() Day { return d.on + Day((d.slot.minute+d.slot.minutes)/(24*60)) }

// upcoming reports whether the event starts after today. Only then may an incident remove it, since a past event that disappears
// is not taken for removed.
func (d date) upcoming(today Day) bool { return d.on > today }

// seriesID is the id of a production. It is made of track and number, so it is the same in every process and on every day.
func seriesID(track, number int) int64 { return int64(track)*1_000_000 + int64(number) }

// eventID is the id of a production's nth event of a day. As in the real feed, series that play on the same day have events with the same
// id: only the ids of series and event together identify an event.
func eventID(on Day, nth int) int64 { return int64(on)*10 + int64(nth) }

// onSale yields the productions of a track that have events in the feed on a day, with these events only.
func (t *track) onSale(today Day) iter.Seq[production] {
	return func(yield func(production) bool) {
		reach := 0
		for _, s := range t.dates {
			reach = max(reach, s.day+(s.minute+s.minutes)/(24*60)+linger+1)
		}
		first := floorDiv(int(today)-reach-t.phase, t.period)
		for n := first; ; n++ {
			opens := Day(n*t.period + t.phase)
			if opens-Day(t.ahead) > today {
				return
			}
			p := production{track: t, id: seriesID(t.number, n), number: n, opens: opens, dates: t.datesOf(opens, today)}
			if len(p.dates) > 0 && !yield(p) {
				return
			}
		}
	}
}

// datesOf returns the events of the production that opens at opens which are in the feed today: announced, and not yet expired.
func (t *track) datesOf(opens, today Day) []date {
	var out []date
	sameDay := map[int]int{}
	for _, s := range t.dates {
		d := date{id: eventID(opens+Day(s.day), sameDay[s.day]), on: opens + Day(s.day), slot: s, announce: opens - Day(t.ahead)}
		sameDay[s.day]++
		if t.daily {
			d.announce = d.on - Day(t.ahead)
		}
		if d.announce <= today && d.lastDay()+linger >= today {
			out = append(out, d)
		}
	}
	return out
}

// programme returns all productions that are in the feed on a day before incidents, except pop-ups.
func programme(today Day) []production {
	var out []production
	for _, t := range tracks() {
		out = slices.AppendSeq(out, t.onSale(today))
	}
	return out
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
