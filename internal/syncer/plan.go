package syncer

import (
	"bytes"
	"slices"
	"strings"

	"github.com/aledotdev/marquee/internal/event"
)

// plan compares one snapshot with what the catalog holds of its provider, record by record. It does no
// I/O, keeps two small values an event, and gives the same answer for the same input.
type plan struct {
	known       map[event.ID]event.Hash // the events of the snapshot applied last
	seen        map[event.ID]sighting   // the events of this one
	again       int                     // how many of the known ones are seen
	titles      map[string]string       // of its series: the last good record of each counts
	unclear     map[event.ID]struct{}   // series of which a record can't be used and names no event
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
	unchanged effect = 0
	broken    effect = 1 << iota
	added
	changed
	returned
)

func newPlan(known map[event.ID]event.Hash) *plan {
	return &plan{known: known, seen: make(map[event.ID]sighting, len(known)), titles: map[string]string{}, unclear: map[event.ID]struct{}{}}
}

// see judges the next record: whether it may differ from what the catalog has, so that decide is to be
// asked, and where an earlier record of the same key with other content stands (zero: there is none), which is
// to be quarantined: the last of a key wins.
func (p *plan) see(id event.ID, hash event.Hash, place event.Position) (differs bool, loser event.Position) {
	p.records++
	before, again := p.seen[id]
	known, present := p.known[id]
	if present && !again {
		p.again++
	}
	if again && before.effect != broken && before.hash == hash {
		return false, event.Position{} // the same record twice
	}
	p.seen[id] = sighting{hash: hash, place: place}
	if again && before.effect != broken {
		p.quarantined++
		return true, before.place
	}
	return !present || known != hash, event.Position{}
}

// seeTitle notes what the next good record says of its series.
func (p *plan) seeTitle(series, title string) {
	if before, again := p.titles[series]; series != "" && (!again || before != title) {
		p.titles[series] = title
	}
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
	id := key.ID()
	if _, again := p.seen[id]; again {
		return
	}
	p.seen[id] = sighting{effect: broken}
	if _, present := p.known[id]; present {
		p.again++
	}
}

// decide says what to write for a record that see found to differ. stored is its event in the catalog,
// nil if it was never there.
func (p *plan) decide(rec *event.Event, id event.ID, hash event.Hash, stored *event.Stored) event.Write {
	s := p.seen[id]
	w := event.Write{Event: *rec, ID: id, Hash: hash, New: stored == nil}
	s.effect = unchanged
	switch {
	case stored == nil:
		s.effect = added
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
	p.seen[id] = s
	return w
}

// missing lists the known events that the snapshot does not hold, in the order of their ids.
func (p *plan) missing() []event.ID {
	if p.again == len(p.known) { // as nearly always
		return nil
	}
	ids := make([]event.ID, 0, len(p.known)-p.again)
	for id := range p.known {
		if _, ok := p.seen[id]; !ok {
			ids = append(ids, id)
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
	for _, s := range p.seen {
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
