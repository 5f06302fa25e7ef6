package catalog

import (
	"slices"
	"time"

	"github.com/aledotdev/marquee/internal/terms"
)

// OrderField is what a list of events can be ordered by.
type OrderField string

// The fields of orders. Each has an index that is read in its order.
const (
	ByStart      OrderField = "START"       // the instant of the start
	ByPrice      OrderField = "PRICE"       // the lowest price; events without one come last, whatever the direction
	ByTitle      OrderField = "TITLE"       // by words, without accents and case
	ByLastChange OrderField = "LAST_CHANGE" // when a sync last changed what the API shows of the event
	// ByRelevance puts events with the text in the title before those that have it elsewhere. Within each of the two groups, events
	// that have not begun come first, the next one at the top; then those that have begun, the latest at the top.
	ByRelevance OrderField = "RELEVANCE"
)

// Direction is the way of an order.
type Direction string

// The directions.
const (
	Ascending  Direction = "ASC"
	Descending Direction = "DESC"
)

// EventOrder is an order of events. Ties are ordered by id, in the same direction. The zero value is ascending: by start or, if the filter
// has a text, by relevance, of which ascending is the best match first.
type EventOrder struct {
	Field     OrderField
	Direction Direction
}

// order is the checked form of an EventOrder: how it is read, and how its cursors are written.
type order struct {
	tag    byte // the first byte of its cursors
	kind   keyKind
	parts  []part
	ranked *ranking // of relevance only
}

// ranking is what relevance depends on besides the event.
type ranking struct {
	text []string  // the words that are looked for
	at   time.Time // what begins then or later is still to begin; the pages of a list keep that of its first
}

// part is a stretch of an order: the events that its condition holds, by a column and then by id. Most orders have
// one part. Where nulls come last whatever the direction, they are a second.
type part struct {
	number     byte // names it in cursors
	column     string
	condition  string // empty: all events; each ? is the next of args
	args       []any
	null       bool // the column is null throughout: by id alone
	descending bool
}

// Tags of orders in cursors, of events, runs and changes alike. They are never given to another order.
const (
	tagStart      = 1
	tagRun        = 2
	tagPrice      = 3
	tagLastChange = 4
	tagTitle      = 5
	tagRelevance  = 6
	tagChange     = 7
)

// startColumn is what windows bound, too.
const startColumn = "starts_at"

func (eq EventQuery) order() (order, error) {
	o := eq.Order
	text, err := eq.Where.text()
	if err != nil {
		return order{}, err
	}
	if o.Field == "" {
		o.Field = ByStart
		if len(text) > 0 {
			o.Field = ByRelevance
		}
	}
	var made order
	down := o.Direction == Descending
	switch o.Field {
	case ByStart:
		made = order{tag: tagStart, kind: instantKey, parts: []part{{column: startColumn, descending: down}}}
	case ByLastChange:
		made = order{tag: tagLastChange, kind: instantKey, parts: []part{{column: "updated_at", descending: down}}}
	case ByTitle:
		made = order{tag: tagTitle, kind: textKey, parts: []part{{column: "title_key", descending: down}}}
	case ByPrice:
		made = order{tag: tagPrice, kind: amountKey, parts: []part{
			{number: 0, column: "min_price", condition: "min_price IS NOT NULL", descending: down},
			{number: 1, column: "min_price", condition: "min_price IS NULL", null: true, descending: down},
		}}
	case ByRelevance:
		made = byRelevance(ranking{text, eq.Now.Truncate(time.Minute)}, down)
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

func byRelevance(r ranking, worstFirst bool) order {
	made := order{tag: tagRelevance, kind: instantKey, ranked: &r}
	add := func(title string, args ...any) {
		for _, past := range []bool{false, true} {
			begins := "starts_at >= ?"
			if past {
				begins = "starts_at < ?"
			}
			made.parts = append(made.parts, part{
				number: byte(len(made.parts)), column: startColumn, descending: past != worstFirst,
				condition: begins + title, args: append([]any{r.at}, args...),
			})
		}
	}
	if len(r.text) == 0 {
		add("")
	} else {
		titles := withWords(r.text, terms.Title)
		add(" AND search @@ ?::text::tsquery", titles)
		add(" AND NOT search @@ ?::text::tsquery", titles)
	}
	if worstFirst {
		slices.Reverse(made.parts)
	}
	return made
}

// as is the order as it was at a time that a cursor names.
func (o order) as(at time.Time) order {
	if o.ranked == nil {
		return o
	}
	return byRelevance(ranking{o.ranked.text, at}, o.parts[0].number != 0)
}

// columns are what position looks at, besides the id.
func (o order) columns() []string {
	if o.tag == tagRelevance {
		return []string{startColumn, "title"}
	}
	return []string{o.parts[0].column}
}

// position is an event's place in the order.
func (o order) position(e *Event) position {
	p := position{id: e.ID}
	switch o.tag {
	case tagStart:
		p.key.at = e.StartsAt
	case tagRelevance:
		p.key.at, p.rankedAt = e.StartsAt, o.ranked.at
		if !hasWords(e.Title, o.ranked.text) {
			p.part = 2
		}
		if e.StartsAt.Before(o.ranked.at) {
			p.part++
		}
	case tagTitle:
		p.key.text = e.titleKey
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
