package catalog

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// The names of servers, as metrics and readiness know them.
const (
	primaryName = "primary"
	replicaName = "replica"
)

// servers are where reads go: to the replica while it answers, else to the primary. All reads of the catalog use its methods, which try a
// statement a second time where that can help.
type servers struct {
	primary *server
	replica *server       // nil: there is none
	learned chan struct{} // holds one after a server was asked for its version, and before another version becomes known
	risen   chan struct{} // holds one after another version of the primary became known
	// ahead is called before another version of the server that reads go to becomes known.
	ahead func(ctx context.Context, to Stamp, learned chan<- struct{})
}

// server is one PostgreSQL.
type server struct {
	name    string
	pool    *pgxpool.Pool
	db      *sql.DB                   // over the same pool, for ent
	known   atomic.Pointer[Stamp]     // its state as far as known; nil: nothing yet
	changed atomic.Pointer[time.Time] // when that version was made
	gone    atomic.Bool               // it did not answer; Watch notes when it does again
	reads   atomic.Int64              // statements sent to it
}

func newServer(name string, pool *pgxpool.Pool) *server {
	db := stdlib.OpenDBFromPool(pool)
	db.SetMaxIdleConns(0) // an idle connection of database/sql would be taken from the pool for nothing
	return &server{name: name, pool: pool, db: db}
}

// now is the server for reads that are not pinned to one.
func (s *servers) now() *server {
	if s.replica != nil && !s.replica.gone.Load() {
		return s.replica
	}
	return s.primary
}

// at is the server for reads of this context, and counts one.
func (s *servers) at(ctx context.Context) *server {
	at := s.now()
	if p, ok := ctx.Value(pinKey{}).(*pin); ok && !p.moved.Load() {
		at = p.server
	}
	at.reads.Add(1)
	return at
}

// again is the server on which a statement that failed should be tried a second time; nil: none.
func (s *servers) again(ctx context.Context, at *server, err error) *server {
	switch {
	case err == nil || ctx.Err() != nil:
		return nil
	case isFleeting(err):
		return at
	case at == s.replica && isGone(err):
		at.gone.Store(true)
		if p, ok := ctx.Value(pinKey{}).(*pin); ok {
			p.moved.Store(true)
		}
		s.primary.reads.Add(1)
		return s.primary
	}
	return nil
}

// isFleeting says whether a second attempt is likely to succeed: after a plan from before a migration (0A000), and after a conflict
// (40001), which on a standby is one with what it replays.
func isFleeting(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "0A000" || pg.Code == "40001")
}

// isGone says whether an error means that the server doesn't answer, or is about to stop.
func isGone(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		// Class 08: connection exceptions. 57P01 to 03: shutting down, crashed, not yet up.
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "57P0")
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// Query sends a statement and waits for its first row. If an error comes before that, it is tried a second time.
func (s *servers) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	at := s.at(ctx)
	rows, err := begun(at.pool.Query(ctx, sql, args...))
	if again := s.again(ctx, at, err); again != nil {
		return begun(again.pool.Query(ctx, sql, args...))
	}
	return rows, err
}

// begun reads the first row, or the error that comes instead.
func begun(rows pgx.Rows, err error) (pgx.Rows, error) {
	if err != nil {
		return nil, err
	}
	more := rows.Next()
	if err := rows.Err(); err != nil {
		rows.Close()
		return nil, err
	}
	return &begunRows{Rows: rows, waiting: true, more: more}, nil
}

// begunRows are rows of which the first has been read.
type begunRows struct {
	pgx.Rows
	waiting, more bool
}

// Next implements pgx.Rows.
func (r *begunRows) Next() bool {
	if r.waiting {
		r.waiting = false
		return r.more
	}
	return r.Rows.Next()
}

// BeginTx begins a transaction.
func (s *servers) BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error) {
	at := s.at(ctx)
	tx, err := at.pool.BeginTx(ctx, options)
	if again := s.again(ctx, at, err); again != nil {
		return again.pool.BeginTx(ctx, options)
	}
	return tx, err
}

// QueryContext is Query for ent. When database/sql returns, the first row has been read, too.
func (s *servers) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	at := s.at(ctx)
	rows, err := at.db.QueryContext(ctx, query, args...)
	if again := s.again(ctx, at, err); again != nil {
		return again.db.QueryContext(ctx, query, args...)
	}
	return rows, err
}

// errReadOnly is the error of an attempt to write.
var errReadOnly = errors.New("the catalog only reads")

// ExecContext is the other method that ent requires.
func (s *servers) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	return nil, errReadOnly
}

// Ping returns nil if the database answers.
func (s *servers) Ping(ctx context.Context) error {
	at := s.now()
	err := at.pool.Ping(ctx)
	if again := s.again(ctx, at, err); again != nil {
		return again.pool.Ping(ctx)
	}
	return err
}
