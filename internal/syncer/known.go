package syncer

import "github.com/aledotdev/marquee/internal/event"

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
