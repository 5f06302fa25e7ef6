package catalog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
)

// A mirror is all listed events in memory, in the order of starts, as they were at one version of the catalog. While the database has
// nothing newer, pages in that order with no filter but a window are read from the mirror. Values are in the form in which PostgreSQL sends
// them, so that the same code writes both. When the version rises, the events that the log of changes names are read again.
type mirror struct {
	stamp   Stamp
	change  int64     // the number of the last change that is in it
	read    time.Time // when it was last read as a whole
	columns []string
	parts   rowParts
	texts   [][]byte // values that events have in common, packed
	common  *commons // for reading the next mirror
	rows    []held
	classes []class
	bytes   int // memory of rows and classes
	shared  int // memory of texts, in bytes; noted here, since common goes on growing
}

const (
	mirrorPage    = 2_000            // how many events one statement reads
	mirrorChanges = 20_000           // with more changes than this, all events are read again
	mirrorRest    = time.Second / 4  // pause between two readings
	mirrorAhead   = 2 * mirrorRest   // how long a new version is held back until the mirror has it
	mirrorAge     = time.Hour        // after this, the next version is read as a whole, whatever the log of changes says
	mirrorTimeout = 5 * time.Minute  // for one reading
	tooLargeRest  = 10 * time.Minute // pause after the events were too large
)

var (
	errTooLarge   = errors.New("the events are too large for the memory that they may take")
	errUnreadable = errors.New("the database connection is set to another form of values")
)

// mirrors keep the latest mirror.
type mirrors struct {
	limit   int // bytes that a mirror may take; 0: none is kept
	current atomic.Pointer[mirror]
	coming  atomic.Pointer[coming]
	pages   atomic.Int64 // how many pages were read from mirrors
}

// KeepMirror makes Watch keep all listed events in memory, in at most limit bytes (and twice that while they are read anew); 0: none. If
// they don't fit, descriptions, offers and attributes are left out; if the rest doesn't either, nothing is kept. Call it before Watch and
// before any read.
func (c *Catalog) KeepMirror(limit int) { c.mirrors.limit = limit }

// MirrorState says what is in memory, for metrics.
type MirrorState struct {
	Events, Bytes int
	Version       int64 // of the catalog, that the events are of; 0: none are in memory
	Pages         int64 // pages and searches that were answered from memory so far
}

// Mirror says what is in memory.
func (c *Catalog) Mirror() MirrorState {
	state := MirrorState{Pages: c.mirrors.pages.Load()}
	if s := c.mirrors.current.Load(); s != nil {
		state.Events, state.Bytes, state.Version = len(s.rows), s.bytes+s.shared, s.stamp.Version
	}
	return state
}

// fresh is the mirror if it is as new as what a read of ctx would find in the database; else nil.
func (c *Catalog) fresh(ctx context.Context) *mirror {
	s := c.mirrors.current.Load()
	if s == nil {
		return nil
	}
	at := c.pool.now()
	if p, ok := ctx.Value(pinKey{}).(*pin); ok {
		if at = p.server; p.moved.Load() {
			return nil
		}
	}
	if known := at.known.Load(); known == nil || !s.has(*known) {
		return nil
	}
	return s
}

// coming is a state of the catalog that readers are not told of yet, so that the mirror can have it first.
type coming struct {
	Stamp
	once sync.Once
	here chan struct{} // closed when the mirror has it
}

// await has the mirror brought to a state, and waits for that for a while. Otherwise, whenever there is a new version, all readers would
// go to the database at once, while it is being read for the mirror as well. If the mirror can't be there soon, it does not wait.
func (s *mirrors) await(ctx context.Context, state Stamp, learned chan<- struct{}) {
	last := s.current.Load()
	if last == nil || last.has(state) || last.stamp.Server != state.Server || last.stamp.Generation != state.Generation {
		return
	}
	next := &coming{Stamp: state, here: make(chan struct{})}
	s.coming.Store(next)
	nudge(learned)
	select {
	case <-ctx.Done():
	case <-next.here:
	case <-time.After(mirrorAhead):
	}
}

// arrive replaces the mirror by the next one.
func (s *mirrors) arrive(next *mirror) {
	s.current.Store(next)
	if coming := s.coming.Load(); coming != nil && next.has(coming.Stamp) {
		coming.once.Do(func() { close(coming.here) })
	}
}

// wanted is the state that the mirror should have: the known one or, if there is one, that which is coming on the same server. It is false
// if no state is known.
func (s *mirrors) wanted(c *Catalog) (Stamp, bool) {
	known, ok := c.Current()
	if coming := s.coming.Load(); ok && coming != nil && coming.Server == known.Server && coming.Generation == known.Generation && coming.Version > known.Version {
		return coming.Stamp, true
	}
	return known, ok
}

// has says whether the mirror has a state or a later one.
func (s *mirror) has(state Stamp) bool {
	return s.stamp.Server == state.Server && s.stamp.Generation == state.Generation && s.stamp.Version >= state.Version
}

// keep brings the mirror up to date whenever another version is known or coming, until ctx is done.
func (s *mirrors) keep(ctx context.Context, c *Catalog, learned <-chan struct{}, log *slog.Logger) {
	columns, failed := fullColumns(), false
	rest := func(d time.Duration) {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
	}
	for ctx.Err() == nil {
		err := s.refresh(ctx, c, columns)
		switch {
		case errors.Is(err, errTooLarge):
			s.current.Store(nil)
			if lean := leanColumns(); columns.parts() != lean.parts() {
				columns = lean
				continue
			}
			log.LogAttrs(ctx, slog.LevelInfo, "the events are not kept in memory: they are too large", slog.Int("limit", s.limit))
			columns = fullColumns()
			rest(tooLargeRest)
			continue
		case err != nil && !failed && ctx.Err() == nil:
			log.LogAttrs(ctx, slog.LevelWarn, "the events in memory can't be brought up to date; trying again", slog.Any("error", err))
		}
		if failed = err != nil; failed {
			rest(pollInterval)
			continue
		}
		rest(mirrorRest)
		select {
		case <-ctx.Done():
		case <-learned:
		}
	}
}

// refresh brings the mirror to the wanted state, unless it has that already.
func (s *mirrors) refresh(ctx context.Context, c *Catalog, columns heldColumns) error {
	state, ok := s.wanted(c)
	last := s.current.Load()
	if !ok || last != nil && last.has(state) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, mirrorTimeout)
	defer cancel()
	pinned, stamp := c.Pin(ctx)
	if state, ok = stamp(); !ok {
		return nil
	}
	if last != nil && (last.stamp.Server != state.Server || last.stamp.Generation != state.Generation || last.parts != columns.parts()) {
		last = nil
	}
	next, err := c.readMirror(pinned, columns, s.limit, last)
	if err != nil {
		return err
	}
	if _, ok = stamp(); !ok { // meanwhile reads have moved to another server
		return nil
	}
	next.stamp.Server, next.stamp.Generation = state.Server, state.Generation
	s.arrive(next)
	return nil
}

// readMirror reads a mirror: the events that changed since the last one, if the log of changes tells which, or else all.
func (c *Catalog) readMirror(ctx context.Context, columns heldColumns, limit int, last *mirror) (*mirror, error) {
	tx, done, err := c.streaming(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading all events: %w", err)
	}
	defer done()
	next := &mirror{columns: columns.names(), parts: columns.parts(), read: c.clock()}
	var pruned int64
	if err := tx.QueryRow(ctx, `SELECT version, last_change, pruned_change FROM catalog WHERE id = 1`).Scan(&next.stamp.Version, &next.change, &pruned); err != nil {
		return nil, fmt.Errorf("reading all events: the catalog version: %w", err)
	}
	list := "SELECT " + strings.Join(next.columns, ", ") + " FROM events WHERE listed AND "
	follows := last.leadsTo(next, pruned)
	if follows {
		err = next.addChanged(ctx, tx, list, last, limit)
	}
	if !follows || errors.Is(err, errTooLarge) { // maybe only because common has values that no event has any more
		err = next.addAll(ctx, tx, list, limit)
	}
	if err != nil {
		return nil, err
	}
	next.texts, next.shared = next.common.texts, next.common.bytes
	next.index()
	return next, nil
}

// addChanged reads the events that changed since the last mirror, and takes the others from that.
func (s *mirror) addChanged(ctx context.Context, tx pgx.Tx, list string, last *mirror, limit int) error {
	s.common = last.common
	changed, err := s.readHeld(ctx, tx, list+"id IN (SELECT event_id FROM changes WHERE id > $1) ORDER BY starts_at, id", last.change)
	if err == nil {
		err = s.add(merged(last.rows, changed), limit)
	}
	if err == nil {
		s.read = last.read
	}
	return err
}

// addAll reads all events, page by page.
func (s *mirror) addAll(ctx context.Context, tx pgx.Tx, list string, limit int) error {
	s.rows, s.bytes, s.common = nil, 0, newCommons()
	above := position{key: key{at: time.Date(-4000, 1, 1, 0, 0, 0, 0, time.UTC)}}
	for {
		page, err := s.readHeld(ctx, tx, list+"(starts_at, id) > ($1, $2) ORDER BY starts_at, id LIMIT $3", above.key.at, [16]byte(above.id), mirrorPage)
		if err == nil {
			err = s.add(page, limit)
		}
		if err != nil || len(page) < mirrorPage {
			return err
		}
		above = page[len(page)-1].position()
	}
}

// add appends rows, or returns errTooLarge if there is no room for them.
func (s *mirror) add(rows []held, limit int) error {
	for i := range rows {
		s.bytes += heldBytes + cap(rows[i].row)
	}
	if s.bytes+s.common.bytes > limit {
		return errTooLarge
	}
	if s.rows == nil {
		s.rows = rows // nobody else has them
		return nil
	}
	s.rows = append(s.rows, rows...)
	return nil
}

// leadsTo says whether next can be read from the log of changes: it has all changes between the two mirrors (none was pruned), they are
// not too many, and the last reading of all events was not too long ago.
func (s *mirror) leadsTo(next *mirror, pruned int64) bool {
	return s != nil && s.change >= pruned && s.change <= next.change && next.change-s.change <= mirrorChanges && next.read.Sub(s.read) < mirrorAge
}

// readHeld reads the events that a statement selects.
func (s *mirror) readHeld(ctx context.Context, tx pgx.Tx, sql string, args ...any) ([]held, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("reading all events: %w", err)
	}
	defer rows.Close()
	var all []held
	for rows.Next() {
		if len(all) == 0 && !asExpected(rows) {
			return nil, errUnreadable
		}
		all = append(all, hold(rows.RawValues(), s.parts, s.common))
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading all events: %w", err)
	}
	return all, nil
}

// merged are the rows and the others together, in order; of an id that both have, the row of others. Both have to be in order.
func merged(rows, others []held) []held {
	replaced := make(map[event.ID]struct{}, len(others))
	for i := range others {
		replaced[others[i].id] = struct{}{}
	}
	all := make([]held, 0, len(rows)+len(others))
	for i := range rows {
		if _, ok := replaced[rows[i].id]; ok {
			continue
		}
		for len(others) > 0 && others[0].compare(rows[i].start, rows[i].id) < 0 {
			all, others = append(all, others[0]), others[1:]
		}
		all = append(all, rows[i])
	}
	return append(all, others...)
}
