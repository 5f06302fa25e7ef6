package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// CursorAt is a cursor of any place in the default order, as a client might forge it.
func CursorAt(startsAt time.Time, id event.ID) string {
	return CursorIn(EventQuery{}, Spot{ID: id, StartsAt: startsAt})
}

// Spot is what an event's place in an order depends on.
type Spot struct {
	ID        event.ID
	StartsAt  time.Time
	UpdatedAt time.Time
	MinPrice  *event.Decimal
	Title     string
	TitleKey  string
}

// CursorIn is the cursor of a place in the order of a query.
func CursorIn(eq EventQuery, at Spot) string {
	o, _ := eq.order()
	return o.cursor(o.position(&Event{
		ID: at.ID, StartsAt: at.StartsAt, UpdatedAt: at.UpdatedAt, minPrice: price{at.MinPrice}, Title: at.Title, titleKey: at.TitleKey,
	}))
}

// ParseCursor reads a cursor of the order of a query, and writes it again.
func ParseCursor(eq EventQuery, argument, cursor string) (again string, err error) {
	o, err := eq.order()
	if err != nil {
		return "", err
	}
	p, err := o.parseCursor(argument, cursor)
	if err != nil {
		return "", err
	}
	return o.cursor(p), nil
}

// ParseRunCursor is the run that a cursor names.
func ParseRunCursor(cursor string) (int64, error) { return parseNumberCursor(tagRun, cursor) }

// RunCursor is a run's cursor.
func RunCursor(id int64) string { return runCursor(id) }

// ChangeCursor is the cursor of a change's number.
func ChangeCursor(number int64) string { return changeCursor(number) }

// ParseChangeCursor reads one.
func ParseChangeCursor(cursor string) (int64, error) { return parseChangeCursor(&cursor) }

// Refresh brings the events in memory to what the database has, as Watch does when it learns of a version.
func (c *Catalog) Refresh(ctx context.Context, lean bool) error {
	var version int64
	if err := c.pool.primary.pool.QueryRow(ctx, `SELECT version FROM catalog WHERE id = 1`).Scan(&version); err != nil {
		return err
	}
	columns := fullColumns()
	if lean {
		columns = leanColumns()
	}
	c.Learn(version)
	return c.mirrors.refresh(ctx, c, columns)
}

// Expect has the events in memory brought to a version before it is known, as who asks for versions does. It returns when somebody
// may Refresh them; done is closed when there is no more to wait for.
func (c *Catalog) Expect(ctx context.Context, version int64) (done <-chan struct{}) {
	learned, ended := make(chan struct{}, 1), make(chan struct{})
	to := *c.pool.now().known.Load()
	to.Version = version
	go func() {
		defer close(ended)
		c.pool.ahead(ctx, to, learned)
	}()
	<-learned
	return ended
}

// RefreshAhead brings the events in memory to what is expected, whatever the database is known to have.
func (c *Catalog) RefreshAhead(ctx context.Context) error {
	return c.mirrors.refresh(ctx, c, fullColumns())
}

// Learn makes the catalog think that the database has a version.
func (c *Catalog) Learn(version int64) {
	c.pool.primary.known.Store(&Stamp{Server: primaryName, Generation: 1, Version: version})
}

// Held are the ids of the events in memory, and their rows as text.
func (c *Catalog) Held() (rows []string) {
	s := c.mirrors.current.Load()
	all, _ := s.within(Window{}, stretch{}, s.columns)
	for values := range all {
		rows = append(rows, fmt.Sprintf("%q", values))
	}
	return rows
}

// PackOffers packs offers as they are held in memory.
func PackOffers(text []byte) []byte { return packOffers(text) }

// Offers are the values of each offer; false if it is not known what they are.
func Offers(text []byte) (all []string, ok bool) {
	var o offer
	ok = eachOffer(text, &o, func() { all = append(all, fmt.Sprintf("%q", o)) })
	return all, ok
}

// ErrTooLarge is errTooLarge.
var ErrTooLarge = errTooLarge
