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

// A mirror is every listed event in memory, in the order of starts, as they were at one version of the catalog. While it
// is as new as what reads would find, pages by start of a window alone are taken from it and not from the database. Rows are in the form in
// which PostgreSQL sends them, so that the same code writes them; what the log of changes names is read anew when the version rises.
type mirror struct {
	stamp   Stamp
	change  int64     // the last change that is in it
	read    time.Time // when all of it was read last
	columns []string
	parts   rowParts
	texts   [][]byte // what events have in common
	common  *commons // for who reads the next
	rows    []held
	classes []class
	bytes   int // that rows and classes take
	shared  int // bytes that texts take; by itself, since common goes on growing
}

const (
	mirrorPage    = 2_000           // events that are read at a time
	mirrorChanges = 20_000          // that are read for themselves
	mirrorRest    = time.Second / 4 // between one reading and the next
	mirrorAhead   = 2 * mirrorRest  // that a version waits for the mirror before it is known
	mirrorAge     = time.Hour       // after which the next version is read whole, whatever the log of changes says
	mirrorTimeout = 5 * time.Minute // of one reading
	tooLargeRest  = 10 * time.Minute
)

var (
	errTooLarge   = errors.New("the events are too large for the memory that they may take")
	errUnreadable = errors.New("the database connection is set to another form of values")
)

// mirrors keep the latest one.
type mirrors struct {
	limit   int // bytes that it may take; 0: none is kept
	current atomic.Pointer[mirror]
	coming  atomic.Pointer[coming]
	pages   atomic.Int64 // that were taken from it
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

// fresh is the mirror if it is as new as what reads of ctx would find; else nil.
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

// coming is a state that is not known yet to those who read, so that the mirror can be there first.
type coming struct {
	Stamp
	once sync.Once
	here chan struct{} // closed once the mirror is there
}

// await has the mirror brought to a state, and waits for that a while. Else all who read would go to the database at once whenever there
// is a new version, while it is read for the mirror as well. Where no mirror can come of it soon, there is nothing to wait for.
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

// arrive puts another mirror in the place of the last.
func (s *mirrors) arrive(next *mirror) {
	s.current.Store(next)
	if coming := s.coming.Load(); coming != nil && next.has(coming.Stamp) {
		coming.once.Do(func() { close(coming.here) })
	}
}

// wanted is the state that the mirror is to have: the one that is known, or the one to come on the same server; false: neither.
func (s *mirrors) wanted(c *Catalog) (Stamp, bool) {
	known, ok := c.Current()
	if coming := s.coming.Load(); ok && coming != nil && coming.Server == known.Server && coming.Generation == known.Generation && coming.Version > known.Version {
		return coming.Stamp, true
	}
	return known, ok
}

// has says whether the mirror is of a state, or of a later one.
func (s *mirror) has(state Stamp) bool {
	return s.stamp.Server == state.Server && s.stamp.Generation == state.Generation && s.stamp.Version >= state.Version
}

// keep reads the events whenever a server tells of another version, until ctx is done.
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

// refresh brings the mirror to the state that reads find.
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
	if _, ok = stamp(); !ok { // it was read from elsewhere
		return nil
	}
	next.stamp.Server, next.stamp.Generation = state.Server, state.Generation
	s.arrive(next)
	return nil
}

// readMirror reads the events: those that changed since last, if the log says which, else all of them.
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
	if !follows || errors.Is(err, errTooLarge) { // maybe only with what no event has any more
		err = next.addAll(ctx, tx, list, limit)
	}
	if err != nil {
		return nil, err
	}
	next.texts, next.shared = next.common.texts, next.common.bytes
	next.index()
	return next, nil
}

// addChanged reads the events that changed since last, and takes the others from it.
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

// addAll reads all events, some at a time.
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

// add appends rows, as long as there is room.
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

// leadsTo says whether the log tells what is between the two, and that is not so much that all may as well be read. What was
// pruned it tells no more.
func (s *mirror) leadsTo(next *mirror, pruned int64) bool {
	return s != nil && s.change >= pruned && s.change <= next.change && next.change-s.change <= mirrorChanges && next.read.Sub(s.read) < mirrorAge
}

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

// merged are rows with others in the place of those of the same ids; both are in order.
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
