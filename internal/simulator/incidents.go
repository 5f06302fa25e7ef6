package simulator

import (
	"iter"
	"math"
	"slices"
)

// kind is a sort of incident.
type kind uint64

const (
	priceFalls kind = iota + 1
	seatsGo
	sellsOut
	goesOffline
	vanishes
	runsOver
)

// rhythm returns how many ticks there are from one incident of a kind to the next, and how many ticks each one lasts. So lasts/every
// are in force at once: few enough that no snapshot takes away more than a provider's brake allows.
func (k kind) rhythm() (every, lasts int64) {
	switch k {
	case priceFalls, seatsGo:
		return 1, 120
	case sellsOut:
		return 4, 24
	case goesOffline:
		return 10, 20
	case vanishes:
		return 6, 12
	case runsOver:
		return 5, 30
	}
	return 1, 0
}

// inForce yields the numbers of the kind's incidents that are in force at a tick.
func (k kind) inForce(tick int64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		every, lasts := k.rhythm()
		newest := tick / every
		for n := max(0, newest-lasts/every+1); n <= newest; n++ {
			if !yield(uint64(n)) {
				return
			}
		}
	}
}

const maxOffers = 4 // the most that a track has

type eventKey struct{ series, event int64 }

// incident is the effect of all incidents that are in force for one event.
type incident struct {
	cuts    [maxOffers]int // price cuts, by offer
	seats   int            // seats that were sold
	overrun int            // minutes after the planned end
	soldOut bool
}

// incidents is the effect of all incidents that are in force at one tick.
type incidents struct {
	events   map[eventKey]*incident
	vanished map[eventKey]bool
	offline  map[int64]bool
}

func (in incidents) to(key eventKey) incident {
	if e := in.events[key]; e != nil {
		return *e
	}
	return incident{}
}

func (in incidents) touch(key eventKey) *incident {
	e := in.events[key]
	if e == nil {
		e = &incident{}
		in.events[key] = e
	}
	return e
}

// candidate is an event to which an incident may happen.
type candidate struct {
	key    eventKey
	offers int
}

// victim chooses the event to which the n-th incident of a kind happens: the candidate with the least hash. So the choice stays the same
// while other candidates come and go; in particular, incidents before midnight stay with their events after it.
func (w World) victim(k kind, n uint64, of []candidate) candidate {
	draw := hash(w.seed, uint64(k), n)
	var chosen candidate
	least := uint64(math.MaxUint64)
	for _, c := range of {
		if lot := hash(draw, uint64(c.key.series), uint64(c.key.event)); lot <= least {
			chosen, least = c, lot
		}
	}
	return chosen
}

// incidents collects what is in force at a tick.
func (w World) incidents(productions []production, today Day, tick int64) incidents {
	in := incidents{events: map[eventKey]*incident{}, vanished: map[eventKey]bool{}, offline: map[int64]bool{}}
	var all, fragile []candidate // fragile: may sell out, run over, go offline or vanish
	for _, p := range productions {
		for _, d := range p.dates {
			if !d.upcoming(today) {
				continue
			}
			c := candidate{key: eventKey{p.id, d.id}, offers: len(p.track.offers)}
			all = append(all, c)
			if !p.track.steady {
				fragile = append(fragile, c)
			}
		}
	}
	for n := range priceFalls.inForce(tick) {
		c := w.victim(priceFalls, n, all)
		in.touch(c.key).cuts[below(hash(w.seed, n), c.offers)]++
	}
	for n := range seatsGo.inForce(tick) {
		in.touch(w.victim(seatsGo, n, all).key).seats += 1 + below(hash(w.seed, n), 4)
	}
	for n := range sellsOut.inForce(tick) {
		in.touch(w.victim(sellsOut, n, fragile).key).soldOut = true
	}
	for n := range runsOver.inForce(tick) {
		in.touch(w.victim(runsOver, n, fragile).key).overrun = 20
	}
	// There is one candidate of each series: else the series with the most events would be chosen again and again, and stay offline.
	series := slices.CompactFunc(slices.Clone(fragile), func(a, b candidate) bool { return a.key.series == b.key.series })
	for n := range goesOffline.inForce(tick) {
		in.offline[w.victim(goesOffline, n, series).key.series] = true
	}
	for n := range vanishes.inForce(tick) {
		in.vanished[w.victim(vanishes, n, fragile).key] = true
	}
	return in
}
