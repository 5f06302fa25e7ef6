// Package migrate brings a database to the schema version that the program
// needs ([Migrator.Up]), by SQL files in goose's format, under a lock that is
// proved to be held. It also checks, without changing anything, whether the
// schema is the right one ([Migrator.Check], [Migrator.Wait]).
package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"
)

// Table is the name of the table that records the applied versions.
const Table = "marquee_schema_version"

var (
	// ErrUnmigrated means that the database was never migrated.
	ErrUnmigrated = errors.New("the database has no schema yet; run `marquee migrate up`")
	// ErrSchemaTooOld means that some migrations of this program are not applied.
	ErrSchemaTooOld = errors.New("the database's schema is too old; run `marquee migrate up`")
	// ErrSchemaTooNew means that a migration of a later program has removed
	// something that this program needs. After migrations that only add, there is
	// no such error.
	ErrSchemaTooNew = errors.New("the database's schema is newer than this program; use a later version")
	// ErrPooler means that the migration lock, which belongs to a session, is not
	// reliable, because the statements of one client go to different sessions.
	ErrPooler = errors.New("the database is behind a connection pooler that changes sessions between transactions; " +
		"give migrations the database's own address")
	// ErrLockTimeout means that a table was in use for longer than
	// [Options.LockTimeout]. The migration was rolled back; trying again may help.
	ErrLockTimeout = errors.New("a table that the migration needs is in use")
)

// Options of a [Migrator]. The zero value has all defaults.
type Options struct {
	// LockTimeout is how long one statement waits for a table's lock. It is short
	// because, while a DDL statement waits, all later statements on that table
	// wait behind it. Default 5 s, also if it is negative.
	LockTimeout time.Duration
	// PollInterval is how often Wait checks the schema, and how often Up tries to
	// get the lock while another program holds it. Default 1 s, also if it is
	// negative.
	PollInterval time.Duration
	// Logger gets a line for each migration. Nil: nothing is logged.
	Logger *slog.Logger
}

// Migrator applies and checks one set of migrations. It keeps no connection open.
type Migrator struct {
	config  *pgx.ConnConfig
	files   fs.FS
	sources []*goose.Source // ascending, never empty
	options Options
}

// Status is one migration and whether the database has it.
type Status struct {
	Version int64
	// Name is the name of the file; empty for a version that this program does
	// not know.
	Name string
	// AppliedAt is zero for a pending migration.
	AppliedAt time.Time
}

// Pending reports whether the migration is still to be applied.
func (s Status) Pending() bool { return s.AppliedAt.IsZero() }

// Querier is a connection, a transaction or a pool of pgx.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// New reads the names of the migrations (NUMBER_name.sql at the root of files),
// of which there must be at least one. databaseURL is a connection string of pgx
// or pgxpool. New does not connect.
func New(databaseURL string, files fs.FS, o Options) (*Migrator, error) {
	// pgxpool's parser, because pgx's would send pool_max_conns to the server.
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = 5 * time.Second
	}
	if o.PollInterval <= 0 {
		o.PollInterval = time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Migrator{config: config.ConnConfig, files: files, options: o}
	// Prepared statements would stay in a session, and through a pooler the next
	// statement may go to another one, before we have found out about the pooler.
	m.config.DefaultQueryExecMode = pgx.QueryExecModeExec

	db := sql.OpenDB(noConnector{})
	defer db.Close()
	provider, err := m.provider(db)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	m.sources = provider.ListSources()
	return m, nil
}

// Wanted is the newest version that this program knows.
func (m *Migrator) Wanted() int64 { return m.sources[len(m.sources)-1].Version }

// provider returns a goose provider without global state. It does not use
// goose's own lock, because goose creates the version table before it takes that.
func (m *Migrator) provider(db *sql.DB) (*goose.Provider, error) {
	return goose.NewProvider(goose.DialectPostgres, db, m.files,
		goose.WithTableName(Table), goose.WithDisableGlobalRegistry(true), goose.WithSlog(m.options.Logger))
}

// Up applies all pending migrations, each in its own transaction (unless its
// file says otherwise), and returns those that it has applied, also if there is
// an error. If several programs call Up at the same time, one migrates and the
// others wait. Errors: [ErrPooler], [ErrLockTimeout], and PostgreSQL's.
func (m *Migrator) Up(ctx context.Context) ([]Status, error) {
	lock, err := m.lock(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	applied, err := m.up(ctx, lock)
	if released := lock.release(ctx); err == nil {
		// After a failure, the connection and the lock may be gone, which makes
		// release fail, too. Then the failure is the error to return.
		err = released
	}
	return applied, err
}

func (m *Migrator) up(ctx context.Context, lock *sessionLock) ([]Status, error) {
	provider, err := m.provider(lock.db)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	var applied []Status
	for {
		if err := lock.prove(ctx); err != nil {
			return applied, fmt.Errorf("migrate: %w", err)
		}
		result, err := provider.UpByOne(ctx)
		if errors.Is(err, goose.ErrNoNextVersion) {
			return applied, nil
		}
		if err != nil {
			return applied, explain(err)
		}
		m.options.Logger.InfoContext(ctx, "migration applied",
			"version", result.Source.Version, "name", result.Source.Path, "took", result.Duration)
		applied = append(applied, Status{Version: result.Source.Version, Name: result.Source.Path, AppliedAt: time.Now()})
	}
}

// explain adds to an error which migration failed, and [ErrLockTimeout] if that
// is the reason.
func explain(err error) error {
	if partial, ok := errors.AsType[*goose.PartialError](err); ok {
		err = fmt.Errorf("migration %s: %w", partial.Failed.Source.Path, partial.Err)
	} else {
		err = fmt.Errorf("migrate: %w", err)
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "55P03" { // lock_not_available
		return fmt.Errorf("%w: %w", ErrLockTimeout, err)
	}
	return err
}

// Status lists the migrations of this program and those that only the database
// has, in the order of versions. It changes nothing. Errors: [ErrServerTooOld],
// and PostgreSQL's.
func (m *Migrator) Status(ctx context.Context) ([]Status, error) {
	conn, err := pgx.ConnectConfig(ctx, m.config)
	if err != nil {
		return nil, fmt.Errorf("look at the schema version: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := CheckServer(conn.PgConn()); err != nil {
		return nil, err
	}
	return m.StatusOn(ctx, conn)
}

// StatusOn is [Migrator.Status] on a given connection. It does not check the
// server's version.
func (m *Migrator) StatusOn(ctx context.Context, q Querier) ([]Status, error) {
	recorded, err := versions(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("look at the schema version: %w", err)
	}
	var list []Status
	for _, source := range m.sources {
		list = append(list, Status{Version: source.Version, Name: source.Path, AppliedAt: recorded[source.Version]})
		delete(recorded, source.Version)
	}
	for version, at := range recorded {
		list = append(list, Status{Version: version, AppliedAt: at})
	}
	slices.SortFunc(list, func(a, b Status) int { return int(min(max(a.Version-b.Version, -1), 1)) })
	return list, nil
}

// versions reads when each version was applied; empty if none was. It needs two
// statements, because one that names a table fails if the table does not exist.
func versions(ctx context.Context, q Querier) (map[int64]time.Time, error) {
	rows, err := q.Query(ctx, "SELECT to_regclass('"+Table+"') IS NOT NULL")
	if err != nil {
		return nil, err
	}
	there, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
	if err != nil || !there {
		return nil, err
	}
	rows, err = q.Query(ctx, "SELECT version_id, tstamp FROM "+Table+" WHERE is_applied AND version_id > 0")
	if err != nil {
		return nil, err
	}
	recorded := make(map[int64]time.Time)
	var version int64
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&version, &at}, func() error {
		recorded[version] = at
		return nil
	})
	return recorded, err
}

// Check returns nil if the schema is one that this program can work with.
// Errors: [ErrUnmigrated], [ErrSchemaTooOld], [ErrSchemaTooNew], and
// PostgreSQL's. A newer schema will do, unless a migration has said otherwise:
// see [Migrator.CheckOn].
func (m *Migrator) Check(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, m.config)
	if err != nil {
		return fmt.Errorf("look at the schema version: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return m.CheckOn(ctx, conn)
}

// CheckOn is [Migrator.Check] on a given connection. A migration that removes
// what older programs need sets catalog.min_schema to the version that a program
// must at least know to work without it.
func (m *Migrator) CheckOn(ctx context.Context, q Querier) error {
	list, err := m.StatusOn(ctx, q)
	if err != nil {
		return err
	}
	least, err := minSchema(ctx, q)
	if err != nil {
		return fmt.Errorf("look at the schema version: %w", err)
	}
	return m.compare(list, least)
}

// minSchema is the version that a program must at least know; 0 if the database
// does not say so, because no migration has set it or there is no such column
// yet.
func minSchema(ctx context.Context, q Querier) (int64, error) {
	rows, err := q.Query(ctx, "SELECT to_regclass('catalog') IS NOT NULL")
	if err != nil {
		return 0, err
	}
	there, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
	if err != nil || !there {
		return 0, err
	}
	// By way of JSON, because a statement that names a column fails if the column
	// does not exist.
	rows, err = q.Query(ctx, "SELECT coalesce(max((to_jsonb(c) ->> 'min_schema')::bigint), 0) FROM catalog c")
	if err != nil {
		return 0, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
}

func (m *Migrator) compare(list []Status, least int64) error {
	var have int64
	pending := 0
	for _, s := range list {
		if s.Pending() {
			pending++
		} else {
			have = max(have, s.Version)
		}
	}
	switch {
	case have == 0:
		return ErrUnmigrated
	case pending > 0:
		return fmt.Errorf("%w (it is at version %d, this program needs %d, pending: %d)", ErrSchemaTooOld, have, m.Wanted(), pending)
	case least > m.Wanted():
		return fmt.Errorf("%w (it is at version %d and wants programs that know %d, this one knows up to %d)", ErrSchemaTooNew, have, least, m.Wanted())
	}
	return nil
}

// Wait returns nil when the schema is one that this program can work with. It
// returns an error at once if waiting cannot help: [ErrSchemaTooNew], or one for
// which [Refused] has advice. After any other error it checks again, because a
// database that is starting refuses connections in many ways. When ctx ends, the
// error has the last reason for waiting in it.
func (m *Migrator) Wait(ctx context.Context) error {
	tick := time.NewTicker(m.options.PollInterval)
	defer tick.Stop()
	var last error
	for {
		err := m.Check(ctx)
		if err == nil || errors.Is(err, ErrSchemaTooNew) {
			return err
		}
		if Refused(err) != "" {
			return fmt.Errorf("wait for the schema: %w", err)
		}
		// If ctx has ended during the check, its error says nothing about the
		// database. A dial may notice that the deadline has passed a moment before
		// ctx does.
		deadline, bounded := ctx.Deadline()
		ended := ctx.Err() != nil || bounded && !time.Now().Before(deadline)
		if !ended || last == nil {
			if last == nil || last.Error() != err.Error() {
				m.options.Logger.InfoContext(ctx, "waiting for the schema", "reason", err)
			}
			last = err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the schema: %w: %w", ctx.Err(), last)
		}
	}
}
