package catalog

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// How often a server is asked for its version. A notification comes sooner; it may be lost.
const (
	pollInterval   = 2 * time.Second
	behindInterval = 100 * time.Millisecond // while the replica has not what the primary has
	pollTimeout    = time.Second
)

// Stamp names a state of the data. Whatever is read from a server after it has told the stamp's version is of that version, or of a
// later one.
type Stamp struct {
	Server     string
	Generation int64 // rises whenever another server may have taken the server's place, so that versions can't be compared
	Version    int64
}

// pin binds reads to one server.
type pin struct {
	server *server
	moved  atomic.Bool // the server was gone, and some of the reads went elsewhere
}

type pinKey struct{}

// Pin binds the reads under the context that it returns to the server that reads go to now. When they are done, stamp says which state of
// the data they saw, or a later one; false if that is not known.
func (c *Catalog) Pin(ctx context.Context) (_ context.Context, stamp func() (Stamp, bool)) {
	p := &pin{server: c.pool.now()}
	known := p.server.known.Load() // before the first read
	return context.WithValue(ctx, pinKey{}, p), func() (Stamp, bool) {
		if known == nil || p.moved.Load() {
			return Stamp{}, false
		}
		return *known, true
	}
}

// Current is the stamp of what would be read now; false if it is not known.
func (c *Catalog) Current() (Stamp, bool) {
	if known := c.pool.now().known.Load(); known != nil {
		return *known, true
	}
	return Stamp{}, false
}

// ServerState is what is known of a server.
type ServerState struct {
	Name    string // primary or replica
	Up      bool
	Version int64      // 0: not known
	Changed *time.Time // when that version was made; nil: not known
	Reads   int64      // statements that went to it
}

// Servers are the primary and, if there is one, the replica.
func (c *Catalog) Servers() []ServerState {
	var states []ServerState
	for _, s := range c.pool.all() {
		state := ServerState{Name: s.name, Up: !s.gone.Load(), Changed: s.changed.Load(), Reads: s.reads.Load()}
		if known := s.known.Load(); known != nil {
			state.Version = known.Version
		}
		states = append(states, state)
	}
	return states
}

func (s *servers) all() []*server {
	if s.replica == nil {
		return []*server{s.primary}
	}
	return []*server{s.primary, s.replica}
}

// Watch keeps up with the versions of the servers until ctx is done. It asks each of them every two seconds, on a connection of its own,
// and at once when PostgreSQL notifies it of a new version. A new version becomes known to readers only when the events in memory have it,
// or after half a second. A replica that was gone is read from again as soon as it has the version that the primary had when it came back.
// Before a server has told its version, nothing that is read from it has a Stamp.
func (c *Catalog) Watch(ctx context.Context, log *slog.Logger) {
	var watches sync.WaitGroup
	servers := c.pool.all()
	wakes := make([]chan struct{}, len(servers))
	for i, s := range servers {
		wake := make(chan struct{}, 1)
		wakes[i] = wake
		watches.Go(func() { c.pool.watch(ctx, s, wake, log) })
	}
	watches.Go(func() { c.live.watch(ctx, c, c.pool.risen, log) })
	if c.mirrors.limit > 0 {
		watches.Go(func() { c.mirrors.keep(ctx, c, c.pool.learned, log) })
	}
	Listen(ctx, c.pool.primary.pool.Config().ConnConfig, log, func() {
		for _, wake := range wakes {
			nudge(wake)
		}
	})
	watches.Wait()
}

// nudge wakes whoever receives from a channel that has room for one value.
func nudge(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default: // it is on its way already
	}
}

// watch follows one server, through one connection after the other.
func (s *servers) watch(ctx context.Context, one *server, wake <-chan struct{}, log *slog.Logger) {
	for generation := int64(1); ; generation++ {
		err := s.follow(ctx, one, generation, wake, log)
		if ctx.Err() != nil {
			return
		}
		if !one.gone.Swap(true) {
			log.LogAttrs(ctx, slog.LevelWarn, "database is gone", slog.String("server", one.name), slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pollTimeout):
		}
	}
}

// follow learns versions on one connection until it breaks.
func (s *servers) follow(ctx context.Context, one *server, generation int64, wake <-chan struct{}, log *slog.Logger) error {
	bounded, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(bounded, one.pool.Config().ConnConfig)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), pollTimeout)
		defer cancel()
		_ = conn.Close(bounded) // it has only read
	}()
	atLeast := int64(-1) // what the server has to have before it is read from again
	for {
		version, changed, err := ask(ctx, conn)
		if err != nil {
			return err
		}
		primary := s.primary.known.Load()
		if atLeast < 0 && primary != nil && one != s.primary {
			atLeast = primary.Version
		}
		state := Stamp{Server: one.name, Generation: generation, Version: version}
		risen := one.known.Load() == nil || *one.known.Load() != state
		if risen && one == s.now() {
			s.ahead(ctx, state, s.learned)
		}
		one.changed.Store(&changed)
		one.known.Store(&state)
		nudge(s.learned)
		if risen && one == s.primary { // who follows changes may read at once what they are about
			nudge(s.risen)
		}
		if one.gone.Load() && version >= atLeast {
			one.gone.Store(false)
			log.LogAttrs(ctx, slog.LevelInfo, "database is back", slog.String("server", one.name), slog.Int64("version", version))
		}
		interval := pollInterval
		if primary != nil && version < primary.Version {
			interval = behindInterval
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		case <-time.After(interval):
		}
	}
}

func ask(ctx context.Context, conn *pgx.Conn) (version int64, changed time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	if err := conn.QueryRow(ctx, versionSQL).Scan(&version, &changed); err != nil {
		return 0, time.Time{}, fmt.Errorf("reading the catalog version: %w", err)
	}
	return version, changed, nil
}

const versionSQL = `SELECT version, changed_at FROM catalog WHERE id = 1`
