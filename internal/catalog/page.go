package catalog

import "time"

// Page sizes.
const (
	DefaultPageSize = 50
	MaxPageSize     = 100
)

// PageArgs are the arguments of a Relay connection (https://relay.dev/graphql/connections.htm).
type PageArgs struct {
	First  *int
	After  *string
	Last   *int
	Before *string
}

// page is the checked form of PageArgs.
type page struct {
	size          int
	backward      bool
	after, before *position
}

func (a PageArgs) page(o order) (page, error) {
	p := page{size: DefaultPageSize, backward: a.Last != nil}
	if a.First != nil && a.Last != nil {
		return page{}, badInput("last", "give first or last, not both")
	}
	for argument, size := range map[string]*int{"first": a.First, "last": a.Last} {
		if size == nil {
			continue
		}
		if *size < 1 || *size > MaxPageSize {
			return page{}, badInput(argument, "%s is %d, want 1 to %d", argument, *size, MaxPageSize)
		}
		p.size = *size
	}
	for _, c := range []struct {
		argument string
		cursor   *string
		into     **position
	}{{"after", a.After, &p.after}, {"before", a.Before, &p.before}} {
		if c.cursor == nil {
			continue
		}
		pos, err := o.parseCursor(c.argument, *c.cursor)
		if err != nil {
			return page{}, err
		}
		*c.into = &pos
	}
	if p.after != nil && p.before != nil && !p.after.rankedAt.Equal(p.before.rankedAt) {
		return page{}, badInput("before", "before: a cursor of another list than after's")
	}
	return p, nil
}

// rankedAt is the time for which the list of the page's cursors was ranked; zero without cursors, and for other orders.
func (p page) rankedAt() time.Time {
	for _, cursor := range []*position{p.after, p.before} {
		if cursor != nil {
			return cursor.rankedAt
		}
	}
	return time.Time{}
}

// PageInfo is that of the Relay specification; the cursors are nil on an empty page.
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string
	EndCursor       *string
}
