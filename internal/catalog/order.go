package catalog

import (
	"slices"
)

// OrderField is what a list of events can be ordered by.
type OrderField string

// The fields of orders. Each has an index that is read in its order.
const (
	ByStart      OrderField = "START"       // the instant of the start
	ByPrice      OrderField = "PRICE"       // the lowest price; events without one come last, whatever the direction
	ByLastChange OrderField = "LAST_CHANGE" // when a sync last changed what the API shows of the event
)

// Direction is the way of an order.
type Direction string

// The directions.
const (
	Ascending  Direction = "ASC"
	Descending Direction = "DESC"
)

// EventOrder is an order of events. Ties are in the order of ids, so that it is total. The zero value is by start,
// ascending.
type EventOrder struct {
	Field     OrderField
	Direction Direction
}

// order is the checked form of an EventOrder: how it is read, and how its cursors are written.
type order struct {
	tag   byte // the first byte of its cursors
	kind  keyKind
	parts []part
}

// part is a stretch of an order: the events that its condition holds, by a column and then by id. Most orders have
// one part. Where nulls come last whatever the direction, they are a second.
type part struct {
	number     byte // names it in cursors
	column     string
	condition  string // empty: all events
	null       bool   // the column is null throughout: by id alone
	descending bool
}

// Tags of orders in cursors. Runs have theirs beside these. They are never given to another order.
const (
	tagStart      = 1
	tagRun        = 2
	tagPrice      = 3
	tagLastChange = 4
)

// startColumn is what windows bound, too.
const startColumn = "starts_at"

func (o EventOrder) order() (order, error) {
	var made order
	down := o.Direction == Descending
	switch o.Field {
	case ByStart, "":
		made = order{tagStart, instantKey, []part{{column: startColumn, descending: down}}}
	case ByLastChange:
		made = order{tagLastChange, instantKey, []part{{column: "updated_at", descending: down}}}
	case ByPrice:
		made = order{tagPrice, amountKey, []part{
			{number: 0, column: "min_price", condition: "min_price IS NOT NULL", descending: down},
			{number: 1, column: "min_price", condition: "min_price IS NULL", null: true, descending: down},
		}}
	default:
		return order{}, badInput("orderBy.field", "orderBy.field: there is no order by %q", string(o.Field))
	}
	switch o.Direction {
	case Ascending, Descending, "":
		return made, nil
	default:
		return order{}, badInput("orderBy.direction", "orderBy.direction: want ASC or DESC")
	}
}

// position is an event's place in the order.
func (o order) position(e *Event) position {
	p := position{id: e.ID}
	switch o.tag {
	case tagStart:
		p.key.at = e.StartsAt
	case tagLastChange:
		p.key.at = e.UpdatedAt
	case tagPrice:
		if amount := e.minPrice.decimal; amount != nil {
			p.key.micros = amount.Micros()
		} else {
			p.part = 1
		}
	}
	return p
}

// stretch is a part, or what two positions leave of it, in the direction in which it is read.
type stretch struct {
	part
	above, below *position // excluded; by column and id, whatever the direction
}

// between are the stretches of the order after one position and before another, each nil for none; backward, they
// are read from their end.
func (o order) between(after, before *position, backward bool) []stretch {
	at := func(p *position) int {
		return slices.IndexFunc(o.parts, func(one part) bool { return one.number == p.part })
	}
	first, last := 0, len(o.parts)-1
	if after != nil {
		first = at(after)
	}
	if before != nil {
		last = at(before)
	}
	if first > last { // nothing lies between
		return []stretch{{part: part{column: o.parts[0].column, condition: "false"}}}
	}
	var found []stretch
	for i := first; i <= last; i++ {
		s := stretch{part: o.parts[i]}
		if after != nil && i == first {
			s.above = after
		}
		if before != nil && i == last {
			s.below = before
		}
		if s.descending {
			s.above, s.below = s.below, s.above
		}
		if backward {
			s.descending = !s.descending
		}
		found = append(found, s)
	}
	if backward {
		slices.Reverse(found)
	}
	return found
}
