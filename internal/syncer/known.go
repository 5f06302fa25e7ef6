package syncer

import (
	"context"
	"sync"

	"github.com/aledotdev/marquee/internal/event"
)

// presence is what the catalog has of a run's provider, read in a goroutine of its own.
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

// begin has it read while the caller goes on. It may be called more than once.
func (p *presence) begin() {
	p.once.Do(func() {
		p.reading.Go(func() { p.present, p.err = p.read() })
	})
}

// get waits for it.
func (p *presence) get() (event.Present, error) {
	p.begin()
	p.reading.Wait()
	return p.present, p.err
}

// end waits for the goroutine, if there is one.
func (p *presence) end() { p.reading.Wait() }

// recordIndex finds the events of the last snapshot by the records that they were written from. It is not safe for
// concurrent use.
type recordIndex struct {
	events []event.Known
	next   int                      // behind the one found last
	places map[event.RecordHash]int // in events; made when first needed
}

// find tells where in events the one of a record is. A feed mostly keeps its order, which is about that of events too:
// so the next one is tried first, which costs no search.
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
