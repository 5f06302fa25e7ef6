package migrate

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// lockKey is the advisory lock that Marquee's migrations take: "marquee\x01".
	lockKey int64 = 0x6d61727175656501
	// maxProbes bounds the connections that are opened to find out about a pooler.
	maxProbes = 32
	// probeTimeout bounds each check: a pooler that has no free session keeps us
	// waiting.
	probeTimeout = 10 * time.Second
)

var errConnectionLost = errors.New("the connection that holds the migration lock was lost")

// sessionLock is an advisory lock and the one connection that holds it. The
// migrations run on the same connection: if it breaks, the lock and the
// transaction are lost together.
type sessionLock struct {
	db      *sql.DB   // one physical connection, never a second
	witness *pgx.Conn // another session, which must not be able to get the lock
	pid     int       // of the server process that holds the lock
}

// lock takes the lock, and proves that it is held. While others hold it, lock
// waits until ctx ends.
func (m *Migrator) lock(ctx context.Context) (_ *sessionLock, err error) {
	l := &sessionLock{db: m.oneConnection()}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close(ctx))
		}
	}()
	if l.witness, err = pgx.ConnectConfig(ctx, m.config); err != nil {
		return nil, err
	}
	// Before the lock is taken: through a pooler, a session that others use could
	// keep it.
	if err := m.refusePooler(ctx, l); err != nil {
		return nil, err
	}
	if err := m.acquire(ctx, l); err != nil {
		return nil, err
	}
	if err := l.prove(ctx); err != nil {
		return nil, errors.Join(err, l.unlock(ctx))
	}
	// In UTC, because goose records times without a zone.
	set := fmt.Sprintf("SET lock_timeout = %d; SET TIME ZONE 'UTC'", m.options.LockTimeout.Milliseconds())
	if _, err := l.db.ExecContext(ctx, set); err != nil {
		return nil, errors.Join(err, l.unlock(ctx))
	}
	return l, nil
}

// oneConnection returns a database/sql handle, which goose needs, that connects
// only once. Otherwise database/sql would silently replace a broken connection
// by one that does not hold the lock.
func (m *Migrator) oneConnection() *sql.DB {
	var connected atomic.Bool
	db := stdlib.OpenDB(*m.config, stdlib.OptionBeforeConnect(func(context.Context, *pgx.ConnConfig) error {
		if connected.Swap(true) {
			return errConnectionLost
		}
		return nil
	}))
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	return db
}

// refusePooler returns [ErrPooler] if our statements could reach different
// sessions of the server.
//
// When a session starts, a server says which process serves it. If that process
// then answers, there is no pooler, which would have said some number of its
// own. A pooler in session mode is as good as none, because it gives each client
// one session for as long as it is connected. To recognise that mode, we hold
// transactions open on more connections than there are idle sessions: if the
// pooler shares our session among clients, one of them gets it.
func (m *Migrator) refusePooler(ctx context.Context, l *sessionLock) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	var named int
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return err
	}
	err = conn.Raw(func(c any) error {
		session, ok := c.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("unexpected driver connection %T", c)
		}
		named = int(session.Conn().PgConn().PID())
		return nil
	})
	if err := errors.Join(err, conn.Close()); err != nil {
		return err
	}
	if err := l.db.QueryRowContext(ctx, "SELECT pg_backend_pid()").Scan(&l.pid); err != nil {
		return err
	}
	if named == l.pid {
		return nil
	}
	if err := m.probe(ctx, l); err != nil {
		if errors.Is(err, ErrPooler) {
			return err
		}
		return fmt.Errorf("%w (this is suspected, and could not be ruled out: %w)", ErrPooler, err)
	}
	return nil
}

// probe returns [ErrPooler] if another connection gets the session that l uses.
// Any other error means that it could not be found out.
func (m *Migrator) probe(ctx context.Context, l *sessionLock) error {
	var idle int
	err := l.db.QueryRowContext(ctx, `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND usename = current_user AND state = 'idle'`).Scan(&idle)
	if err != nil {
		return err
	}
	if idle >= maxProbes {
		return fmt.Errorf("there are too many idle sessions (%d) to try them all", idle)
	}
	var probes []*pgx.Conn // all stay open until the end
	defer func() {
		for _, conn := range probes {
			_ = conn.Close(context.WithoutCancel(ctx)) // it is closed in any case
		}
	}()
	for range idle + 1 {
		conn, err := pgx.ConnectConfig(ctx, m.config)
		if err != nil {
			return err
		}
		probes = append(probes, conn)
		tx, err := conn.Begin(ctx)
		if err != nil {
			return err
		}
		var pid int
		if err := tx.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
			return err
		}
		if pid == l.pid {
			return fmt.Errorf("%w (two connections share server process %d)", ErrPooler, pid)
		}
	}
	return nil
}

// acquire tries again and again until it gets the lock. It does not wait inside
// the server: a waiting statement has a snapshot, and CREATE INDEX CONCURRENTLY
// waits for all snapshots, so that the two programs would wait for each other.
func (m *Migrator) acquire(ctx context.Context, l *sessionLock) error {
	tick := time.NewTicker(m.options.PollInterval)
	defer tick.Stop()
	for told := false; ; told = true {
		var got bool
		if err := l.db.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", lockKey).Scan(&got); err != nil {
			return fmt.Errorf("take the migration lock: %w", err)
		}
		if got {
			return nil
		}
		if !told {
			m.options.Logger.InfoContext(ctx, "another program is migrating the database; waiting for it")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("another program holds the migration lock: %w", ctx.Err())
		}
	}
}

// prove returns nil if the session of the migrating connection holds the lock at
// this moment, and another session cannot get it. Otherwise the error is
// [ErrPooler], or one of the connection.
func (l *sessionLock) prove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	var pid, witness int
	var held, taken bool
	// pg_locks shows a 64-bit key in two halves, with objsubid 1.
	err := l.db.QueryRowContext(ctx, `SELECT pg_backend_pid(), EXISTS (
		SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = $1 AND objsubid = 1
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND (classid::bigint << 32) | objid::bigint = $2)`, l.pid, lockKey).Scan(&pid, &held)
	if err != nil {
		return fmt.Errorf("prove the migration lock: %w", err)
	}
	// If this gets the lock, it has it only until the statement ends.
	err = l.witness.QueryRow(ctx, "SELECT pg_backend_pid(), pg_try_advisory_xact_lock($1)", lockKey).Scan(&witness, &taken)
	if err != nil {
		return fmt.Errorf("prove the migration lock: %w", err)
	}
	if pid != l.pid || witness == l.pid || !held || taken {
		return fmt.Errorf("%w (the migration lock does not hold: it was taken by server process %d, statements now go to process %d; "+
			"it is still held: %t; process %d got it as well: %t)", ErrPooler, l.pid, pid, held, witness, taken)
	}
	return nil
}

// release proves the lock a last time, gives it back and closes the connections.
func (l *sessionLock) release(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // the lock is released even if the run was cancelled
	return errors.Join(l.prove(ctx), l.unlock(ctx), l.close(ctx))
}

func (l *sessionLock) unlock(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	var held bool
	if err := l.db.QueryRowContext(ctx, "SELECT pg_advisory_unlock($1)", lockKey).Scan(&held); err != nil {
		return fmt.Errorf("give back the migration lock: %w", err)
	}
	if !held {
		return errors.New("give back the migration lock: this session does not hold it")
	}
	return nil
}

func (l *sessionLock) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	var err error
	if l.witness != nil {
		err = l.witness.Close(ctx)
	}
	return errors.Join(err, l.db.Close())
}

// noConnector is for a database/sql handle that never connects: goose needs a
// handle even to read file names.
type noConnector struct{}

func (noConnector) Connect(context.Context) (driver.Conn, error) { return nil, errors.ErrUnsupported }
func (noConnector) Driver() driver.Driver                        { return nil }
