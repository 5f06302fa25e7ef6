package catalog

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// How many changes are read at a time: for all followers that are up to date, and for one that is not.
const (
	tailSize   = 1_000
	followSize = 200
)

// readingAtOnce is how many followers may read from the database for themselves at a time. After a large sync all of them may want to,
// and other requests need the database, too.
const readingAtOnce = 2

// live is where followers of changes wait. The latest changes, the tail, are read once for all followers. A follower that is further back
// reads the database for itself: however slow it is, nothing is kept for it here.
type live struct {
	followers atomic.Int64 // while there is none, nothing is read
	tail      atomic.Pointer[tail]
	watching  sync.Mutex
	reading   chan struct{} // holds one for each follower that reads for itself
}

// tail are the latest changes. A tail does not change: a new one takes its place.
type tail struct {
	from, to int64 // it has all changes of listed events with numbers above from, up to and including to
	changes  []*Change
	next     chan struct{} // closed once there is another
}

func newLive() *live {
	l := &live{reading: make(chan struct{}, readingAtOnce)}
	l.tail.Store(&tail{next: make(chan struct{})})
	return l
}

// Follow gives the changes after a cursor and then each new change, in the order in which they were committed, until ctx is done; if the
// cursor is nil, only new ones. If it gives an error, that is the last it gives: an *Error with CodeCursorExpired if changes were deleted
// before they were given, or if the catalog was restored to an earlier state. It reads from the primary only, since a replica may not have
// yet what a notification tells of. Watch has to run meanwhile.
func (c *Catalog) Follow(ctx context.Context, after *string, where ChangeFilter) (iter.Seq2[*Change, error], error) {
	filter, err := where.check(c.clock)
	if err != nil {
		return nil, err
	}
	place := int64(math.MaxInt64)
	if after != nil {
		if place, err = parseChangeCursor(after); err != nil {
			return nil, err
		}
	}
	c.live.followers.Add(1) // before the first read: what is committed after it, the tail will have
	var leave sync.Once
	left := func() { leave.Do(func() { c.live.followers.Add(-1) }) }
	context.AfterFunc(ctx, left)
	f := &follower{catalog: c, filter: filter, place: place}
	if err := f.read(ctx); err != nil {
		left()
		return nil, err
	}
	return func(yield func(*Change, error) bool) {
		defer left()
		f.run(ctx, yield)
	}, nil
}

// follower is somebody who follows changes.
type follower struct {
	catalog *Catalog
	filter  *changeFilter
	place   int64     // it has all changes up to this number, once those of given have been yielded
	given   []*Change // changes that were read for it
}

func (f *follower) run(ctx context.Context, yield func(*Change, error) bool) {
	for {
		for _, change := range f.given {
			if !yield(change, nil) {
				return
			}
		}
		f.given = nil
		switch tail := f.catalog.live.tail.Load(); {
		case f.place < tail.from:
			if !f.readOr(ctx, yield) {
				return
			}
		case f.place < tail.to:
			if !f.take(tail, yield) {
				return
			}
		default:
			select {
			case <-ctx.Done():
				return
			case <-tail.next:
			}
			// A follower that is ahead even of the next tail has read its changes before, or the catalog was restored to an earlier state.
			if f.place > f.catalog.live.tail.Load().to && !f.readOr(ctx, yield) {
				return
			}
		}
	}
}

// readOr reads on; if that fails, it yields the error and is false.
func (f *follower) readOr(ctx context.Context, yield func(*Change, error) bool) bool {
	err := f.read(ctx)
	if err != nil && ctx.Err() == nil {
		yield(nil, err)
	}
	return err == nil
}

// read reads the next changes from the database.
func (f *follower) read(ctx context.Context) error {
	reading := f.catalog.live.reading
	select {
	case reading <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	read, err := f.catalog.readPrimary(ctx, changeRange{after: f.place, limit: followSize}, f.filter)
	<-reading
	switch {
	case err != nil:
		return err
	case f.place == math.MaxInt64: // it begins now
		f.place = read.latest
		return nil
	case f.place < read.pruned:
		return errExpired
	case f.place > read.latest:
		return errBeyond
	}
	f.given = read.changes
	if f.place = max(f.place, read.until); len(f.given) == followSize {
		f.place = f.given[followSize-1].Number
	}
	return nil
}

// take yields those changes of the tail that the filter admits, one by one: a slow follower holds the tail, which all share, but no
// copy of its changes.
func (f *follower) take(tail *tail, yield func(*Change, error) bool) bool {
	for _, change := range tail.changes {
		if change.Number <= f.place {
			continue
		}
		if transition, ok := f.filter.admits(change); ok {
			own := *change
			own.Transition = transition
			if !yield(&own, nil) {
				return false
			}
		}
	}
	f.place = tail.to
	return true
}

// readPrimary reads changes from the primary, and has their events read from there later.
func (c *Catalog) readPrimary(ctx context.Context, r changeRange, f *changeFilter) (changesRead, error) {
	read, err := c.readChanges(onPrimary(ctx, c), r, f)
	for _, change := range read.changes {
		change.witnesses.primary = true
	}
	return read, err
}

func onPrimary(ctx context.Context, c *Catalog) context.Context {
	return context.WithValue(ctx, pinKey{}, &pin{server: c.pool.primary})
}

// watch keeps the tail up to date until ctx is done: it looks for changes whenever it is woken, and every pollInterval.
func (l *live) watch(ctx context.Context, c *Catalog, wake <-chan struct{}, log *slog.Logger) {
	failed := false
	for ctx.Err() == nil {
		err := l.advance(ctx, c)
		if err != nil && !failed && ctx.Err() == nil {
			log.LogAttrs(ctx, slog.LevelWarn, "changes can't be followed; trying again", slog.Any("error", err))
		}
		failed = err != nil
		select {
		case <-ctx.Done():
		case <-wake:
		case <-time.After(pollInterval):
		}
	}
}

// advance reads the changes after the tail into a new one. If they are more than a tail holds, the new one is empty, and followers read
// these changes for themselves.
func (l *live) advance(ctx context.Context, c *Catalog) error {
	l.watching.Lock()
	defer l.watching.Unlock()
	if l.followers.Load() == 0 {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, 5*pollTimeout)
	defer cancel()
	last := l.tail.Load()
	read, err := c.readPrimary(bounded, changeRange{after: last.to, limit: tailSize + 1}, &changeFilter{})
	if err != nil {
		return fmt.Errorf("reading the latest changes: %w", err)
	}
	if read.latest == last.to {
		return nil
	}
	next := &tail{from: min(last.to, read.latest), to: read.latest, changes: read.changes, next: make(chan struct{})}
	if len(next.changes) > tailSize || read.until < read.latest {
		next.from, next.changes = next.to, nil
	}
	l.tail.Store(next)
	close(last.next)
	return nil
}
