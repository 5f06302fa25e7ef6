package syncer

import (
	"bytes"
	"slices"
	"strings"

	"github.com/aledotdev/marquee/internal/event"
)

// plan compares one snapshot with what the catalog holds of its provider, record by record. It does no
// I/O, keeps two small values an event, and gives the same answer for the same input.
//
// It numbers the events: first those that are known, then the others as they come. What most records need is found by
// the number, one after the other in memory, and not by the id, which may be anywhere.
type plan struct {
	known       []event.Known         // the events of the snapshot applied last
	seen        []sighting            // the known events and those of this snapshot, by number
	numbers     map[event.ID]int      // made when first needed
	again       int                   // how many of the known ones are seen
	titles      map[string]string     // of its series: the last good record of each counts
	last        event.Series          // the one whose title was noted last
	unclear     map[event.ID]struct{} // series of which a record can't be used and names no event
	records     int
	quarantined int
}

type sighting struct {
	hash   event.Hash
	place  event.Position // of the record that counts
	effect effect
}

// effect is what becomes of an event by the record that counts for it.
type effect uint8

const (
	unseen effect = 0
	seen   effect = 1 << iota // and nothing else: unchanged
	broken
	added
	changed
	returned
)

func newPlan(known []event.Known) *plan {
	return &plan{known: known, seen: make([]sighting, len(known)), titles: map[string]string{}, unclear: map[event.ID]struct{}{}}
}

// number is that of an event, which is given one if it has none.
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

// see judges the next record, by the number of its event: whether it may differ from what the catalog has, so that
// decide is to be asked, and where an earlier record of the same key with other content stands (zero: there is none),
// which is to be quarantined: the last of a key wins.
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

// seeTitle notes what the next good record says of its series, which mostly is what the one before said.
func (p *plan) seeTitle(series, title string) {
	if series == "" || p.last == (event.Series{ID: series, Title: title}) {
		return
	}
	p.last = event.Series{ID: series, Title: title}
	p.titles[series] = title
}

// retitled lists the series that are new, or titled otherwise than the catalog has them, in the order of their ids.
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

// seeBroken notes a record that can't be used. Its event, if the record names one, is still in the
// feed: it is neither changed nor removed. If it names a series only, that holds for every event of it.
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

// decide says what to write for a record that see found to differ. stored is its event in the catalog,
// nil if it was never there.
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
			if rec.Online && !stored.Listed { // to those who read the catalog it is new
				w.Changes = append(w.Changes, event.Change{Kind: event.ChangeAdded})
			}
			shown := *rec
			shown.SeriesTitle = p.titles[rec.Key.Series] // its last record's, which need not be this one
			w.Changes = append(w.Changes, event.Diff(&stored.Event, &shown)...)
		}
	}
	return w
}

// missing lists the known events that the snapshot does not hold, in the order of their ids.
func (p *plan) missing() []event.ID {
	if p.again == len(p.known) { // as nearly always
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

// counts sums up, but for what the missing events come to: that depends on their dates. A record is
// quarantined or good, and a good one that did nothing, such as a repeat of another, is unchanged: so the same
// snapshot again has the same sum.
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
