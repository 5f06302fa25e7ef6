package syncer

import (
	"context"
	"sync"

	"github.com/aledotdev/marquee/internal/event"
)

// presence is what the catalog has of a run's provider, read in a separate goroutine.
type presence struct {
	read    func() (event.Present, error)
	once    sync.Once
	reading sync.WaitGroup
	present event.Present
	err     error
}

func (s *Syncer) presence(ctx context.Context, run event.Run) *presence {
	return &presence{read: func() (event.Present, error) { return s.Store.Present(ctx, run, s.Clock()) }}
}

// begin starts the reading and returns at once. It may be called more than once.
func (p *presence) begin() {
	p.once.Do(func() {
		p.reading.Go(func() { p.present, p.err = guard(p.read) })
	})
}

// get waits for the reading, and starts it if begin was not called.
func (p *presence) get() (event.Present, error) {
	p.begin()
	p.reading.Wait()
	return p.present, p.err
}

// end waits until the goroutine has ended, if there is one.
func (p *presence) end() { p.reading.Wait() }

// recordIndex finds the events of the last snapshot by the hashes of the records that they were written from. It is not safe for
// concurrent use.
type recordIndex struct {
	events []event.Known
	next   int                      // index behind the event found last
	places map[event.RecordHash]int // indices in events; made when first needed
}

// find returns the index of the event that was written from a record. Feeds mostly keep their order, and events are in about
// the same one: so the event after the one found last is tried first, which saves a search.
func (x *recordIndex) find(record event.RecordHash) (place int, known bool) {
	place = x.next
	if known = place < len(x.events) && x.events[place].Record == record; !known {
		place, known = x.search(record)
	}
	if known {
		x.next = place + 1
	}
	return place, known
}

func (x *recordIndex) search(record event.RecordHash) (place int, known bool) {
	if x.places == nil {
		x.places = make(map[event.RecordHash]int, len(x.events))
		for i := range x.events {
			if x.events[i].Record != (event.RecordHash{}) {
				x.places[x.events[i].Record] = i
			}
		}
	}
	place, known = x.places[record]
	return place, known
}
