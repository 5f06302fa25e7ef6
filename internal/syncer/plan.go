package syncer

import (
	"bytes"
	"slices"
	"strings"

	"github.com/aledotdev/marquee/internal/event"
)

// plan compares one snapshot with what the catalog has of its provider, record by record. It does no
// I/O, keeps two small values for each event, and gives the same answer for the same input.
//
// It numbers the events: first the known ones, then the others as they come. What it keeps of an event is found by
// its number. Most records come in the order of the numbers, so that memory is read in sequence; by id it would be read at random.
type plan struct {
	known       []event.Known         // the events of the snapshot applied last
	seen        []sighting            // the known events and those of this snapshot, by number
	numbers     map[event.ID]int      // made when first needed
	again       int                   // how many known events this snapshot has as well
	titles      map[string]string     // of this snapshot's series, by the provider's id; the last good record of a series counts
	last        event.Series          // the series whose title was noted last
	unclear     map[event.ID]struct{} // series of which a record can't be used and doesn't name its event
	records     int
	quarantined int
}

type sighting struct {
	hash   event.Hash
	place  event.Position // of the record that counts
	effect effect
}

// effect is what the record that counts for an event does to it.
type effect uint8

const (
	unseen effect = 0
	seen   effect = 1 << iota // if it is the only one: unchanged
	broken
	added
	changed
	returned
)

func newPlan(known []event.Known) *plan {
	return &plan{known: known, seen: make([]sighting, len(known)), titles: map[string]string{}, unclear: map[event.ID]struct{}{}}
}

// number is the number of an event. An event without a number is given the next one.
func (p *plan) number(id event.ID) int {
	if p.numbers == nil {
		p.numbers = make(map[event.ID]int, len(p.known))
		for i := range p.known {
			p.numbers[p.known[i].ID] = i
		}
	}
	number, ok := p.numbers[id]
	if !ok {
		number = len(p.seen)
		p.numbers[id] = number
		p.seen = append(p.seen, sighting{})
	}
	return number
}

// see notes the next record, of the event with this number. differs says whether the record may differ from what the catalog has: then
// decide has to be called. loser is the place of an earlier record of the same key with other content (zero: there is none). The last
// record of a key counts, so the loser is to be quarantined.
func (p *plan) see(number int, hash event.Hash, place event.Position) (differs bool, loser event.Position) {
	p.records++
	s, present := &p.seen[number], number < len(p.known)
	before := *s
	if present && before.effect == unseen {
		p.again++
	}
	again := before.effect != unseen && before.effect != broken
	if again && before.hash == hash {
		return false, event.Position{} // the same record twice
	}
	*s = sighting{hash: hash, place: place, effect: seen}
	if again {
		p.quarantined++
		return true, before.place
	}
	return !present || p.known[number].Content != hash, event.Position{}
}

// seeTitle notes the title that the next good record gives its series. Mostly it is the same as in the record before.
func (p *plan) seeTitle(series, title string) {
	if series == "" || p.last == (event.Series{ID: series, Title: title}) {
		return
	}
	p.last = event.Series{ID: series, Title: title}
	p.titles[series] = title
}

// retitled lists the series that are new or have another title than in the catalog, in the order of their ids.
func (p *plan) retitled(stored map[string]string) []event.Series {
	var series []event.Series
	for id, title := range p.titles {
		if before, ok := stored[id]; !ok || before != title {
			series = append(series, event.Series{ID: id, Title: title})
		}
	}
	slices.SortFunc(series, func(a, b event.Series) int { return strings.Compare(a.ID, b.ID) })
	return series
}

// seeBroken notes a record that can't be used. If the record names its event, that event is still in the
// feed: it is neither changed nor removed. If it names only a series, no event of that series is removed.
func (p *plan) seeBroken(key event.Key) {
	p.records++
	p.quarantined++
	if key.Event == "" {
		if key.Series != "" {
			p.unclear[key.SeriesID()] = struct{}{}
		}
		return
	}
	number := p.number(key.ID())
	if p.seen[number].effect != unseen {
		return
	}
	p.seen[number].effect = broken
	if number < len(p.known) {
		p.again++
	}
}

// decide says what to write for a record of which see said that it may differ. stored is its event in the catalog,
// nil if the catalog never had it.
func (p *plan) decide(rec *event.Event, id event.ID, hash event.Hash, stored *event.Stored) event.Write {
	s := &p.seen[p.number(id)]
	w := event.Write{Event: *rec, ID: id, Hash: hash, New: stored == nil}
	s.effect = seen
	switch {
	case stored == nil:
		s.effect |= added
		w.Changes = []event.Change{{Kind: event.ChangeAdded}}
	default:
		if !stored.RemovedAt.IsZero() {
			s.effect |= returned
			w.Changes = append(w.Changes, event.Change{Kind: event.ChangeReturned})
		}
		if stored.Hash != hash {
			s.effect |= changed
			if rec.Online && !stored.Listed { // it was never shown, so it is new to those who read the catalog
				w.Changes = append(w.Changes, event.Change{Kind: event.ChangeAdded})
			}
			shown := *rec
			shown.SeriesTitle = p.titles[rec.Key.Series] // that of the last record of the series, which need not be this record
			w.Changes = append(w.Changes, event.Diff(&stored.Event, &shown)...)
		}
	}
	return w
}

// missing lists the known events that the snapshot does not have, in the order of their ids.
func (p *plan) missing() []event.ID {
	if p.again == len(p.known) { // nearly always
		return nil
	}
	ids := make([]event.ID, 0, len(p.known)-p.again)
	for i := range p.known {
		if p.seen[i].effect == unseen {
			ids = append(ids, p.known[i].ID)
		}
	}
	slices.SortFunc(ids, func(a, b event.ID) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

// counts sums up the run, except for Removed, which depends on the dates of the missing events. Each record is either
// quarantined or good. A good one that changes nothing, such as a repeat of another, counts as unchanged: so the numbers still add up
// to Records when the same snapshot comes again.
func (p *plan) counts() event.Counts {
	c := event.Counts{Records: p.records, Quarantined: p.quarantined, Unchanged: p.records - p.quarantined}
	for i := range p.seen {
		s := &p.seen[i]
		if s.effect&(added|changed|returned) != 0 {
			c.Unchanged--
		}
		if s.effect&added != 0 {
			c.Added++
		}
		if s.effect&changed != 0 {
			c.Changed++
		}
		if s.effect&returned != 0 {
			c.Returned++
		}
	}
	return c
}
