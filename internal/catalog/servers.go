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

// servers are where reads go: the replica while it answers, else the primary. Whoever reads the catalog does it by
// one of these methods, which try a statement once more when that is all it takes.
type servers struct {
	primary *server
	replica *server       // nil: there is none
	learned chan struct{} // holds one when a server has been asked for its version, or will be known to have another
	risen   chan struct{} // holds one when the primary is known to have another version
	// ahead is called before the server that reads go to is known to have another version.
	ahead func(ctx context.Context, to Stamp, learned chan<- struct{})
}

// server is one PostgreSQL.
type server struct {
	name    string
	pool    *pgxpool.Pool
	db      *sql.DB                   // over the same pool, for ent
	known   atomic.Pointer[Stamp]     // nil: nothing yet
	changed atomic.Pointer[time.Time] // when what is known was made
	gone    atomic.Bool               // it did not answer; whoever watches it says when it does again
	reads   atomic.Int64
}

func newServer(name string, pool *pgxpool.Pool) *server {
	db := stdlib.OpenDBFromPool(pool)
	db.SetMaxIdleConns(0) // an idle connection of database/sql is one that the pool can't give to anybody
	return &server{name: name, pool: pool, db: db}
}

// now is where reads go that are bound to no server.
func (s *servers) now() *server {
	if s.replica != nil && !s.replica.gone.Load() {
		return s.replica
	}
	return s.primary
}

// at is where reads of this context go.
func (s *servers) at(ctx context.Context) *server {
	at := s.now()
	if p, ok := ctx.Value(pinKey{}).(*pin); ok && !p.moved.Load() {
		at = p.server
	}
	at.reads.Add(1)
	return at
}

// again says where a statement that failed is worth one more attempt; nil: nowhere.
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

// isFleeting is of errors that a second attempt doesn't meet: a plan that was made before a migration, and a conflict
// (on a standby, with what it replays).
func isFleeting(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "0A000" || pg.Code == "40001")
}

// isGone is of errors that say that nobody is there to answer, or not for long.
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

// Query sends a statement. Errors up to its first row are found here, and met with a second attempt.
func (s *servers) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	at := s.at(ctx)
	rows, err := begun(at.pool.Query(ctx, sql, args...))
	if again := s.again(ctx, at, err); again != nil {
		return begun(again.pool.Query(ctx, sql, args...))
	}
	return rows, err
}

// begun reads the first row, or the error that came in its place.
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

// begunRows are rows whose first has been read.
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

// QueryContext is Query for ent; database/sql, too, has read the first row when it returns.
func (s *servers) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	at := s.at(ctx)
	rows, err := at.db.QueryContext(ctx, query, args...)
	if again := s.again(ctx, at, err); again != nil {
		return again.db.QueryContext(ctx, query, args...)
	}
	return rows, err
}

// errReadOnly is the answer to who would write here.
var errReadOnly = errors.New("the catalog only reads")

// ExecContext implements the other half of what ent asks for.
func (s *servers) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	return nil, errReadOnly
}

// Ping says whether a database answers.
func (s *servers) Ping(ctx context.Context) error {
	at := s.now()
	err := at.pool.Ping(ctx)
	if again := s.again(ctx, at, err); again != nil {
		return again.pool.Ping(ctx)
	}
	return err
}
